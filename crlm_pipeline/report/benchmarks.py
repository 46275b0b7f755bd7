"""What has been published about the biomarkers (`data/reference/benchmarks.csv`): context for our own figures."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import numpy as np
import polars as pl
from scipy.stats import binomtest

from crlm_pipeline.disclosure import SafeTable, plain
from crlm_pipeline.report.fragments import Table
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import percent_and_interval, series_word, words
from crlm_pipeline.resources import reference

# The columns of `biomarkers` that are filled for a population of the published figures.
_FLAGS: Final = ("is_metastatic", "is_crlm")
_POPULATION: Final = {"metastatic": {"is_metastatic": "yes", "is_crlm": None}, "all": dict.fromkeys(_FLAGS)}
_SIGNIFICANT: Final = 0.05
_SMALLEST_PRINTED: Final = 0.001


@cache
def published_ranges() -> pl.DataFrame:
    """Return one published figure per biomarker: of metastatic disease before all disease, a range before a number."""
    schema = {
        "analyte": pl.String,
        "category": pl.String,
        "low": pl.Float64,
        "high": pl.Float64,
        "published": pl.Float64,
    }
    rows = [row for row in reference("benchmarks") if row["population"] in ("metastatic", "all")]
    rows.sort(key=lambda row: (row["population"] == "all", not (row["low"] and row["high"]), row["benchmark"]))
    chosen: dict[tuple[str, str], Mapping[str, str]] = {}
    for row in rows:
        chosen.setdefault((row["analyte"], row["category"]), row)
    values = [
        (*key, *(float(row[name]) if row[name] else None for name in ("low", "high", "percent")))
        for key, row in chosen.items()
    ]
    return pl.DataFrame(values, schema=schema, orient="row")


@cache
def published_table(analytes: frozenset[str]) -> Table:
    """Return every published figure about these biomarkers, with its source."""
    rows = [row for row in reference("benchmarks") if row["analyte"] in analytes]
    frame = pl.DataFrame(
        [
            (
                f"{words(row['analyte'])}: {words(row['category'])}",
                words(row["population"]),
                _value(row),
                _source(row),
                row["note"],
            )
            for row in rows
        ],
        schema=dict.fromkeys(("what", "population", "value", "source", "note"), pl.String),
        orient="row",
    )
    headings = {"what": "Biomarker", "population": "Population", "value": "%", "source": "Source", "note": "Note"}
    return table(
        plain("benchmarks", frame), headings, "What has been published.", text=("population", "source", "note")
    )


def comparison_table(shares: SafeTable) -> Table | None:
    """Return each published figure beside our share in the same population, with an exact test; None without any.

    `shares`: the registry's biomarkers with `n_tested` and `percent` (null where they may not be shown). The multiple
    comparisons are allowed for by Holm, over all that could be made.
    """
    made = shares.map(_compared, name="benchmark_comparison")
    if made.frame.is_empty():
        return None
    headings = {
        "what": "Biomarker",
        "population": "Population",
        "value": "Published, %",
        "source": "Source",
        "shown": "Patients",
        "n_tested_shown": "Tested",
        "percent_text": "Ours, % (95 % interval)",
        "p_text": "p",
        "adjusted_text": "p, Holm",
        "reading": "Reading",
    }
    caption = (
        f"Our shares against the published figures: {made.frame.height} comparisons, exact binomial tests, against the "
        "nearer end where a range is published. The tests take the published figure as exact, which it is not, and the "
        "populations differ in stage, selection and assay: a difference is a reason to look, at the data first."
    )
    return table(made, headings, caption, text=("population", "value", "source", "reading"))


def _compared(shares: pl.DataFrame) -> pl.DataFrame:
    known = shares.drop_nulls("percent").with_columns(percent_and_interval())
    pairs = [
        (row, own)
        for row in reference("benchmarks")
        if row["population"] in _POPULATION and (row["percent"] or row["low"] or row["high"])
        for own in _own(known, row).iter_rows(named=True)
    ]
    chances = [chance_of(own["n"], own["n_tested"], *_span(row)) for row, own in pairs]
    adjusted = holm(chances)
    schema = ("what", "population", "value", "source", "shown", "n_tested_shown", "percent_text", "p_text")
    return pl.DataFrame(
        [
            (
                f"{words(row['analyte'])}: {words(row['category'])}",
                words(row["population"]),
                _value(row),
                _source(row),
                own["shown"],
                own["n_tested_shown"],
                own["percent_text"],
                _chance_text(chance),
                _chance_text(together),
                _reading(own["percent"], _span(row), together),
            )
            for (row, own), chance, together in zip(pairs, chances, adjusted, strict=True)
        ],
        schema=dict.fromkeys((*schema, "adjusted_text", "reading"), pl.String),
        orient="row",
    )


def _own(known: pl.DataFrame, row: Mapping[str, str]) -> pl.DataFrame:
    wanted = _POPULATION[row["population"]] | {"analyte": row["analyte"], "category": row["category"]}
    return known.filter(pl.col(name).eq_missing(pl.lit(value, pl.String)) for name, value in wanted.items())


def _span(row: Mapping[str, str]) -> tuple[float, float]:
    """Return the ends, in percent, between which a share is as published: both the same for a single number."""
    if row["low"] or row["high"]:
        return float(row["low"] or 0), float(row["high"] or 100)
    return float(row["percent"]), float(row["percent"])


def chance_of(n: int, total: int, low: float, high: float) -> float:
    """Return how likely a count at least as far out is if the share is the nearer end (%); 1 between the ends."""
    share = 100 * n / total
    return 1.0 if low <= share <= high else float(binomtest(n, total, (low if share < low else high) / 100).pvalue)


def holm(chances: Sequence[float]) -> list[float]:
    """Return p values that allow for each other (Holm, Scand J Stat 1979;6:65-70), in the order given."""
    order = np.argsort(chances, kind="stable")
    factors = np.arange(len(chances), 0, -1)
    adjusted = np.empty(len(chances))
    adjusted[order] = np.minimum(np.maximum.accumulate(np.asarray(chances, dtype=float)[order] * factors), 1)
    return adjusted.tolist()


def _chance_text(chance: float) -> str:
    return "< 0.001" if chance < _SMALLEST_PRINTED else f"{chance:.3f}"


def _reading(own: float, span: tuple[float, float], chance: float) -> str:
    if span[0] <= own <= span[1]:
        return "As published"
    if chance >= _SIGNIFICANT:
        return "No clear difference"
    return "Lower" if own < span[0] else "Higher"


def _value(row: Mapping[str, str]) -> str:
    span = f"{row['low']}\u2013{row['high']}" if row["low"] and row["high"] else ""
    span = span or (f"> {row['low']}" if row["low"] else f"< {row['high']}" if row["high"] else "")
    return f"{row['percent']} ({span})" if row["percent"] and span else row["percent"] or span


def _source(row: Mapping[str, str]) -> str:
    return series_word(row["source"]) + ("" if row["state"] == "verified" else " \u2020")
