"""Findings sum up what was noticed, per check, table, column and centre, and know whether it was there before."""

import polars as pl

from crlm_pipeline.extracts.tables import Extract, Notice
from crlm_pipeline.notices import record_notices
from crlm_pipeline.validation import validate
from crlm_pipeline.warehouse import Warehouse
from schemas.audit import CheckResult, Finding, SourceFile
from schemas.column import describe
from tests.text_extracts import TODAY, extract, row, text_table, validated

NOTICE = Notice("file_not_used", "warning", "f1", None, None, "f1.csv holds no table of the contract.")


def two_centres():
    patients = [row("patient"), row("patient", patient_id="p2", centre_id="B")]
    tumours = [row("tumour", diagnosis_date="x"), row("tumour", patient_id="p2", diagnosis_date="x")]
    return validated(patient=patients, tumour=tumours)


def test_a_finding_belongs_to_the_centre_of_its_patients():
    assert two_centres().finding.select("check_name", "centre_id", "row_count").rows() == [
        ("not_a_date", "A", 1),
        ("not_a_date", "B", 1),
    ]


def test_a_row_with_its_own_centre_counts_there():
    ingested = validated(assessment=[row("assessment", centre_id="C", ecog="9")])
    assert ingested.finding["centre_id"].to_list() == ["C"]


def test_a_finding_has_the_same_id_in_every_run():
    assert two_centres().finding["finding_id"].to_list() == two_centres().finding["finding_id"].to_list()
    assert two_centres().finding["finding_id"].is_unique().all()


def test_a_lost_value_is_an_error_and_an_odd_one_a_warning():
    ingested = validated(tumour=[row("tumour", topography="C21.0", diagnosis_date="x")])
    assert dict(ingested.finding.select("check_name", "severity").rows()) == {
        "not_a_date": "error",
        "topography_out_of_scope": "warning",
    }


def test_what_a_reader_noticed_becomes_a_finding():
    rows = Notice("unit_guessed", "warning", "f1", "patient", "birth_year", "birth_year: two digits.", rows=(1, 2))
    ingested = validate(extract(text_table("patient", [row("patient")]), notices=[NOTICE, rows]), today=TODAY)
    assert ingested.finding.select("check_name", "row_count", "message").rows() == [
        ("file_not_used", 0, NOTICE.message),
        ("unit_guessed", 2, rows.message),
    ]
    assert ingested.finding_row["source_row"].to_list() == [1, 2]


def test_findings_are_new_then_persist_then_are_resolved_once():
    dirty = extract(text_table("patient", [row("patient", sex="F")]))
    clean = extract(text_table("patient", [row("patient", sex="female")]))
    first = validate(dirty, today=TODAY)
    second = validate(dirty, today=TODAY, previous_findings=first.finding)
    third = validate(clean, today=TODAY, previous_findings=second.finding)
    fourth = validate(clean, today=TODAY, previous_findings=third.finding)
    assert [run.finding["state"].to_list() for run in (first, second, third, fourth)] == [
        ["new"],
        ["persisting"],
        ["resolved"],
        [],
    ]
    assert third.finding["row_count"].to_list() == [0]


def test_a_finding_that_comes_back_after_it_was_resolved_is_new_again():
    dirty = extract(text_table("patient", [row("patient", sex="F")]))
    clean = extract(text_table("patient", [row("patient", sex="female")]))
    first = validate(dirty, today=TODAY)
    resolved = validate(clean, today=TODAY, previous_findings=first.finding)
    back = validate(dirty, today=TODAY, previous_findings=resolved.finding)
    assert back.finding.select("finding_id", "state").rows() == [(first.finding["finding_id"][0], "new")]


def test_a_finding_of_one_centre_is_not_resolved_by_another():
    def of(sex_in_a: str, sex_in_b: str) -> Extract:
        patients = [row("patient", sex=sex_in_a), row("patient", patient_id="p2", centre_id="B", sex=sex_in_b)]
        return extract(text_table("patient", patients))

    first = validate(of("F", "M"), today=TODAY)
    second = validate(of("female", "M"), today=TODAY, previous_findings=first.finding)
    assert dict(second.finding.select("centre_id", "state").rows()) == {"A": "resolved", "B": "persisting"}
    third = validate(of("F", "male"), today=TODAY, previous_findings=second.finding)
    assert dict(third.finding.select("centre_id", "state").rows()) == {"A": "new", "B": "resolved"}


def test_a_reader_s_notice_persists_and_is_resolved_like_any_finding():
    noticed = extract(text_table("patient", [row("patient")]), notices=[NOTICE])
    silent = extract(text_table("patient", [row("patient")]))
    first = validate(noticed, today=TODAY)
    second = validate(noticed, today=TODAY, previous_findings=first.finding)
    third = validate(silent, today=TODAY, previous_findings=second.finding)
    fourth = validate(noticed, today=TODAY, previous_findings=third.finding)
    assert [run.finding["state"].item() for run in (first, second, third, fourth)] == [
        "new",
        "persisting",
        "resolved",
        "new",
    ]


def test_a_notice_of_the_cohort_persists_and_is_resolved_like_any_finding():
    """Validation cannot see it and takes it for resolved; `record_notices` knows better."""
    notice = Notice("treatment_setting_differs", "warning", "f1", "assessment", "resectability", "They differ.", (1,))
    previous, states = None, []
    for notices in ([notice], [notice], [], [notice]):
        with Warehouse.in_memory() as warehouse:
            ingested = validate(
                extract(text_table("patient", [row("patient")])), today=TODAY, previous_findings=previous
            )
            for model, frame in ((SourceFile, ingested.source_file), (Finding, ingested.finding)):
                columns = list(describe(model).polars_schema)
                warehouse.insert(model, frame.with_columns(run_id=pl.lit("run")).select(columns))
            record_notices(warehouse, notices, "run")
            previous = warehouse.read(Finding)
            told = warehouse.read(CheckResult)
        states.append(previous["state"].item())
        assert told["check_name"].to_list() == [one.check_name for one in notices]
    assert states == ["new", "persisting", "resolved", "new"]


def test_the_previous_findings_may_carry_their_run():
    first = two_centres().finding.with_columns(pl.lit("run-1").alias("run_id"))
    again = validate(extract(text_table("patient", [row("patient")])), today=TODAY, previous_findings=first)
    assert again.finding["state"].to_list() == ["resolved", "resolved"]
