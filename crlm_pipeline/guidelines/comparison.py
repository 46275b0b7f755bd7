"""What changed between two editions, and which decisions of a warehouse change verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from crlm_pipeline.guidelines.judging import judge
from crlm_pipeline.guidelines.load import Knowledge
from crlm_pipeline.guidelines.model import Edition, LabelWording, LadderRule, Rule, SafetyRule, TestRule
from crlm_pipeline.guidelines.situations import number_situations
from crlm_pipeline.guidelines.tables import wording_in_words
from crlm_pipeline.guidelines.verdicts import final_verdicts
from crlm_pipeline.guidelines.wording import conditions_in_words, rule_in_words
from crlm_pipeline.warehouse import Warehouse
from schemas.cohort import ClassView, Decision


@dataclass(frozen=True, slots=True)
class Change:
    """A rule that came, went or changed; `before` and `after` are its statements in words, empty when absent."""

    rule: str
    what: str
    before: str
    after: str


def compare_editions(older: Edition, newer: Edition) -> list[Change]:
    """Return the changes from the older to the newer edition, by clinical id; ids are compared without the series."""
    before = {_clinical_id(rule): statements(rule) for rule in older.rules}
    after = {_clinical_id(rule): statements(rule) for rule in newer.rules}
    return [
        change
        for rule in dict.fromkeys([*before, *after])
        for change in _changes(rule, before.get(rule), after.get(rule))
    ]


def _clinical_id(rule: Rule) -> str:
    return rule.id.partition(".")[2]


def statements(rule: Rule) -> dict[str, str]:
    """Return what a rule states, in words, by kind of statement."""
    said = {"applies when": rule_in_words(rule)}
    if isinstance(rule, LadderRule):
        said["options"] = "; ".join(_options(rule)) or "none"
        said["advises against"] = "; ".join(rule.not_recommended) or "nothing"
    if isinstance(rule, SafetyRule):
        said["treatment"] = rule.given
        said["verdict"] = rule.verdict
    if isinstance(rule, TestRule):
        said["asks for"] = f"{rule.analyte} by {rule.by.replace('_', ' ')}"
    if isinstance(rule, LabelWording):
        said["wording"] = wording_in_words(rule)
    return said


def _options(rule: LadderRule) -> Iterator[str]:
    for option in rule.options:
        grade = f", {option.grade}" if option.grade else ""
        condition = f" when {conditions_in_words(option.when)}" if option.when else ""
        yield f"{option.treatment} ({option.preference}{grade}){condition}"


def _changes(rule: str, before: dict[str, str] | None, after: dict[str, str] | None) -> Iterator[Change]:
    if before is None or after is None:
        known = before or after or {}
        words = "; ".join(f"{what}: {said}" for what, said in known.items())
        yield Change(
            rule, "new rule" if before is None else "rule gone", words if before else "", words if after else ""
        )
        return
    for what in dict.fromkeys([*before, *after]):
        if before.get(what) != after.get(what):
            yield Change(rule, what, before.get(what, ""), after.get(what, ""))


def changes_in_words(changes: Sequence[Change]) -> str:
    """Return the changes as text, one block each."""
    lines: list[str] = []
    for change in changes:
        lines.append(f"{change.rule}: {change.what}")
        lines += [f"  - {change.before}"] if change.before else []
        lines += [f"  + {change.after}"] if change.after else []
    return "\n".join(lines) or "The two editions say the same."


def changed_decisions(
    warehouse: Warehouse, knowledge: Knowledge, older: Edition, newer: Edition
) -> tuple[Sequence[str], list[tuple[str, ...]]]:
    """Return the decisions of a warehouse whose verdict differs, under the names of their columns.

    Both editions judge every decision whatever its date, so that only the rules differ.
    """
    decisions, class_view = warehouse.read(Decision), warehouse.read(ClassView)
    under = [_verdicts(knowledge, edition, decisions, class_view) for edition in (older, newer)]
    changed = (
        under[0].join(under[1], on="decision_id", suffix="_then").filter(pl.col("verdict") != pl.col("verdict_then"))
    )
    columns = ("decision_id", older.edition, newer.edition)
    return columns, changed.select("decision_id", "verdict", "verdict_then").sort("decision_id").rows()


def _verdicts(
    knowledge: Knowledge, edition: Edition, decisions: pl.DataFrame, class_view: pl.DataFrame
) -> pl.DataFrame:
    frame, situations = number_situations(decisions, knowledge)
    active = frozenset(rule.id for rule in edition.rules)
    judgement = judge(edition, active, frame, class_view, situations)
    return final_verdicts(judgement, frame).rows(frame, is_older=False).select("decision_id", "verdict")
