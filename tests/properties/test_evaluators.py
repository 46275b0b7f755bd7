"""The vectorised evaluator and the plain one say the same; filling in what is missing never overturns an answer."""

import os
from datetime import date
from itertools import product

import polars as pl
import pytest

from crlm_pipeline import resources
from crlm_pipeline.guidelines.clauses import clauses_of
from crlm_pipeline.guidelines.domain import distinct_values
from crlm_pipeline.guidelines.explain import judge_one
from crlm_pipeline.guidelines.judging import judge
from crlm_pipeline.guidelines.load import Knowledge, is_active, load_edition
from crlm_pipeline.guidelines.model import Edition
from crlm_pipeline.guidelines.outcome import Outcome
from crlm_pipeline.guidelines.situations import number_situations
from crlm_pipeline.guidelines.truth import Reading
from crlm_pipeline.guidelines.verdicts import final_verdicts
from tests.properties.decisions_of_chance import draw, no_class_views

EDITIONS = [load_edition(path) for path in resources.edition_files()]
# All editions together; `make prove DECISIONS=5000000` compares more.
DECISIONS = int(os.environ.get("CRLM_DECISIONS", "100000"))
DECISIONS_PER_EDITION = -(-DECISIONS // len(EDITIONS))
UNKNOWN_FILLED_AT_MOST = 400


def everything(edition: Edition) -> frozenset[str]:
    return frozenset(rule.id for rule in edition.rules if not edition.rolling or is_active(rule, date(2026, 1, 1)))


def vectorised(edition: Edition, decisions: pl.DataFrame) -> pl.DataFrame:
    frame, situations = number_situations(decisions, Knowledge((edition,), {}))
    judgement = judge(edition, everything(edition), frame, no_class_views(), situations)
    return final_verdicts(judgement, frame).rows(frame, is_older=False)


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: edition.edition)
def test_vectorised_and_plain_evaluators_agree_on_decisions_drawn_at_random(edition: Edition) -> None:
    decisions = draw([edition], DECISIONS_PER_EDITION, seed=20231227)
    fast = vectorised(edition, decisions)
    for decision, row in zip(decisions.iter_rows(named=True), fast.iter_rows(named=True), strict=True):
        plain = judge_one(edition, everything(edition), decision)
        assert (row["verdict"], row["rule_id"]) == (plain.verdict, plain.rule_id), decision
        if row["verdict"] == "not_evaluable":
            assert tuple(row["missing_facts"]) == plain.outcome.missing_facts
        if isinstance(plain.outcome, Outcome) and row["verdict"] == "not_evaluable":
            assert tuple(row["unlocking_facts"]) == plain.outcome.unlocking_facts
            assert row["pathway"] == plain.outcome.pathway


@pytest.mark.parametrize("edition", [e for e in EDITIONS if e.ladder], ids=lambda edition: edition.edition)
def test_filling_in_missing_facts_never_changes_a_verdict_of_the_ladder(edition: Edition) -> None:
    clauses = clauses_of(edition.ladder)
    held = {c.fact for clause in clauses for c in clause.conditions if c.reading is Reading.KNOWN}
    decisions = draw([edition], UNKNOWN_FILLED_AT_MOST, seed=7, share_unknown=0.08)
    for decision in decisions.iter_rows(named=True):
        before = judge_one(edition, everything(edition), decision).outcome
        assert isinstance(before, Outcome)
        # Conditions under `known` are held as they were, so the facts that they read stay unknown.
        tests = {
            fact: [c.test for clause in clauses for c in clause.conditions if c.fact == fact]
            for fact in sorted({fact for clause in clauses for fact in clause.askable})
            if decision[fact] is None and fact not in held
        }
        if before.verdict == "not_evaluable" or not tests or len(tests) > 4:
            continue
        for values in product(*(distinct_values(fact, own) for fact, own in tests.items())):
            filled = decision | dict(zip(tests, values, strict=True))
            after = judge_one(edition, everything(edition), filled).outcome
            assert after.verdict == before.verdict, (decision, filled)
