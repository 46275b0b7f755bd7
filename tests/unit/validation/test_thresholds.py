"""Thresholds are data: each with author, date and reason, and of a check that exists."""

from collections.abc import Mapping

import pytest

from crlm_pipeline.errors import KnowledgeError
from crlm_pipeline.validation.register import register
from crlm_pipeline.validation.thresholds import read_thresholds, thresholds

GOOD: Mapping[str, str] = {
    "check_name": "date_imputed",
    "table_name": "mdt",
    "column_name": "mdt_date",
    "max_share": "0.2",
    "author": "A. Nother",
    "date": "2026-01-02",
    "reason": "An example.",
}


def test_the_thresholds_that_ship_are_read() -> None:
    assert thresholds()
    assert all(one.author and one.set_on and one.reason for one in thresholds().values())


def test_a_threshold_says_who_set_it_when_and_why() -> None:
    (found,) = read_thresholds([dict(GOOD)], register()).values()
    assert (found.max_share, found.author, str(found.set_on), found.reason) == (
        0.2,
        "A. Nother",
        "2026-01-02",
        "An example.",
    )


@pytest.mark.parametrize("share", ["0", "1"])
def test_a_share_may_be_none_or_all(share: str) -> None:
    assert read_thresholds([{**GOOD, "max_share": share}], register())


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"check_name": "date_inputed"}, "check, table and column"),
        ({"column_name": "outcome_date"}, "check, table and column"),
        ({"column_name": ""}, "check, table and column"),
        ({"max_share": "1.01"}, "from 0 to 1"),
        ({"max_share": "-0.01"}, "from 0 to 1"),
        ({"max_share": "nan"}, "from 0 to 1"),
        ({"max_share": "ten"}, "from 0 to 1"),
        ({"author": ""}, "author"),
        ({"reason": ""}, "reason"),
        ({"date": "2026"}, "date"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_row(cells: Mapping[str, str], told: str) -> None:
    with pytest.raises(KnowledgeError, match=f"check_thresholds.csv, row 1: .*{told}"):
        read_thresholds([{**GOOD, **cells}], register())


def test_a_check_that_is_named_twice_is_refused() -> None:
    with pytest.raises(KnowledgeError, match="row 2: expected each check once"):
        read_thresholds([dict(GOOD), dict(GOOD)], register())
