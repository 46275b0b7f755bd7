"""What stands out: the centres outside the limits of chance, in every funnel of the report at once."""

from functools import lru_cache
from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.indicators import Definition
from crlm_pipeline.report.fragments import Section, Table
from crlm_pipeline.report.page import centre_page
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.sections.centres import rates_by_centre
from crlm_pipeline.report.sections.indicators import page_of, pooled_percent, rates_of_all
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import percent_and_interval
from crlm_pipeline.settings import Overdispersion
from crlm_pipeline.signals import FAVOURABLE, expected_by_chance, placed, tallied

_TITLE: Final = "What stands out"
_LISTED: Final = {
    "centre_id": "Centre",
    "measure": "Measure",
    "rate_text": "% (95 % interval)",
    "total": "Evaluated",
    "pooled_text": "% of all centres",
    "limits_text": "99.8 % limits",
    "place_text": "Where it lies",
}
# Where the funnel of concordance stands.
_CONCORDANCE: Final = "centres.html"
_TALLIED: Final = {
    "measure": "Measure",
    "compared": "Centres compared",
    "worse_95": "Worse or lower, beyond 95 %",
    "better_95": "Better or higher, beyond 95 %",
    "worse_998": "Worse or lower, beyond 99.8 %",
    "better_998": "Better or higher, beyond 99.8 %",
}
_NOTE: Final = (
    "Nothing is adjusted for case mix. Of a centre that stands out check the data first, then hear the centre, and "
    "only then speak of its care."
)


def section(registry: Registry, centre: str | None) -> Section:
    """Return the comparisons outside the 99.8 % limits; of a centre, all of its own."""
    comparisons = _comparisons(registry)
    if centre is None:
        found = _alarms(registry, comparisons)
        return Section("signals", _TITLE, _sentence(comparisons.frame, "a centre"), (*found, _NOTE))
    own = comparisons.where(centre_id=centre)
    return Section("signals", _TITLE, _sentence(own.frame, centre), (*_of_centre(own, centre), _NOTE))


def tally(registry: Registry, centre: str | None) -> Section | None:
    """Return how many centres lie outside the limits of each measure, on the registry's pages alone."""
    comparisons = _comparisons(registry)
    if centre is not None or comparisons.frame.is_empty():
        return None
    caption = "Centres compared, by measure. Beyond 95 % counts those beyond 99.8 % as well."
    made = table(comparisons.map(tallied, "signals_by_measure"), _TALLIED, caption)
    return Section("tally", "Every comparison by measure", _sentence(comparisons.frame, "a centre"), (made, _NOTE))


def _alarms(registry: Registry, comparisons: SafeTable) -> list[Table]:
    """Return the comparisons outside the 99.8 % limits, the worse first, in the order of the measures."""
    alarms = comparisons.where(beyond="99.8").map(
        lambda frame: frame.sort(pl.col("side").is_in(FAVOURABLE), maintain_order=True), "signals_beyond"
    )
    if alarms.frame.is_empty():
        return []
    alarms = alarms.map(lambda frame: frame.with_columns(centre_page(registry)))
    links = {"centre_id": "centre_href", "measure": "measure_href"}
    caption = "Centres outside the 99.8 % limits, by measure."
    return [table(alarms, _LISTED, caption, text=("measure", "place_text"), links=links)]


def _of_centre(comparisons: SafeTable, centre: str) -> list[Table]:
    if comparisons.frame.is_empty():
        return []
    headings = {name: heading for name, heading in _LISTED.items() if name != "centre_id"}
    caption = (
        f"{centre} against all centres together. A range without an interval is a rate that is hidden; where it "
        "crosses a limit, its place is not known."
    )
    return [table(comparisons, headings, caption, text=("place_text",))]


def _sentence(comparisons: pl.DataFrame, who: str) -> str:
    if comparisons.is_empty():
        return "Too few cases could be evaluated to compare centres."
    alarms = comparisons.filter(pl.col("beyond") == "99.8")
    better = alarms.filter(pl.col("side").is_in(FAVOURABLE)).height
    found = f"{alarms.height - better} to the worse (or lower) and {better} to the better lie"
    chance = f"{expected_by_chance(comparisons.height, '99.8'):.2g}"
    return (
        f"Of {comparisons.height} comparisons of {who} with all centres together "
        f"{found if alarms.height else 'none lies'} outside the 99.8 % limits. If all centres were alike, chance alone "
        f"would put at most 0.2 % there, {chance} of them."
    )


@lru_cache(maxsize=1)
def _comparisons(registry: Registry) -> SafeTable:
    """Return one row per measure and centre whose rate, or the range in which it lies, may be shown."""
    parts = [_concordance(registry)]
    rates = rates_of_all(registry).map(lambda frame: frame, "signals")
    for one in registry.indicators:
        if one.display == "funnel":
            parts.append(_indicator(rates.where(indicator_id=one.id), one, registry.run["funnel_overdispersion"]))
    return parts[0].map(lambda _: pl.concat(part.frame for part in parts))


def _concordance(registry: Registry) -> SafeTable:
    rates = rates_by_centre(registry).map(
        lambda frame: frame.with_columns(total="n_evaluable", n="n_followed", shown="n_followed_shown"), "signals"
    )
    followed = registry.verdicts(is_judged="yes", **{"class": registry.followed})
    pooled = registry.share([followed], [registry.verdicts(is_judged="yes")])
    name = f"Concordance with {registry.headline_name}"
    return rates.map(lambda frame: _compared(frame, name, pooled, "up").with_columns(measure_href=pl.lit(_CONCORDANCE)))


def _indicator(rates: SafeTable, definition: Definition, overdispersion: Overdispersion) -> SafeTable:
    name = f"{definition.id}: {definition.title}"
    pooled = pooled_percent(rates)
    return rates.each("centre_id").map(
        lambda frame: _compared(frame, name, pooled, definition.direction, overdispersion).with_columns(
            measure_href=pl.lit(f"{page_of(definition)}.html")
        )
    )


def _compared(
    rates: pl.DataFrame,
    measure: str,
    pooled: float | None,
    direction: str,
    overdispersion: Overdispersion = "none",
) -> pl.DataFrame:
    """Return the centres that can be placed against the pooled rate (%), with the columns that are shown."""
    ends = [pl.coalesce("percent", name).cast(pl.Float64).alias(name) for name in ("least", "most")]
    known = rates.with_columns(*ends).drop_nulls("least").filter(pl.lit(pooled is not None))
    found = placed(known.select(pl.lit(measure).alias("measure"), *_SAFE), pooled or 0.0, direction, overdispersion)
    return found.with_columns(pl.lit(pooled, pl.Float64).alias("pooled")).with_columns(_texts())


_SAFE: Final = ("centre_id", "n", "shown", "total", "percent", "ci_low", "ci_high", "least", "most")


def _texts() -> list[pl.Expr]:
    span = pl.format("{}\u2013{}", pl.col("least").round(1), pl.col("most").round(1))
    outside = pl.format("{}, beyond {} %", pl.col("side").str.to_titlecase(), "beyond")
    is_within = (pl.col("least") >= pl.col("limit_low_95")) & (pl.col("most") <= pl.col("limit_high_95"))
    limits = pl.format("{}\u2013{}", pl.col("limit_low_99.8").round(1), pl.col("limit_high_99.8").round(1))
    return [
        pl.when(pl.col("percent").is_null()).then(span).otherwise(percent_and_interval()).alias("rate_text"),
        pl.col("pooled").round(1).cast(pl.String).alias("pooled_text"),
        limits.alias("limits_text"),
        pl.coalesce(outside, pl.when(is_within).then(pl.lit("Within 95 %")), pl.lit("Not known")).alias("place_text"),
    ]
