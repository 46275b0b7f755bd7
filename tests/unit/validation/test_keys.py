"""A row that came before is a duplicate when all of it came, and a conflict when only its key did."""

from crlm_pipeline.validation import validate
from tests.text_extracts import TODAY, extract, reasons, row, text_table, validated


def ledger(ingested, table):
    row = ingested.row_ledger.filter(ingested.row_ledger["table_name"] == table)
    return row.select("rows_read", "rows_accepted", "rows_rejected", "rows_duplicate").rows()


def test_an_equal_row_is_a_duplicate_and_no_rejection():
    ingested = validated(outcome=[row("outcome"), row("outcome")])
    assert ledger(ingested, "outcome") == [(2, 1, 0, 1)]
    assert ingested.rejected_row.height == 0


def test_equal_values_written_differently_are_duplicates():
    ingested = validated(assessment=[row("assessment", ecog="1"), row("assessment", ecog="1.0")])
    assert ledger(ingested, "assessment") == [(2, 1, 0, 1)]


def test_two_different_cells_that_are_no_value_do_not_make_duplicates():
    ingested = validated(outcome=[row("outcome", outcome_date="x"), row("outcome", outcome_date="y")])
    assert ledger(ingested, "outcome") == [(2, 0, 2, 0)]


def test_a_month_and_its_first_day_are_not_the_same():
    ingested = validated(
        biomarker=[row("biomarker", sample_date="2024-01"), row("biomarker", sample_date="2024-01-01")]
    )
    assert ledger(ingested, "biomarker") == [(2, 2, 0, 0)]


def test_the_same_rows_in_a_second_file_are_duplicates_there():
    tables = [text_table("patient", [row("patient")], file) for file in ("f1", "f2")]
    ingested = validate(extract(*tables), today=TODAY)
    assert ingested.row_ledger.rows() == [("f1", "patient", 1, 1, 0, 0), ("f2", "patient", 1, 0, 0, 1)]
    assert ingested.tables["patient"]["source_file_id"].to_list() == ["f1"]


def test_the_same_key_with_other_content_is_a_conflict_and_the_first_row_counts():
    ingested = validated(tumour=[row("tumour", topography="C18.7"), row("tumour", topography="C20.9")])
    assert ingested.tables["tumour"]["topography"].to_list() == ["C18.7"]
    assert reasons(ingested, "tumour") == [(2, "row", "key_conflict", "tumour_id")]


def test_a_rejected_row_does_not_hold_its_key():
    ingested = validated(tumour=[row("tumour", topography="nowhere"), row("tumour", topography="C20.9")])
    assert ingested.tables["tumour"]["topography"].to_list() == ["C20.9"]


def test_a_patient_in_two_centres_keeps_the_first_row():
    ingested = validated(patient=[row("patient"), row("patient", centre_id="B")])
    assert ingested.tables["patient"]["centre_id"].to_list() == ["A"]
    assert reasons(ingested, "patient") == [(2, "row", "patient_in_two_centres", "patient_id")]


def test_a_patient_twice_in_one_centre_is_a_conflict():
    ingested = validated(patient=[row("patient", sex="male"), row("patient", sex="female")])
    assert reasons(ingested, "patient") == [(2, "row", "key_conflict", "patient_id")]


def test_a_table_without_key_keeps_rows_that_differ_anywhere():
    ingested = validated(biomarker=[row("biomarker"), row("biomarker", method="ngs")])
    assert ingested.tables["biomarker"].height == 2
