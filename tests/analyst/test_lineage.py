"""From a cell of the report to its decisions, patients and tests, from these to file and row, to the row delivered."""

import csv
import json
from pathlib import Path

import duckdb
import pytest

from crlm_pipeline.report.words import words
from schemas import vocabulary as v
from tests.analyst.conftest import Done


def cells(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of a table behind the report whose count is printed."""
    with (folder / "report" / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["n"]]


def meant(word: str, vocabulary: tuple[str, ...]) -> str:
    """The value that the report prints as `word`."""
    return next(value for value in vocabulary if words(value) == word)


@pytest.mark.parametrize("centre", [None, "C01", "C02"])
def test_a_cell_of_verdicts_counts_the_decisions_that_its_lineage_names(
    centre: str | None, tutorial: tuple[Path, list[Done]], connection: duckdb.DuckDBPyConnection
) -> None:
    rows = cells(tutorial[0], "verdicts" if centre is None else f"{centre.lower()}-verdicts")
    assert rows
    for row in rows:
        verdict = meant(row["verdict"], v.VERDICT)
        assert row["centre_id"] == (centre or "")
        code = f"'{centre}'" if centre else "null"
        found = connection.sql(f"select count(*) from mart.decisions_of_cell('{verdict}', {code})").fetchone()
        assert found == (int(row["n"]),), row


def test_a_cell_of_biomarkers_counts_the_patients_that_its_lineage_names(
    tutorial: tuple[Path, list[Done]], connection: duckdb.DuckDBPyConnection
) -> None:
    rows = [row for row in cells(tutorial[0], "biomarkers_all") if row["category"] == "Mutated"]
    assert rows
    for row in rows:
        analyte = meant(row["analyte"], v.CATEGORY_ANALYTE)
        cell = f"('{analyte}', 'mutant')"
        assert connection.sql(f"select count(*) from mart.patients_of_cell{cell}").fetchone() == (int(row["n"]),)
        behind = connection.sql(f"select count(distinct patient_id) from mart.results_of_cell{cell}").fetchone()
        assert behind == (int(row["n"]),)


def test_a_cell_of_an_indicator_counts_the_members_that_its_lineage_names(
    tutorial: tuple[Path, list[Done]], connection: duckdb.DuckDBPyConnection
) -> None:
    rows = [row for row in cells(tutorial[0], "indicator-p3-funnel") if row["is_met"] == "yes"]
    assert rows
    for row in rows:
        found = connection.sql(
            f"""
            select count(*) from mart.members_of_indicator('P3')
            left join audit.report_key using (centre_id)
            where state = 'met' and code = coalesce(nullif('{row["centre_id"]}', ''), code)
            """
        ).fetchone()
        assert found == (int(row["n"]),), row


def test_a_cell_of_required_tests_counts_the_tests_that_its_lineage_names(
    tutorial: tuple[Path, list[Done]], connection: duckdb.DuckDBPyConnection
) -> None:
    with (tutorial[0] / "report" / "data" / "tests.csv").open(encoding="utf-8", newline="") as file:
        rows = {meant(row["analyte"], v.TEST_ANALYTE): row for row in csv.DictReader(file)}
    shown = [(analyte, status) for analyte in rows for status in ("in_time", "late") if rows[analyte][status].isdigit()]
    assert shown
    for analyte, status in shown:
        found = connection.sql(f"select count(*) from mart.tests_of_cell('{analyte}', '{status}')").fetchone()
        assert found == (int(rows[analyte][status]),)


def test_the_filters_of_a_cell_narrow_it(connection: duckdb.DuckDBPyConnection) -> None:
    calls = {
        "line := 1, setting := 'systemic'": "line = 1 and setting = 'systemic'",
        "year := 2021": "year = 2021",
        "edition := 'esmo_2016_07'": "edition_id = 'esmo_2016_07'",
        "centre := 'US06'": "centre_id = 'US06'",
        "population := 'all', guideline := 'asco'": "true",
    }
    counts = set()
    for call, condition in calls.items():
        series = "guideline = 'asco'" if "asco" in call else "guideline = 'esmo' and is_crlm"
        expected = connection.sql(
            f"select count(*) from mart.judged_decision where verdict_class = 'discordant' and {series} and {condition}"
        ).fetchone()
        found = connection.sql(f"select count(*) from mart.decisions_of_cell('discordant', {call})").fetchone()
        assert found == expected
        counts.add(found)
    assert len(counts) > 1


def test_the_lineage_of_a_cell_ends_in_the_rows_of_the_files_that_were_delivered(
    tutorial: tuple[Path, list[Done]], connection: duckdb.DuckDBPyConnection
) -> None:
    found = connection.sql(
        """
        select table_name, source_file_id, file_name, source_row, any_value(patient_id)
        from mart.lineage_of_cell('contraindicated') group by all
        """
    ).fetchall()
    assert len({table for table, *_ in found}) > 3
    for table, file_id, file_name, number, patient in found:
        with (tutorial[0] / "my_registry" / file_name).open(encoding="utf-8", newline="") as file:
            raw = list(csv.DictReader(file))[number - 1]
        assert raw["patient_id"] == patient
        call = f"mart.delivered_row('{table}', '{file_id}', {number})"
        ((superseded, text),) = connection.sql(f"select superseded_run_id, row_as_text from {call}").fetchall()
        delivered = {name: value for name, value in json.loads(text).items() if name in raw}
        assert superseded is None
        assert delivered == {name: value or None for name, value in raw.items() if name in delivered}
        assert set(delivered) == set(raw)


def test_the_lineage_of_a_decision_is_all_that_is_known_of_it(connection: duckdb.DuckDBPyConnection) -> None:
    decision = "P0000221/systemic/1"
    sources = connection.sql(f"select count(*) from cohort.fact_source where decision_id = '{decision}'").fetchone()
    traced = connection.sql(
        f"select count(*) from mart.lineage_of_decision('{decision}') where source_row is not null"
    ).fetchone()
    assert traced == sources
    known = connection.sql(
        f"select fact, value from mart.lineage_of_decision('{decision}') where fact in ('ras', 'braf', 'line')"
    ).fetchall()
    assert set(known) == {("ras", "mutant"), ("braf", "wild_type"), ("line", "1")}
