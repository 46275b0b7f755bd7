"""The sections on survival and on change over time: what they draw, say and leave out."""

from collections.abc import Iterator

import polars as pl
import pytest

from crlm_pipeline.report.curves import MONTHS
from crlm_pipeline.report.fragments import Figure, Table
from crlm_pipeline.report.registry import Registry, read_registry
from crlm_pipeline.report.sections import process_chart, survival
from crlm_pipeline.settings import Settings
from tests.registry_of_chance import registry


@pytest.fixture(scope="module")
def read() -> Iterator[Registry]:
    # A population of which each count is far above the thresholds, so that the sections have something to say.
    with registry(patients=900, centres=2) as made:
        yield read_registry(made, Settings(disclosure_threshold=2, rate_threshold=2))


def test_survival_stands_on_the_page_of_the_registry_with_its_caution_and_not_on_that_of_a_centre(
    read: Registry,
) -> None:
    made = survival.section(read, None)
    assert made is not None
    assert survival.CAUTION in made.blocks
    assert any(isinstance(block, Table) for block in made.blocks)
    assert survival.section(read, "C01") is None


def test_the_numbers_of_a_curve_are_those_of_the_mart_where_they_are_shown(read: Registry) -> None:
    table = read.tables["survival"].where(is_judged=None, pathway=None, local_treatment=None, fate=None).frame
    assert set(table["month"]) == {*MONTHS, "unknown"}
    # No last contact is on record in this registry, so nobody's follow-up is known and every curve is empty.
    known = table.filter(pl.col("month") != "unknown")
    assert known["n"].sum() == 0
    assert table.filter(pl.col("month") == "unknown")["n"].item() > 0


def test_a_process_chart_is_drawn_with_its_baseline_limits_and_signals(read: Registry) -> None:
    made = process_chart.figure(read, "P2", None)
    assert isinstance(made, Figure)
    assert made.svg.startswith("<svg")
    frame = made.data.frame
    assert frame.filter("is_baseline")["period"].str.slice(0, 4).n_unique() == 3
    assert frame["period"].is_sorted()
    assert (frame["low"] <= frame["high"]).all()
    assert "baseline" in made.reading


def test_an_indicator_that_is_a_median_has_no_process_chart(read: Registry) -> None:
    assert process_chart.figure(read, "P18", None) is None


def test_every_chart_has_a_row_and_those_with_a_signal_a_figure(read: Registry) -> None:
    made = process_chart.section(read, None)
    assert made is not None
    listed = next(block for block in made.blocks if isinstance(block, Table)).data.frame
    signalled = listed.filter((pl.col("beyond") != "0") | (pl.col("runs") != "0"))
    assert signalled.height == sum(isinstance(block, Figure) for block in made.blocks)
