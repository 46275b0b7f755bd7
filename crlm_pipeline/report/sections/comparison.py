"""Concordance over the years, by edition, by other series, and of decisions to be read with care."""

from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report import figures
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.rates import HEADINGS, UNDIVIDED, rates_of
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words, percent, percent_and_interval

_MARKS: Final = {
    "superseded": "Judged although a newer edition, not held here, existed",
    "not_superseded": "Judged while the edition was the newest",
    "grace": "Judged by the older edition within the period of grace",
    "fitness_unknown": "ECOG status unknown",
    "assumed_date": "A sample date stood in for a report date",
    "imputed_date": "A date known only to the month or year",
}


def section(registry: Registry, centre: str | None) -> Section | None:
    """Return the registry's comparisons; a centre's page has none."""
    if centre is not None:
        return None
    verdicts = registry.tables["verdicts"]
    own = verdicts.where(
        guideline=registry.headline, is_crlm="yes", centre_id=None, setting=None, line=None, verdict=None
    )
    blocks: list[Figure | Table | str] = [
        *_years(own, registry.followed),
        _editions(own, registry.followed),
        _marked(registry),
        *_series(registry),
    ]
    sentence = (
        "Each decision is judged by the edition in force on its day; here is how the rate changes with the year, the "
        "edition, the series and the population."
    )
    return Section("comparison", "Years, editions and other guidelines", sentence, tuple(blocks))


def _years(own: SafeTable, followed: str) -> list[Figure]:
    rates = rates_of(own.where(edition_id=None).each("year"), "concordance_by_year", "year", followed=followed)
    drawn = rates.frame.drop_nulls("percent")
    if drawn.is_empty():
        return []
    last = drawn.row(-1, named=True)
    rate = percent(last["percent"])
    return [
        Figure(
            svg=figures.trend(drawn, "% concordant"),
            reading=f"In {last['year']} {rate} of {last['n_evaluable']} judged decisions were concordant.",
            caption="Concordance by year of the decision with its 95 % interval.",
            alternative=figures.spoken(drawn.select(row="year", text=percent_and_interval())),
            data=rates,
        )
    ]


def _editions(own: SafeTable, followed: str) -> Table:
    rows = own.where(year=None).each("edition_id")
    rates = rates_of(rows, "concordance_by_edition", "edition_id", followed=followed)
    return table(rates, {"edition_id": "Edition", **HEADINGS}, "Concordance by the edition in force on the day.")


def _marked(registry: Registry) -> Table:
    edition = pl.col("is_superseded").replace_strict({"yes": "superseded", "no": "not_superseded"})
    rates = rates_of(
        registry.tables["marked_verdicts"], "concordance_of_marked", "is_superseded", "mark", followed=registry.followed
    )
    row = pl.coalesce(edition, "mark").replace_strict(_MARKS, return_dtype=pl.String).alias("row")
    named = rates.map(lambda frame: frame.with_columns(row))
    return table(named, {"row": "Decisions", **HEADINGS}, "Decisions to be read with care, and their own rate.")


def _series(registry: Registry) -> list[Table]:
    rows = registry.tables["verdicts"].where(centre_id=None, **UNDIVIDED)
    tables = []
    for kind, followed, caption in (
        ("recommendation", "concordant", "Every series of recommendations by its own editions, in both populations."),
        ("label", "on_label", "Use within the drug labels in force on the day."),
    ):
        is_of_kind = pl.col("guideline").is_in([name for name in registry.series if registry.kinds[name] == kind])
        chosen = rows.filtered(is_of_kind)
        rates = rates_of(chosen, f"concordance_by_{kind}", "guideline", "is_crlm", followed=followed)
        named = rates.map(lambda frame: frame.with_columns(_series_row()).sort("row"))
        headings = HEADINGS | ({"n_followed_shown": "On label"} if kind == "label" else {})
        if named.frame.height:
            tables.append(table(named, {"row": "Series and population", **headings}, caption))
    return tables


def _series_row() -> pl.Expr:
    population = (
        pl.when(pl.col("is_crlm") == "yes").then(pl.lit("liver metastases")).otherwise(pl.lit("all metastatic"))
    )
    return pl.format("{}, {}", in_words("guideline"), population).alias("row")
