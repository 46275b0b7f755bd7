"""The grace period of a rolling edition whose first rule is younger than the period."""

from datetime import date

import pytest

from crlm_pipeline.guidelines.explain import editions_for
from crlm_pipeline.guidelines.load import load_editions

EVIDENCE = load_editions().series["evidence"]
CAIRO5 = "evidence.f16_left"
SUNLIGHT = "evidence.h01"


def rules_on(day: date) -> list[frozenset[str]]:
    """Return the rules that judge a decision of the day: as of the day first, then without what is within grace."""
    decision = {"is_relative_calendar": False, "decision_date": day}
    return [active for _, active, _ in editions_for(EVIDENCE, decision, grace_days=90)]


def test_before_the_first_rule_nothing_judges() -> None:
    assert rules_on(date(2023, 5, 3)) == []


@pytest.mark.parametrize("day", [date(2023, 5, 4), date(2023, 6, 30)])
def test_the_first_rule_has_no_grace(day: date) -> None:
    (active,) = rules_on(day)
    assert SUNLIGHT in active


@pytest.mark.parametrize("day", [date(2023, 7, 1), date(2023, 8, 1), date(2023, 9, 28)])
def test_the_second_rule_has_its_whole_grace(day: date) -> None:
    newer, older = rules_on(day)
    assert CAIRO5 in newer
    assert CAIRO5 not in older
    assert SUNLIGHT in older


def test_the_grace_of_the_second_rule_ends() -> None:
    assert len(rules_on(date(2023, 9, 29))) == 1
