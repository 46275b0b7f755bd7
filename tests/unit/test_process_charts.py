"""p-charts: centre line, limits and signals, each on both sides of its boundary, and how often chance alone signals."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from scipy.stats import betabinom

from crlm_pipeline.indicators import counted
from crlm_pipeline.process_charts import (
    BASELINE_YEARS,
    CHART,
    COVERAGE,
    beyond,
    in_run,
    limits,
    measure,
    with_signals,
)
from tests.registry_of_chance import AS_OF, registry


def chart(counts: list[tuple[int, int]], per_year: int = 1) -> pl.DataFrame:
    rows = [(number, number // per_year < BASELINE_YEARS, met, total) for number, (met, total) in enumerate(counts)]
    made = pl.DataFrame(rows, schema=["period", "is_baseline", "numerator", "denominator"], orient="row")
    return made.with_columns(pl.lit(name).alias(name) for name in CHART)


def signals(counts: list[tuple[int, int]], per_year: int = 1) -> pl.DataFrame:
    return with_signals(chart(counts, per_year))


def test_the_centre_line_is_the_rate_of_the_first_three_years_all_their_cases_together() -> None:
    made = signals([(5, 10), (50, 100), (0, 10), (90, 100)])
    assert made["is_baseline"].to_list() == [True, True, True, False]
    assert made["centre_line"].unique().to_list() == [pytest.approx(55 / 120)]


def test_a_chart_without_a_period_in_or_after_its_baseline_is_left_out() -> None:
    later = chart([(5, 10)] * (BASELINE_YEARS + 2)).filter(~pl.col("is_baseline"))
    assert with_signals(later).is_empty()
    assert with_signals(chart([(5, 10)] * BASELINE_YEARS)).is_empty()
    assert with_signals(chart([(5, 10)] * (BASELINE_YEARS + 1))).height == BASELINE_YEARS + 1


def test_many_charts_at_once_are_drawn_as_each_alone() -> None:
    chance = np.random.default_rng(3)
    charts = [
        chart(
            [(int(chance.binomial(size, 0.6)), size) for size in chance.integers(1, 90, size=20).tolist()], per_year=2
        )
        .with_columns(centre_id=pl.lit(f"c{number:02}"))
        .filter(pl.Series(chance.random(20) < 0.8))
        for number in range(30)
    ]
    together = with_signals(pl.concat(charts).sample(fraction=1, shuffle=True, seed=1))
    columns = [*CHART, "period", "rate", "centre_line", "limit_low", "limit_high", "is_beyond_limits", "is_in_run"]
    alone = pl.concat(with_signals(one) for one in charts)
    assert together.select(columns).equals(alone.select(columns))
    assert together["is_in_run"].any()


@pytest.mark.parametrize(("met", "total"), [(0, 1), (1, 1), (0, 40), (3, 4), (55, 120), (1999, 2000), (70000, 90000)])
def test_limits_are_those_that_every_count_and_its_chance_give(met: int, total: int) -> None:
    sizes = np.array([1, 2, 13, 400, 30_000])
    low, high = limits(sizes, met, total)
    for size, *found in zip(sizes, np.round(low * sizes), np.round(high * sizes), strict=True):
        cumulated = np.cumsum(betabinom.pmf(np.arange(size + 1), size, met + 0.5, total - met + 0.5))
        tail = (1 - COVERAGE) / 2
        assert found == [np.searchsorted(cumulated, tail), np.searchsorted(cumulated, 1 - tail)]


def test_limits_do_not_depend_on_how_many_are_asked_for_at_once() -> None:
    sizes = np.arange(1, 3001)
    together = np.array(limits(sizes, 75, 150))
    alone = np.array([limits(sizes[start : start + 1], 75, 150) for start in range(0, 3000, 250)])
    assert (together[:, ::250] == alone[:, :, 0].T).all()


def test_the_next_chart_ends_a_run() -> None:
    rates = np.full(12, 0.6)
    assert in_run(rates, rates, 0.5, np.repeat([1, 2], 6)) == [False] * 12
    assert in_run(rates, rates, 0.5, np.repeat([1, 2], [8, 4])) == [True] * 8 + [False] * 4


@pytest.mark.parametrize(("met", "total"), [(55, 120), (0, 40), (40, 40), (980, 1000)])
@pytest.mark.parametrize("size", [1, 7, 60, 400])
def test_a_rate_outside_the_limits_has_a_chance_of_less_than_0_135_percent_on_its_side(
    met: int, total: int, size: int
) -> None:
    low, high = limits(np.array([3, size]), met, total)
    process = betabinom(size, met + 0.5, total - met + 0.5)
    lowest, highest = round(low[1] * size), round(high[1] * size)
    assert process.cdf(lowest - 1) < 0.00135 <= process.cdf(lowest)
    assert process.sf(highest) <= 0.00135 + 1e-12
    assert highest == 0 or process.sf(highest - 1) > 0.00135


def test_a_single_miss_after_a_baseline_without_any_is_no_alarm_and_many_are() -> None:
    kept = [(20, 20)] * 3
    assert not signals([*kept, (19, 20)])["is_beyond_limits"].any()
    assert signals([*kept, (10, 20)])["is_beyond_limits"].to_list() == [False, False, False, True]


def test_a_rate_on_a_limit_is_no_signal_and_a_case_further_is() -> None:
    low, high = limits(np.array([50]), 75, 150)
    fewest, most = round(low[0] * 50), round(high[0] * 50)
    baseline = [(25, 50)] * 3
    found = [signals([*baseline, (met, 50)])["is_beyond_limits"][3] for met in (fewest - 1, fewest, most, most + 1)]
    assert found == [True, False, False, True]


@pytest.mark.parametrize(("length", "marked"), [(7, False), (8, True), (9, True)])
@pytest.mark.parametrize("rate", [0.4, 0.6])
def test_a_run_has_eight_periods_on_one_side(length: int, marked: bool, rate: float) -> None:
    other = 1 - rate
    rates = [other, *[rate] * length, other]
    assert in_run(rates, rates, 0.5) == [False, *[marked] * length, False]


@pytest.mark.parametrize("between", [0.5, None])
def test_a_rate_on_the_line_or_unknown_ends_a_run(between: float | None) -> None:
    rates = [0.6] * 7 + [between] + [0.6] * 8
    assert in_run(rates, rates, 0.5) == [False] * 8 + [True] * 8


def test_a_rate_known_as_a_range_signals_only_where_the_whole_range_does() -> None:
    assert beyond([0.1, 0.1, 0.8, None], [0.2, 0.4, 0.9, None], [0.3] * 4, [0.7] * 4) == [True, False, True, False]
    assert in_run([0.6] * 8, [0.9] * 8, 0.5) == [True] * 8
    assert not any(in_run([0.4] * 8, [0.9] * 8, 0.5))


def test_a_change_of_practice_shows_from_its_quarter_on() -> None:
    chance = np.random.default_rng(1)
    rates = [0.7] * 20 + [0.9] * 12
    made = signals([(int(chance.binomial(120, rate)), 120) for rate in rates], per_year=4)
    assert not made["is_beyond_limits"][:20].any()
    assert made["is_beyond_limits"][20:].sum() >= 10
    assert made["is_in_run"][20:].all()


@pytest.mark.parametrize(("rate", "size"), [(0.7, 400), (0.95, 60), (0.98, 12)])
def test_chance_alone_crosses_the_limits_as_often_as_stated(rate: float, size: int) -> None:
    chance = np.random.default_rng(2)
    points = [
        signals([(int(chance.binomial(size, rate)), size) for _ in range(20)], per_year=2)["is_beyond_limits"].sum()
        for _ in range(200)
    ]
    # 4000 points; the stated 0.27 % of them is 11, and no more than 20 would be seen in 199 of 200 such tests.
    assert sum(points) <= 20


def test_the_chart_of_a_registry_has_every_rate_by_year_and_quarter_and_adds_up() -> None:
    with registry(patients=300, centres=2) as made:
        found = measure(counted(made, AS_OF))
        yearly = made.query("report/indicators")
    assert set(found["period_kind"]) == {"year", "quarter"}
    assert "P18" not in set(found["indicator_id"])
    whole = found.filter(pl.col("centre_id").is_null())
    by_kind = whole.group_by("indicator_id", "period_kind").agg(pl.col("numerator", "denominator").sum())
    every = yearly.filter(pl.col("centre_id").is_null(), pl.col("is_met") == "yes").select("indicator_id", "n")
    assert by_kind.join(every, on="indicator_id").select(pl.col("numerator") == pl.col("n")).to_series().all()
    for chart in whole.partition_by("indicator_id", "period_kind"):
        assert all(one < other for one, other in pairwise(chart["period"]))


@pytest.mark.parametrize(("periods", "baseline", "low", "high"), [(40, 12, 0.13, 0.29), (11, 3, 0.03, 0.14)])
def test_chance_alone_makes_a_run_as_often_as_the_report_says(
    periods: int, baseline: int, low: float, high: float
) -> None:
    # The report says one of five charts of 40 quarters, one of twelve of 11 years; the ends are what 300 charts allow.
    chance = np.random.default_rng(5)
    counts = chance.binomial(300, 0.8, (300, periods))
    with_run = [
        any(in_run(rates := (row / 300).tolist(), rates, float(row[:baseline].sum() / (300 * baseline))))
        for row in counts
    ]
    assert low < np.mean(with_run) < high
