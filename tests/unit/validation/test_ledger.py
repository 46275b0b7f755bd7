"""Every row is accounted for, and every rejection shows the row as it was delivered."""

import json
from dataclasses import replace

import polars as pl
import pytest

from crlm_pipeline.errors import RejectedShareError
from crlm_pipeline.extracts.tables import TextTable
from crlm_pipeline.validation import check_shares, validate
from crlm_pipeline.validation.ledger import row_ledger
from crlm_pipeline.validation.screening import screen
from crlm_pipeline.warehouse import Warehouse
from schemas.audit import Finding, FindingRow, RejectedRow, RowLedger, SourceFile
from schemas.column import describe
from schemas.extract import EXTRACT_MODELS, Patient
from tests.text_extracts import TODAY, extract, row, text_table, validated


def test_a_row_that_gets_lost_is_a_defect_of_ours():
    delivered = extract(text_table("patient", [row("patient")]))
    patients = screen(delivered, Patient, TODAY)
    with pytest.raises(AssertionError, match="no fate or two"):
        row_ledger(delivered, [replace(patients, rows=patients.rows.clear())])


def test_a_row_that_was_delivered_and_never_seen_is_a_defect_of_ours():
    delivered = extract(text_table("patient", [row("patient")]))
    unseen = extract(text_table("patient", []))
    with pytest.raises(AssertionError, match="lost or doubled"):
        row_ledger(delivered, [screen(unseen, Patient, TODAY)])


def test_a_table_that_was_read_without_rows_is_in_the_ledger():
    ingested = validate(extract(text_table("patient", [])), today=TODAY)
    assert ingested.row_ledger.rows() == [("f1", "patient", 0, 0, 0, 0)]


def test_nothing_read_is_nothing_lost():
    ingested = validate(extract(), today=TODAY)
    assert ingested.row_ledger.height == 0
    assert ingested.latest_date is None
    check_shares(ingested, 0.0)


def test_a_rejected_row_holds_the_record_as_delivered():
    frame = pl.DataFrame({"source_row": [4], "patient_id": ["p1"], "centre_id": ["A"], "country": ["Utopia"]})
    raw = pl.DataFrame({"source_row": [4], "Land": ["Utopia"], "Notiz": [None]}, schema_overrides={"Notiz": pl.String})
    frame, raw = (part.cast({"source_row": pl.Int32}) for part in (frame, raw))
    ingested = validate(extract(TextTable("patient", "f1", frame, raw)), today=TODAY)
    assert ingested.rejected_row.select("source_file_id", "table_name", "source_row").row(0) == ("f1", "patient", 4)
    assert json.loads(ingested.rejected_row["raw_row"].item()) == {"Land": "Utopia", "Notiz": None}


def test_several_rows_of_one_record_are_counted_each():
    frame = pl.DataFrame({"source_row": [1, 1, 1], "patient_id": ["p1"] * 3, "outcome_date": ["2024-01-01"] * 3})
    frame = frame.cast({"source_row": pl.Int32}).with_columns(pl.Series("outcome", ["progression", "bad", "worse"]))
    tables = [text_table("patient", [row("patient")]), TextTable("outcome", "f2", frame, frame)]
    ingested = validate(extract(*tables), today=TODAY)
    assert ingested.row_ledger.rows()[1] == ("f2", "outcome", 3, 1, 2, 0)
    assert ingested.rejected_row.height == 2
    assert ingested.finding["row_count"].to_list() == [1]


def test_both_calendars_are_told_apart():
    real, relative = (extract(text_table("patient", []), calendar=calendar) for calendar in ("real", "relative"))
    assert validate(real, today=TODAY).has_real_calendar
    assert not validate(real, today=TODAY).has_relative_calendar
    assert validate(relative, today=TODAY).has_relative_calendar


def patients(*countries):
    return [row("patient", patient_id=f"p{number}", country=country) for number, country in enumerate(countries)]


def test_exactly_the_allowed_share_of_rows_is_allowed():
    check_shares(validated(patient=patients("DE", "DE", "DE", "DE", "Utopia")), 0.20)


def test_more_than_the_allowed_share_of_rows_names_the_worst_file_and_check():
    with pytest.raises(
        RejectedShareError, match=r"25\.0% of the rows.*f1\.csv, table patient, column country: malformed"
    ):
        check_shares(validated(patient=patients("DE", "DE", "DE", "Utopia")), 0.20)


def test_cells_are_counted_apart_from_rows():
    bad = validated(patient=[row("patient", sex="F", birth_year="old")])  # 2 of 5 cells
    check_shares(bad, 0.40)
    with pytest.raises(RejectedShareError, match=r"40\.0% of the cells"):
        check_shares(bad, 0.39)


def test_every_frame_fits_its_table_in_the_warehouse():
    odd = "p\x00\N{SNOWMAN}'"
    people = [row("patient", patient_id=odd), row("patient", patient_id="p2", country="Utopia")]
    tumours = [row("tumour", patient_id=odd, morphology="8240/3", t_category="x")]
    ingested = validated(patient=people, tumour=tumours)
    audit = {SourceFile: "source_file", RowLedger: "row_ledger", RejectedRow: "rejected_row"}
    with Warehouse.in_memory() as warehouse:
        for model in EXTRACT_MODELS:
            warehouse.insert(model, ingested.tables[describe(model).name])
        for model, name in (audit | {Finding: "finding", FindingRow: "finding_row"}).items():
            frame = getattr(ingested, name)
            has_run = "run_id" in describe(model).polars_schema
            warehouse.insert(model, frame.with_columns(pl.lit("r1").alias("run_id")) if has_run else frame)
            assert warehouse.read(model).height == frame.height > 0
        assert warehouse.read(Patient)["patient_id"].to_list() == [odd]
