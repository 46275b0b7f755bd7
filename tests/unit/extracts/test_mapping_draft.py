"""Drafts of mapping files: what is proposed from headers and a dictionary sheet, and what is left to the reader."""

from pathlib import Path

import pytest

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.mapping_draft import draft
from crlm_pipeline.extracts.mapping_load import load_mapping
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.resources import reference
from schemas.extract import extract_tables
from tests.unit.extracts.files import table, write
from tests.unit.extracts.test_text import excel

DICTIONARY = [
    ["Variable Name", "Description", "Values"],
    ["Patient-ID", "Pseudonym", "character"],
    ["Gender", "Sex", "1-Male | 2-Female | 9-Unknown"],
    ["Lung mets", "Lung metastases?", "1 - Yes | 0 - No"],
    ["Bilobar", "Both lobes", "1, Yes | 0, No"],
    ["Shoe", "Size of shoes", "number"],
]
CLINIC = [
    ["Patient-ID", "Hospital", "Gender", "Lung mets", "Bilobar", "Largest metastasis (cm)", "Imaging date", "Shoe"],
    ["p1", "b", "2", "1", "0", "3.5", "2024-01-10", "43"],
    ["p2", "b", "9", "0", "1", "2", "2024-02-10", "44"],
]


def drafted(folder: Path, name: str, content: str | bytes) -> str:
    return draft(write(folder, {name: content}) / name)


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    return write(tmp_path, {"clinic.xlsx": excel({"Data": CLINIC, "Dictionary": DICTIONARY})}) / "clinic.xlsx"


def test_a_draft_completed_where_it_asks_reads_the_file_it_was_drafted_from(workbook: Path) -> None:
    mapping = workbook.with_name("clinic.yaml")
    mapping.write_text(draft(workbook), encoding="utf-8")
    with pytest.raises(SourceError, match="country needs exactly one"):
        load_mapping(mapping)
    mapping.write_text(draft(workbook).replace("country: {constant: }", "country: {constant: DE}"), encoding="utf-8")
    extract = read_sources([workbook], [load_mapping(mapping)])
    assert table(extract, "patient").select("patient_id", "centre_id", "sex").rows() == [
        ("p1", "b", "female"),
        ("p2", "b", None),
    ]
    columns = ("assessment_date", "crlm_max_mm", "is_bilobar", "mets_sites")
    assert table(extract, "assessment").select(columns).rows() == [
        ("2024-01-10", "35", "false", "lung"),
        ("2024-02-10", "20", "true", None),
    ]


def test_headers_that_mean_nothing_to_the_contract_are_listed_as_comments(workbook: Path) -> None:
    line = next(line for line in draft(workbook).splitlines() if '"Shoe"' in line)
    assert line.strip().startswith("#")
    assert "Size of shoes" in line


def test_no_record_of_a_patient_is_shown(workbook: Path) -> None:
    proposed = draft(workbook)
    assert not {"p1", "3.5", "2024-01-10", "43"} & set(proposed.replace('"', " ").split())


def test_each_assay_column_becomes_a_template_of_its_own(tmp_path: Path) -> None:
    proposed = drafted(tmp_path, "lab.csv", "Patient ID;KRAS;BRAF status;MSI\n")
    assert proposed.count("- table: biomarker") == 3
    assert [line.split()[-1] for line in proposed.splitlines() if "only_if" in line] == ['"KRAS"', 'status"', '"MSI"']
    assert "analyte: {constant: braf}" in proposed


def test_a_file_without_an_id_asks_for_it(tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    path.write_text(drafted(tmp_path, "list.csv", "Gender,Hospital\n"), encoding="utf-8")
    with pytest.raises(SourceError, match="patient_id") as caught:
        load_mapping(path)
    assert (
        caught.value.line
        == path.read_text(encoding="utf-8")
        .splitlines()
        .index("    patient_id:          # required: which column names the patient?")
        + 1
    )


def test_headers_with_quotes_and_colons_stay_one_text(tmp_path: Path) -> None:
    proposed = drafted(tmp_path, "list.tsv", 'Patient ID\tT: "x" # y\n')
    assert r'#   "T: \"x\" # y"' in proposed


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        draft(tmp_path / "nothing.xlsx")


def test_every_synonym_names_a_column_and_a_value_of_the_contract() -> None:
    tables = extract_tables()
    for row in reference("header_synonyms"):
        column = tables[row["table"]].column(row["column"])
        analytes = tables["biomarker"].column("analyte").values or ()
        known = analytes if row["table"] == "biomarker" else column.values or ()
        assert not row["value"] or row["value"] in known, row
        assert row["state"] in ("verified", "unverified")
