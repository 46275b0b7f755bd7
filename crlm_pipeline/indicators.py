"""Quality indicators: one SQL file each says who counts; here the members become rates with intervals and limits.

A statement returns one row per member: member_id, centre_id, event_date (null on a relative calendar), in_population,
in_denominator, in_numerator, and for a median days. Null in the last two means unknown: the member is not evaluable.
"""

import re
from datetime import date
from typing import Annotated, Any, Final, Literal

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict

from crlm_pipeline.errors import KnowledgeError
from crlm_pipeline.resources import sql, sql_names
from crlm_pipeline.statistics import Median, funnel_limits, kaplan_meier_median, wilson
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
    "minimum size",
    "display",
    "centre",
    "member",
)
OPTIONAL: Final = ("parameters",)


def _words(text: object) -> object:
    return tuple(text.replace(",", " ").split()) if isinstance(text, str) else text


class Definition(BaseModel):
    """An indicator as the head of its SQL file states it; `target` is a share, unknown where none is published."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sql_name: str
    id: str
    title: str
    population: str
    denominator: str
    exclusions: str
    exceptions: str
    numerator: str
    direction: Literal["up", "down"]
    target: float | None
    target_source: str
    minimum_size: int
    display: Literal["funnel", "median"]
    centre: str
    member: str
    parameters: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()


def definitions() -> list[Definition]:
    """Return every indicator in the order of its number; raises `KnowledgeError` for a head that is incomplete."""
    return sorted(map(_definition, sql_names("indicators")), key=lambda one: int(one.id.lstrip("P")))


def measure(warehouse: Warehouse, as_of: date) -> pl.DataFrame:
    """Return the rows of `mart.indicator`: every indicator, overall and per centre, for all years and each year."""
    columns: dict[Any, Any] = {**describe(Indicator).polars_schema}
    measured = [_measured(definition, _members(warehouse, definition, as_of)) for definition in definitions()]
    return pl.concat(frame.select(*columns).cast(columns) for frame in measured)


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
    """Return the `-- name: text` lines of the head; a line that starts with more blanks continues the one before."""
    stated: dict[str, str] = {}
    name = ""
    for line in sql(sql_name).splitlines():
        if not line.startswith("--"):
            break
        if found := re.match(r"-- ([a-z ]+): (.+)", line):
            name, text = found.groups()
            stated[name] = text.strip()
        elif name:
            stated[name] += " " + line.removeprefix("--").strip()
    wrong = sorted(set(HEADER) - stated.keys()) + sorted(stated.keys() - {*HEADER, *OPTIONAL})
    if wrong:
        message = f"sql/{sql_name}.sql: the head must state {', '.join(HEADER)}; check: {', '.join(wrong)}."
        raise KnowledgeError(message)
    return stated


def _members(warehouse: Warehouse, definition: Definition, as_of: date) -> pl.DataFrame:
    """Return the members that are evaluated or unknown; asserts that each set lies in the one around it."""
    given = {"as_of": as_of}
    members = warehouse.query(definition.sql_name, **{name: given[name] for name in definition.parameters})
    inside, counted, met = (pl.col(f"in_{name}") for name in ("population", "denominator", "numerator"))
    outside = members.filter((counted & ~inside) | (met & ~counted.fill_null(False)) | inside.is_null())
    assert outside.is_empty(), f"{definition.id}: {outside.height} members are in a set but not in the one around it"
    assert members["member_id"].is_unique().all(), f"{definition.id}: a member has more than one row"
    return members.select(
        "centre_id",
        pl.col("event_date").dt.year().cast(pl.String).alias("period"),
        (counted & met.is_not_null()).fill_null(False).alias("is_evaluated"),
        (inside & (counted.is_null() | (counted & met.is_null()))).alias("is_unknown"),
        met.fill_null(False).alias("is_met"),
        *(["days"] if definition.display == "median" else []),
    ).filter(pl.col("is_evaluated") | pl.col("is_unknown"))


def _measured(definition: Definition, members: pl.DataFrame) -> pl.DataFrame:
    groups = ("centre_id", "period")
    levels = [members.group_by(by).agg(*_counts(definition)) for by in (groups, groups[:1], groups[1:])]
    overall = members.select(*_counts(definition))
    # A group without a period (relative calendar) counts only among all years.
    levels = [level.filter(pl.col("period").is_not_null()) if "period" in level.columns else level for level in levels]
    frame = pl.concat([*levels, overall], how="diagonal").with_columns(pl.lit(definition.id).alias("indicator_id"))
    if definition.display == "median":
        return _with_medians(frame)
    return _with_limits(_with_rates(frame, definition))


def _counts(definition: Definition) -> list[pl.Expr]:
    evaluated = pl.col("is_evaluated")
    counts = [
        (evaluated & pl.col("is_met")).sum().cast(pl.Int64).alias("numerator"),
        evaluated.sum().cast(pl.Int64).alias("denominator"),
        pl.col("is_unknown").sum().cast(pl.Int64).alias("n_not_evaluable"),
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
    worst, best = (least, most) if definition.direction == "up" else (most, least)
    return frame.with_columns(
        (met / pl.when(total > 0).then(total)).alias("rate"),
        low.alias("ci_low"),
        high.alias("ci_high"),
        worst.alias("rate_worst"),
        best.alias("rate_best"),
    )


def _with_limits(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the funnel limits around the pooled rate of the period, at each centre's denominator."""
    pooled = frame.filter(pl.col("centre_id").is_null()).select("period", pl.col("rate").alias("pooled"))
    centres = frame.join(pooled, on="period", how="left", nulls_equal=True)
    centres = centres.filter(pl.col("centre_id").is_not_null() & (pl.col("denominator") > 0))
    by_rate = centres.drop_nulls("pooled").group_by("pooled", maintain_order=True)
    limits = [_limits(group, group["pooled"][0]) for _, group in by_rate]
    keys = ["indicator_id", "centre_id", "period"]
    if not limits:
        return frame.with_columns(pl.lit(None, pl.Float64).alias(name) for name in _LIMITS)
    return frame.join(pl.concat(limits).select(*keys, *_LIMITS), on=keys, how="left", nulls_equal=True)


_LIMITS: Final = ("limit_low_95", "limit_high_95", "limit_low_998", "limit_high_998")


def _limits(group: pl.DataFrame, rate: float) -> pl.DataFrame:
    denominators = group["denominator"].to_numpy()
    ends = (*funnel_limits(denominators, rate, 0.95), *funnel_limits(denominators, rate, 0.998))
    return group.with_columns(pl.Series(name, end) for name, end in zip(_LIMITS, ends, strict=True))


def _with_medians(frame: pl.DataFrame) -> pl.DataFrame:
    """Turn the list of durations of each group into its Kaplan-Meier median; rates and limits do not apply."""
    medians = [
        kaplan_meier_median(days, met) if days else Median(None, None, None)
        for days, met in frame.select("days", "is_met").iter_rows()
    ]
    return frame.drop("days", "is_met").with_columns(
        pl.Series("rate", [median.value for median in medians], dtype=pl.Float64),
        pl.Series("ci_low", [median.low for median in medians], dtype=pl.Float64),
        pl.Series("ci_high", [median.high for median in medians], dtype=pl.Float64),
        *(pl.lit(None, pl.Float64).alias(name) for name in ("rate_worst", "rate_best", *_LIMITS)),
    )
