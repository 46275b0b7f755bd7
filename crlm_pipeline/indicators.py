"""Quality indicators: one SQL file each says who counts; here the members become rates with intervals and limits.

A statement returns one row per member: member_id, centre_id, event_date (null on a relative calendar), in_population,
in_denominator, in_numerator, for a median days, and in_exclusion or in_exception where its head names any. Null in
in_denominator or in_numerator means unknown: the member is not evaluable.
"""

import re
from datetime import date
from typing import Annotated, Any, Final, Literal

import numpy as np
import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict

from crlm_pipeline.errors import KnowledgeError
from crlm_pipeline.resources import reference, sql, sql_names
from crlm_pipeline.settings import Overdispersion
from crlm_pipeline.sql_head import head_of
from crlm_pipeline.statistics import (
    Median,
    funnel_limits,
    kaplan_meier_median,
    smallest_difference,
    widening,
    wilson,
)
from crlm_pipeline.warehouse import Warehouse
from schemas.column import describe
from schemas.mart import Indicator

HEADER: Final = (
    "id",
    "title",
    "population",
    "denominator",
    "exclusions",
    "exceptions",
    "numerator",
    "direction",
    "target",
    "state",
    "minimum size",
    "display",
    "centre",
    "member",
)
OPTIONAL: Final = ("parameters",)


def _words(text: object) -> object:
    return tuple(text.replace(",", " ").split()) if isinstance(text, str) else text


class Definition(BaseModel):
    """An indicator as the head of its SQL file states it; `target` is a share, unknown where none is published.

    `state`: verified where the source of definition, dates and target was read. `direction`: none where neither more
    nor less is better.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sql_name: str
    id: str
    title: str
    population: str
    denominator: str
    exclusions: str
    exceptions: str
    numerator: str
    direction: Literal["up", "down", "none"]
    target: float | None
    target_source: str
    state: Literal["verified", "unverified"]
    minimum_size: int
    display: Literal["funnel", "median"]
    centre: str
    member: str
    parameters: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()


# What several indicators read of the care given: statement in `sql/care/` and the name under which they read its rows.
# Each may read those before it.
CARE: Final = {
    "follow_up": "follow_up",
    "uncertain_tests": "uncertain_test",
    "treatment_lines": "treatment_line",
    "first_lines": "first_line",
    "first_liver_treatments": "first_liver_treatment",
    "liver_treatments": "liver_treatment",
    "liver_resections": "liver_resection",
    "ras_tests": "ras_test",
    "mips_patients": "mips_patient",
}


def definitions() -> list[Definition]:
    """Return every indicator, the project's own first, by the numbers in its id.

    Raises `KnowledgeError` for a head that is incomplete.
    """
    return sorted(map(_definition, sql_names("indicators")), key=_place)


def _place(definition: Definition) -> tuple[bool, list[tuple[int, str]]]:
    parts = re.findall(r"(\d+)|(\D+)", definition.id)
    is_own = re.match(r"P\d", definition.id) is not None
    return not is_own, [(int(number or 0), text) for number, text in parts]


def measure(warehouse: Warehouse, as_of: date, overdispersion: Overdispersion = "none") -> pl.DataFrame:
    """Return the rows of `mart.indicator`: every indicator, overall and per centre, for all years and each year."""
    columns: dict[Any, Any] = {**describe(Indicator).polars_schema}
    _look_at_care(warehouse, as_of)
    measured = [
        _measured(definition, _members(warehouse, definition, as_of), overdispersion) for definition in definitions()
    ]
    every = pl.concat(measured, how="diagonal").with_columns(overdispersion=pl.lit(overdispersion))
    return every.select(*columns).cast(columns)


def unmet(warehouse: Warehouse, as_of: date) -> pl.DataFrame:
    """Return who was evaluated and did not meet an indicator: indicator_id, member (what it is) and member_id.

    Restricted: it names patients' decisions.
    """
    _look_at_care(warehouse, as_of)
    found = [
        _members(warehouse, definition, as_of)
        .filter(pl.col("is_evaluated") & ~pl.col("is_met"))
        .select(pl.lit(definition.id).alias("indicator_id"), pl.lit(definition.member).alias("member"), "member_id")
        for definition in definitions()
        if definition.display != "median"
    ]
    return pl.concat(found)


def _look_at_care(warehouse: Warehouse, as_of: date) -> None:
    """Let the statements of the indicators read what several of them ask of the care given, and the countries."""
    countries = pl.DataFrame(reference("countries")).select("alpha_2", is_eu_eea=pl.col("is_eu_eea") == "true")
    warehouse.register("country", countries)
    for sql_name, name in CARE.items():
        parameters = {"as_of": as_of} if "$as_of" in sql(f"care/{sql_name}") else {}
        warehouse.register(name, warehouse.query(f"care/{sql_name}", **parameters))


def _definition(sql_name: str) -> Definition:
    stated = _head(sql_name)
    share, _, source = stated["target"].partition(" ")
    fields = {name.replace(" ", "_"): text for name, text in stated.items()}
    fields |= {"sql_name": sql_name, "target_source": source.strip("()")}
    try:
        return Definition.model_validate(fields | {"target": None if share == "none" else share})
    except ValueError as error:
        message = f"sql/{sql_name}.sql: {error}. Mend the head of the file."
        raise KnowledgeError(message) from None


def _head(sql_name: str) -> dict[str, str]:
    """Return what the head states by field."""
    stated = {each.field: each.text for each in head_of(sql(sql_name))}
    wrong = sorted(set(HEADER) - stated.keys()) + sorted(stated.keys() - {*HEADER, *OPTIONAL})
    if wrong:
        message = f"sql/{sql_name}.sql: the head must state {', '.join(HEADER)}; check: {', '.join(wrong)}."
        raise KnowledgeError(message)
    return stated


_SETS: Final = tuple(pl.col(f"in_{name}") for name in ("population", "denominator", "numerator"))
_KEPT_OUT: Final = (pl.col("in_exclusion"), pl.col("in_exception"))


def _members(warehouse: Warehouse, definition: Definition, as_of: date) -> pl.DataFrame:
    """Return the members that are evaluated, unknown, excluded or excepted; asserts what `_assert_sets` says."""
    given = {"as_of": as_of}
    members = warehouse.query(definition.sql_name, **{name: given[name] for name in definition.parameters})
    stated = {"in_exclusion": definition.exclusions, "in_exception": definition.exceptions}
    unlike = [name for name, words in stated.items() if (words == "none") == (name in members.columns)]
    assert not unlike, f"{definition.id}: head and statement differ in {', '.join(unlike)}"
    members = members.with_columns(pl.lit(False).alias(name) for name, words in stated.items() if words == "none")
    _assert_sets(definition, members)
    inside, counted, met = _SETS
    excluded, excepted = _KEPT_OUT
    return members.select(
        "member_id",
        "centre_id",
        pl.col("event_date").dt.year().cast(pl.String).alias("period"),
        (counted & met.is_not_null()).fill_null(False).alias("is_evaluated"),
        (inside & (counted.is_null() | (counted & met.is_null()))).alias("is_unknown"),
        met.fill_null(False).alias("is_met"),
        excluded.alias("is_excluded"),
        excepted.alias("is_excepted"),
        *(["days"] if definition.display == "median" else []),
    ).filter(pl.any_horizontal("is_evaluated", "is_unknown", "is_excluded", "is_excepted"))


def _assert_sets(definition: Definition, members: pl.DataFrame) -> None:
    """Numerator in denominator in population; exclusions and exceptions in it, outside the denominator, and apart."""
    inside, counted, met = _SETS
    excluded, excepted = _KEPT_OUT
    outside = members.filter(inside.is_null() | (counted & ~inside) | (met & ~counted.fill_null(False)))
    assert outside.is_empty(), f"{definition.id}: {outside.height} members are in a set but not in the one around it"
    kept_out = excluded | excepted
    torn = members.filter(kept_out.is_null() | (kept_out & (~inside | counted.fill_null(True))) | (excluded & excepted))
    assert torn.is_empty(), f"{definition.id}: {torn.height} exclusions or exceptions are not apart from other sets"
    assert members["member_id"].is_unique().all(), f"{definition.id}: a member has more than one row"


def _measured(definition: Definition, members: pl.DataFrame, overdispersion: Overdispersion) -> pl.DataFrame:
    groups = ("centre_id", "period")
    levels = [members.group_by(by).agg(*_counts(definition)) for by in (groups, groups[:1], groups[1:])]
    overall = members.select(*_counts(definition))
    # A group without a period (relative calendar) counts only among all years.
    levels = [level.filter(pl.col("period").is_not_null()) if "period" in level.columns else level for level in levels]
    frame = pl.concat([*levels, overall], how="diagonal").with_columns(pl.lit(definition.id).alias("indicator_id"))
    if definition.display == "median":
        return _with_medians(frame)
    return _with_funnels(_with_rates(frame, definition), definition, overdispersion)


def _counts(definition: Definition) -> list[pl.Expr]:
    evaluated = pl.col("is_evaluated")
    counts = [
        (evaluated & pl.col("is_met")).sum().cast(pl.Int64).alias("numerator"),
        evaluated.sum().cast(pl.Int64).alias("denominator"),
        pl.col("is_unknown").sum().cast(pl.Int64).alias("n_not_evaluable"),
        pl.col("is_excluded").sum().cast(pl.Int64).alias("n_excluded"),
        pl.col("is_excepted").sum().cast(pl.Int64).alias("n_excepted"),
    ]
    if definition.display == "funnel":
        return counts
    days, met = (pl.col(name).filter(evaluated).implode().alias(name) for name in ("days", "is_met"))
    return [*counts, days, met]


def _with_rates(frame: pl.DataFrame, definition: Definition) -> pl.DataFrame:
    met, total, unknown = pl.col("numerator"), pl.col("denominator"), pl.col("n_not_evaluable")
    low, high = wilson(met, total)
    possible = pl.when(total + unknown > 0).then(total + unknown)
    least, most = met / possible, (met + unknown) / possible
    worst, best = (most, least) if definition.direction == "down" else (least, most)
    return frame.with_columns(
        (met / pl.when(total > 0).then(total)).alias("rate"),
        low.alias("ci_low"),
        high.alias("ci_high"),
        worst.alias("rate_worst"),
        best.alias("rate_best"),
    )


_LIMITS: Final = ("limit_low_95", "limit_high_95", "limit_low_998", "limit_high_998")
_FUNNEL: Final = (*_LIMITS, "smallest_difference", "standing")
_NO_FUNNEL: Final = (
    *(pl.lit(None, pl.Float64).alias(name) for name in _FUNNEL[:-1]),
    pl.lit(None, pl.String).alias("standing"),
)


def _with_funnels(frame: pl.DataFrame, definition: Definition, overdispersion: Overdispersion) -> pl.DataFrame:
    """Add the funnel of each period around its pooled rate."""
    pooled = frame.filter(pl.col("centre_id").is_null()).select("period", pl.col("rate").alias("pooled"))
    centres = frame.join(pooled, on="period", how="left", nulls_equal=True)
    centres = centres.filter(pl.col("centre_id").is_not_null() & (pl.col("denominator") > 0))
    funnels = [
        funnel(period, period["pooled"][0], definition, overdispersion)
        for _, period in centres.group_by("period", maintain_order=True)
    ]
    if not funnels:
        return frame.with_columns(_NO_FUNNEL)
    keys = ["centre_id", "period"]
    return frame.join(pl.concat(funnels).select(*keys, *_FUNNEL), on=keys, how="left", nulls_equal=True)


def funnel(centres: pl.DataFrame, rate: float, definition: Definition, overdispersion: Overdispersion) -> pl.DataFrame:
    """Add the limits around `rate` at each centre's denominator, its smallest difference and its standing.

    `centres`: numerator and denominator (at least 1), one row per centre.
    """
    met, denominators = centres["numerator"].to_numpy(), centres["denominator"].to_numpy()
    is_rated = denominators >= definition.minimum_size
    wider = widening(met[is_rated], denominators[is_rated], rate, overdispersion)
    ends = (end for coverage in (0.95, 0.998) for end in funnel_limits(denominators, rate, coverage, wider))
    limits = dict(zip(_LIMITS, ends, strict=True))
    difference = np.full(denominators.shape, np.nan)
    if definition.direction != "none":
        unfavourable = limits["limit_low_998" if definition.direction == "up" else "limit_high_998"]
        difference = smallest_difference(denominators, rate, unfavourable, definition.direction)
    return centres.with_columns(
        pl.Series("smallest_difference", difference).fill_nan(None),
        **{name: pl.Series(limit) for name, limit in limits.items()},
    ).with_columns(_standing(definition))


def _standing(definition: Definition) -> pl.Expr:
    """Return how a centre stands to the limits; unknown below the minimum size or where no direction is better.

    Chance alone carries at most 2.5 % of centres beyond a 95 % limit and 0.1 % beyond a 99.8 % limit, on either side.
    """
    if definition.direction == "none":
        return pl.lit(None, pl.String).alias("standing")
    met, total = pl.col("numerator"), pl.col("denominator")
    below_95, below_998 = (met < total * pl.col(f"limit_low_{name}") for name in ("95", "998"))
    above_95, above_998 = (met > total * pl.col(f"limit_high_{name}") for name in ("95", "998"))
    is_up = definition.direction == "up"
    alarm, alert, better = (below_998, below_95, above_95) if is_up else (above_998, above_95, below_95)
    placed = pl.when(alarm).then(pl.lit("alarm")).when(alert).then(pl.lit("alert")).when(better).then(pl.lit("better"))
    return pl.when(total >= definition.minimum_size).then(placed.otherwise(pl.lit("within"))).alias("standing")


def _with_medians(frame: pl.DataFrame) -> pl.DataFrame:
    """Turn the list of durations of each group into its Kaplan-Meier median; rates and limits do not apply."""
    medians = [
        kaplan_meier_median(days.to_numpy(), met.to_numpy()) if days.len() else Median(None, None, None)
        for days, met in zip(frame["days"], frame["is_met"], strict=True)
    ]
    return frame.drop("days", "is_met").with_columns(
        pl.Series("rate", [median.value for median in medians], dtype=pl.Float64),
        pl.Series("ci_low", [median.low for median in medians], dtype=pl.Float64),
        pl.Series("ci_high", [median.high for median in medians], dtype=pl.Float64),
        *(pl.lit(None, pl.Float64).alias(name) for name in ("rate_worst", "rate_best")),
        *_NO_FUNNEL,
    )
