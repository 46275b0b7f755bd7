"""How the centres stand: concordance by the centre that decided, in a funnel and as a table."""

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report import figures
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.rates import HEADINGS, UNDIVIDED, rates_of
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import percent, percent_and_interval


def section(registry: Registry, centre: str | None) -> Section:
    """Return the funnel plot of the centres; the registry's page adds their rates."""
    rates = _rates(registry, "concordance_by_centre")
    pooled = registry.share(
        [registry.verdicts(is_judged="yes", **{"class": registry.followed})], [registry.verdicts(is_judged="yes")]
    )
    blocks: list[Figure | Table | str] = []
    points = rates.map(
        lambda frame: frame.drop_nulls("percent").with_columns(
            label="centre_id", total="n_evaluable", least=pl.lit(None, pl.Float64), most=pl.lit(None, pl.Float64)
        ),
        name="concordance_funnel",
    )
    if pooled is not None and points.frame.height:
        blocks.append(_funnel(points, centre, pooled))
    if centre is None:
        caption = "Concordance by the centre that decided, in the order of their codes: this is no league table."
        blocks.append(table(rates, {"centre_id": "Centre", **HEADINGS}, caption))
    sentence = (
        "By chance alone about one centre in twenty lies outside the 95 % limits, and one in five hundred outside the "
        "99.8 % limits; nothing is adjusted for case mix."
    )
    return Section("centres", "How the centres compare", sentence, tuple(blocks))


def _rates(registry: Registry, name: str) -> SafeTable:
    rows = registry.tables["verdicts"].where(guideline=registry.headline, is_crlm="yes", **UNDIVIDED)
    return rates_of(rows.each("centre_id"), name, "centre_id", followed=registry.followed)


def _funnel(points: SafeTable, centre: str | None, pooled: float) -> Figure:
    return Figure(
        svg=figures.funnel(points.frame, centre, pooled, "% concordant"),
        reading=_reading(points.frame, centre, pooled),
        caption="Each centre's rate against its number of judged decisions, with exact binomial limits.",
        alternative=figures.spoken(points.frame.select(row="label", text=percent_and_interval())),
        data=points,
    )


def _reading(points: pl.DataFrame, centre: str | None, pooled: float) -> str:
    own = points.filter(pl.col("label").eq_missing(pl.lit(centre, pl.String))) if centre else points.clear()
    if own.height:
        row = own.row(0, named=True)
        return (
            f"{centre} followed the guideline in {percent(row['percent'])} of {row['total']} judged decisions; "
            f"all centres together in {percent(pooled)}."
        )
    below, above = figures.outside(points, pooled, 0.998)
    if not below and not above:
        return f"All {points.height} centres lie within the 99.8 % limits around {percent(pooled)}."
    return (
        f"Around {percent(pooled)} for all centres together, {below} of {points.height} centres lie below the 99.8 % "
        f"limits and {above} above."
    )
