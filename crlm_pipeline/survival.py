"""Overall survival by Kaplan-Meier, at fixed times, of strata that are known when the clock starts.

An exposure that comes about after time zero is looked at from a landmark on: its strata hold those alive and in
follow-up at the landmark, by what was known on that day, and time before it counts for nobody (Anderson, J Clin Oncol
1983;1:710-719). A patient who must live to be treated thus lends no survival to the treatment (immortal time).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crlm_pipeline.statistics import kaplan_meier
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
    warehouse.register("followed", people)
    members = pl.concat([*_undivided(people), *_by_local_treatment(people), _by_decision(warehouse)])
    curves = members.group_by(_CURVE).agg(pl.col("days", "days_at_most").cast(pl.Float64), "is_dead", "n").sort(_CURVE)
    tables = [
        _at_fixed_times(landmark, *(np.repeat(one.to_numpy(), n.to_numpy()) for one in ends))
        for landmark, n, *ends in zip(*(curves[name] for name in ("landmark_months", "n", *_ENDS)), strict=True)
    ]
    columns: dict[Any, Any] = {**describe(Survival).polars_schema}
    counted = pl.DataFrame(tables, schema={name: pl.List(columns[name]) for name in _COUNTED}, strict=False)
    rows = pl.concat([curves.drop(*_ENDS, "n"), counted], how="horizontal").explode(*_COUNTED)
    return rows.select(*columns).cast(columns)


def _undivided(people: pl.DataFrame) -> list[pl.DataFrame]:
    """Return everybody from time zero, together and by centre, and from each landmark on."""
    every = [_curve_members(people.drop("centre_id"), landmark) for landmark in (0, *LANDMARKS)]
    return [*every, _curve_members(people, 0)]


def _by_local_treatment(people: pl.DataFrame) -> list[pl.DataFrame]:
    """Return who had been resected or ablated by the landmark, and who had not."""
    is_treated = (pl.col("local_day") <= day_of(LOCAL_LANDMARK)).fill_null(value=False)
    strata = people.drop("centre_id").with_columns(
        exposure=pl.lit("local_treatment"),
        stratum=pl.when(is_treated).then(pl.lit("local_treatment")).otherwise(pl.lit("no_local_treatment")),
    )
    return [_curve_members(strata, LOCAL_LANDMARK)]


def _by_decision(warehouse: Warehouse) -> pl.DataFrame:
    """Return the first lines by what was recommended and by verdict; not known at the landmark, not in a stratum."""
    given = {"landmarks": list(LANDMARKS), "landmark_days": [day_of(landmark) for landmark in LANDMARKS]}
    return _by_population(warehouse.query_of("marts/survival_by_decision", "marts/survival_strata", **given))


def _curve_members(people: pl.DataFrame, landmark: int) -> pl.DataFrame:
    """Return who belongs to the curves of a landmark, with the days since the landmark.

    Those whose follow-up is unknown stay, with unknown days: whether they reached the landmark is not known. Only of
    them it is told how many days it may have been.
    """
    start = day_of(landmark)
    in_follow_up = (pl.col("days").is_null() | (pl.col("days") > start)) & (pl.col("days_at_most") > start)
    members = people.filter(in_follow_up) if start else people
    at_most = pl.when(pl.col("days").is_null()).then(pl.col("days_at_most"))
    keys = [name for name in ("centre_id", "time_zero", "is_crlm", "exposure", "stratum") if name in people.columns]
    counted = members.group_by(*keys, pl.col("days") - start, at_most - start, "is_dead").len("n")
    return _by_population(counted.with_columns(landmark_months=landmark))


def _by_population(counted: pl.DataFrame) -> pl.DataFrame:
    """Return counted members once per population; what does not divide them is null."""
    populations = pl.when("is_crlm").then(pl.lit(["metastatic", "crlm"])).otherwise(pl.lit(["metastatic"]))
    absent = [name for name in ("centre_id", "guideline", "exposure", "stratum") if name not in counted.columns]
    return (
        counted.with_columns(*(pl.lit(None, pl.String).alias(name) for name in absent), population=populations)
        .select(*_CURVE, *_ENDS, "n")
        .cast({"landmark_months": pl.Int32, "days": pl.Int32, "days_at_most": pl.Int32, "n": pl.Int64})
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
    curve = kaplan_meier(days, is_dead)
    reached = np.searchsorted(curve.times, times, side="right")
    share, low, high = (np.concatenate([[1.0], ends])[reached] for ends in (curve.share, curve.low, curve.high))
    # Before the first death both limits would be 1; they do not exist.
    low, high = (np.where(share == 1, np.nan, 100 * end) for end in (low, high))
    return 100 * share, low, high
