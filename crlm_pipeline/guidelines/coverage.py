"""Where each statement of the clinical knowledge base lives in the editions, or why it cannot."""

import re
from dataclasses import dataclass

from crlm_pipeline import resources
from crlm_pipeline.guidelines.load import Knowledge
from crlm_pipeline.guidelines.model import Rule

_CITED = re.compile(r"\b[TFGHLX]-\d\d[a-z]?\b")


@dataclass(frozen=True, slots=True)
class Coverage:
    """One statement: the rules that carry it and, per series, the reason why the extract cannot carry it."""

    clinical_id: str
    statement: str
    rules: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def is_covered(self) -> bool:
        """Whether the statement is a rule somewhere or has a reason for not being one."""
        return bool(self.rules or self.reasons)


def coverage(knowledge: Knowledge) -> list[Coverage]:
    """Return a row per statement of `data/reference/clinical_rules.csv`, in its order."""
    statements = resources.reference("clinical_rules")
    known = {_short(row["clinical_id"]) for row in statements}
    rules: dict[str, list[str]] = {}
    for edition in knowledge.editions:
        for rule in edition.rules:
            for statement in _carried(rule, known):
                rules.setdefault(statement, []).append(rule.id)
    reasons: dict[str, list[str]] = {}
    for row in resources.reference("rules_not_carried"):
        reasons.setdefault(row["clinical_id"], []).append(f"{row['series']}: {row['reason']}")
    return [
        Coverage(
            row["clinical_id"],
            row["statement"],
            tuple(sorted(set(rules.get(_short(row["clinical_id"]), [])))),
            tuple(reasons.get(row["clinical_id"], [])),
        )
        for row in statements
    ]


def _short(clinical_id: str) -> str:
    return clinical_id.lower().replace("-", "")


def _carried(rule: Rule, known: set[str]) -> set[str]:
    """Return the statements that a rule carries: that of its id, up to a distinguishing letter, and those it cites."""
    suffix = rule.id.partition(".")[2]
    own = suffix if suffix in known else suffix.rstrip("abcdefghijklmnopqrstuvwxyz_")
    return {own, *map(_short, _CITED.findall(rule.source))} & known
