"""Every example of every edition, on both evaluators; a rule without a firing example does not load."""

from datetime import date

import polars as pl
import pytest

from crlm_pipeline import resources
from crlm_pipeline.guidelines.explain import example_decision, judge_one
from crlm_pipeline.guidelines.judging import judge
from crlm_pipeline.guidelines.load import Knowledge, is_active, load_edition
from crlm_pipeline.guidelines.model import Edition, Example, LadderRule, Rule, SafetyRule
from crlm_pipeline.guidelines.outcome import Outcome
from crlm_pipeline.guidelines.situations import number_situations
from crlm_pipeline.guidelines.truth import rule_truth
from crlm_pipeline.guidelines.verdicts import final_verdicts
from schemas.cohort import ClassView, Decision
from schemas.column import describe

EDITIONS = [load_edition(path) for path in resources.edition_files()]
CASES = [
    pytest.param(edition, rule, example, id=f"{edition.edition}-{rule.id}-{number}")
    for edition in EDITIONS
    for rule in edition.rules
    for number, example in enumerate(rule.examples, 1)
]


def active_on(edition: Edition, rule: Rule, example: Example) -> frozenset[str]:
    day = example.decided or rule.from_ or date(2030, 1, 1)
    return frozenset(each.id for each in edition.rules if not edition.rolling or is_active(each, day))


def as_frame(decision: dict[str, object]) -> pl.DataFrame:
    row = {
        "decision_id": "example/systemic/1",
        "patient_id": "example",
        "centre_id": "C",
        "home_centre_id": "C",
        "country": "ZZ",
        "decision_date": date(2030, 1, 1),
        "facts_date": date(2030, 1, 1),
        "is_relative_calendar": False,
        "is_fitness_known": decision["fitness"] is not None,
        "has_assumed_date": False,
        "has_imputed_date": False,
    } | decision
    return pl.DataFrame([row], schema=describe(Decision).polars_schema)


@pytest.mark.parametrize(("edition", "rule", "example"), CASES)
def test_the_example_holds(edition: Edition, rule: Rule, example: Example) -> None:
    active = active_on(edition, rule, example)
    decision = example_decision(example.facts, example.given)
    answer = judge_one(edition, active, decision)
    if isinstance(rule, SafetyRule):
        fired = any(a.rule.id == rule.id and a.truth is True for a in answer.safety)
        assert fired is example.fires
    else:
        assert (rule.id in active and rule_truth(rule, decision) is True) is example.fires
    if isinstance(rule, LadderRule) and example.fires and example.verdict is None:
        assert is_in_play(edition, rule, answer.outcome)
    if example.verdict is not None:
        assert answer.verdict == example.verdict
    if example.rule is not None or (example.fires and example.verdict is not None and isinstance(rule, LadderRule)):
        deciding = {None, "not_evaluable"} if example.verdict == "not_evaluable" else {example.rule or rule.id}
        assert answer.rule_id in deciding
    if example.missing is not None:
        assert answer.outcome.missing_facts == tuple(sorted(example.missing))


def is_in_play(edition: Edition, rule: LadderRule, outcome: object) -> bool:
    assert isinstance(outcome, Outcome)
    number = edition.ladder.index(rule)
    return any(held.rule_no == number for held in outcome.held_out) or not rule.options


@pytest.mark.parametrize(("edition", "rule", "example"), CASES)
def test_the_vectorised_evaluator_says_the_same(edition: Edition, rule: Rule, example: Example) -> None:
    active = active_on(edition, rule, example)
    decision = example_decision(example.facts, example.given)
    plain = judge_one(edition, active, decision)
    frame, situations = number_situations(as_frame(decision), Knowledge((edition,), {}))
    class_view = pl.DataFrame(schema=describe(ClassView).polars_schema)
    judgement = judge(edition, active, frame, class_view, situations)
    row = final_verdicts(judgement, frame).rows(frame, is_older=False).row(0, named=True)
    assert (row["verdict"], row["rule_id"]) == (plain.verdict, plain.rule_id)
    if row["verdict"] == "not_evaluable":
        assert tuple(row["missing_facts"]) == plain.outcome.missing_facts


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: edition.edition)
def test_every_ladder_rule_has_an_example_in_which_it_does_not_fire(edition: Edition) -> None:
    # A test asked of every decision has no other side.
    conditional = [rule for rule in edition.rules if rule.when or rule.any or isinstance(rule, SafetyRule)]
    lacking = [rule.id for rule in conditional if all(example.fires for example in rule.examples)]
    assert lacking == []
