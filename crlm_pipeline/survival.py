"""Overall survival by Kaplan-Meier, at fixed times, of strata that are known when the clock starts.

An exposure that comes about after time zero is looked at from a landmark on: its strata hold those alive and in
follow-up at the landmark, by what was known on that day, and time before it counts for nobody (Anderson, J Clin Oncol
1983;1:710-719). A patient who must live to be treated thus lends no survival to the treatment (immortal time).
"""

import warnings
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import CensoredData, ecdf

from crlm_pipeline.warehouse import Warehouse
from schemas.column import describe
from schemas.mart import Survival

DAYS_PER_MONTH: Final = 30.4375
MONTHS: Final = tuple(range(0, 61, 6))
# What was decided in the first line is settled within 60 days (the window of an antibody): before the first landmark.
LANDMARKS: Final = (3, 6)
LOCAL_LANDMARK: Final = 6

_CURVE: Final = (
    "population",
    "centre_id",
    "time_zero",
    "landmark_months",
    "guideline",
    "exposure",
    "stratum",
)

_ENDS: Final = ("days", "days_at_most", "is_dead")
_COUNTED: Final = (
    "month",
    "n_at_risk",
    "n_deaths",
    "n_censored",
    "percent",
    "ci_low",
    "ci_high",
    "n_members",
    "n_not_evaluable",
    "percent_worst",
    "percent_best",
)

Times = NDArray[np.float64]
Mask = NDArray[np.bool_]


def day_of(month: int) -> int:
    """Return the last day of a month of follow-up: 183 for 6 months, 365 for 12, 731 for 24."""
    return int(month * DAYS_PER_MONTH + 0.5)


def measure(warehouse: Warehouse, as_of: date) -> pl.DataFrame:
    """Return the rows of `mart.survival`; patients are followed up to `as_of`."""
    people = warehouse.query("marts/survival_follow_up", as_of=as_of)
    strata = warehouse.query("marts/survival_strata")
    members = pl.concat([*_undivided(people), *_by_local_treatment(people), *_by_decision(people, strata)])
    curves = members.group_by(_CURVE).agg(pl.col("days", "days_at_most").cast(pl.Float64), "is_dead").sort(_CURVE)
    tables = [
        _at_fixed_times(landmark, days.to_numpy(), at_most.to_numpy(), is_dead.to_numpy())
        for landmark, days, at_most, is_dead in zip(
            *(curves[name] for name in ("landmark_months", *_ENDS)), strict=True
        )
    ]
    columns: dict[Any, Any] = {**describe(Survival).polars_schema}
    counted = pl.DataFrame(tables, schema={name: pl.List(columns[name]) for name in _COUNTED}, strict=False)
    rows = pl.concat([curves.drop(_ENDS), counted], how="horizontal").explode(*_COUNTED)
    return rows.select(*columns).cast(columns)


def _undivided(people: pl.DataFrame) -> list[pl.DataFrame]:
    """Return everybody from time zero, together and by centre, and from each landmark on."""
    every = [_curve_members(people, landmark) for landmark in (0, *LANDMARKS)]
    return [*every, _curve_members(people, 0, pl.col("centre_id"))]


def _by_local_treatment(people: pl.DataFrame) -> list[pl.DataFrame]:
    """Return who had been resected or ablated by the landmark, and who had not."""
    is_treated = (pl.col("local_day") <= day_of(LOCAL_LANDMARK)).fill_null(value=False)
    strata = people.with_columns(
        exposure=pl.lit("local_treatment"),
        stratum=pl.when(is_treated).then(pl.lit("local_treatment")).otherwise(pl.lit("no_local_treatment")),
    )
    return [_curve_members(strata, LOCAL_LANDMARK)]


def _by_decision(people: pl.DataFrame, strata: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the first lines by what was recommended and by verdict; not known at the landmark, not in a stratum."""
    decided = people.join(strata, on="decision_id")
    return [_curve_members(decided.filter(pl.col("known_day") <= day_of(landmark)), landmark) for landmark in LANDMARKS]


def _curve_members(people: pl.DataFrame, landmark: int, centre: pl.Expr | None = None) -> pl.DataFrame:
    """Return who belongs to the curves of a landmark, once per population, with the days since the landmark.

    Those whose follow-up is unknown stay, with unknown days: whether they reached the landmark is not known.
    """
    start = day_of(landmark)
    in_follow_up = pl.col("days").is_null() | (pl.col("days") > start) if start else pl.lit(value=True)
    absent = [name for name in ("guideline", "exposure", "stratum") if name not in people.columns]
    members = people.filter(in_follow_up & (pl.col("days_at_most") > start if start else pl.lit(value=True)))
    populations = pl.when("is_crlm").then(pl.lit(["metastatic", "crlm"])).otherwise(pl.lit(["metastatic"]))
    return (
        members.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)
        .select(
            populations.alias("population"),
            (pl.lit(None, pl.String) if centre is None else centre).alias("centre_id"),
            "time_zero",
            pl.lit(landmark, pl.Int32).alias("landmark_months"),
            "guideline",
            "exposure",
            "stratum",
            pl.col("days") - start,
            pl.col("days_at_most") - start,
            "is_dead",
        )
        .explode("population")
    )


def _at_fixed_times(landmark: int, days: Times, days_at_most: Times, is_dead: Mask) -> dict[str, list[Any]]:
    """Return one curve at its fixed times: the landmark, and every half-year after time zero up to five years."""
    months = [landmark, *(month for month in MONTHS if month > landmark)]
    times = [day_of(month) - day_of(landmark) for month in months]
    is_known = ~np.isnan(days)
    table = life_table(days[is_known], is_dead[is_known], times)
    worst = best = table["percent"]
    if not is_known.all():
        worst = life_table(np.where(is_known, days, 0), is_dead | ~is_known, times)["percent"]
        best = life_table(np.where(is_known, days, days_at_most), is_dead & is_known, times)["percent"]
    members = [int(number) for number in (is_known.sum(), (~is_known).sum())]
    return {
        "month": months,
        **table,
        **{
            name: [number] * len(months) for name, number in zip(("n_members", "n_not_evaluable"), members, strict=True)
        },
        "percent_worst": worst,
        "percent_best": best,
    }


def life_table(days: Times, is_dead: Mask, times: Sequence[int]) -> dict[str, list[Any]]:
    """Return how survival stands at each time (days, ascending from 0) of people followed for `days`.

    n_at_risk: alive and followed beyond that day (at 0: all); n_deaths and n_censored since the time before, that day
    included; percent with its log-log 95 % interval, unknown where nobody is followed that long, and the interval also
    where nobody or everybody has died.
    """
    size = len(times)
    # The first of the times that is not before the end; whoever ends on day 0 does so after it began.
    ends = np.maximum(np.searchsorted(times, days), 1)
    deaths, censored = (np.bincount(ends[chosen], minlength=size + 1)[:size] for chosen in (is_dead, ~is_dead))
    at_risk = days.size - np.cumsum(deaths + censored)
    estimates = [np.where(at_risk > 0, values, np.nan) for values in _estimates(days, is_dead, times)]
    known = [[None if np.isnan(value) else float(value) for value in values] for values in estimates]
    return {
        "n_at_risk": at_risk.tolist(),
        "n_deaths": deaths.tolist(),
        "n_censored": censored.tolist(),
        **dict(zip(("percent", "ci_low", "ci_high"), known, strict=True)),
    }


def _estimates(days: Times, is_dead: Mask, times: Sequence[int]) -> tuple[Times, Times, Times]:
    """Return the estimate and both limits (0-100) at each time; NaN where the limits do not exist."""
    if not is_dead.any():
        nothing = np.full(len(times), np.nan)
        return np.full(len(times), 100.0), nothing, nothing
    curve = ecdf(CensoredData.right_censored(days, ~is_dead)).sf
    with warnings.catch_warnings():
        # Where the curve is 1 or 0 the log-log limits do not exist; scipy says so and gives NaN.
        warnings.simplefilter("ignore", RuntimeWarning)
        interval: Any = curve.confidence_interval(method="log-log")
    share = curve.evaluate(times)
    # Before the first death scipy takes both limits for 1.
    low, high = (np.where(share == 1, np.nan, 100 * end.evaluate(times)) for end in (interval.low, interval.high))
    return 100 * share, low, high
