"""Why this verdict, why not the rules above, what is missing, which row each fact came from: as text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from crlm_pipeline.errors import UsageError
from crlm_pipeline.guidelines.explain import EditionAnswer, judge_decision, judge_one
from crlm_pipeline.guidelines.labels import listed
from crlm_pipeline.guidelines.load import Knowledge, Series, is_active
from crlm_pipeline.guidelines.model import Conditions, LabelWording, LadderRule, Rule, fact_columns
from crlm_pipeline.guidelines.outcome import Outcome
from crlm_pipeline.guidelines.patterns import tokens
from crlm_pipeline.guidelines.truth import Facts, Reading, Truth, holds, is_read_as_ladder, rule_truth
from crlm_pipeline.guidelines.wording import facts_in_words, test_in_words
from crlm_pipeline.warehouse import Warehouse

_MARKS = {True: "+", False: "-", None: "?"}


@dataclass(frozen=True, slots=True)
class Step:
    """One condition of a rule against the decision: in words, its truth, and what is known."""

    words: str
    truth: Truth
    known: str


def trace(rule: Rule, facts: Facts) -> list[Step]:
    """Return every condition of a rule with its truth for these facts; alternatives are joined by `or`."""
    reading = Reading.LADDER if is_read_as_ladder(rule) else Reading.SAFETY
    steps = [*_steps(rule.when, facts, reading), *_steps(getattr(rule, "known", {}), facts, Reading.KNOWN)]
    for place, alternative in enumerate(rule.any):
        prefix = "either " if place == 0 else "or "
        steps += [Step(prefix + step.words, step.truth, step.known) for step in _steps(alternative, facts, reading)]
    return steps


def _steps(conditions: Conditions, facts: Facts, reading: Reading) -> list[Step]:
    return [
        Step(test_in_words(fact, test), holds(test, facts.get(fact), reading), value_in_words(facts.get(fact)))
        for fact, test in conditions.items()
    ]


def value_in_words(value: Any) -> str:
    """Return a fact's value as text; null is `unknown`, an empty list `none`."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Record:
    """What a warehouse holds of a decision: its row, the views at first doses, verdicts, tests and sources."""

    decision: Facts
    views: Sequence[Facts]
    verdicts: Sequence[Mapping[str, Any]]
    tests: Sequence[Mapping[str, Any]]
    sources: Sequence[Mapping[str, Any]]


def records(warehouse: Warehouse, decision_ids: Sequence[str]) -> Iterator[Record]:
    """Yield the records of the decisions that the warehouse holds, in the order asked for."""
    parts = {
        name: _by_decision(warehouse.query(f"explain/{name}", decision_ids=list(decision_ids)))
        for name in ("decision", "class_view", "verdict", "required_test", "fact_source")
    }
    for decision_id in decision_ids:
        if decision_id in parts["decision"]:
            views, verdicts, tests, sources = (
                parts[name].get(decision_id, ()) for name in ("class_view", "verdict", "required_test", "fact_source")
            )
            yield Record(parts["decision"][decision_id][0], views, verdicts, tests, sources)


def _by_decision(frame: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in frame.iter_rows(named=True):
        grouped.setdefault(row["decision_id"], []).append(row)
    return grouped


def explain_decision(warehouse: Warehouse, knowledge: Knowledge, decision_id: str) -> str:
    """Explain every verdict of a decision of a warehouse; raises `UsageError` when there is no such decision."""
    for record in records(warehouse, [decision_id]):
        return explain_record(record, knowledge, last_run(warehouse))
    raise UsageError(
        "The warehouse holds no decision of that id. Ids read PATIENT/systemic/1, PATIENT/local/1, PATIENT/next."
    )


def last_run(warehouse: Warehouse) -> dict[str, Any]:
    """Return the settings under which the warehouse was judged."""
    return warehouse.query("explain/run").row(0, named=True)


def explain_record(
    record: Record, knowledge: Knowledge, run: Mapping[str, Any], guidelines: Sequence[str] | None = None
) -> str:
    """Explain the verdicts of a decision, under all guidelines or those named."""
    lines = [*_heading(record.decision)]
    for verdict in record.verdicts:
        if guidelines is not None and verdict["guideline"] not in guidelines:
            continue
        series = knowledge.series[verdict["guideline"]]
        answers = _answers(knowledge, series, record.decision, record.views, run)
        lines += ["", *_guideline(verdict, answers, record.decision)]
        lines += [f"  test {_test(each)}" for each in record.tests if each["guideline"] == verdict["guideline"]]
    return "\n".join([*lines, "", *_facts(record.decision, record.sources)])


def _answers(
    knowledge: Knowledge, series: Series, decision: Facts, views: Sequence[Facts], run: Mapping[str, Any]
) -> list[EditionAnswer]:
    if run["judge_by"] is None:
        return judge_decision(knowledge, series, decision, views, grace_days=run["grace_days"])
    edition = knowledge.edition(run["judge_by"])
    day = date.max if decision["is_relative_calendar"] else run["as_of"]
    active = frozenset(rule.id for rule in edition.rules if not edition.rolling or is_active(rule, day))
    return [judge_one(edition, active, decision, class_views=views)]


def _heading(decision: Facts) -> Iterator[str]:
    line = "" if decision["line"] is None else f", line {decision['line']}"
    yield f"{decision['decision_id']}: {decision['setting']} decision{line} on {decision['decision_date']}"
    yield f"  results counted up to {decision['facts_date']}"
    yield f"  centre {decision['centre_id']}, care in {decision['country']}"
    given = decision["regimen_name"] or decision["treatment"] or "nothing yet"
    yield f"  given: {given}" + (f" ({decision['treatment']})" if decision["regimen_name"] else "")


def _guideline(verdict: Mapping[str, Any], answers: Sequence[EditionAnswer], decision: Facts) -> Iterator[str]:
    yield f"{verdict['guideline']}: {verdict['verdict']}" + (f" by {verdict['rule_id']}" if verdict["rule_id"] else "")
    yield f"  {verdict['reason']}"
    if verdict["is_within_grace"]:
        yield "  The older edition counts: it is the kinder one within the grace period."
    if verdict["is_edition_superseded"]:
        yield "  A newer edition existed that day; it is not held here."
    for answer in answers:
        yield from _answer(answer, decision)


def _answer(answer: EditionAnswer, decision: Facts) -> Iterator[str]:
    edition = answer.edition
    signed = "signed" if edition.reviewed else "not signed by a clinician"
    yield f"  edition {edition.edition} ({edition.state}, {signed}): {answer.verdict}"
    said = answer.outcome
    if said.missing_facts:
        yield f"    missing: {facts_in_words(said.missing_facts)}"
    if isinstance(said, Outcome) and said.unlocking_facts:
        yield f"    would be decided by: {facts_in_words(said.unlocking_facts)}"
    if said.would_be:
        yield f"    would be: {said.would_be}"
    for each in answer.safety:
        state = "fires" if each.truth else "cannot be checked"
        yield f"    safety {each.rule.id} {state}: {each.rule.because}"
    yield from _rules(answer, decision)


def _rules(answer: EditionAnswer, decision: Facts) -> Iterator[str]:
    """Tell of each rule down to the one that decides whether it applies, and why or why not."""
    said = answer.outcome
    in_play = {held.rule_no for held in said.held_out} if isinstance(said, Outcome) else set()
    rules: Sequence[Rule] = answer.edition.ladder or answer.edition.wordings
    setting, given = decision["setting"], tokens(decision["treatment"])
    last = max(in_play, default=len(rules) - 1)
    for number, rule in enumerate(rules[: last + 1]):
        is_about_it = not isinstance(rule, LabelWording) or listed((rule.drug,)) & given
        if rule.id in answer.active and rule.when.get("setting", (setting,)) == (setting,) and is_about_it:
            yield from _rule(rule, decision, answer.edition.state, is_in_play=number in in_play)


def _rule(rule: Rule, decision: Facts, edition_state: str, *, is_in_play: bool) -> Iterator[str]:
    truth = rule_truth(rule, decision)
    word = {True: "applies", False: "does not apply", None: "cannot be told"}[truth]
    yield f"    rule {rule.id} {word}: {rule.title}"
    steps = trace(rule, decision)
    shown = steps if truth is True else [step for step in steps if step.truth is truth]
    for step in shown:
        yield f"      {_MARKS[step.truth]} {step.words}; known: {step.known}"
    if is_in_play and isinstance(rule, LadderRule):
        for option in rule.options:
            grade = f", grade {option.grade}" if option.grade else ""
            state = option.state or rule.state or edition_state
            yield f"      option: {option.treatment} ({option.preference}{grade}; {state})"
    if isinstance(rule, LabelWording) and truth is True:
        yield f"      wording for {rule.drug}: {' + '.join(rule.targeted)}"


def _test(row: Mapping[str, Any]) -> str:
    known = f"known {row['known_date']}" if row["known_date"] else "not known"
    return f"{row['test_id']} ({row['analyte']}), due {row['due_date']}: {row['status']}, {known}"


def _facts(decision: Facts, sources: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "Facts known that day:"
    for fact in fact_columns():
        if decision[fact] is None:
            continue
        yield f"  {fact}: {value_in_words(decision[fact])}"
        for row in sources:
            if row["fact"] == fact:
                yield f"    {row['file_name']}, row {row['source_row']} ({row['table_name']}): {row['reason']}"
    unknown = [fact for fact in fact_columns() if decision[fact] is None]
    yield f"Unknown that day: {', '.join(unknown)}"
