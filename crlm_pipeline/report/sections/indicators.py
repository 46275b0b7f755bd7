"""Quality indicators with funnel plots: how the centres stand around the pooled rate."""

from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable, plain
from crlm_pipeline.indicators import Definition, definitions
from crlm_pipeline.report import figures
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.rates import least_and_most, possible_percent
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import NOT_SHOWN, percent, percent_and_interval

_SENTENCE: Final = (
    "Limits are exact binomial limits around the pooled rate, drawn at 95 % (alert) and 99.8 % (alarm). They say how "
    "far chance alone would carry a centre; nothing is adjusted for case mix. Every share stands beside the number "
    "that could not be evaluated and the range that those leave open."
)
_HEADINGS: Final = {
    "label": "Centre",
    "shown": "Met",
    "unmet": "Not met",
    "total_shown": "Evaluated",
    "percent_text": "% met (95 % interval)",
    "unknown": "Not evaluable",
    "span": "% at worst\u2013at best",
}


def section(registry: Registry, centre: str | None) -> Section:
    """Return each indicator: funnel plot or medians, and the table of centres."""
    blocks: list[Figure | Table | str] = []
    for definition in definitions():
        rows = registry.tables["indicators"].where(indicator_id=definition.id)
        blocks += (_medians if definition.display == "median" else _rates)(definition, rows, centre)
    if centre is None:
        blocks.append(_meanings())
    return Section("indicators", "Quality indicators", _SENTENCE, tuple(blocks))


def _own(centre: str | None) -> pl.Expr:
    """Return the rows of a page: all centres together, and each of them or the page's own."""
    own = pl.col("centre_id").eq_missing(pl.lit(centre, pl.String))
    return pl.col("centre_id").is_null() | own | pl.lit(centre is None)


def _label() -> pl.Expr:
    return pl.col("centre_id").fill_null("All centres").alias("label")


def _rates(definition: Definition, rows: SafeTable, centre: str | None) -> list[Figure | Table]:
    rates = _counted(definition, rows)
    listed = rates.map(lambda frame: frame.filter(_own(centre)))
    made = table(listed, _HEADINGS, f"{definition.id}: {definition.title}.")
    pooled = rates.frame.filter(pl.col("centre_id").is_null())["percent"].to_list()
    is_drawn = pl.col("centre_id").is_not_null() & pl.any_horizontal(pl.col("percent", "least").is_not_null())
    points = rates.map(lambda frame: frame.filter(is_drawn), name=f"{rates.name}_funnel")
    if not pooled or pooled[0] is None or points.frame.is_empty():
        return [made]
    return [_funnel(definition, points, centre, pooled[0]), made]


def _counted(definition: Definition, rows: SafeTable) -> SafeTable:
    """Return one row per centre and one for all: met, not met, evaluated, not evaluable, rate and its bounds."""
    counted = (
        rows.where(is_met="yes")
        .with_count("total", rows, is_met=None)
        .with_count("n_unmet", rows, is_met="no")
        .with_count("n_unknown", rows, is_met=None, is_evaluated="no")
        .with_percent("total")
    )
    every = pl.col("total") + pl.col("n_unknown")
    worst, best = 100 * pl.col("n") / every, 100 * (pl.col("n") + pl.col("n_unknown")) / every
    span = pl.format("{}\u2013{}", worst.round(1), best.round(1))
    return counted.map(
        lambda frame: frame.with_columns(
            _label(),
            percent_and_interval(),
            *possible_percent("total", _unmet(), rows.smallest_rate),
            pl.when(pl.col("percent").is_not_null()).then(span).alias("span"),
            unmet="n_unmet_shown",
            unknown="n_unknown_shown",
        ).sort("centre_id", nulls_last=False),
        name=f"indicator_{definition.id.lower()}",
    )


def _unmet() -> tuple[pl.Expr, pl.Expr]:
    """Return how few and how many cases at most did not meet the standard, by what is printed of both counts."""
    few, many = least_and_most("n_unmet_shown")
    few_met, many_met = least_and_most("shown")
    return pl.coalesce(few, pl.col("total") - many_met), pl.coalesce(many, pl.col("total") - few_met)


def _funnel(definition: Definition, points: SafeTable, centre: str | None, pooled: float) -> Figure:
    reading = f"In {percent(pooled)} of the cases evaluated, all centres together, the standard was met"
    reading += f"; the target is {percent(100 * definition.target)}." if definition.target is not None else "."
    return Figure(
        svg=figures.funnel(points.frame, centre, pooled, "% met"),
        reading=reading,
        caption=(
            f"{definition.id}: {definition.title}. A bar is a centre whose rate lies somewhere in it, hidden because "
            "few cases met, or did not meet, the standard. Centres with too few cases for a rate are left out."
        ),
        alternative=figures.spoken(points.frame.select(row="label", text=percent_and_interval())),
        data=points,
    )


def _medians(definition: Definition, rows: SafeTable, centre: str | None) -> list[Figure | Table]:
    low, high = (pl.col(name).cast(pl.Int64).cast(pl.String).fill_null("?") for name in ("median_low", "median_high"))
    days = pl.format("{} ({}\u2013{})", pl.col("median").cast(pl.Int64), low, high)
    medians = rows.where(is_evaluated="yes", is_met=None).map(
        lambda frame: frame.filter(_own(centre)).with_columns(_label(), days.alias("days")).sort("centre_id"),
        name=f"indicator_{definition.id.lower()}",
    )
    headings = {"label": "Centre", "shown": "Tests", "days": "Median days (95 % interval)"}
    caption = f"{definition.id}: {definition.title} (Kaplan\u2013Meier; pending results censored)."
    made = table(medians, headings, caption)
    ends = {"ci_low": pl.coalesce("median_low", "median"), "ci_high": pl.coalesce("median_high", "median")}
    drawn = medians.frame.drop_nulls("median").select(row="label", percent="median", **ends)
    if drawn.is_empty():
        return [made]
    first = drawn.row(0, named=True)
    figure = Figure(
        svg=figures.intervals(drawn, "Days, median and 95 % interval"),
        reading=f"{first['row']}: half of the results were reported within {first['percent']:.0f} days of the sample.",
        caption=f"{definition.id}: {definition.title}.",
        alternative=figures.spoken(medians.frame.select(row="label", text=pl.col("days").fill_null(NOT_SHOWN))),
        data=medians.map(lambda frame: frame, name=f"{medians.name}_drawn"),
    )
    return [figure, made]


def _meanings() -> Table:
    names = (
        "id",
        "title",
        "population",
        "denominator",
        "exclusions",
        "exceptions",
        "numerator",
        "target",
        "state",
        "centre",
    )
    rows = [tuple(_target(one) if name == "target" else getattr(one, name) for name in names) for one in definitions()]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    headings = {name: name.capitalize() for name in names}
    return table(plain("indicator_meanings", frame), headings, "What the indicators mean.", text=names[1:])


def _target(definition: Definition) -> str:
    target = "none" if definition.target is None else percent(100 * definition.target)
    return f"{target} ({definition.target_source})" if definition.target_source else target
