"""What got worse in the data: each rule on both sides of its limit, and how seldom chance alone is told."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import betabinom

from crlm_pipeline.quality_loss import FALSE_ALARMS, FEWEST, LEAST_FALL, _losses, in_words

SHAPE = {
    "table_name": pl.String,
    "column_name": pl.String,
    "check_name": pl.String,
    "centre_id": pl.String,
    "kept": pl.Int64,
    "looked_at": pl.Int64,
    "is_delivered": pl.Boolean,
    "is_failing": pl.Boolean,
}


def kept(*rows: dict[str, Any]) -> pl.DataFrame:
    whole = {"table_name": "biomarker", "column_name": "ras", "is_delivered": True, "is_failing": False}
    return pl.DataFrame([whole | row for row in rows], schema=SHAPE)


def column(filled: int, cells: int, centre: str | None = None, **changes: Any) -> dict[str, Any]:
    return {"kept": filled, "looked_at": cells, "centre_id": centre, **changes}


def check(rows_kept: int, rows: int, *, fails: bool) -> dict[str, Any]:
    return {"check_name": "vocabulary", "kept": rows_kept, "looked_at": rows, "is_failing": fails}


def losses(before: pl.DataFrame, now: pl.DataFrame) -> list[tuple[Any, ...]]:
    found = _losses(before, now).sort("check_name", "rows_compared")
    return found.select("check_name", "rows_compared", "share_before", "share_now").rows()


def fewest_by_chance(met: int, total: int, cells: int, comparisons: int) -> int:
    """Return the fewest filled cells that chance explains, by another way than the code's."""
    chances = betabinom.cdf(np.arange(cells + 1), cells, met + 0.5, total - met + 0.5)
    return int(np.searchsorted(chances, FALSE_ALARMS / comparisons))


def test_a_column_that_is_emptier_than_chance_explains_is_told_and_one_cell_more_is_not() -> None:
    fewest = fewest_by_chance(90, 100, 100, 1)
    before = kept(column(90, 100))
    assert losses(before, kept(column(fewest, 100))) == []
    assert losses(before, kept(column(fewest - 1, 100))) == [(None, "all", 0.9, (fewest - 1) / 100)]


def test_the_more_is_compared_the_wider_the_limits() -> None:
    others = [column(90, 100, column_name=f"other{number}") for number in range(40)]
    fewest = fewest_by_chance(90, 100, 100, 41)
    assert fewest < fewest_by_chance(90, 100, 100, 1)
    before = kept(column(90, 100), *others)
    assert losses(before, kept(column(fewest, 100), *others)) == []
    assert len(losses(before, kept(column(fewest - 1, 100), *others))) == 1


def test_a_small_fall_is_not_told_however_certain() -> None:
    before = kept(column(900_000, 1_000_000))
    least = round((0.9 - LEAST_FALL) * 1_000_000)
    assert losses(before, kept(column(least + 1, 1_000_000))) == []
    assert len(losses(before, kept(column(least, 1_000_000)))) == 1


def test_a_delivery_without_a_column_shows_among_the_rows_of_years_at_the_centre_that_sent_it() -> None:
    before = kept(column(9000, 10_000), column(900, 1000, "a"), column(8100, 9000, "b"))
    now = kept(column(9000, 10_030), column(900, 1030, "a"), column(8100, 9000, "b"))
    assert losses(before, now) == [(None, "added", 0.9, 0.0)]


def test_a_centre_that_always_fills_less_than_the_others_is_compared_with_itself() -> None:
    before = kept(column(8500, 10_000), column(400, 1000, "a"), column(8100, 9000, "b"))
    now = kept(column(8512, 10_030), column(412, 1030, "a"), column(8100, 9000, "b"))
    assert losses(before, now) == []


def test_few_added_rows_say_nothing() -> None:
    before = kept(column(1000, 1000), column(1000, 1000, "a"))
    for added, is_told in ((FEWEST - 1, False), (FEWEST, True)):
        now = kept(column(1000, 1000 + added), column(1000, 1000 + added, "a"))
        assert bool(losses(before, now)) is is_told


def test_a_new_centre_and_a_column_that_was_not_delivered_have_nothing_to_be_compared_with() -> None:
    assert losses(kept(column(90, 100, "a")), kept(column(0, 100, "b"))) == []
    assert losses(kept(column(90, 100, is_delivered=False)), kept(column(0, 100))) == []


def test_a_column_that_is_no_longer_delivered_is_told() -> None:
    before = kept(column(90, 100))
    assert losses(before, kept(column(0, 100, is_delivered=False))) == [(None, "all", 0.9, 0.0)]


@pytest.mark.parametrize(("was_failing", "is_told"), [(False, True), (True, False)])
def test_a_check_that_passed_and_now_fails_is_told_once(*, was_failing: bool, is_told: bool) -> None:
    before, now = kept(check(1000, 1000, fails=was_failing)), kept(check(999, 1000, fails=True))
    assert losses(before, now) == [("vocabulary", "all", 1.0, 0.999)] * is_told


def test_a_check_that_failed_before_is_told_when_the_added_rows_fail_it_more() -> None:
    before, now = kept(check(9990, 10_000, fails=True)), kept(check(9990, 10_030, fails=True))
    assert losses(before, now) == [("vocabulary", "added", 0.999, 0.0)]


def test_what_shows_in_all_rows_is_told_once() -> None:
    before = kept(column(90, 100), column(90, 100, "a"))
    now = kept(column(90, 200), column(90, 200, "a"))
    assert losses(before, now) == [(None, "all", 0.9, 0.45)]


def test_more_filled_cells_than_rows_added_are_no_loss() -> None:
    before = kept(column(50, 100), column(50, 100, "a"))
    assert losses(before, kept(column(110, 115), column(110, 115, "a"))) == []


def test_chance_alone_is_hardly_ever_told() -> None:
    chance = np.random.default_rng(7)
    names = [f"column{number}" for number in range(100)]
    rates = chance.uniform(0.05, 0.95, size=100)

    def night() -> pl.DataFrame:
        filled = zip(names, chance.binomial(400, rates).tolist(), strict=True)
        return kept(*(column(count, 400, column_name=name) for name, count in filled))

    # Of 2,000 runs made so, 5 told of chance.
    assert sum(bool(losses(night(), night())) for _ in range(60)) <= 1


def test_in_words_a_table_is_a_sentence_without_a_count() -> None:
    before = kept(column(90, 100), check(100, 100, fails=False), column(90, 100, table_name=None, column_name=None))
    now = kept(column(45, 100), check(80, 100, fails=True), column(1, 100, table_name=None, column_name=None))
    assert in_words(_losses(before, now)) == {
        "biomarker": "biomarker.ras keeps the check vocabulary in 80% of all rows, before in 100%; "
        "biomarker.ras is filled in 45% of all rows, before in 90%.",
        "files": "files is filled in 1% of all rows, before in 90%.",
    }
