"""What has been published about the biomarkers (`data/reference/benchmarks.csv`): context for our own figures."""

from collections.abc import Mapping

import polars as pl

from crlm_pipeline.disclosure import plain
from crlm_pipeline.report.fragments import Table
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import series_word, words
from crlm_pipeline.resources import reference


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


def published_table(analytes: set[str]) -> Table:
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


def _value(row: Mapping[str, str]) -> str:
    span = f"{row['low']}\u2013{row['high']}" if row["low"] and row["high"] else ""
    span = span or (f"> {row['low']}" if row["low"] else f"< {row['high']}" if row["high"] else "")
    return f"{row['percent']} ({span})" if row["percent"] and span else row["percent"] or span


def _source(row: Mapping[str, str]) -> str:
    return series_word(row["source"]) + ("" if row["state"] == "verified" else " \u2020")
