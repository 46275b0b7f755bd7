"""`mart.data_quality` and the ledger of the report add up, by hand and against the balance of rows."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crlm_pipeline.report.registry import read_registry
from crlm_pipeline.report.sections import completeness, quality, trend
from crlm_pipeline.settings import Settings
from crlm_pipeline.synthetic import write_registry
from crlm_pipeline.warehouse import Warehouse
from flows.steps import Job, annotate, ingest
from schemas.audit import RowLedger
from schemas.extract import Assessment
from schemas.mart import DataQuality

Rows = list[dict[str, str]]


def spoil(folder: Path) -> None:
    """Give the registry what a real one has: repeated rows, bad cells, rejected rows, odd rows, a column less."""
    for path in folder.glob("*.csv"):
        with path.open(newline="") as file:
            rows = spoilt(path.stem, list(csv.DictReader(file)))
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


def spoilt(table: str, rows: Rows) -> Rows:
    match table:
        case "patient":
            rows[1]["sex"] = "F"
            return [*rows, rows[0] | {"patient_id": "childless", "country": "Atlantis"}]
        case "assessment":
            wrong = [one | {"ecog": "7"} if number in range(2, 8) else one for number, one in enumerate(rows)]
            return [{name: cell for name, cell in one.items() if name != "cea_ng_ml"} for one in wrong]
        case "tumour":
            rows[5]["morphology"] = "8240/3"
        case "drug_exposure":
            rows[9]["end_date"] = "1999-01-01"
            return [*rows, *rows[:6]]
        case "mdt":
            rows[0]["mdt_date"] = "soon"
    return rows


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    folder = tmp_path_factory.mktemp("quality")
    write_registry(folder / "source", 120, 3)
    spoil(folder / "source")
    job = Job((folder / "source",), folder / "crlm.duckdb", folder / "report")
    ingest(job)
    annotate(job)
    with Warehouse.open_readonly(job.warehouse) as published:
        yield published


@pytest.fixture(scope="module")
def mart(warehouse: Warehouse) -> pl.DataFrame:
    return warehouse.read(DataQuality)


def where(frame: pl.DataFrame, **values: str | None) -> pl.DataFrame:
    """Return the rows with these values; null where all of them count."""
    return frame.filter(pl.col(name).eq_missing(pl.lit(value, pl.String)) for name, value in values.items())


def one(frame: pl.DataFrame, dimension: str, table: str | None, column: str | None) -> dict[str, Any]:
    rows = where(frame, dimension=dimension, table_name=table, column_name=column, centre_id=None).filter(
        pl.col("month").is_null()
    )
    return rows.row(0, named=True)


def test_no_numerator_is_larger_than_its_denominator_or_below_zero(mart: pl.DataFrame) -> None:
    assert mart.filter((pl.col("numerator") > pl.col("denominator")) | (pl.col("numerator") < 0)).is_empty()
    assert set(mart["dimension"]) == {"completeness", "conformance", "plausibility"}


def test_every_group_has_one_row(mart: pl.DataFrame) -> None:
    assert not mart.select("dimension", "table_name", "column_name", "centre_id", "month").is_duplicated().any()


def test_a_column_is_counted_as_by_hand(mart: pl.DataFrame, warehouse: Warehouse) -> None:
    ecog = warehouse.read(Assessment)["ecog"]
    filled = one(mart, "completeness", "assessment", "ecog")
    assert (filled["numerator"], filled["denominator"]) == (ecog.count(), ecog.len())
    conforming = one(mart, "conformance", "assessment", "ecog")
    assert (conforming["numerator"], conforming["denominator"]) == (ecog.count(), ecog.count() + 6)


def test_rows_are_conforming_and_plausible_as_by_hand(mart: pl.DataFrame) -> None:
    def lost(dimension: str, table: str) -> int:
        row = one(mart, dimension, table, None)
        return int(row["denominator"] - row["numerator"])

    assert lost("conformance", "patient") == 1
    assert lost("conformance", "mdt") == 1
    assert lost("conformance", "assessment") == 0  # a cell costs no row
    assert lost("plausibility", "drug_exposure") == 1
    assert lost("plausibility", "tumour") == 1


def test_a_column_that_no_file_holds_is_not_delivered_and_has_no_percentage(mart: pl.DataFrame) -> None:
    absent = one(mart, "completeness", "assessment", "cea_ng_ml")
    assert (absent["is_delivered"], absent["numerator"], absent["percent"]) == (False, 0, None)
    empty = one(mart, "completeness", "drug_exposure", "dose_mg")
    assert (empty["is_delivered"], empty["numerator"], empty["percent"]) == (True, 0, 0.0)


def test_the_completeness_of_a_table_is_that_of_the_columns_that_were_delivered(mart: pl.DataFrame) -> None:
    columns = where(mart, dimension="completeness", table_name="assessment", centre_id=None).filter(
        pl.col("month").is_null(), pl.col("column_name").is_not_null(), pl.col("is_delivered")
    )
    whole = one(mart, "completeness", "assessment", None)
    assert (whole["numerator"], whole["denominator"]) == (columns["numerator"].sum(), columns["denominator"].sum())


def test_centres_and_months_add_up_and_never_exceed_all(mart: pl.DataFrame) -> None:
    group = ["dimension", "table_name", "column_name"]
    every = mart.filter(pl.col("centre_id").is_null(), pl.col("month").is_null())
    by_centre = mart.filter(pl.col("centre_id").is_not_null(), pl.col("month").is_null())
    summed = by_centre.group_by(group).agg(pl.col("numerator").sum().alias("of_centres"))
    both = every.filter(pl.col("dimension") == "completeness", pl.col("column_name").is_not_null()).join(
        summed, on=group, nulls_equal=True
    )
    assert both.height
    assert both.filter(pl.col("numerator") != pl.col("of_centres")).is_empty()
    by_month = mart.filter(pl.col("centre_id").is_null(), pl.col("month").is_not_null())
    months = by_month.group_by(group).agg(pl.col("denominator").sum().alias("of_months"))
    together = every.join(months, on=group, nulls_equal=True)
    assert together.filter(pl.col("of_months") > pl.col("denominator")).is_empty()


def test_a_patient_has_no_month_and_a_meeting_that_of_its_date(mart: pl.DataFrame) -> None:
    dated = mart.filter(pl.col("month").is_not_null())
    assert "patient" not in dated["table_name"]
    meetings = where(dated, dimension="completeness", table_name="mdt", column_name="mdt_date", centre_id=None)
    assert meetings["denominator"].sum() == one(mart, "completeness", "mdt", "mdt_date")["denominator"]


def test_the_ledger_of_the_report_is_the_balance_of_rows(warehouse: Warehouse) -> None:
    told = warehouse.query("report/ledger").filter(
        pl.col("table_name").is_not_null(), pl.col("centre_id").is_null(), pl.col("fate").is_null()
    )
    outcomes = told.with_columns(pl.col("outcome").fill_null("read")).pivot(
        "outcome", ["read", "accepted", "rejected", "duplicate"], index="table_name", values="n"
    )
    names = [f"rows_{name}" for name in ("read", "accepted", "rejected", "duplicate")]
    balance = warehouse.read(RowLedger).group_by("table_name").agg(pl.col(names).sum())
    assert sorted(outcomes.rows()) == sorted(balance.select("table_name", *names).rows())
    assert balance["rows_rejected"].sum() > 0
    assert balance["rows_duplicate"].sum() == 6


def test_each_outcome_is_the_sum_of_its_fates(warehouse: Warehouse) -> None:
    told = warehouse.query("report/ledger")
    place = ["table_name", "month", "centre_id", "outcome"]
    fates = told.filter(pl.col("fate").is_not_null()).group_by(place).agg(pl.col("n").sum().alias("of_fates"))
    both = told.filter(pl.col("fate").is_null()).join(fates, on=place, nulls_equal=True)
    assert both.height > 100
    assert both.filter(pl.col("n") != pl.col("of_fates")).is_empty()
    assert told.filter(pl.col("n") < 0).is_empty()


def test_the_page_says_what_was_not_delivered_and_how_each_month_was(warehouse: Warehouse) -> None:
    registry = read_registry(warehouse, Settings())
    absent = next(
        block
        for block in completeness.section(registry, None).blocks
        if not isinstance(block, str) and block.data.name == "not_delivered"
    )
    assert absent.data.frame.rows() == [("Assessment", "cea_ng_ml")]
    assert trend.section(registry, None) is not None
    for centre in registry.codes:
        assert quality.section(registry, centre).blocks
        months = trend.section(registry, centre)
        if months is not None:
            assert set(months.blocks[0].data.frame["line"]) <= {centre, "All centres"}  # type: ignore[union-attr]


def test_a_share_that_hidden_counts_leave_open_is_printed_as_its_range(warehouse: Warehouse) -> None:
    registry = read_registry(warehouse, Settings())
    by_table = quality.section(registry, None).blocks[1].data.frame  # type: ignore[union-attr]
    tumours = by_table.filter(pl.col("table_name") == "Tumour").row(0, named=True)
    assert tumours["shown_odd"] == "<5"
    assert tumours["plausibility_least"] < 100 * (1 - 1 / tumours["n_accepted"]) <= tumours["plausibility_most"]
    assert "\u2013" in tumours["plausibility_text"]
