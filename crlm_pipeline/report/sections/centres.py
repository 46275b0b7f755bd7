"""How the centres stand: concordance by the centre that decided, in a funnel and as a table."""

from functools import lru_cache

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report import figures
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.rates import HEADINGS, UNDIVIDED, least_and_most, possible_percent, rates_of
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import percent, percent_and_interval


def section(registry: Registry, centre: str | None) -> Section:
    """Return the funnel plot of the centres; the registry's page adds their rates."""
    pooled = registry.share(
        [registry.verdicts(is_judged="yes", **{"class": registry.followed})], [registry.verdicts(is_judged="yes")]
    )
    blocks: list[Figure | Table | str] = []
    points = _points(registry)
    if pooled is not None and points.frame.height:
        blocks.append(_funnel(points, centre, pooled))
    if centre is None:
        caption = "Concordance by the centre that decided, in the order of their codes: this is no league table."
        blocks.append(table(rates_by_centre(registry), {"centre_id": "Centre", **HEADINGS}, caption))
    sentence = (
        "By chance alone about one centre in twenty lies outside the 95 % limits, and one in five hundred outside the "
        "99.8 % limits; nothing is adjusted for case mix."
    )
    return Section("centres", "How the centres compare", sentence, tuple(blocks))


@lru_cache(maxsize=1)
def rates_by_centre(registry: Registry) -> SafeTable:
    """Return the concordance of each centre with the headline series, and the range of those whose rate is hidden."""
    rows = registry.tables["verdicts"].where(guideline=registry.headline, is_crlm="yes", **UNDIVIDED)
    rates = rates_of(rows.each("centre_id"), "concordance_by_centre", "centre_id", followed=registry.followed)
    for verdict_class in ("discordant", "contraindicated", "off_label"):
        rates = rates.with_count(f"n_{verdict_class}", rows, is_judged="yes", **{"class": verdict_class})
    ends = [least_and_most(f"n_{name}_shown") for name in ("discordant", "contraindicated", "off_label")]
    few, many = (sum((end[side] for end in ends), start=pl.lit(0)) for side in (0, 1))
    return rates.map(
        lambda frame: frame.with_columns(possible_percent("n_evaluable", (few, many), rates.smallest_rate))
    )


@lru_cache(maxsize=1)
def _points(registry: Registry) -> SafeTable:
    """Return the centres that the funnel plot shows, the same ones on every page."""
    is_drawn = pl.any_horizontal(pl.col("percent", "least").is_not_null())
    return rates_by_centre(registry).map(
        lambda frame: frame.filter(is_drawn).with_columns(label="centre_id", total="n_evaluable"),
        name="concordance_funnel",
    )


def _funnel(points: SafeTable, centre: str | None, pooled: float) -> Figure:
    return Figure(
        svg=figures.funnel(points.frame, centre, pooled, "% concordant"),
        reading=_reading(points.frame, centre, pooled),
        caption=(
            "Each centre's rate against its number of judged decisions, with exact binomial limits. A bar is a centre "
            "whose rate lies somewhere in it, hidden because few decisions departed from the guideline."
        ),
        alternative=figures.spoken(points.frame.select(row="label", text=percent_and_interval())),
        data=points,
    )


def _reading(points: pl.DataFrame, centre: str | None, pooled: float) -> str:
    points = points.drop_nulls("percent")
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
