"""Where each statement of the clinical knowledge base lives in the editions, or why it cannot."""

from dataclasses import dataclass

from crlm_pipeline import resources
from crlm_pipeline.guidelines.load import Knowledge


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
            rules.setdefault(_carried(rule.id.partition(".")[2], known), []).append(rule.id)
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


def _carried(suffix: str, known: set[str]) -> str:
    """Return the statement that a rule carries: its own id, else the id before a distinguishing letter (`f06r`)."""
    return suffix if suffix in known else suffix.rstrip("abcdefghijklmnopqrstuvwxyz_")
