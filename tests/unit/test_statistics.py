"""Intervals, funnel limits and medians against published and hand-made values."""

import math

import numpy as np
import polars as pl
import pytest

from crlm_pipeline.statistics import Median, funnel_limits, kaplan_meier_median, percent_with_interval, wilson


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_intervals_are_those_of_newcombe_1998_table_1(
    successes: int, total: int, low: float, high: float
) -> None:
    frame = pl.DataFrame({"n": [successes], "total": [total]})
    found = frame.select(
        *(end.alias(name) for end, name in zip(wilson(pl.col("n"), pl.col("total")), "lh", strict=True))
    )
    assert found.row(0) == pytest.approx((low, high), abs=5e-5)


def test_a_share_of_nobody_or_of_an_unknown_number_is_unknown() -> None:
    frame = pl.DataFrame({"n": [0, None, 3], "total": [0, 10, None]}, schema={"n": pl.Int64, "total": pl.Int64})
    assert frame.select(percent_with_interval("n", "total")).rows() == [(None, None, None)] * 3


def test_percent_and_interval_stay_between_0_and_100() -> None:
    found = pl.DataFrame({"n": [0, 5], "total": [5, 5]}).select(percent_with_interval("n", "total"))
    assert found["ci_low"].min() >= 0  # type: ignore[operator]
    assert found["ci_high"].max() <= 100  # type: ignore[operator]
    assert found["percent"].to_list() == [0.0, 100.0]


def by_hand(n: int, rate: float, probability: float) -> float:
    """Spiegelhalter 2005, appendix A.1.1, with exact sums."""
    below = 0.0
    for count in range(n + 1):
        reached = below + math.comb(n, count) * rate**count * (1 - rate) ** (n - count)
        if reached > probability:
            return (count - (reached - probability) / (reached - below)) / n
        below = reached
    raise AssertionError


@pytest.mark.parametrize("n", [10, 37, 200])
@pytest.mark.parametrize("rate", [0.15, 0.5, 0.9])
@pytest.mark.parametrize("coverage", [0.95, 0.998])
def test_funnel_limits_follow_the_published_interpolation(n: int, rate: float, coverage: float) -> None:
    low, high = funnel_limits([n], rate, coverage)
    tail = (1 - coverage) / 2
    assert low[0] == pytest.approx(max(by_hand(n, rate, tail), 0))
    assert high[0] == pytest.approx(min(by_hand(n, rate, 1 - tail), 1))


def test_funnel_limits_narrow_with_the_denominator_and_widen_with_the_coverage() -> None:
    low_95, high_95 = funnel_limits([10, 100, 1000], 0.3, 0.95)
    low_998, high_998 = funnel_limits([10, 100, 1000], 0.3, 0.998)
    assert (np.diff(high_95 - low_95) < 0).all()
    assert (low_998 <= low_95).all()
    assert (high_998 >= high_95).all()


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_where_every_centre_has_the_same_rate_the_limits_are_that_rate(rate: float) -> None:
    low, high = funnel_limits([5, 50], rate, 0.95)
    assert low.tolist() == high.tolist() == [rate, rate]


# Freireich et al., Blood 1963: weeks of remission under 6-mercaptopurine and placebo; medians 23 and 8.
MERCAPTOPURINE = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def test_kaplan_meier_medians_are_those_of_freireich_1963() -> None:
    assert kaplan_meier_median(MERCAPTOPURINE, [bool(one) for one in RELAPSED]).value == 23
    assert kaplan_meier_median(PLACEBO, [True] * 21).value == 8


def test_the_interval_of_a_median_is_that_of_the_log_log_limits() -> None:
    """R: survfit(..., conf.type = "log-log") gives 13 to NA and 4 to 11."""
    mercaptopurine = kaplan_meier_median(MERCAPTOPURINE, [bool(one) for one in RELAPSED])
    assert (mercaptopurine.low, mercaptopurine.high) == (13, None)
    placebo = kaplan_meier_median(PLACEBO, [True] * 21)
    assert (placebo.low, placebo.high) == (4, 11)


def test_without_an_event_there_is_no_median() -> None:
    assert kaplan_meier_median([3, 4], [False, False]) == Median(None, None, None)
    assert kaplan_meier_median([], []) == Median(None, None, None)
