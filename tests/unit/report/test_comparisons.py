"""Editions beside each other, what was recommended beside what was given, and uptake: by hand, and without a leak."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report.alluvial_figure import alluvial as draw_alluvial
from crlm_pipeline.report.counts import publish_counts
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.registry import Registry, read_registry
from crlm_pipeline.report.sections import alluvial, guidelines, uptake
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from schemas import cohort, mart
from tests.registry_of_chance import CHANGE, registry

EDITIONS = ("asco_2022_10", "esmo_2022_10", "netherlands_2014")
JUDGED = ("concordant", "discordant")


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with registry(patients=500, centres=3) as made:
        yield made


@pytest.fixture(scope="module")
def read(warehouse: Warehouse) -> Registry:
    return read_registry(warehouse, Settings())


@pytest.fixture(scope="module")
def truth(warehouse: Warehouse) -> dict[str, SafeTable]:
    labels = {name: name for name in warehouse.query("report/centres")["centre_id"].unique()}
    return publish_counts(warehouse, Settings(disclosure_threshold=1), "esmo", labels)


@pytest.fixture(scope="module")
def decisions(warehouse: Warehouse) -> pl.DataFrame:
    """Every decision on a patient with CRLM."""
    people = warehouse.read(cohort.CohortPatient).filter("is_crlm").select("patient_id")
    return warehouse.read(cohort.Decision).join(people, on="patient_id", how="semi")


@pytest.fixture(scope="module")
def outcomes(warehouse: Warehouse, decisions: pl.DataFrame) -> pl.DataFrame:
    """One row per decision and edition."""
    found = warehouse.read(cohort.WhatIf).join(warehouse.read(cohort.WhatIfOutcome), on="what_if_no")
    return found.join(decisions.select("decision_id", "setting", "decision_date", "centre_id"), on="decision_id")


def made(section: Section | None) -> Section:
    assert section is not None
    return section


def test_the_mart_counts_pairs_of_verdicts_as_by_hand(warehouse: Warehouse, outcomes: pl.DataFrame) -> None:
    one, other = (outcomes.filter(edition_id=edition, setting="systemic") for edition in EDITIONS[:2])
    by_hand = one.join(other, on="decision_id").filter(
        verdict="concordant_preferred", verdict_right="discordant_not_given"
    )
    found = warehouse.read(mart.EditionComparison).filter(
        population="crlm",
        setting="systemic",
        edition_id=EDITIONS[0],
        other_edition_id=EDITIONS[1],
        verdict="concordant_preferred",
        other_verdict="discordant_not_given",
    )
    assert found["n"].to_list() == [by_hand.height]
    assert found["n_total"].to_list() == [one.height]


def test_every_pair_of_editions_is_about_the_same_decisions(warehouse: Warehouse) -> None:
    summed = (
        warehouse.read(mart.EditionComparison)
        .group_by("population", "setting", "edition_id", "other_edition_id")
        .agg(pl.col("n").sum(), pl.col("n_total").first())
    )
    assert summed.filter(pl.col("n") != pl.col("n_total")).is_empty()
    assert summed.group_by("population", "setting").agg(pl.col("n").n_unique())["n"].unique().to_list() == [1]


def test_flows_add_up_to_all_decisions_of_the_line(truth: dict[str, SafeTable], decisions: pl.DataFrame) -> None:
    flows = truth["flows"].where(guideline="esmo")
    for setting, line, by_hand in (
        ("systemic", "1", decisions.filter(setting="systemic", line=1)),
        ("local", None, decisions.filter(setting="local")),
    ):
        rows = flows.where(setting=setting, line=line).each("recommended", "given")
        assert rows.frame["n"].sum() == by_hand.height > 0


def test_what_is_still_open_is_so_in_the_verdicts_as_well(read: Registry, truth: dict[str, SafeTable]) -> None:
    line = {"guideline": "esmo", "is_crlm": "yes", "setting": "systemic", "line": "1"}
    in_flows = truth["flows"].count(**line, given="nothing_yet")
    in_verdicts = truth["verdicts"].count(**line, is_judged="no", **{"class": "open"})
    assert in_flows == in_verdicts
    assert in_flows.value


def test_uptake_is_counted_as_by_hand(warehouse: Warehouse, outcomes: pl.DataFrame) -> None:
    of_rule = outcomes.filter(
        pl.col("edition_id") == "esmo_2022_10",
        ~pl.col("verdict").is_in(["open", "out_of_scope"]),
        pl.col("centre_id") == "hospital A",
        pl.col("decision_date").is_between(CHANGE + timedelta(91), CHANGE + timedelta(181)),
    )
    due = of_rule.filter(pl.col("due_rules").list.contains("esmo.f06"))
    perhaps = of_rule.filter(pl.col("possible_rules").list.contains("esmo.f06"))
    unknown = due.filter(verdict="not_evaluable").height + perhaps.height
    given = due.filter(verdict="concordant_preferred", rule_id="esmo.f06")
    found = warehouse.read(mart.Uptake).filter(population="crlm", rule_id="esmo.f06", centre_id="hospital A", period=1)
    row = found.row(0, named=True)
    assert row["period_start"] == CHANGE + timedelta(91)
    assert row["change_date"] == CHANGE == date(2022, 1, 1)
    assert (row["n_due"], row["n_given"], row["n_unknown"]) == (
        due.filter(pl.col("verdict") != "not_evaluable").height,
        given.height,
        unknown,
    )
    assert row["percent_best"] - row["percent_worst"] == pytest.approx(
        100 * unknown / (row["n_due"] + row["n_unknown"])
    )


def test_the_day_before_a_change_is_before_it(warehouse: Warehouse) -> None:
    starts = warehouse.read(mart.Uptake).drop_nulls("period").select("period", "period_start", "change_date").unique()
    for period, first, change in starts.iter_rows():
        assert (first < change) == (period < 0)
        assert (first - change).days == 91 * period


def cells(table: SafeTable) -> dict[tuple[str | None, ...], int | None]:
    width = len(table.dimensions)
    return {row[:width]: row[width] for row in table.frame.iter_rows()}


@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (1, 2)])
def test_no_cell_of_two_editions_can_be_worked_out_from_the_rest_of_its_sum(
    pair: tuple[int, int], read: Registry
) -> None:
    one, other = (EDITIONS[place] for place in pair)
    table = read.tables["editions"]
    for own in (*JUDGED, "not_judged"):
        whole = table.count(is_crlm="yes", **{one: own})
        parts = [table.count(is_crlm="yes", **{one: own, other: name}) for name in (*JUDGED, "not_judged")]
        hidden = [count for count in (whole, *parts) if count.value is None]
        assert len(hidden) != 1


def test_what_an_edition_in_force_said_is_part_of_what_it_would_say_of_all(truth: dict[str, SafeTable]) -> None:
    table = truth["editions"]
    for edition in EDITIONS:
        in_force = {"edition_id": edition, "guideline": edition.split("_")[0], "is_judged": "yes"}
        part = table.count(is_crlm="yes", **in_force, **{"class": "concordant"}).value or 0
        whole = table.count(is_crlm="yes", **{edition: "concordant"}).value or 0
        assert 0 < part <= whole


def test_the_comparison_says_that_it_is_a_what_if_and_names_every_edition(read: Registry) -> None:
    section = made(guidelines.section(read, None))
    assert "not the verdicts in force" in section.sentence
    html = " ".join(block.html for block in section.blocks if isinstance(block, Table))
    assert all(edition in html for edition in EDITIONS)
    assert guidelines.section(read, next(iter(read.codes))) is None


def test_a_matrix_cell_holds_the_rate_among_the_decisions_that_both_judge(
    read: Registry, truth: dict[str, SafeTable]
) -> None:
    matrix = next(
        block for block in made(guidelines.section(read, None)).blocks if block_named(block, "edition_matrix")
    )
    text = matrix.data.frame.filter(edition=EDITIONS[0])[EDITIONS[1]][0]

    def count(own: str, others: str) -> int:
        return truth["editions"].count(is_crlm="yes", **{EDITIONS[0]: own, EDITIONS[1]: others}).value or 0

    rate = 100 * sum(count("concordant", name) for name in JUDGED)
    rate /= sum(count(own, name) for own in JUDGED for name in JUDGED)
    ends = [float(end) for end in text.split("\u2013")]
    assert ends[0] - 0.5 <= rate <= ends[-1] + 0.5


def block_named(block: Any, name: str) -> bool:
    return not isinstance(block, str) and block.data.name == name


def test_bands_are_as_thick_as_their_counts_and_say_nothing_that_the_table_hides(read: Registry) -> None:
    section = made(alluvial.section(read, None))
    figures = [block for block in section.blocks if isinstance(block, Figure)]
    assert figures
    for figure in figures:
        shown = set(figure.data.frame["n"].drop_nulls().to_list())
        drawn = [int(n) for n in re.findall(r": (\d+) decisions</title>", figure.svg)]
        assert drawn
        assert sum(drawn) == figure.data.frame["n"].sum()
        assert min(drawn) >= min(shown) >= 5


def test_an_alluvial_drawing_gives_each_side_the_whole_height() -> None:
    flows = pl.DataFrame(
        {
            "recommended": ["A", "A", "B"],
            "given": ["A", "C", "C"],
            "n": [60, 30, 10],
            "kind": ["followed", "other", "open"],
            "title": ["A & A: 60 decisions", "A to C: 30 decisions", "B to C: 10 decisions"],
        }
    )
    svg = draw_alluvial(flows)
    heights = [float(height) for height in re.findall(r'<rect [^>]*height="([\d.]+)"', svg)]
    # 260 points of height for 100 decisions: A 90, B 10 to the left, A 60, C 40 to the right, the largest on top.
    assert heights == [234.0, 26.0, 156.0, 104.0]
    assert "A &amp; A: 60 decisions" in svg
    assert svg.count("<path") == 3


def test_uptake_names_no_cause_and_a_centre_has_its_own_table(read: Registry) -> None:
    whole = made(uptake.section(read, None))
    assert "may have other causes" in whole.sentence
    assert any(isinstance(block, Figure) for block in whole.blocks)
    of_centre = made(uptake.section(read, next(iter(read.codes))))
    assert [type(block) for block in of_centre.blocks] == [Table]


def periods(*shares: tuple[str, str, float]) -> pl.DataFrame:
    rows = [(era, period, 20, round(share / 5), share) for era, period, share in shares]
    return pl.DataFrame(rows, schema=["era", "period", "n", "n_given", "percent"], orient="row")


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ([("before", "2021-01-01", 10.0), ("after", "2022-01-01", 49.0), ("after", "2023-01-01", 50.0)], "12 months"),
        ([("before", "2021-01-01", 10.0), ("after", "2022-01-01", 50.0)], "at once"),
        ([("before", "2020-01-01", 50.0), ("before", "2021-01-01", 9.0), ("after", "2022-01-01", 90.0)], "before (50"),
        ([("before", "2021-01-01", 10.0), ("after", "2022-01-01", 49.9)], "has not been reached"),
    ],
)
def test_half_of_the_decisions_is_said_to_be_reached_when_it_is(
    shares: list[tuple[str, str, float]], said: str
) -> None:
    assert said in uptake.half_time(periods(*shares), "2022-01-01")
