"""States: what is cleared changes nothing, few are left, and rules count on the days on which they exist."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from crlm_pipeline import resources
from crlm_pipeline.guidelines.evaluation import evaluate
from crlm_pipeline.guidelines.explain import given_of, judge_one
from crlm_pipeline.guidelines.judging import judge
from crlm_pipeline.guidelines.ladder import ladder_of
from crlm_pipeline.guidelines.load import Knowledge, is_active, load_edition
from crlm_pipeline.guidelines.model import Edition
from crlm_pipeline.guidelines.situations import Situations, number_situations, profile_of
from crlm_pipeline.guidelines.variants import Existing, existing_throughout
from crlm_pipeline.guidelines.verdicts import final_verdicts
from tests.properties.decisions_of_chance import draw, no_class_views

EDITIONS = [load_edition(path) for path in resources.edition_files()]
LADDERS = [edition for edition in EDITIONS if edition.ladder]
ROLLING = [edition for edition in EDITIONS if edition.rolling]


def rules_on(edition: Edition, day: date) -> frozenset[str]:
    return frozenset(rule.id for rule in edition.rules if is_active(rule, day))


@pytest.mark.parametrize("edition", LADDERS, ids=lambda edition: edition.edition)
def test_an_outcome_of_a_state_is_that_of_each_of_its_decisions(edition: Edition) -> None:
    decisions = draw([edition], 400, seed=17, share_unknown=0.2)
    frame, situations = number_situations(decisions, Knowledge((edition,), {}))
    everything = frozenset(rule.id for rule in edition.rules)
    evaluation = evaluate(ladder_of(edition), existing_throughout(everything, frame.height), frame, situations)
    for decision, state_no in zip(decisions.iter_rows(named=True), evaluation.state_no.tolist(), strict=True):
        assert evaluation.outcomes[state_no] == judge_one(edition, everything, decision).outcome, decision


@pytest.mark.parametrize("edition", LADDERS, ids=lambda edition: edition.edition)
def test_a_fit_numbered_for_all_situations_is_that_of_the_treatment_and_the_profile(edition: Edition) -> None:
    decisions = draw([edition], 400, seed=3)
    frame, situations = number_situations(decisions, Knowledge((edition,), {}))
    options = ladder_of(edition).options
    numbers, fits = options.fits(situations)
    for decision in frame.iter_rows(named=True):
        own = options.fit(given_of(decision), profile_of(decision, frozenset()))
        assert fits[numbers[decision["situation_no"]]] == own
    assert len(set(fits)) == len(fits) <= len(numbers)


@pytest.mark.parametrize("edition", ROLLING, ids=lambda edition: edition.edition)
def test_decisions_judged_together_are_judged_by_the_rules_of_their_own_days(edition: Edition) -> None:
    days = [date(2015, 6, 1), date(2024, 12, 1), date(2026, 1, 1)]
    sets = tuple(rules_on(edition, day) for day in days)
    decisions = draw([edition], 300, seed=23)
    frame, situations = number_situations(decisions, Knowledge((edition,), {}))
    numbers = np.arange(frame.height) % len(days)
    together = verdicts(edition, Existing(sets, numbers), frame, situations)
    for number, own in enumerate(sets):
        is_own = numbers == number
        alone = verdicts(edition, own, frame.filter(is_own), situations)
        assert together.filter(is_own).equals(alone)


def verdicts(
    edition: Edition, active: frozenset[str] | Existing, frame: pl.DataFrame, situations: Situations
) -> pl.DataFrame:
    judgement = judge(edition, active, frame, no_class_views(), situations)
    return final_verdicts(judgement, frame).rows(frame, is_older=False)
