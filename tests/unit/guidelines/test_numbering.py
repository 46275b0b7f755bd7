"""Numbers that stand for contents: equal contents, equal numbers, in whatever part of a registry they are met."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from crlm_pipeline.guidelines import states
from crlm_pipeline.guidelines.numbering import content_numbers, number_states

STATES = pl.DataFrame({"decision_id": ["a", "b", "c"], "edition_id": ["e", "e", "f"], "state_no": [0, 1, 0]})
OPTIONS = pl.DataFrame(
    {
        "state_no": [0, 0, 1, 0],
        "edition_id": ["e", "e", "e", "f"],
        "rule_id": ["r1", "r2", "r1", "r1"],
        "option_no": [1, 1, 1, 1],
        "certainty": ["definite"] * 4,
    }
)


def test_a_number_follows_from_the_text_alone() -> None:
    numbers = content_numbers(pl.Series(["x", "y", "x", ""]))
    assert numbers[0] == numbers[2]
    assert numbers.n_unique() == 3
    assert content_numbers(pl.Series(["x"]))[0] == numbers[0] == 2697552496229297191
    assert numbers.min() >= 0


def test_states_that_hold_out_the_same_share_a_number_whatever_they_were_called() -> None:
    numbered, options = number_states(STATES, OPTIONS)
    swapped = {0: 1, 1: 0}
    other = [frame.with_columns(pl.col("state_no").replace_strict(swapped)) for frame in (STATES, OPTIONS)]
    again = number_states(*other)
    assert_frame_equal(numbered, again[0])
    assert_frame_equal(options, again[1], check_row_order=False)
    assert numbered["state_no"].n_unique() == 3


def test_states_without_an_option_share_a_number_within_an_edition() -> None:
    numbered, options = number_states(STATES, OPTIONS.head(0))
    assert numbered["state_no"].n_unique() == 2
    assert options.is_empty()


@pytest.mark.parametrize("table", [1, 1 << 20], ids=["by value", "by a table"])
def test_codes_told_apart_stand_for_the_codes_of_each_row(table: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "_TABLE", table)
    codes = [np.array([0, 3, 0, 3, 1]), np.array([2, 0, 2, 1, 0])]
    numbers, distinct = states.distinct_codes(codes)
    assert len(distinct[0]) == 4
    assert [each[numbers].tolist() for each in distinct] == [each.tolist() for each in codes]


def test_no_rows_have_no_codes() -> None:
    none = np.zeros(0, np.int64)
    numbers, distinct = states.distinct_codes([none, none])
    assert numbers.size == distinct[0].size == distinct[1].size == 0
