"""Numbers that stand for contents: equal contents, equal numbers, in whatever part of a registry they are met."""

import polars as pl
from polars.testing import assert_frame_equal

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
    states, options = number_states(STATES, OPTIONS)
    swapped = {0: 1, 1: 0}
    other = [frame.with_columns(pl.col("state_no").replace_strict(swapped)) for frame in (STATES, OPTIONS)]
    again = number_states(*other)
    assert_frame_equal(states, again[0])
    assert_frame_equal(options, again[1], check_row_order=False)
    assert states["state_no"].n_unique() == 3


def test_states_without_an_option_share_a_number_within_an_edition() -> None:
    states, options = number_states(STATES, OPTIONS.head(0))
    assert states["state_no"].n_unique() == 2
    assert options.is_empty()
