"""Bundles of a public extraction framework: every file is read, none is colorectal, and what does not fit is told."""

import json
from datetime import date
from pathlib import Path

import pytest

from crlm_pipeline.extracts import fhir_json
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.validation import validate
from tests.real.data import real_data

TODAY = date(2026, 11, 23)
FILES = 19


@pytest.fixture(scope="module")
def bundles() -> Path:
    return real_data("mcode_bundles")


@pytest.fixture(scope="module")
def folder(bundles: Path) -> Extract:
    return read_sources([bundles])


def test_every_file_is_read_alone(bundles: Path) -> None:
    paths = sorted(bundles.iterdir())
    assert len(paths) == FILES
    for path in paths:
        extract = read_sources([path])
        validate(extract, today=TODAY)
        (file,) = extract.files
        assert (file.format, file.file_name) == ("mcode", path.name)
        assert file.row_count > 0


def test_every_resource_of_a_file_is_a_record(bundles: Path) -> None:
    for path in sorted(bundles.iterdir()):
        whole = json.loads(path.read_bytes())
        bundle = whole.get("resource", whole)  # one file holds an entry with the Bundle in it
        expected = [entry["resource"]["id"] for entry in bundle["entry"]]
        assert [entry.resource["id"] for entry in fhir_json.entries(path.read_bytes(), path.name)] == expected


def test_the_folder_is_read_together_and_nothing_is_lost_in_silence(folder: Extract) -> None:
    assert len(folder.files) == FILES
    made = {(table.source_file_id, row) for table in folder.tables for row in table.frame["source_row"]}
    assert sum(file.row_count - file.unmapped_count for file in folder.files) == len(made)
    rows = {table.table_name for table in folder.tables if table.frame.height}
    assert rows == {"patient", "outcome", "drug_exposure"}
    told = {(notice.check_name, notice.source_file_id) for notice in folder.notices}
    silent = [
        f.file_name for f in folder.files if f.unmapped_count and not any(f.source_file_id == id_ for _, id_ in told)
    ]
    assert not silent


def test_no_tumour_is_colorectal_and_what_does_not_fit_is_told(folder: Extract) -> None:
    checks = {notice.check_name for notice in folder.notices}
    assert checks == {
        "centre_not_named", "no_colorectal_tumour", "not_colorectal", "procedure_not_mapped", "resource_not_mapped",
        "staging_not_linked", "treatment_not_given",
    }  # fmt: skip


def test_rows_that_cannot_stand_are_rejected_with_a_reason(folder: Extract) -> None:
    found = validate(folder, today=TODAY)
    assert sorted(found.rejected_row["check_name"]) == ["not_a_date", "patient_in_two_centres", "patient_missing"]
    assert found.tables["patient"].height == 3
