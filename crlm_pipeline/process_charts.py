"""Shewhart p-charts: whether an indicator has moved away from where it stood in its first years.

The centre line is the rate of the baseline. The limits hold 99.73 % of the periods of a process that has not moved, as
three standard deviations would of a normal distribution, and are exact: quantiles of the beta-binomial distribution,
which is the binomial one with the doubt about a small baseline taken in (Jeffreys prior). Normal limits would lie
beyond 0 and 100 % where denominators are small or rates near 100 %, as those of a registry are; binomial ones would
call a single miss an alarm after a baseline without any.
"""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import betabinom

from crlm_pipeline.indicators import Definition, definitions
from crlm_pipeline.warehouse import Warehouse
from schemas.column import describe
from schemas.mart import ProcessChart

BASELINE_YEARS: Final = 3
COVERAGE: Final = 0.9973
# Western Electric's fourth rule, as quoted for runs of process measures.
RUN: Final = 8
_ROUNDING: Final = 1e-9

_CHART: Final = ("indicator_id", "centre_id", "period_kind")


def measure(warehouse: Warehouse, as_of: date) -> pl.DataFrame:
    """Return the rows of `mart.process_chart`: every rate that is an indicator, by year and by quarter.

    The baseline of all charts of an indicator are the first three calendar years in which the registry has a case of
    it. Members without a calendar date belong to no period.
    """
    columns: dict[Any, Any] = {**describe(ProcessChart).polars_schema}
    counted = [_by_period(one, warehouse, as_of) for one in definitions() if one.display != "median"]
    charts = [
        drawn
        for frame in counted
        for _, chart in frame.group_by(_CHART, maintain_order=True)
        if (drawn := with_signals(chart.sort("period"))) is not None
    ]
    return pl.concat([pl.DataFrame(schema=columns), *(chart.select(*columns).cast(columns) for chart in charts)])


def with_signals(chart: pl.DataFrame) -> pl.DataFrame | None:
    """Add rate, centre line, limits and signals to the periods of one chart, in their order.

    Takes `is_baseline`, `numerator` and `denominator` (at least 1); None where no period is the baseline, or all are.
    """
    chart = chart.with_columns(rate=pl.col("numerator") / pl.col("denominator"))
    baseline = chart.filter("is_baseline")
    if baseline.height in (0, chart.height):
        return None
    met, total = int(baseline["numerator"].sum()), int(baseline["denominator"].sum())
    centre_line = met / total
    low, high = limits(chart["denominator"].to_numpy(), met, total)
    rates = chart["rate"].to_list()
    return chart.with_columns(
        pl.lit(centre_line).alias("centre_line"),
        pl.Series("limit_low", low),
        pl.Series("limit_high", high),
        pl.Series("is_beyond_limits", beyond(rates, rates, low.tolist(), high.tolist())),
        pl.Series("is_in_run", in_run(rates, rates, centre_line)),
    )


def limits(denominators: NDArray[np.int64], met: int, total: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and highest rate that is no signal at each denominator (at least 1).

    `met` of `total` is the baseline. A lower rate, or a higher one, has a probability of less than 0.135 %.
    """
    tail = (1 - COVERAGE) / 2
    counts = np.concatenate([np.arange(one + 1) for one in denominators])
    chances = betabinom.pmf(counts, np.repeat(denominators, denominators + 1), met + 0.5, total - met + 0.5)
    cumulated = [np.cumsum(part) for part in np.split(chances, np.cumsum(denominators + 1)[:-1])]
    low, high = (np.array([np.searchsorted(one, end) for one in cumulated]) for end in (tail, 1 - tail))
    return low / denominators, high / denominators


def beyond(
    least: Sequence[float | None], most: Sequence[float | None], low: Sequence[float], high: Sequence[float]
) -> list[bool]:
    """Return which rates, known to lie from `least` to `most`, lie outside their limits for sure; unknown: not."""
    return [
        bool(most_of < low_of - _ROUNDING or least_of > high_of + _ROUNDING)
        if least_of is not None and most_of is not None
        else False
        for least_of, most_of, low_of, high_of in zip(least, most, low, high, strict=True)
    ]


def in_run(least: Sequence[float | None], most: Sequence[float | None], centre_line: float) -> list[bool]:
    """Return which rates stand in a run: eight or more in a row for sure on one side of the centre line.

    A rate on the line, or of which the side is not known, ends a run.
    """
    sides = [_side(*ends, centre_line) for ends in zip(least, most, strict=True)]
    marks: list[bool] = []
    for side, group in groupby(sides):
        length = len(list(group))
        marks += [side != 0 and length >= RUN] * length
    return marks


def _side(least: float | None, most: float | None, centre_line: float) -> int:
    if least is None or most is None:
        return 0
    return int(least > centre_line + _ROUNDING) - int(most < centre_line - _ROUNDING)


def _by_period(definition: Definition, warehouse: Warehouse, as_of: date) -> pl.DataFrame:
    """Return the evaluated members of an indicator by year and by quarter, together and by centre."""
    given = {"as_of": as_of}
    members = warehouse.query(definition.sql_name, **{name: given[name] for name in definition.parameters})
    day = pl.col("event_date").dt
    evaluated = members.filter("in_denominator", pl.col("in_numerator").is_not_null(), day.year().is_not_null()).select(
        pl.lit(definition.id).alias("indicator_id"),
        "centre_id",
        "in_numerator",
        day.year().alias("year"),
        (day.year() < day.year().min() + BASELINE_YEARS).alias("is_baseline"),
        pl.format("{}-Q{}", day.year(), day.quarter()).alias("quarter"),
    )
    counts = (
        pl.col("in_numerator").sum().cast(pl.Int64).alias("numerator"),
        pl.len().cast(pl.Int64).alias("denominator"),
    )
    kinds = {"year": pl.col("year").cast(pl.String), "quarter": pl.col("quarter")}
    return pl.concat(
        evaluated.with_columns(centre.alias("centre_id"), pl.lit(kind).alias("period_kind"), period.alias("period"))
        .group_by(*_CHART, "is_baseline", "period", maintain_order=True)
        .agg(*counts)
        for centre in (pl.lit(None, pl.String), pl.col("centre_id"))
        for kind, period in kinds.items()
    )
