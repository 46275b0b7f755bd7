"""Was the guideline followed: every verdict, by setting and line, always with both denominators."""

from functools import lru_cache
from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report import figures
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.rates import HEADINGS, rates_of
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.sections.glance import bounds
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words, percent, percent_and_interval

_PARTS: Final = {
    "Concordant": ("n_followed", figures.TEAL),
    "Discordant or contraindicated": ("n_departed", figures.AMBER),
    "Not evaluable, a fact is missing": ("n_unknown", figures.GREY),
}


def section(registry: Registry, centre: str | None) -> Section:
    """Return the verdicts against the headline series."""
    blocks: list[Figure | Table | str] = [_verdicts(registry, centre), _lines(registry, centre)]
    if drawn := _drawn(registry, centre):
        blocks.insert(1, drawn)
    return Section("concordance", "Was the guideline followed?", _sentence(registry, centre), tuple(blocks))


def _sentence(registry: Registry, centre: str | None) -> str:
    total, judged = registry.verdicts(centre), registry.verdicts(centre, is_judged="yes")
    followed = registry.verdicts(centre, is_judged="yes", **{"class": registry.followed})
    of_judged, of_all = registry.share([followed], [judged]), registry.share([followed], [total])
    if of_judged is None:
        return f"Of {total.text} decisions, {judged.text} could be judged by {registry.headline_name}."
    span = bounds(registry, centre)
    return (
        f"{followed.text} of {judged.text} judged decisions were concordant with {registry.headline_name}: "
        f"{percent(of_judged)}{', ' + span if span else ''}; of all {total.text} decisions, {percent(of_all)}."
    )


def _of_all(registry: Registry) -> SafeTable:
    """Return the verdicts against the headline series, over all editions and years, by centre and for all."""
    return registry.tables["verdicts"].where(guideline=registry.headline, is_crlm="yes", edition_id=None, year=None)


def _verdicts(registry: Registry, centre: str | None) -> Table:
    listed = _verdicts_of_all(registry).where(centre_id=centre)
    listed = listed.map(lambda frame: frame.sort("is_judged", "n", descending=True, nulls_last=True))
    headings = {"verdict": "Verdict", "shown": "Decisions", "percent_text": "% (95 % interval)", "of": "of decisions"}
    return table(listed, headings, "Every decision has one verdict; together they are all decisions.", text=("of",))


@lru_cache(maxsize=1)
def _verdicts_of_all(registry: Registry) -> SafeTable:
    rows = _of_all(registry).where(setting=None, line=None)
    listed = rows.each("class").with_count("n_total", rows, is_judged=None, verdict=None, **{"class": None})
    listed = listed.with_count("n_evaluable", rows, is_judged="yes", verdict=None, **{"class": None})
    is_judged = pl.col("is_judged") == "yes"
    is_finest = pl.col("verdict").is_not_null() | ~pl.col("class").is_in(["concordant", "discordant"])
    listed = listed.map(
        lambda frame: frame.filter(is_finest).with_columns(
            pl.coalesce("verdict", "class").alias("verdict"),
            pl.when(is_judged).then("n_evaluable").otherwise("n_total").alias("whole"),
        ),
        name="verdicts",
    )
    named = (in_words("verdict"), pl.when(is_judged).then(pl.lit("judged")).otherwise(pl.lit("all")).alias("of"))
    return listed.with_percent("whole").map(lambda frame: frame.with_columns(percent_and_interval(), *named))


def _row() -> pl.Expr:
    line = pl.col("line").replace(
        {"0": "perioperative or adjuvant", "1": "line 1", "2": "line 2", "3+": "line 3 or later"}
    )
    return (
        pl.when(pl.col("setting").is_null())
        .then(pl.lit("All decisions"))
        .when(pl.col("line").is_null())
        .then(in_words("setting"))
        .otherwise(pl.format("Systemic, {}", line))
        .alias("row")
    )


@lru_cache(maxsize=1)
def _by_line(registry: Registry) -> SafeTable:
    rows = _of_all(registry).where(verdict=None)
    rates = rates_of(rows, "concordance_by_line", "setting", "line", followed=registry.followed)
    return rates.map(lambda frame: frame.with_columns(_row()))


def _lines(registry: Registry, centre: str | None) -> Table:
    caption = "Concordance by setting and line, with both denominators."
    return table(_by_line(registry).where(centre_id=centre), {"row": "Decision", **HEADINGS}, caption)


@lru_cache(maxsize=1)
def _counted_by_line(registry: Registry) -> SafeTable:
    rows = _of_all(registry).where(verdict=None, is_judged="no", **{"class": "not_evaluable"})
    unknown = rows.frame.select("centre_id", "setting", "line", n_unknown="n")
    return _by_line(registry).map(
        lambda frame: frame.join(
            unknown, on=["centre_id", "setting", "line"], how="left", nulls_equal=True, maintain_order="left"
        ).with_columns(n_departed=pl.col("n_evaluable") - pl.col("n_followed")),
        name="concordance_by_line_drawn",
    )


@lru_cache(maxsize=1)
def _shares(registry: Registry) -> SafeTable:
    """Return the parts of every bar; with a part missing one would mislead: it is drawn whole or not at all."""
    counted = _counted_by_line(registry)
    shares = [
        counted.frame.filter(pl.col("n") >= counted.smallest_rate).select(
            "centre_id", "row", pl.lit(part).alias("part"), percent=100 * pl.col(column) / pl.col("n")
        )
        for part, (column, _) in _PARTS.items()
    ]
    is_whole = pl.col("percent").is_not_null().all().over("centre_id", "row")
    return counted.map(lambda _: pl.concat(shares).filter(is_whole))


def _drawn(registry: Registry, centre: str | None) -> Figure | None:
    counted, drawn = (made(registry).where(centre_id=centre) for made in (_counted_by_line, _shares))
    if drawn.frame.is_empty():
        return None
    rows = set(drawn.frame["row"])
    order = [row for row in counted.frame["row"] if row in rows]
    first = drawn.frame.row(0, named=True)
    spoken = drawn.frame.select(
        pl.format("{}, {}", "row", "part").alias("row"), text=pl.format("{} %", pl.col("percent").round(0))
    )
    return Figure(
        svg=figures.stacked_shares(drawn.frame, order, {part: colour for part, (_, colour) in _PARTS.items()}),
        reading=f"{first['row']}: {percent(first['percent'])} {first['part'].lower()}.",
        caption=(
            "Verdicts as a share of all decisions. The rest of each bar is open, out of scope, without a rule, or "
            "older than the first edition. Rows with hidden counts are left out."
        ),
        alternative=figures.spoken(spoken),
        data=counted,
    )
