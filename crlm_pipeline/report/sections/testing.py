"""Were the tests there in time: completeness and timeliness of what the guideline asks for."""

from functools import lru_cache
from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report import figures
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.registry import ALL, Registry
from crlm_pipeline.report.sections.glance import tests_in_time
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words, percent, percent_and_interval

_COLOURS: Final = {"In time": figures.TEAL, "Late": figures.AMBER, "Missing": figures.RED}


def section(registry: Registry, centre: str | None) -> Section:
    """Return, for each test that an edition asks for, how often it was known by the day it was due."""
    blocks: list[Figure | Table | str] = []
    drawn = _drawn(registry).where(centre_id=centre)
    if drawn.frame.height:
        blocks.append(_figure(drawn, centre))
    blocks.append(_table(registry, centre))
    return Section("testing", "Were the tests there in time?", _sentence(registry, centre), tuple(blocks))


@lru_cache(maxsize=1)
def _status(registry: Registry) -> SafeTable:
    """Return each required test by its status, as a share of those required, by centre and for all."""
    required = registry.tables["required_tests"].where(is_required="yes")
    return required.each("status").with_count("required", required, status=None).with_percent("required")


def _sentence(registry: Registry, centre: str | None) -> str:
    in_time = tests_in_time(registry, centre)
    if in_time is None:
        return (
            f"Which tests {registry.headline_name} asks for, and whether their results were known when they were due."
        )
    return (
        f"{percent(in_time)} of the tests that {registry.headline_name} asked for were known by the day they were due. "
        "A result that came later never changes the verdict on a decision."
    )


@lru_cache(maxsize=1)
def _drawn(registry: Registry) -> SafeTable:
    """Return the tests of which every share may be shown."""
    whole = pl.col("percent").is_not_null().all().over("centre_id", "analyte")
    return _status(registry).map(
        lambda frame: frame.filter(whole).with_columns(
            in_words("analyte").alias("row"), in_words("status").alias("part")
        ),
        name="tests_drawn",
    )


def _figure(drawn: SafeTable, centre: str | None) -> Figure:
    in_time = drawn.frame.filter(status="in_time").sort("percent")
    spoken = drawn.frame.select(
        pl.format("{}, {}", "row", pl.col("part").str.to_lowercase()).alias("row"),
        text=pl.format("{} %", pl.col("percent").round(0)),
    )
    reading = f"The tests of {centre or ALL} by when their result was known."
    if in_time.height:
        best = in_time.row(-1, named=True)
        reading = f"{best['row']} was known in time for {percent(best['percent'])} of the decisions that needed it."
    return Figure(
        svg=figures.stacked_shares(drawn.frame, in_time["row"].to_list()[::-1], _COLOURS),
        reading=reading,
        caption="Required tests by the time their result was known, % of those required; hidden counts are left out.",
        alternative=figures.spoken(spoken),
        data=drawn,
    )


@lru_cache(maxsize=1)
def _side_by_side(registry: Registry) -> SafeTable:
    """Return one row per test and centre, with its counts side by side."""
    tests, status, test = registry.tables["required_tests"], _status(registry), ["centre_id", "analyte"]
    required = tests.where(is_required="yes", status=None).frame.select(*test, required="shown")
    unknown = tests.where(is_required="unknown", status=None).frame.select(*test, unknown="shown")
    rates = status.where(status="in_time").frame.select(*test, percent_and_interval())
    return status.map(
        lambda frame: (
            frame.pivot("status", ["in_time", "late", "missing"], index=test, values="shown")
            .join(required, on=test, how="left", nulls_equal=True)
            .join(unknown, on=test, how="left", nulls_equal=True)
            .join(rates, on=test, how="left", nulls_equal=True)
            .with_columns(pl.col("in_time", "late", "missing", "unknown").fill_null("0"))
            .with_columns(in_words("analyte"))
            .sort("analyte")
        ),
        name="tests",
    )


def _table(registry: Registry, centre: str | None) -> Table:
    wide = _side_by_side(registry).where(centre_id=centre).map(lambda frame: frame.drop("centre_id"))
    headings = {
        "analyte": "Test",
        "required": "Required",
        "in_time": "In time",
        "late": "Late",
        "missing": "Missing",
        "percent_text": "% in time (95 % interval)",
        "unknown": "Unknown whether required",
    }
    return table(wide, headings, "Completeness and timeliness of the tests required.")
