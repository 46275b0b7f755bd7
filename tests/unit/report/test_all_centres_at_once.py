"""What is worked out for all centres at once, and then split, is what each centre would have alone."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pytest

from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.page import MakeSection
from crlm_pipeline.report.registry import Registry, read_registry
from crlm_pipeline.report.sections import (
    biomarkers,
    completeness,
    concordance,
    glance,
    process_chart,
    testing,
    trend,
    uptake,
)
from crlm_pipeline.settings import Settings
from tests.registry_of_chance import registry

CENTRES = 3


@pytest.fixture(scope="module", params=[(2, 2), (5, 10)], ids=["all shown", "some hidden"])
def read(request: pytest.FixtureRequest) -> Iterator[Registry]:
    threshold, rate = request.param
    with registry(patients=900, centres=CENTRES) as made:
        yield read_registry(made, Settings(disclosure_threshold=threshold, rate_threshold=rate))


def alone(read: Registry, centre: str) -> Registry:
    """The same registry without the rows of the other centres."""
    is_own = pl.col("centre_id").is_null() | (pl.col("centre_id") == centre)
    tables = {
        name: table.filtered(is_own) if "centre_id" in table.dimensions else table
        for name, table in read.tables.items()
    }
    return replace(read, tables=tables)


def told(section: Section | None) -> list[object]:
    """Everything that a section shows, with the data behind it."""
    assert section is not None
    shown: list[object] = [section.title, section.sentence, section.cards]
    for block in section.blocks:
        match block:
            case Table(html, caption, data):
                shown += [html, caption, data.name, data.frame.to_dict(as_series=False)]
            case Figure(svg, reading, caption, alternative, data):
                shown += [svg, reading, caption, alternative, data.name, data.frame.to_dict(as_series=False)]
            case _:
                shown.append(block)
    return shown


@pytest.mark.parametrize(
    "make", [biomarkers.section, completeness.section, concordance.section, glance.section, testing.section]
)
def test_a_centre_has_the_section_that_it_would_have_alone(read: Registry, make: MakeSection) -> None:
    assert len(read.codes) == CENTRES
    for centre in read.codes:
        assert told(make(read, centre)) == told(make(alone(read, centre), centre))


@pytest.mark.parametrize("make", [process_chart.section, trend.section, uptake.section])
def test_a_section_that_a_centre_may_lack_is_the_one_that_it_would_have_alone(
    read: Registry, make: MakeSection
) -> None:
    made = {centre: (make(read, centre), make(alone(read, centre), centre)) for centre in read.codes}
    for together, by_itself in made.values():
        assert (together is None) == (by_itself is None)
        assert together is None or told(together) == told(by_itself)


def test_a_chart_is_the_one_that_its_own_rows_make(read: Registry) -> None:
    rows = read.tables["process_chart"]
    compared = 0
    for (indicator_id, centre), own in rows.split("indicator_id", "centre_id").items():
        chart = process_chart.figure(read, indicator_id, centre)
        only = rows.where(indicator_id=indicator_id, centre_id=centre)
        assert own.frame.equals(only.frame.drop("indicator_id", "centre_id"))
        by_itself = process_chart.figure(
            replace(read, tables={**read.tables, "process_chart": only}), indicator_id, centre
        )
        assert (chart is None) == (by_itself is None)
        if chart is not None and by_itself is not None:
            compared += 1
            assert (chart.svg, chart.reading) == (by_itself.svg, by_itself.reading)
            assert chart.data.frame.equals(by_itself.data.frame)
    assert compared


def test_a_count_is_that_of_the_row_with_its_values(read: Registry) -> None:
    table = read.tables["verdicts"]
    for row in table.frame.rows(named=True):
        count = table.count(**{name: row[name] for name in table.dimensions})
        assert (count.value, count.text) == (row["n"], row["shown"])
    assert table.count(centre_id="of no centre").text == "0"
