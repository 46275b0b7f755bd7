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


def counted(warehouse: Warehouse, as_of: date) -> pl.DataFrame:
    """Return how many members of each indicator are in which set, as `sql/marts/indicator_counts.sql` says.

    One row per indicator_id, centre, quarter and, for a median, days. Asserts that the sets lie in each other, that
    exclusions and exceptions are apart from them and named by the head, and that no member has two rows.
    """
    _look_at_care(warehouse, as_of)
    return pl.concat(_counted(warehouse, definition, as_of) for definition in definitions())


def measure(counts: pl.DataFrame, overdispersion: Overdispersion = "none") -> pl.DataFrame:
    """Return the rows of `mart.indicator`: every indicator, overall and per centre, for all years and each year.

    `counts`: what `counted` returns.
    """
    columns: dict[Any, Any] = {**describe(Indicator).polars_schema}
    stated = pl.DataFrame(
        [(one.id, one.direction, one.minimum_size, one.display) for one in definitions()],
        schema=["indicator_id", "direction", "minimum_size", "display"],
        orient="row",
    )
    cells = _cells(counts, stated.select("indicator_id")).join(stated, on="indicator_id")
    rated = _with_funnels(_with_rates(cells.filter(pl.col("display") == "funnel")), overdispersion)
    medians = _with_medians(cells.filter(pl.col("display") == "median"), counts)
    every = pl.concat([rated, medians], how="diagonal").with_columns(overdispersion=pl.lit(overdispersion))
    return every.select(*columns).cast(columns)


def unmet(warehouse: Warehouse, as_of: date) -> pl.DataFrame:
    """Return who was evaluated and did not meet an indicator: indicator_id, member (what it is) and member_id.

    Restricted: it names patients' decisions.
    """
    _look_at_care(warehouse, as_of)
    found = [
        _members(warehouse, definition, as_of)
        .filter(pl.col("in_denominator") & ~pl.col("in_numerator"))
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
        warehouse.register_query(name, f"care/{sql_name}", **parameters)


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


_COUNTS: Final = ("numerator", "denominator", "n_not_evaluable", "n_excluded", "n_excepted")

_DEFECTS: Final = {
    "n_outside": "members are in a set but not in the one around it",
    "n_torn": "exclusions or exceptions are not apart from other sets",
    "n_unlike": "members, of whose exclusions or exceptions head and statement differ",
}


def _members(warehouse: Warehouse, definition: Definition, as_of: date) -> pl.DataFrame:
    return warehouse.query(definition.sql_name, **_given(definition, as_of))


def _given(definition: Definition, as_of: date) -> dict[str, Any]:
    """Return the parameters that the statement asks for."""
    given = {"as_of": as_of}
    return {name: given[name] for name in definition.parameters}


def _counted(warehouse: Warehouse, definition: Definition, as_of: date) -> pl.DataFrame:
    stated = {
        "has_exclusions": definition.exclusions != "none",
        "has_exceptions": definition.exceptions != "none",
    }
    counts = warehouse.query_of("marts/indicator_counts", definition.sql_name, **stated, **_given(definition, as_of))
    for name, words in _DEFECTS.items():
        assert not counts[name].sum(), f"{definition.id}: {counts[name].sum()} {words}"
    assert not counts["n_repeated"].sum(), f"{definition.id}: a member has more than one row"
    return counts.select(
        pl.lit(definition.id).alias("indicator_id"),
        "centre_id",
        "quarter",
        pl.col("days").cast(pl.Int64),
        *(pl.col(name).cast(pl.Int64) for name in _COUNTS),
    )


def _levels(counts: pl.DataFrame, *aggregates: pl.Expr) -> pl.DataFrame:
    """Return the aggregates of each indicator by centre and year, by either, and overall; null = all."""
    by_year = counts.with_columns(pl.col("quarter").dt.year().cast(pl.String).alias("period"))
    # A quarter that is not known (relative calendar) counts only among all years.
    dated = by_year.drop_nulls("period")
    levels = {("centre_id", "period"): dated, ("centre_id",): by_year, ("period",): dated, (): by_year}
    grouped = [rows.group_by("indicator_id", *keys).agg(*aggregates) for keys, rows in levels.items()]
    return pl.concat(grouped, how="diagonal")


def _cells(counts: pl.DataFrame, indicators: pl.DataFrame) -> pl.DataFrame:
    """Return the numbers of each level with any; overall those of every indicator, be they 0."""
    cells = _levels(counts, pl.col(_COUNTS).sum())
    is_overall = pl.col("centre_id").is_null() & pl.col("period").is_null()
    overall = indicators.join(cells.filter(is_overall), on="indicator_id", how="left").with_columns(
        pl.col(_COUNTS).fill_null(0)
    )
    return pl.concat([overall, cells.filter(~is_overall & pl.any_horizontal(pl.col(_COUNTS) > 0))])


def _with_rates(frame: pl.DataFrame) -> pl.DataFrame:
    met, total, unknown = pl.col("numerator"), pl.col("denominator"), pl.col("n_not_evaluable")
    low, high = wilson(met, total)
    possible = pl.when(total + unknown > 0).then(total + unknown)
    least, most = met / possible, (met + unknown) / possible
    is_down = pl.col("direction") == "down"
    return frame.with_columns(
        (met / pl.when(total > 0).then(total)).alias("rate"),
        low.alias("ci_low"),
        high.alias("ci_high"),
        pl.when(is_down).then(most).otherwise(least).alias("rate_worst"),
        pl.when(is_down).then(least).otherwise(most).alias("rate_best"),
    )


_LIMITS: Final = ("limit_low_95", "limit_high_95", "limit_low_998", "limit_high_998")
_UNFAVOURABLE: Final[dict[Literal["up", "down"], str]] = {"up": "limit_low_998", "down": "limit_high_998"}
_FUNNEL: Final = (*_LIMITS, "smallest_difference", "standing")


def _with_funnels(frame: pl.DataFrame, overdispersion: Overdispersion) -> pl.DataFrame:
    """Add the funnel of each indicator and period around its pooled rate."""
    of_all = ["indicator_id", "period"]
    pooled = frame.filter(pl.col("centre_id").is_null()).select(*of_all, pl.col("rate").alias("pooled"))
    centres = frame.filter(pl.col("centre_id").is_not_null() & (pl.col("denominator") > 0))
    centres = centres.join(pooled, on=of_all, how="left", nulls_equal=True, maintain_order="left")
    keys = [*of_all, "centre_id"]
    drawn = funnels(_with_widening(centres, overdispersion)).select(*keys, *_FUNNEL)
    return frame.join(drawn, on=keys, how="left", nulls_equal=True)


def _with_widening(centres: pl.DataFrame, overdispersion: Overdispersion) -> pl.DataFrame:
    """Add by how much over-dispersion widens the limits of each row: the rated centres of its funnel tell."""
    if overdispersion == "none":
        return centres.with_columns(pl.lit(1.0).alias("widening"))
    drawn = []
    for one in centres.partition_by("indicator_id", "period"):
        rated = one.filter(pl.col("denominator") >= pl.col("minimum_size"))
        counts = (rated["numerator"].to_numpy(), rated["denominator"].to_numpy())
        wider = widening(*counts, one["pooled"][0], overdispersion)
        drawn.append(one.with_columns(pl.Series("widening", wider(one["denominator"].to_numpy()))))
    return pl.concat([centres.clear().with_columns(pl.lit(1.0).alias("widening")), *drawn])


def funnels(centres: pl.DataFrame) -> pl.DataFrame:
    """Add the limits around the pooled rate at each centre's denominator, its smallest difference and its standing.

    One row per funnel and centre: numerator, denominator (at least 1), pooled (the rate of its funnel), widening (1 or
    more), direction and minimum_size.
    """
    denominators, rates = centres["denominator"].to_numpy(), centres["pooled"].to_numpy()
    factors, direction = centres["widening"].to_numpy(), centres["direction"].to_numpy()
    ends = (
        end for coverage in (0.95, 0.998) for end in funnel_limits(denominators, rates, coverage, lambda _: factors)
    )
    limits = dict(zip(_LIMITS, ends, strict=True))
    difference = np.full(denominators.shape, np.nan)
    for name, unfavourable in _UNFAVOURABLE.items():
        chosen = direction == name
        given = (denominators[chosen], rates[chosen], limits[unfavourable][chosen])
        difference[chosen] = smallest_difference(*given, name)
    return centres.with_columns(
        pl.Series("smallest_difference", difference).fill_nan(None),
        **{name: pl.Series(limit) for name, limit in limits.items()},
    ).with_columns(_standing())


def _standing() -> pl.Expr:
    """Return how a centre stands to the limits; unknown below the minimum size or where no direction is better.

    Chance alone carries at most 2.5 % of centres beyond a 95 % limit and 0.1 % beyond a 99.8 % limit, on either side.
    """
    met, total = pl.col("numerator"), pl.col("denominator")
    below_95, below_998 = (met < total * pl.col(f"limit_low_{name}") for name in ("95", "998"))
    above_95, above_998 = (met > total * pl.col(f"limit_high_{name}") for name in ("95", "998"))
    is_up = pl.col("direction") == "up"
    alarm, alert, better = (
        pl.when(is_up).then(up).otherwise(down)
        for up, down in ((below_998, above_998), (below_95, above_95), (above_95, below_95))
    )
    placed = pl.when(alarm).then(pl.lit("alarm")).when(alert).then(pl.lit("alert")).when(better).then(pl.lit("better"))
    has_standing = (total >= pl.col("minimum_size")) & (pl.col("direction") != "none")
    return pl.when(has_standing).then(placed.otherwise(pl.lit("within"))).alias("standing")


def _with_medians(cells: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """Add the Kaplan-Meier median of the durations of each cell; rates and limits do not apply."""
    keys = ("indicator_id", "centre_id", "period")
    timed = counts.filter(pl.col("days").is_not_null() & (pl.col("denominator") > 0))
    durations = _levels(timed, pl.col("days"), pl.col("numerator"), pl.col("denominator"))
    medians = [_median(*lists) for lists in durations.select("days", "numerator", "denominator").iter_rows()]
    found = durations.select(
        *keys,
        pl.Series("rate", [median.value for median in medians], dtype=pl.Float64),
        pl.Series("ci_low", [median.low for median in medians], dtype=pl.Float64),
        pl.Series("ci_high", [median.high for median in medians], dtype=pl.Float64),
    )
    return cells.join(found, on=keys, how="left", nulls_equal=True)


def _median(days: list[int], n_met: list[int], n_evaluated: list[int]) -> Median:
    """Return the median of durations, each given with how many ended so and how many there are."""
    met, evaluated = np.array(n_met), np.array(n_evaluated)
    durations = np.concatenate([np.repeat(days, met), np.repeat(days, evaluated - met)])
    return kaplan_meier_median(durations, np.arange(durations.size) < met.sum())
