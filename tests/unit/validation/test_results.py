"""What became of every check: five statuses, both sides of a threshold, and a bad row that each check catches."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from crlm_pipeline.errors import DefectError
from crlm_pipeline.extracts.pseudonyms import patient_hashes
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.validation import Ingested, check_evaluated, ingest, validate
from crlm_pipeline.validation.casts import LONGEST_TEXT
from crlm_pipeline.validation.cross_table import IMPOSSIBLE
from crlm_pipeline.validation.register import Registered, register
from schemas.column import describe
from schemas.extract import extract_tables
from tests.text_extracts import TODAY, Cells, extract, row, text_table, validated

MARKER = "1950-secret"


def result(ingested: Ingested, check: str, table: str, column: str | None) -> dict[str, Any]:
    found = ingested.check_result.filter(
        pl.col("check_name") == check,
        pl.col("table_name").eq_missing(table),
        pl.col("column_name").eq_missing(pl.lit(column, pl.String)),
    )
    assert found.height == 1
    return found.row(0, named=True)


def status(ingested: Ingested, check: str, table: str, column: str | None) -> str:
    return str(result(ingested, check, table, column)["status"])


# A bad row for every check; deletion lists have a test of their own

CHECKS = [check for check in register() if check.kind != "deletion"]


def bad_rows(check: Registered, number: int) -> Mapping[str, Sequence[Cells]]:
    """Return rows of one patient of which one fails the check."""
    patient = {"patient_id": f"p{number}"}
    name, table, column = check.place
    rows: dict[str, list[Cells]] = {"patient": [row("patient", **patient)]}
    if check.check.name == "patient_missing":
        return {table: [row(table, patient_id=f"nobody{number}")]}
    for other, cells in OTHER_ROWS.get((name, table), ()):
        rows.setdefault(other, []).append(row(other, **patient | dict(cells)))
    bad = row(table, **patient | BAD_CELLS.get((name, table), {column or "": bad_cell(check)}))
    if table == "patient" and name not in ("key_conflict", "patient_in_two_centres"):
        rows["patient"] = []
    rows.setdefault(table, []).append(bad)
    return rows


def bad_cell(check: Registered) -> str | None:
    name, table, column = check.place
    declared = extract_tables()[table].column(str(column))
    ends = [declared.low - 1 if declared.low is not None else None, declared.high and declared.high + 1]
    by_name: dict[str, str | None] = {
        "required_empty": None,
        "out_of_range": next((f"{end:g}" for end in ends if end is not None), None),
        "date_in_future": "2999-01-01",
        "date_imputed": "2025",
        "malformed": "?",
        "id_rounded": "1.23457E+19",
        "too_long": "x" * (LONGEST_TEXT + 1),
        "not_in_vocabulary": "QQ" if column == "country" else "another",
    }
    return by_name.get(name, "another")


RETAINED = [("biomarker", {"analyte": gene, "result": "retained"}) for gene in ("mlh1", "pms2", "msh2", "msh6")]
OTHER_ROWS: Mapping[tuple[str, str], Sequence[tuple[str, Cells]]] = {
    ("metastasis_before_primary", "assessment"): [("tumour", {"diagnosis_date": "2024-01-01"})],
    ("msi_conflict", "biomarker"): RETAINED,
    ("line_backwards", "drug_exposure"): [("drug_exposure", {"line_registered": "2", "start_date": "2024-01-01"})],
    ("key_conflict", "tumour"): [("tumour", {})],
    ("key_conflict", "assessment"): [("assessment", {})],
    ("under_18_at_diagnosis", "tumour"): [],
}
BAD_CELLS: Mapping[tuple[str, str], Cells] = {
    ("key_conflict", "patient"): {"sex": "female"},
    ("key_conflict", "tumour"): {"morphology": "8140/3"},
    ("key_conflict", "assessment"): {"ecog": "1"},
    ("patient_in_two_centres", "patient"): {"centre_id": "B"},
    ("end_before_start", "drug_exposure"): {"end_date": "2023-01-01"},
    ("report_before_sample", "biomarker"): {"sample_date": "2024-02-01", "report_date": "2024-01-01"},
    ("flr_volumes_impossible", "assessment"): {"flr_ml": "10", "tlv_ml": "1000"},
    ("metastasis_before_primary", "assessment"): {"mets_diagnosis_date": "2020-01-01"},
    ("topography_out_of_scope", "tumour"): {"topography": "C21.0"},
    ("morphology_out_of_scope", "tumour"): {"morphology": "8240/3"},
    ("codon_12_not_mutated", "biomarker"): {"hgvs_p": "p.Gly12Cys", "result": "not_detected"},
    ("msi_conflict", "biomarker"): {"analyte": "msi", "result": "msi_h"},
    ("line_backwards", "drug_exposure"): {"line_registered": "1", "start_date": "2024-02-01"},
}
WITH_PATIENT: Mapping[tuple[str, str], tuple[Cells, Cells]] = {
    ("treatment_after_death", "drug_exposure"): ({"death_date": "2023-01-01"}, {}),
    ("treatment_after_death", "procedure"): ({"death_date": "2023-01-01"}, {}),
    ("under_18_at_diagnosis", "tumour"): ({"birth_year": "2010"}, {"diagnosis_date": "2020-01-01"}),
}


@pytest.fixture(scope="module")
def caught() -> Ingested:
    """One bad row for each check, all validated together."""
    tables: dict[str, list[Cells]] = {}
    for number, check in enumerate(CHECKS):
        special = WITH_PATIENT.get((check.check.name, check.table))
        patient_id = f"p{number}"
        rows: Mapping[str, Sequence[Cells]] = (
            {
                "patient": [row("patient", patient_id=patient_id, **special[0])],
                check.table: [row(check.table, patient_id=patient_id, **special[1])],
            }
            if special
            else bad_rows(check, number)
        )
        for table, part in rows.items():
            tables.setdefault(table, []).extend(part)
    return validated(**tables)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: "/".join(filter(None, check.place)))
def test_each_check_catches_a_bad_row_and_says_in_a_sentence_what_was_expected(
    check: Registered, caught: Ingested
) -> None:
    found = result(caught, *check.place)
    assert found["rows_failed"] >= 1
    assert found["rows_failed"] <= found["rows_checked"]
    assert found["expected"].endswith(".")
    assert "expected" in found["expected"]


def test_all_that_was_rejected_or_odd_is_counted_by_its_check(caught: Ingested) -> None:
    errors = caught.check_result.filter(pl.col("severity") == "error")
    assert errors["rows_failed"].sum() == caught.rejected_row.height
    warnings = caught.finding.filter(pl.col("severity") == "warning")
    told = caught.check_result.filter(pl.col("severity") == "warning")
    assert told["rows_failed"].sum() == warnings["row_count"].sum()


def test_every_check_has_one_row_in_every_run() -> None:
    results = validated().check_result
    assert results.height == len(register())
    assert not results.select("check_name", "table_name", "column_name").is_duplicated().any()


# The five statuses


def test_a_check_that_nothing_fails_passes() -> None:
    found = result(validated(patient=[row("patient", sex="female")]), "not_in_vocabulary", "patient", "sex")
    assert (found["status"], found["rows_checked"], found["rows_failed"], found["share"]) == ("pass", 1, 0, 0.0)


def test_a_check_that_loses_a_value_fails_by_a_single_one() -> None:
    patients = [row("patient", sex="female"), row("patient", patient_id="p2", sex="F")]
    found = result(validated(patient=patients), "not_in_vocabulary", "patient", "sex")
    assert (found["status"], found["rows_checked"], found["rows_failed"], found["share"]) == ("fail", 2, 1, 0.5)
    assert found["threshold"] == 0


@pytest.mark.parametrize(("whole_dates", "expected"), [(9, "pass"), (8, "fail")])
def test_a_threshold_that_was_set_is_what_may_fail_and_no_more(whole_dates: int, expected: str) -> None:
    months = ["2024-02", *(f"2024-03-{day:02}" for day in range(1, whole_dates + 1))]
    ingested = validated(drug_exposure=[row("drug_exposure", start_date=month) for month in months])
    found = result(ingested, "date_imputed", "drug_exposure", "start_date")
    assert (found["status"], found["rows_failed"]) == (expected, 1)
    assert found["threshold"] == 0.1
    assert found["threshold_author"]
    assert found["threshold_date"]
    assert "no source" in found["threshold_reason"]


def test_what_is_only_odd_passes_with_failures_where_no_threshold_was_set() -> None:
    found = result(
        validated(tumour=[row("tumour", morphology="8240/3")]), "morphology_out_of_scope", "tumour", "morphology"
    )
    assert (found["status"], found["rows_failed"], found["threshold"], found["threshold_reason"]) == (
        "pass",
        1,
        1.0,
        None,
    )


def test_a_check_of_what_was_not_delivered_does_not_apply() -> None:
    ingested = validated(drug_exposure=[row("drug_exposure")])
    assert status(ingested, "not_in_vocabulary", "patient", "sex") == "not_applicable"  # no such column
    assert status(ingested, "required_empty", "tumour", "topography") == "not_applicable"  # no such table
    # no such column in the other table
    found = result(ingested, "treatment_after_death", "drug_exposure", "start_date")
    assert found["status"] == "not_applicable"
    assert found["note"] == "No source delivered patient.death_date."


def test_on_a_relative_calendar_no_date_is_held_against_today_unless_it_fails_all_the_same() -> None:
    def of(day: str) -> str:
        tables = (text_table("patient", [row("patient")]), text_table("mdt", [row("mdt", mdt_date=day)]))
        ingested = validate(extract(*tables, calendar="relative"), today=TODAY)
        return status(ingested, "date_in_future", "mdt", "mdt_date")

    assert of("2000-05-01") == "not_applicable"
    assert of("2999-01-01") == "fail"


def test_a_check_that_no_row_reaches_was_not_run() -> None:
    ingested = validated(
        patient=[row("patient", sex=None)],
        drug_exposure=[row("drug_exposure", patient_id="nobody", end_date="2024-05-01")],
    )
    assert status(ingested, "not_in_vocabulary", "patient", "sex") == "not_run"  # delivered, and empty
    assert status(ingested, "patient_missing", "drug_exposure", "patient_id") == "fail"
    assert (
        status(ingested, "end_before_start", "drug_exposure", "end_date") == "not_run"
    )  # its row was set aside before


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Ingested:
    """A check that ends with an exception which names a value, and one beside it that finds something."""

    def fails(_tables: Any) -> pl.DataFrame:
        raise ValueError(MARKER)

    checks = tuple(
        replace(check, failing=fails) if check.check.name == "report_before_sample" else check for check in IMPOSSIBLE
    )
    monkeypatch.setattr(ingest, "IMPOSSIBLE", checks)
    return validated(
        biomarker=[row("biomarker", sample_date="2024-02-01", report_date="2024-01-01")],
        drug_exposure=[row("drug_exposure", end_date="2023-01-01")],
    )


def test_a_check_that_breaks_is_an_error_and_keeps_no_other_from_being_told(broken: Ingested) -> None:
    found = result(broken, "report_before_sample", "biomarker", "report_date")
    assert (found["status"], found["rows_failed"]) == ("error", 0)
    assert "ValueError" in found["note"]
    assert status(broken, "end_before_start", "drug_exposure", "end_date") == "fail"
    assert broken.finding.filter(pl.col("check_name") == "check_not_evaluated").height == 1
    assert MARKER not in "".join(map(str, (found, broken.finding.rows())))


def test_a_check_that_breaks_keeps_the_run_from_being_taken_for_whole(broken: Ingested) -> None:
    with pytest.raises(DefectError, match=r"biomarker/report_before_sample.*--partial"):
        check_evaluated(broken)


def test_a_run_in_which_no_check_breaks_is_whole() -> None:
    check_evaluated(validated(patient=[row("patient", sex="F")]))


def test_a_notice_is_a_check_that_failed_if_it_is_an_error_and_passed_with_failures_if_not() -> None:
    notices = [
        Notice("unit_guessed", "warning", "f1", "patient", "birth_year", "A unit was guessed.", rows=(1, 2)),
        Notice("code_unknown", "error", "f1", "patient", "sex", "A code is not known.", rows=(2,)),
        Notice("file_not_used", "warning", None, None, None, "a.txt was not used."),
        Notice("file_not_used", "warning", None, None, None, "b.txt was not used."),
    ]
    ingested = validate(extract(text_table("patient", [row("patient")]), notices=notices), today=TODAY)
    told = ingested.check_result.filter(pl.col("kind") == "notice").sort("check_name")
    assert told.select("check_name", "status", "rows_checked", "rows_failed").rows() == [
        ("code_unknown", "fail", None, 1),
        ("file_not_used", "pass", None, 2),
        ("unit_guessed", "pass", None, 2),
    ]


# Where how much was set aside


def test_rows_are_counted_once_as_a_whole_and_once_per_column_at_fault() -> None:
    twice = row("biomarker", patient_id="p2", sample_date="2024-03-05", analyte="?", result="?")
    odd = row("biomarker", sample_date="2024-04-05", hgvs_p="p.Gly12Cys", result="not_detected")
    ingested = validated(
        patient=[row("patient"), row("patient", patient_id="p2", centre_id="B")], biomarker=[twice, odd, odd]
    )
    counts = ingested.set_aside_count.select(
        "column_name", "centre_id", pl.col("month").cast(pl.String), "^rows_.*$"
    ).rows()
    assert sorted(counts, key=str) == sorted(
        [
            ("analyte", "B", "2024-03-01", 0, 1, 0, 0, 0),
            ("result", "B", "2024-03-01", 0, 1, 0, 0, 0),
            (None, "B", "2024-03-01", 0, 1, 0, 0, 0),
            ("result", "A", "2024-04-01", 0, 0, 0, 0, 1),
            (None, "A", "2024-04-01", 1, 0, 0, 0, 1),
        ],
        key=str,
    )


def test_a_cell_that_is_set_aside_costs_its_column_but_not_the_row() -> None:
    counts = validated(assessment=[row("assessment", ecog="9")]).set_aside_count
    assert counts.select("column_name", "rows_nonconforming").rows() == [("ecog", 1)]


def test_a_row_of_a_deleted_patient_is_counted_apart_and_nothing_of_it_is_listed_for_correction() -> None:
    given = extract(text_table("patient", [row("patient", sex="F")]))
    hashes = patient_hashes(pl.Series(["p1"], dtype=pl.String))
    deleted = pl.DataFrame(
        {"patient_hash": hashes, "source_file_id": ["list"], "source_row": [1]},
        schema_overrides={"source_row": pl.Int32},
    )
    ingested = validate(replace(given, deleted=deleted), today=TODAY)
    counts = ingested.set_aside_count.filter(pl.col("column_name").is_null())
    assert counts.select("rows_deleted", "rows_nonconforming").rows() == [(1, 0)]
    assert ingested.corrections.is_empty()
    found = result(ingested, "patient_deleted", "patient", "patient_id")
    assert (found["status"], found["severity"], found["rows_checked"], found["rows_failed"]) == (
        "pass",
        "warning",
        1,
        1,
    )


def test_a_row_has_no_month_by_a_date_in_the_future_or_on_a_relative_calendar() -> None:
    future = validated(mdt=[row("mdt", mdt_date="2999-01-01")]).set_aside_count
    assert future["month"].to_list() == [None, None]
    tables = (text_table("patient", [row("patient")]), text_table("mdt", [row("mdt", patient_id="x")]))
    relative = validate(extract(*tables, calendar="relative"), today=TODAY).set_aside_count
    assert relative["month"].to_list() == [None, None]


def test_a_column_counts_as_delivered_whether_or_not_it_is_filled() -> None:
    delivered = validated(patient=[row("patient", sex=None)]).delivered_column
    assert set(delivered["column_name"]) == {"patient_id", "centre_id", "country", "sex"}
    assert set(delivered["table_name"]) == {describe_patient()}


def describe_patient() -> str:
    return describe(next(iter(ingest.EXTRACT_MODELS))).name
