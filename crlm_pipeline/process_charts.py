"""Shewhart p-charts: whether an indicator has moved away from where it stood in its first years.

The centre line is the rate of the baseline. The limits hold 99.73 % of the periods of a process that has not moved, as
three standard deviations would of a normal distribution, and are exact: quantiles of the beta-binomial distribution,
which is the binomial one with the doubt about a small baseline taken in (Jeffreys prior). Normal limits would lie
beyond 0 and 100 % where denominators are small or rates near 100 %, as those of a registry are; binomial ones would
call a single miss an alarm after a baseline without any.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crlm_pipeline.indicators import definitions
from schemas.column import describe
from schemas.mart import ProcessChart

BASELINE_YEARS: Final = 3
COVERAGE: Final = 0.9973
# Western Electric's fourth rule, as quoted for runs of process measures.
RUN: Final = 8
_ROUNDING: Final = 1e-9

CHART: Final = ("indicator_id", "centre_id", "period_kind")

# How many chances are held at once, 8 bytes each and a few times over.
_AT_ONCE: Final = 1_000_000
# The counts that are left out have a chance of e to the power of -40 together.
_NEGLIGIBLE: Final = 40


def measure(counts: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `mart.process_chart`: every rate that is an indicator, by year and by quarter.

    `counts`: what `indicators.counted` returns. The baseline of all charts of an indicator are the first three calendar
    years in which the registry has a case of it. Members without a calendar date belong to no period.
    """
    columns: dict[Any, Any] = {**describe(ProcessChart).polars_schema}
    return with_signals(_by_period(counts)).select(*columns).cast(columns)


def with_signals(periods: pl.DataFrame) -> pl.DataFrame:
    """Add rate, centre line, limits and signals to the periods of each chart, in their order.

    Takes the columns of `CHART`, period, `is_baseline`, `numerator` and `denominator` (at least 1). A chart of which no
    period is the baseline, or all are, is left out.
    """
    met, total = (pl.col(name).filter("is_baseline").sum().over(CHART) for name in ("numerator", "denominator"))
    drawn = (
        periods.filter(pl.col("is_baseline").any().over(CHART), ~pl.col("is_baseline").all().over(CHART))
        .sort(*CHART, "period")
        .with_columns(pl.struct(CHART).rle_id().alias("chart"), met.alias("met"), total.alias("total"))
        .with_columns(rate=pl.col("numerator") / pl.col("denominator"), centre_line=pl.col("met") / pl.col("total"))
    )
    drawn = _with_limits(drawn)
    rates, centre_lines, charts, low, high = (
        drawn[name].to_numpy() for name in ("rate", "centre_line", "chart", "limit_low", "limit_high")
    )
    return drawn.with_columns(
        pl.Series("is_beyond_limits", beyond(rates, rates, low, high), pl.Boolean),
        pl.Series("is_in_run", in_run(rates, rates, centre_lines, charts), pl.Boolean),
    )


def _with_limits(periods: pl.DataFrame) -> pl.DataFrame:
    """Add limit_low and limit_high, once for all periods with the same denominator and baseline."""
    keys = ("denominator", "met", "total")
    distinct = periods.select(keys).unique()
    denominators, met, total = (distinct[name].to_numpy() for name in keys)
    low, high = limits(denominators, met, total)
    found = distinct.with_columns(pl.Series("limit_low", low), pl.Series("limit_high", high))
    return periods.join(found, on=keys, how="left", maintain_order="left")


def limits(
    denominators: NDArray[np.int64],
    met: int | NDArray[np.int64],
    total: int | NDArray[np.int64],
    coverage: float = COVERAGE,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and highest rate that is no signal at each denominator (at least 1).

    `met` of `total` is the baseline, one for all or one each. A lower rate, or a higher one, has a probability of less
    than half of what is not covered, 0.135 % unless told otherwise.
    """
    alpha = np.broadcast_to(met + 0.5, denominators.shape)
    beta = np.broadcast_to(total - met + 0.5, denominators.shape)
    fewest, most = _likely(denominators, alpha, beta)
    parts = np.cumsum(most - fewest + 1) // _AT_ONCE
    cuts = np.flatnonzero(np.diff(parts)) + 1
    each = zip(*(np.split(one, cuts) for one in (denominators, alpha, beta, fewest, most)), strict=True)
    low, high = np.concatenate([_extremes(*part, coverage=coverage) for part in each], axis=1)
    return low / denominators, high / denominators


def _likely(
    n: NDArray[np.int64], alpha: NDArray[np.float64], beta: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the fewest and the most of `n` that are not altogether unlikely, by Bernstein's bound."""
    size = alpha + beta
    mean, variance = n * alpha / size, n * alpha * beta * (size + n) / (size**2 * (size + 1))
    heavy = _NEGLIGIBLE * (1 + n / size)
    reach = heavy + np.sqrt(heavy**2 + 2 * _NEGLIGIBLE * variance)
    return np.floor(mean - reach).clip(0).astype(np.int64), np.minimum(np.ceil(mean + reach).astype(np.int64), n)


def _extremes(
    n: NDArray[np.int64],
    alpha: NDArray[np.float64],
    beta: NDArray[np.float64],
    fewest: NDArray[np.int64],
    most: NDArray[np.int64],
    *,
    coverage: float,
) -> NDArray[np.int64]:
    """Return the lowest and the highest count of each `n` that is no signal, of those from `fewest` to `most`.

    The chance of each count follows from that of the one before, and all of them add up to 1.
    """
    sizes = most - fewest + 1
    ends = np.cumsum(sizes)
    starts = ends - sizes
    row = np.repeat(np.arange(n.size), sizes)
    count = np.arange(row.size) + (fewest - starts)[row]
    left = n[row] - count
    ratio = (left + 1) * (count - 1 + alpha[row]) / (np.maximum(count, 1) * (left + beta[row]))
    ratio[starts] = 1
    chances = np.log(ratio).cumsum()
    chances = np.exp(chances - np.maximum.reduceat(chances, starts)[row]).cumsum()
    before = np.concatenate([[0.0], chances[ends[:-1] - 1]])
    cumulated = (chances - before[row]) / (chances[ends - 1] - before)[row]
    tail = (1 - coverage) / 2
    return np.stack([fewest + np.add.reduceat((cumulated < end).astype(np.int64), starts) for end in (tail, 1 - tail)])


Rates = Sequence[float | None] | NDArray[np.float64]


def beyond(
    least: Rates, most: Rates, low: Sequence[float] | NDArray[np.float64], high: Sequence[float] | NDArray[np.float64]
) -> list[bool]:
    """Return which rates, known to lie from `least` to `most`, lie outside their limits for sure; unknown: not."""
    ends, is_known = _ends(least, most)
    is_beyond = (ends[1] < np.asarray(low) - _ROUNDING) | (ends[0] > np.asarray(high) + _ROUNDING)
    return list((is_known & is_beyond).tolist())


def in_run(
    least: Rates, most: Rates, centre_line: float | NDArray[np.float64], chart: int | NDArray[np.integer[Any]] = 0
) -> list[bool]:
    """Return which rates stand in a run: eight or more in a row for sure on one side of the centre line.

    A rate on the line, or of which the side is not known, ends a run, as does the next `chart`.
    """
    ends, is_known = _ends(least, most)
    side = np.where(ends[0] > centre_line + _ROUNDING, 1, np.where(ends[1] < centre_line - _ROUNDING, -1, 0)) * is_known
    charts = np.broadcast_to(chart, side.shape)
    firsts = np.flatnonzero((side[1:] != side[:-1]) | (charts[1:] != charts[:-1])) + 1
    lengths = np.diff(np.concatenate([[0], firsts, [side.size]]))
    return list(((side != 0) & (np.repeat(lengths, lengths) >= RUN)).tolist())


def _ends(least: Rates, most: Rates) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return both ends of each range as an array, and whether they are known."""
    ends = np.array([least, most], dtype=np.float64)
    return ends, np.isfinite(ends[0]) & np.isfinite(ends[1])


def _by_period(counts: pl.DataFrame) -> pl.DataFrame:
    """Return the evaluated members of each indicator by year and by quarter, together and by centre."""
    rates = [one.id for one in definitions() if one.display != "median"]
    day = pl.col("quarter").dt
    evaluated = counts.filter(
        pl.col("indicator_id").is_in(rates), pl.col("denominator") > 0, pl.col("quarter").is_not_null()
    ).select(
        "indicator_id",
        "centre_id",
        "numerator",
        "denominator",
        (day.year() < day.year().min().over("indicator_id") + BASELINE_YEARS).alias("is_baseline"),
        day.year().cast(pl.String).alias("year"),
        pl.format("{}-Q{}", day.year(), day.quarter()).alias("quarter"),
    )
    return pl.concat(
        evaluated.with_columns(
            centre.alias("centre_id"), pl.lit(kind).alias("period_kind"), pl.col(kind).alias("period")
        )
        .group_by(*CHART, "is_baseline", "period")
        .agg(pl.col("numerator", "denominator").sum())
        for centre in (pl.lit(None, pl.String), pl.col("centre_id"))
        for kind in ("year", "quarter")
    )
