"""Which survival estimates are published, and what an attacker could read off those that are."""

from typing import Any

import polars as pl
import pytest

from crlm_pipeline.disclosure import Counts, Margin, SafeTable, protect
from crlm_pipeline.report.curves import ESTIMATES, FOLLOWED, MONTHS, with_told_estimates

# In follow-up at each month, deaths and last contacts until the next.
Steps = list[tuple[int, int, int]]


def published(steps: Steps, unknown: int = 0) -> SafeTable:
    rows: list[dict[str, Any]] = []
    for place, (alive, died, last_seen) in enumerate(steps):
        month = MONTHS[place]
        rows.append({"month": month, "n": alive, **dict.fromkeys(ESTIMATES, 50.0)})
        if place + 1 < len(steps):
            fates = {"died": died, "last_seen": last_seen, "followed": steps[place + 1][0]}
            rows += [{"month": month, "fate": fate, "n": n} for fate, n in fates.items()]
    rows.append({"month": "unknown", "n": unknown})
    schema = {
        "pathway": pl.String,
        "month": pl.String,
        "fate": pl.String,
        "n": pl.Int64,
        **dict.fromkeys(ESTIMATES, pl.Float64),
    }
    frame = pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema, orient="row")
    counts = Counts("survival", "decision", frame, (Margin(("fate",)),), FOLLOWED, ESTIMATES)
    return with_told_estimates(protect([counts], threshold=5, smallest_rate=10)["survival"])


def shown(table: SafeTable, column: str = "percent") -> dict[str, bool]:
    alive = table.where(fate=None).frame.filter(pl.col("month") != "unknown")
    return dict(alive.select("month", pl.col(column).is_not_null()).iter_rows())


def test_an_estimate_stands_while_every_count_before_it_is_shown() -> None:
    assert shown(published([(100, 20, 10), (70, 20, 10), (40, 0, 0)])) == {"0": True, "6": True, "12": True}


@pytest.mark.parametrize(("died", "last_seen"), [(4, 26), (26, 4), (1, 29)])
def test_after_an_interval_with_a_small_count_no_estimate_stands(died: int, last_seen: int) -> None:
    table = published([(100, 20, 10), (70, died, last_seen), (40, 10, 10), (20, 0, 0)])
    found = shown(table)
    assert found["0"]
    assert not found["12"]
    assert not found["24"]


@pytest.mark.parametrize(("died", "last_seen"), [(5, 25), (25, 5), (0, 30)])
def test_an_interval_in_which_nobody_or_enough_died_or_were_last_seen_ends_nothing(died: int, last_seen: int) -> None:
    assert all(shown(published([(100, 20, 10), (70, died, last_seen), (40, 0, 0)])).values())


def test_who_is_followed_is_who_is_in_follow_up_at_the_next_month_so_that_one_does_not_tell_of_the_other() -> None:
    table = published([(100, 3, 27), (70, 20, 10), (40, 0, 0)]).frame
    followed = table.filter(pl.col("month") == "0", pl.col("fate") == "followed")["shown"][0]
    alive = table.filter(pl.col("month") == "6", pl.col("fate").is_null())["shown"][0]
    assert followed == alive
    cells = table.filter(pl.col("month") == "0")["n"]
    assert cells.null_count() >= 2  # the small one and a companion


@pytest.mark.parametrize(("at_risk", "is_shown"), [(9, False), (10, True)])
def test_an_estimate_needs_as_many_in_follow_up_as_a_rate_does(at_risk: int, is_shown: bool) -> None:
    found = shown(published([(100, 90 - at_risk, 10), (at_risk, 0, 0)]))
    assert found["6"] is is_shown


@pytest.mark.parametrize(("unknown", "is_bounded"), [(0, True), (4, False), (5, True)])
def test_bounds_need_the_number_whose_follow_up_is_unknown(unknown: int, is_bounded: bool) -> None:
    table = published([(100, 20, 10), (70, 0, 0)], unknown)
    assert all(shown(table).values())
    assert shown(table, "percent_worst")["6"] is is_bounded
