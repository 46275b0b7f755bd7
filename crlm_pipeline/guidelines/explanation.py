"""Why this verdict, why not the rules above, what is missing, which row each fact came from: as text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

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


def explain_decision(warehouse: Warehouse, knowledge: Knowledge, decision_id: str) -> str:
    """Explain every verdict of a decision of a warehouse; raises `UsageError` when there is no such decision."""
    found = warehouse.query("explain/decision", decision_id=decision_id)
    if not found.height:
        raise UsageError(
            "The warehouse holds no decision of that id. Ids read PATIENT/systemic/1, PATIENT/local/1, PATIENT/next."
        )
    decision = found.row(0, named=True)
    views = warehouse.query("explain/class_view", decision_id=decision_id).to_dicts()
    run = warehouse.query("explain/run").row(0, named=True)
    tests = warehouse.query("explain/required_test", decision_id=decision_id).to_dicts()
    lines = [*_heading(decision)]
    for verdict in warehouse.query("explain/verdict", decision_id=decision_id).iter_rows(named=True):
        series = knowledge.series[verdict["guideline"]]
        answers = _answers(knowledge, series, decision, views, run)
        lines += ["", *_guideline(verdict, answers, decision)]
        lines += [f"  test {_test(each)}" for each in tests if each["guideline"] == verdict["guideline"]]
    sources = warehouse.query("explain/fact_source", decision_id=decision_id).to_dicts()
    return "\n".join([*lines, "", *_facts(decision, sources)])


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
    if isinstance(said, Outcome):
        if said.unlocking_facts:
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
