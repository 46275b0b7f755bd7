"""Quality indicators at one look: every one with its rate, target and how many centres lie outside the limits."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.indicators import Definition
from crlm_pipeline.report import figures
from crlm_pipeline.report.fragments import Figure, Section, Table, Terms
from crlm_pipeline.report.rates import least_and_most, possible_percent
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import NOT_SHOWN, percent, percent_and_interval
from crlm_pipeline.statistics import Widening, by_chance_alone, widening

_SENTENCE: Final = (
    "Limits are exact binomial limits around the pooled rate, drawn at 95 % (alert) and 99.8 % (alarm). They say how "
    "far chance alone would carry a centre; nothing is adjusted for case mix. Every share stands beside the number "
    "that could not be evaluated and the range that those leave open."
)
_OVERVIEW: Final = {
    "name": "Indicator",
    "total_shown": "Evaluated",
    "percent_text": "% (95 % interval)",
    "better": "Better",
    "target": "Target",
    "unknown": "Not evaluable",
    "span": "% at worst\u2013at best",
}
_BETTER: Final = {"up": "higher", "down": "lower", "none": "neither"}
_MEDIANS: Final = {
    "name": "Indicator",
    "shown": "Evaluated",
    "days": "Median days (95 % interval)",
}


def section(registry: Registry, centre: str | None) -> Section:
    """Return all indicators in one table; a centre's page adds its place in each funnel plot."""
    blocks: list[Figure | Table | Terms | str] = [*_overview(registry, centre), *_medians(registry, centre)]
    if centre is not None:
        for definition in registry.indicators:
            figure = drawn(registry, definition, centre)
            blocks += [figure, Terms(meaning(definition), "What it measures")] if figure else []
    return Section("indicators", "Quality indicators", _SENTENCE, tuple(blocks))


def page_of(definition: Definition) -> str:
    """Return the name of an indicator's page, without the ending."""
    return f"indicator-{definition.id.lower()}"


def _named(registry: Registry) -> pl.DataFrame:
    """Return the indicators in order, each with the address of its page."""
    listed = [
        (
            place,
            one.id,
            f"{one.id}: {one.title}",
            _goal(one),
            _BETTER[one.direction],
            f"{page_of(one)}.html",
            one.target,
        )
        for place, one in enumerate(registry.indicators)
    ]
    names = {"place": pl.Int64, "id": pl.String, "name": pl.String, "target": pl.String, "better": pl.String}
    return pl.DataFrame(listed, schema=names | {"page_href": pl.String, "goal": pl.Float64}, orient="row")


@lru_cache(maxsize=1)
def _listed(registry: Registry) -> SafeTable:
    """Return the rates under the names of the indicators and in their order, beside those of all centres together."""
    rates = rates_of_all(registry)
    theirs = rates.where(centre_id=None).frame.select("indicator_id", all_text="percent_text")
    return rates.map(
        lambda frame: (
            frame.join(_named(registry), left_on="indicator_id", right_on="id")
            .join(theirs, on="indicator_id", how="left")
            .sort("place")
            .drop("place")
        )
    )


def _overview(registry: Registry, centre: str | None) -> list[Table]:
    made = _listed(registry).where(centre_id=centre)
    if made.frame.is_empty():
        return []
    strips = [
        figures.interval_strip(share, low, high, None if goal is None else 100 * goal)
        for share, low, high, goal in made.frame.select("percent", "ci_low", "ci_high", "goal").rows()
    ]
    headings, drawings = dict(_OVERVIEW), {"0 to 100 %": strips}
    if centre is None:
        made = made.map(lambda frame: frame.with_columns(_tally(registry, frame["indicator_id"].to_list())))
        headings["outside"] = "Beyond 99.8 %, below / above"
    else:
        headings["all_text"] = "All centres, %"
    links = {"name": "page_href"} if centre is None else {}
    caption = (
        "Every indicator at one look. The line runs from 0 to 100 %: dot and interval, the target as a stroke. Beyond "
        "99.8 %: the centres below and above those limits."
    )
    return [table(made, headings, caption, links=links, drawings=drawings)]


def _tally(registry: Registry, indicators: list[str]) -> pl.Series:
    """Return how many centres lie below and above the 99.8 % limits of each indicator, as text."""
    told = []
    for indicator in indicators:
        rows = rates_of_all(registry).where(indicator_id=indicator)
        pooled, points = pooled_percent(rows), rows.frame.drop_nulls(["centre_id", "percent"])
        is_known = pooled is not None and points.height > 0
        wider = widening_of(registry, rows)
        below, above = figures.outside(points, pooled or 0.0, 0.998, wider) if is_known else (0, 0)
        told.append(f"{below} / {above}" if is_known else None)
    return pl.Series("outside", told, dtype=pl.String)


@lru_cache(maxsize=1)
def _medians_listed(registry: Registry) -> SafeTable:
    return medians(registry).map(
        lambda frame: (
            frame.join(_named(registry), left_on="indicator_id", right_on="id").sort("place").drop("place", "goal")
        ),
        name="indicators_in_days",
    )


def _medians(registry: Registry, centre: str | None) -> list[Table]:
    made = _medians_listed(registry).where(centre_id=centre)
    if made.frame.is_empty():
        return []
    links = {"name": "page_href"} if centre is None else {}
    caption = "Indicators in days. Kaplan\u2013Meier medians; pending results are censored."
    return [table(made, _MEDIANS, caption, links=links)]


def pooled_percent(rates: SafeTable) -> float | None:
    """Return the rate of all centres together of one indicator, in percent; null where it is hidden."""
    rows = zip(rates.frame["centre_id"], rates.frame["percent"], strict=True)
    return next((share for centre, share in rows if centre is None), None)


def widening_of(registry: Registry, rates: SafeTable) -> Widening:
    """Return how the run widens the limits of one indicator, by the centres whose rates are shown."""
    points, pooled = rates.frame.drop_nulls(["centre_id", "percent"]), pooled_percent(rates)
    if pooled is None:
        return by_chance_alone
    met, total = points["n"].to_numpy(), points["total"].to_numpy()
    return widening(met, total, pooled / 100, registry.run["funnel_overdispersion"])


@lru_cache(maxsize=1)
def rates_of_all(registry: Registry) -> SafeTable:
    """Return met, not met, evaluated, not evaluable, rate and its bounds, of each indicator by centre and for all.

    Every page of the report draws on it.
    """
    rows = registry.tables["indicators"]
    counts = (
        rows.where(is_met="yes")
        .with_count("total", rows, is_met=None)
        .with_count("n_unmet", rows, is_met="no")
        .with_count("n_unknown", rows, is_met=None, is_evaluated="no")
        .with_percent("total")
    )
    every = pl.col("total") + pl.col("n_unknown")
    least, most = 100 * pl.col("n") / every, 100 * (pl.col("n") + pl.col("n_unknown")) / every
    is_down = pl.col("indicator_id").is_in([one.id for one in registry.indicators if one.direction == "down"])
    worst, best = pl.when(is_down).then(most).otherwise(least), pl.when(is_down).then(least).otherwise(most)
    span = pl.format("{}\u2013{}", worst.round(1), best.round(1))
    is_rate = pl.col("indicator_id").is_in([one.id for one in registry.indicators if one.display != "median"])
    return counts.map(
        lambda frame: (
            frame.filter(is_rate)
            .with_columns(
                pl.col("centre_id").fill_null("All centres").alias("label"),
                percent_and_interval(),
                *possible_percent("total", _unmet(), rows.smallest_rate),
                pl.when(pl.col("percent").is_not_null()).then(span).alias("span"),
                unmet="n_unmet_shown",
                unknown="n_unknown_shown",
            )
            .sort("centre_id", nulls_last=False)
        ),
        name="indicators",
    )


@lru_cache(maxsize=1)
def medians(registry: Registry) -> SafeTable:
    """Return the median of each indicator in days, by centre and for all."""
    low, high = (pl.col(name).cast(pl.Int64).cast(pl.String).fill_null("?") for name in ("median_low", "median_high"))
    days = pl.format("{} ({}\u2013{})", pl.col("median").cast(pl.Int64), low, high).alias("days")
    label = pl.col("centre_id").fill_null("All centres").alias("label")
    is_median = pl.col("indicator_id").is_in([one.id for one in registry.indicators if one.display == "median"])
    rows = registry.tables["indicators"].where(is_evaluated="yes", is_met=None).filtered(is_median)
    return rows.map(lambda frame: frame.with_columns(label, days).sort("centre_id", nulls_last=False), "medians")


def _unmet() -> tuple[pl.Expr, pl.Expr]:
    """Return how few and how many cases at most are not in the numerator, by what is printed of both counts."""
    few, many = least_and_most("n_unmet_shown")
    few_met, many_met = least_and_most("shown")
    return pl.coalesce(few, pl.col("total") - many_met), pl.coalesce(many, pl.col("total") - few_met)


def drawn(registry: Registry, definition: Definition, centre: str | None) -> Figure | None:
    """Return the funnel plot or the medians of an indicator, the centre apart if given; None if nothing is shown."""
    draw = _medians_drawn if definition.display == "median" else _funnel
    return draw(registry, definition, centre)


def _funnel(registry: Registry, definition: Definition, centre: str | None) -> Figure | None:
    shown = _funnels(registry).get(definition.id)
    if shown is None:
        return None
    reading = f"{definition.id}: {percent(shown.pooled)} of the cases evaluated, all centres together"
    reading += f"; the target is {percent(100 * definition.target)}." if definition.target is not None else "."
    return Figure(
        svg=figures.funnel(shown.points.frame, centre, shown.pooled, "%", shown.wider),
        reading=reading,
        caption=(
            f"{definition.title}. A bar is a centre whose rate lies somewhere in it, hidden because "
            "few cases are, or are not, in the numerator. Centres with too few cases for a rate are left out."
        ),
        alternative=shown.spoken,
        data=shown.points,
    )


class _Funnel(NamedTuple):
    """What a funnel plot shows, whichever centre is drawn apart in it."""

    points: SafeTable
    pooled: float
    wider: Widening
    spoken: str


@lru_cache(maxsize=1)
def _funnels(registry: Registry) -> Mapping[str, _Funnel]:
    """Return the funnel plots of the indicators that have one, by id: made once for all pages."""
    made = {definition.id: _points(registry, definition) for definition in registry.indicators}
    return {indicator: funnel for indicator, funnel in made.items() if funnel is not None}


def _points(registry: Registry, definition: Definition) -> _Funnel | None:
    rates = rates_of_all(registry).where(indicator_id=definition.id)
    pooled = pooled_percent(rates)
    is_drawn = pl.any_horizontal(pl.col("percent", "least").is_not_null())
    points = rates.each("centre_id").filtered(is_drawn).map(lambda frame: frame, f"{page_of(definition)}-funnel")
    if pooled is None or points.frame.is_empty():
        return None
    spoken = figures.spoken(points.frame.select(row="label", text=percent_and_interval()))
    return _Funnel(points, pooled, widening_of(registry, rates), spoken)


def _medians_drawn(registry: Registry, definition: Definition, centre: str | None) -> Figure | None:
    own = pl.col("centre_id").is_null() | (pl.lit(centre is None) | (pl.col("centre_id") == (centre or "")))
    known = medians(registry).where(indicator_id=definition.id).filtered(own)
    known = known.map(lambda frame: frame, name=f"{page_of(definition)}-funnel")
    ends = {"ci_low": pl.coalesce("median_low", "median"), "ci_high": pl.coalesce("median_high", "median")}
    shown = known.frame.drop_nulls("median").select(row="label", percent="median", **ends)
    if shown.is_empty():
        return None
    first, half = shown.row(0, named=True), f"{definition.id}: half of the results were reported within"
    return Figure(
        svg=figures.intervals(shown, "Days, median and 95 % interval", step=figures.row_height(shown.height)),
        reading=f"{half} {first['percent']:.0f} days of the sample ({first['row'].lower()}).",
        caption=f"{definition.title} (Kaplan\u2013Meier; pending results censored).",
        alternative=figures.spoken(known.frame.select(row="label", text=pl.col("days").fill_null(NOT_SHOWN))),
        data=known,
    )


def meaning(definition: Definition) -> tuple[tuple[str, str], ...]:
    """Return what the indicator measures, as terms and their meanings."""
    names = (
        "population",
        "denominator",
        "exclusions",
        "exceptions",
        "numerator",
        "direction",
        "centre",
        "member",
        "state",
    )
    told = [(name.capitalize(), str(getattr(definition, name))) for name in names]
    return (*told, ("Target", _target(definition)))


def _goal(definition: Definition) -> str:
    return "none" if definition.target is None else percent(100 * definition.target)


def _target(definition: Definition) -> str:
    target = _goal(definition)
    return f"{target} ({definition.target_source})" if definition.target_source else target
