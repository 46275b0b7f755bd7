"""What stands out: the centres outside the limits of chance, in every funnel of the report at once."""

from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.indicators import Definition, definitions
from crlm_pipeline.report.fragments import Section, Table
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.sections.centres import rates_by_centre
from crlm_pipeline.report.sections.indicators import counted
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
_TALLIED: Final = {
    "measure": "Measure",
    "compared": "Centres compared",
    "worse_95": "Worse, beyond 95 %",
    "better_95": "Better, beyond 95 %",
    "worse_998": "Worse, beyond 99.8 %",
    "better_998": "Better, beyond 99.8 %",
}
_NOTE: Final = (
    "Nothing is adjusted for case mix. Of a centre that stands out check the data first, then hear the centre, and "
    "only then speak of its care."
)


def section(registry: Registry, centre: str | None) -> Section:
    """Return the comparisons outside the 99.8 % limits and a tally by measure; of a centre, all of its own."""
    comparisons = _comparisons(registry, centre)
    sentence = _sentence(comparisons.frame, centre)
    if centre is not None:
        return Section("signals", _TITLE, sentence, (*_of_centre(comparisons, centre), _NOTE))
    return Section("signals", _TITLE, sentence, (*_alarms(comparisons), *_tally(comparisons), _NOTE))


def _alarms(comparisons: SafeTable) -> list[Table]:
    """Return the comparisons outside the 99.8 % limits, the worse first, in the order of the measures."""
    alarms = comparisons.where(beyond="99.8").map(
        lambda frame: frame.sort(pl.col("side").is_in(FAVOURABLE), maintain_order=True), "signals_beyond"
    )
    if alarms.frame.is_empty():
        return []
    return [table(alarms, _LISTED, "Centres outside the 99.8 % limits, by measure.", text=("measure", "place_text"))]


def _tally(comparisons: SafeTable) -> list[Table]:
    if comparisons.frame.is_empty():
        return []
    caption = "Centres compared, by measure. Beyond 95 % counts those beyond 99.8 % as well."
    return [table(comparisons.map(tallied, "signals_by_measure"), _TALLIED, caption)]


def _of_centre(comparisons: SafeTable, centre: str) -> list[Table]:
    if comparisons.frame.is_empty():
        return []
    headings = {name: heading for name, heading in _LISTED.items() if name != "centre_id"}
    return [table(comparisons, headings, f"{centre} against all centres together.", text=("place_text",))]


def _sentence(comparisons: pl.DataFrame, centre: str | None) -> str:
    if comparisons.is_empty():
        return "Too few cases could be evaluated to compare centres."
    alarms = comparisons.filter(pl.col("beyond") == "99.8")
    better = alarms.filter(pl.col("side").is_in(FAVOURABLE)).height
    chance = f"{expected_by_chance(comparisons.height, '99.8'):.2g}"
    return (
        f"{_found(alarms.height - better, better)} of {comparisons.height} comparisons with all centres together "
        f"{'a centre' if centre is None else centre} lies outside the 99.8 % limits. If all centres were alike, chance "
        f"alone would put at most 0.2 % there, {chance} of them."
    )


def _found(worse: int, better: int) -> str:
    """Return how many comparisons were found outside, as the start of a sentence."""
    return f"To the worse in {worse}, to the better in {better}" if worse or better else "In none"


def _comparisons(registry: Registry, centre: str | None) -> SafeTable:
    """Return one row per measure and centre (all, or one) whose rate, or the range in which it lies, may be shown."""
    parts = [_concordance(registry)]
    rates = counted(registry.tables["indicators"], "signals")
    for one in definitions():
        if one.display == "funnel":
            parts.append(_indicator(rates.where(indicator_id=one.id), one, registry.run["funnel_overdispersion"]))
    is_asked = pl.lit(centre is None) | (pl.col("centre_id") == pl.lit(centre, pl.String))
    return parts[0].map(lambda _: pl.concat(part.frame for part in parts).filter(is_asked))


def _concordance(registry: Registry) -> SafeTable:
    rates = rates_by_centre(registry, "signals").map(
        lambda frame: frame.with_columns(total="n_evaluable", n="n_followed", shown="n_followed_shown")
    )
    followed = registry.verdicts(is_judged="yes", **{"class": registry.followed})
    pooled = registry.share([followed], [registry.verdicts(is_judged="yes")])
    return rates.map(lambda frame: _compared(frame, f"Concordance with {registry.headline_name}", pooled, "up"))


def _indicator(rates: SafeTable, definition: Definition, overdispersion: Overdispersion) -> SafeTable:
    overall = rates.where(centre_id=None).frame["percent"].to_list()
    name = f"{definition.id}: {definition.title}"
    return rates.each("centre_id").map(
        lambda frame: _compared(frame, name, overall[0] if overall else None, definition.direction, overdispersion)
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
