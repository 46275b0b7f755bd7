"""Intervals, funnel limits and medians against published and hand-made values."""

import math
import warnings

import numpy as np
import polars as pl
import pytest
from scipy.optimize import brentq
from scipy.stats import CensoredData, binomtest, ecdf
from scipy.stats.mstats import winsorize
from statsmodels.stats.proportion import proportion_confint

from crlm_pipeline.settings import Overdispersion
from crlm_pipeline.statistics import (
    Median,
    funnel_limits,
    kaplan_meier,
    kaplan_meier_median,
    percent_with_interval,
    smallest_difference,
    widening,
    wilson,
)


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
    assert high[0] == pytest.approx(1 - max(by_hand(n, 1 - rate, tail), 0))


def test_a_centre_that_met_the_standard_always_is_not_outside_where_nearly_all_do() -> None:
    """0.95 ** 10 = 60 %: no sign of anything; 0.95 ** 135 = 0.0982 % is less than the 0.1 % beyond 99.8 % limits."""
    _, high = funnel_limits([10, 134, 135], 0.95, 0.998)
    assert (high >= 1).tolist() == [True, True, False]


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


# Twenty centres of one size: with 10 % at either end two z-scores are pulled in on each side.
MET = np.array([28, 35, 39, 41, 42, 44, 45, 46, 48, 49, 50, 51, 52, 54, 55, 57, 59, 61, 66, 78])
SIZES = np.full(20, 100)


def winsorised(met: np.ndarray, sizes: np.ndarray, rate: float) -> np.ndarray:
    scores = (met / sizes - rate) / np.sqrt(rate * (1 - rate) / sizes)
    low, high = np.quantile(scores, [0.1, 0.9])
    return np.array([min(max(score, low), high) for score in scores])


def test_multiplicative_over_dispersion_is_the_mean_square_of_the_winsorised_scores() -> None:
    wider = widening(MET, SIZES, 0.5, "multiplicative")(np.array([10, 1000]))
    # The scores are (met - 50) / 5. The 10 % quantile of the counts lies at 1.9 places from the smallest: 35 + 0.9 * 4
    # = 38.6, the 90 % one at 17.1 places: 61 + 0.1 * 5 = 61.5.
    pulled = np.clip(MET, 38.6, 61.5)
    assert wider == pytest.approx([math.sqrt((((pulled - 50) / 5) ** 2).mean())] * 2)
    assert wider[0] > 1


def test_winsorising_at_counts_without_a_quantile_between_them_is_that_of_scipy() -> None:
    met, sizes = np.array([20, 20, *range(44, 60), 80, 80]), np.full(20, 100)
    met[2], met[17] = 20, 80  # three equal at either end: every definition of the quantile gives them
    pulled = winsorize((met - 50) / 5.0, limits=(0.1, 0.1))
    assert widening(met, sizes, 0.5, "multiplicative")(sizes)[0] ** 2 == pytest.approx(float((pulled**2).mean()))


def test_additive_over_dispersion_is_the_moment_estimate_of_der_simonian_and_laird() -> None:
    met, sizes, rate = np.array([12, 30, 20, 90, 45]), np.array([40, 50, 60, 150, 60]), 0.5
    weights = sizes / (rate * (1 - rate))
    q = (winsorised(met, sizes, rate) ** 2).sum()
    between = (q - 4) / (weights.sum() - (weights**2).sum() / weights.sum())
    variances = rate * (1 - rate) / np.array([20, 2000])
    expected = np.sqrt((variances + between) / variances)
    assert between > 0
    assert widening(met, sizes, rate, "additive")(np.array([20, 2000])) == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["none", "multiplicative", "additive"])
@pytest.mark.parametrize(
    ("met", "sizes", "rate"),
    [([50, 51, 49], [100, 100, 100], 0.5), ([9], [10], 0.5), ([], [], 0.5), ([10, 10], [10, 10], 1.0)],
)
def test_without_over_dispersion_to_be_seen_nothing_is_widened(
    met: list[int], sizes: list[int], rate: float, kind: Overdispersion
) -> None:
    wider = widening(np.array(met, np.int64), np.array(sizes, np.int64), rate, kind)
    assert wider(np.array([5, 500])).tolist() == [1.0, 1.0]


def power(n: int, beyond: range, rate: float) -> float:
    """Sum the exact probabilities of the counts beyond a limit."""
    return sum(math.comb(n, count) * rate**count * (1 - rate) ** (n - count) for count in beyond)


@pytest.mark.parametrize(("n", "rate"), [(20, 0.5), (60, 0.9), (400, 0.97)])
def test_the_smallest_difference_is_shown_with_a_power_of_80_percent(n: int, rate: float) -> None:
    low, high = funnel_limits([n], rate, 0.998)
    few = range(math.ceil(n * low[0]))
    down_to = brentq(lambda true: power(n, few, true) - 0.8, 1e-9, rate)
    assert smallest_difference(np.array([n]), rate, low, "up")[0] == pytest.approx(rate - down_to)
    many = range(math.floor(n * high[0]) + 1, n + 1)
    if many:
        up_to = brentq(lambda true: power(n, many, true) - 0.8, rate, 1 - 1e-9)
        assert smallest_difference(np.array([n]), rate, high, "down")[0] == pytest.approx(up_to - rate)


def test_a_centre_too_small_for_its_limit_can_show_nothing() -> None:
    low, high = funnel_limits([10, 2000], 0.02, 0.998)
    assert np.isnan(smallest_difference(np.array([10, 2000]), 0.02, low, "up")[0])
    assert smallest_difference(np.array([10, 2000]), 0.02, high, "down")[0] > 0.2
    assert smallest_difference(np.array([2000]), 0.02, high[1:], "down")[0] < 0.02


@pytest.mark.parametrize(("n", "rate"), [(15, 0.3), (80, 0.05), (300, 0.92)])
@pytest.mark.parametrize(("coverage", "tail"), [(0.95, 0.025), (0.998, 0.001)])
def test_counts_beyond_a_limit_are_those_that_an_exact_test_finds(
    n: int, rate: float, coverage: float, tail: float
) -> None:
    """scipy.stats.binomtest is the judge."""
    low, high = (float(limit[0]) for limit in funnel_limits([n], rate, coverage))
    for count in range(n + 1):
        assert (count < n * low) == (binomtest(count, n, rate, alternative="less").pvalue <= tail)
        assert (count > n * high) == (binomtest(count, n, rate, alternative="greater").pvalue <= tail)


@pytest.mark.parametrize(("met", "total"), [(0, 12), (7, 31), (199, 200)])
def test_wilson_intervals_are_those_of_statsmodels(met: int, total: int) -> None:
    frame = pl.DataFrame({"n": [met], "total": [total]})
    low, high = wilson(pl.col("n"), pl.col("total"))
    expected = proportion_confint(met, total, method="wilson")
    assert frame.select(low.alias("l"), high.alias("h")).row(0) == pytest.approx(expected)


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


@pytest.mark.parametrize("censored", [0.0, 0.3, 1.0])
def test_a_curve_is_that_of_scipy(censored: float) -> None:
    chance = np.random.default_rng(6)
    durations = chance.integers(0, 60, 300).astype(float)
    is_observed = chance.random(300) >= censored
    is_observed[0] = True
    found = kaplan_meier(durations, is_observed)
    expected = ecdf(CensoredData.right_censored(durations, ~is_observed)).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where the limits do not exist
        limits = expected.confidence_interval(method="log-log")
    for one, other in zip(found, (expected, expected, limits.low, limits.high), strict=True):
        assert np.array_equal(one, other.quantiles if one is found.times else other.probabilities, equal_nan=True)
