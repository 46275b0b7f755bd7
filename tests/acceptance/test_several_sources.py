"""Several sources in one run: patients of two formats merge, conflicts are findings, ids stay as delivered."""

import io
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.mapping_load import load_mapping
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.synthetic import write_sample
from crlm_pipeline.validation import Ingested, validate

TODAY = date(2026, 11, 23)
NAACCR = """\
<NaaccrData baseDictionaryUri="http://naaccr.org/naaccrxml/naaccr-dictionary-240.xml" recordType="I">
<Patient><Item naaccrId="patientIdNumber">00000071</Item><Item naaccrId="vitalStatus">1</Item>
<Tumor><Item naaccrId="tumorRecordNumber">02</Item><Item naaccrId="primarySite">C187</Item>
<Item naaccrId="dateOfDiagnosis">20220511</Item><Item naaccrId="reportingFacility">{centre}</Item>
<Item naaccrId="addrAtDxCountry">USA</Item><Item naaccrId="kras">1</Item></Tumor></Patient>
</NaaccrData>
"""
HOSPITAL = """\
mapping: hospital
files:
  - header: [Pat, Clinic]
    patient_id: Pat
    rows:
      - table: patient
        columns: {centre_id: Clinic, country: {constant: US}}
      - table: mdt
        columns: {mdt_date: Board}
"""


def written(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def workbook(sheet: str, *rows: tuple[object, ...]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        cells = book.add_worksheet(sheet)
        for number, row in enumerate(rows):
            cells.write_row(number, 0, row)
    return buffer.getvalue()


def run(*sources: Path, mappings: tuple[Path, ...] = ()) -> Ingested:
    return validate(read_sources(sources, [load_mapping(path) for path in mappings]), today=TODAY)


def of(ingested: Ingested, table: str, *columns: str) -> list[tuple[object, ...]]:
    return ingested.tables[table].select(columns).rows()


def rejected(ingested: Ingested) -> list[tuple[str, str]]:
    return ingested.rejected_row.select("table_name", "check_name").rows()


def is_balanced(ingested: Ingested) -> bool:
    ledger = ingested.row_ledger
    sums = [ledger[name].sum() for name in ("rows_read", "rows_accepted", "rows_rejected", "rows_duplicate")]
    return bool(sums[0] == sum(sums[1:]))


@pytest.fixture
def canonical(tmp_path: Path) -> Path:
    written(tmp_path / "own" / "patient.csv", "patient_id,centre_id,country\n00000071,0000012345,US\n")
    return written(
        tmp_path / "own" / "tumour.csv", "patient_id,tumour_id,topography,diagnosis_date\n00000071,1,C18.0,2019-02-03\n"
    ).parent


# One patient in two formats.


@pytest.mark.parametrize(
    ("centre", "check"), [("0000012345", "key_conflict"), ("0000099999", "patient_in_two_centres")]
)
def test_a_patient_of_our_tables_and_of_naaccr_keeps_the_rows_of_both(
    canonical: Path, tmp_path: Path, centre: str, check: str
) -> None:
    other = written(tmp_path / "central" / "delivery.xml", NAACCR.format(centre=centre)).parent
    found = run(canonical, other)
    assert of(found, "patient", "patient_id", "centre_id") == [("00000071", "0000012345")]
    assert of(found, "tumour", "patient_id", "tumour_id") == [("00000071", "1"), ("00000071", "02")]
    assert of(found, "biomarker", "patient_id", "analyte") == [("00000071", "kras")]
    assert rejected(found) == [("patient", check)]
    assert check in found.finding["check_name"].to_list()
    assert is_balanced(found)


def test_the_first_source_named_gives_the_patients_row(canonical: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "central" / "delivery.xml", NAACCR.format(centre="0000099999")).parent
    assert of(run(other, canonical), "patient", "centre_id", "vital_status") == [("0000099999", "alive")]


def test_a_patient_of_a_spreadsheet_and_of_our_tables_keeps_the_rows_of_both(canonical: Path, tmp_path: Path) -> None:
    mapping = written(tmp_path / "hospital.yaml", HOSPITAL)
    book = workbook("list", ("Pat", "Clinic", "Board"), ("00000071", "0000012345", "2022-06-01"))
    sheet = written(tmp_path / "hospital" / "list.xlsx", book)
    found = run(canonical, sheet, mappings=(mapping,))
    assert found.tables["patient"].height == 1
    assert of(found, "tumour", "patient_id") == of(found, "mdt", "patient_id") == [("00000071",)]
    # Both tell the same of the patient, so that the second row is no conflict.
    assert rejected(found) == []
    assert found.row_ledger["rows_duplicate"].sum() == 1
    assert is_balanced(found)


def test_a_spreadsheet_that_says_otherwise_is_a_conflict(canonical: Path, tmp_path: Path) -> None:
    mapping = written(tmp_path / "hospital.yaml", HOSPITAL.replace("US", "CA"))
    sheet = written(tmp_path / "hospital" / "list.csv", "Pat,Clinic,Board\n00000071,0000012345,2022-06-01\n")
    found = run(canonical, sheet, mappings=(mapping,))
    assert rejected(found) == [("patient", "key_conflict")]
    assert of(found, "patient", "country") == [("US",)]
    assert found.tables["mdt"].height == 1


def test_two_centres_with_the_same_ids_stay_apart_where_their_mappings_prefix_them(tmp_path: Path) -> None:
    north = HOSPITAL.replace("    rows:", "    id_prefix: {constant: north}\n    rows:")
    south = north.replace("north", "south").replace("Pat", "Nr").replace("mapping: hospital", "mapping: south")
    mappings = written(tmp_path / "north.yaml", north), written(tmp_path / "south.yaml", south)
    sources = (
        written(tmp_path / "a" / "list.csv", "Pat,Clinic,Board\n01,N,2022-06-01\n1,N,2022-06-02\n"),
        written(tmp_path / "b" / "list.csv", "Nr,Clinic,Board\n01,S,2022-06-03\n"),
    )
    found = run(*sources, mappings=mappings)
    assert of(found, "patient", "patient_id", "centre_id") == [("north-01", "N"), ("north-1", "N"), ("south-01", "S")]
    assert rejected(found) == []


def test_two_centres_with_the_same_ids_and_no_prefix_are_a_finding(tmp_path: Path) -> None:
    mapping = written(tmp_path / "hospital.yaml", HOSPITAL)
    sources = [
        written(tmp_path / clinic / "list.csv", f"Pat,Clinic,Board\n01,{clinic},2022-06-01\n") for clinic in "NS"
    ]
    found = run(*sources, mappings=(mapping,))
    assert rejected(found) == [("patient", "patient_in_two_centres")]


def test_a_registry_delivered_twice_in_our_tables_is_the_registry(tmp_path: Path) -> None:
    write_sample(tmp_path / "one", 20, 3, "canonical")
    write_sample(tmp_path / "two", 20, 3, "canonical")
    once, twice = run(tmp_path / "one"), run(tmp_path / "one", tmp_path / "two")
    assert {name: frame.height for name, frame in twice.tables.items()} == {
        name: frame.height for name, frame in once.tables.items()
    }


# Ids are text.

IDS = ("0071", "71", "12345678901234567890", "12345678901234567891", "1E5", "100000", "1e5")


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_ids_of_text_are_kept_to_the_letter(tmp_path: Path, kind: str) -> None:
    columns = ("patient_id", "centre_id", "country")
    rows = [(patient, "A", "DE") for patient in IDS]
    frame = pl.DataFrame(rows, columns, orient="row")
    path = tmp_path / f"patient.{kind}"
    if kind == "csv":
        frame.write_csv(path)
    elif kind == "parquet":
        frame.write_parquet(path)
    else:
        path.write_bytes(workbook("patient", columns, *rows))
    assert run(path).tables["patient"]["patient_id"].to_list() == list(IDS)


@pytest.mark.parametrize("number", [71, 100000, 999_999_999_999_999])
def test_ids_of_numbers_are_their_digits(tmp_path: Path, number: int) -> None:
    sheet = workbook("patient", ("patient_id", "centre_id", "country"), (number, "A", "DE"))
    frame = pl.DataFrame({"patient_id": [number], "centre_id": ["A"], "country": ["DE"]})
    frame.write_parquet(tmp_path / "whole.parquet")
    frame.cast({"patient_id": pl.Float64}).write_parquet(tmp_path / "float.parquet")
    for name in ("whole", "float"):
        source = written(tmp_path / name / "patient.parquet", (tmp_path / f"{name}.parquet").read_bytes())
        assert of(run(source), "patient", "patient_id") == [(str(number),)]
    assert of(run(written(tmp_path / "patient.xlsx", sheet)), "patient", "patient_id") == [(str(number),)]


def test_a_whole_number_of_64_bit_is_an_id(tmp_path: Path) -> None:
    ids = [2**53, 2**53 + 1, 2**63 - 1]
    frame = pl.DataFrame({"patient_id": ids, "centre_id": "A", "country": "DE"})
    frame.write_parquet(tmp_path / "patient.parquet")
    assert run(tmp_path / "patient.parquet").tables["patient"]["patient_id"].to_list() == [str(each) for each in ids]


def test_ids_that_a_workbook_has_rounded_are_refused_at_their_row(tmp_path: Path) -> None:
    ids = (12345678901234567890, 12345678901234567891)
    content = workbook("patient", ("patient_id", "centre_id", "country"), *((each, "A", "DE") for each in ids))
    with pytest.raises(SourceError, match=r"patient\.xlsx, row 1, column patient_id: .*rounded.*as text"):
        run(written(tmp_path / "patient.xlsx", content))


def test_ids_that_parquet_holds_as_rounded_floats_are_refused_at_their_row(tmp_path: Path) -> None:
    frame = pl.DataFrame({"patient_id": [1.0, float(2**53)], "centre_id": "A", "country": "DE"})
    frame.write_parquet(tmp_path / "patient.parquet")
    with pytest.raises(SourceError, match=r"patient\.parquet, row 2, column patient_id: .*rounded"):
        run(tmp_path / "patient.parquet")


def test_ids_that_a_spreadsheet_wrote_rounded_into_a_csv_are_rejected(tmp_path: Path) -> None:
    csv = "patient_id,centre_id,country\n1.23457E+19,A,DE\n1.23457E+19,A,NL\n1E5,A,DE\n"
    found = run(written(tmp_path / "patient.csv", csv))
    assert rejected(found) == [("patient", "id_rounded")] * 2
    assert of(found, "patient", "patient_id") == [("1E5",)]
