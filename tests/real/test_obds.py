"""The German sample: everything in it is read, nothing in it is colorectal, and each of both is told."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

from crlm_pipeline.extracts import obds
from crlm_pipeline.extracts.mapping_load import load_mapping
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.source import Sheet, discover
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.synthetic import write_sample
from crlm_pipeline.validation import Ingested, validate
from tests.real.data import real_data

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def sample() -> Extract:
    return read_sources([real_data("rki_obds")])


@pytest.fixture(scope="module")
def lists() -> dict[str, Sheet]:
    (source,) = discover([real_data("rki_obds") / "xml"])
    (group,) = source.groups
    return obds.read_lists(group.sheets[0])


def csv_delivery(folder: Path) -> Ingested:
    return validate(read_sources([folder], [load_mapping(Path("obds_rki_csv"))]), today=TODAY)


SHARED_OF_PATIENTS = ("patient_id", "country", "sex", "vital_status", "last_contact_date", "death_date")
SHARED_OF_TUMOURS = ("patient_id", "tumour_id", "diagnosis_date", "topography", "morphology", "nodes_positive")


def test_the_csv_files_hold_the_patients_of_the_xml(sample: Extract) -> None:
    folder = real_data("rki_obds") / "csv"
    found = csv_delivery(folder)
    of_xml = validate(sample, today=TODAY).tables["patient"]
    assert found.tables["patient"].select(SHARED_OF_PATIENTS).equals(of_xml.select(SHARED_OF_PATIENTS))
    assert found.tables["patient"].height == 30
    assert found.rejected_row.is_empty()
    assert {name: rows.height for name, rows in found.tables.items() if rows.height} == {"patient": 30}
    unmapped = dict(found.source_file.select("file_name", "unmapped_count").iter_rows())
    assert unmapped == {"obds_rki_csv.yaml": 0, "patient.csv": 0, "tumor.csv": 75}


@pytest.mark.parametrize("diagnosis", ["C18.7", "C19", "C20"])
def test_the_csv_files_hold_the_tumours_of_the_xml_were_they_colorectal(tmp_path: Path, diagnosis: str) -> None:
    site = diagnosis if "." in diagnosis else f"{diagnosis}.9"
    xml = etree.parse(next((real_data("rki_obds") / "xml").glob("*.xml")))
    for code in xml.iterfind(".//{*}Primaertumor_ICD/{*}Code"):
        code.text = diagnosis
    for code in xml.iterfind(".//{*}Primaertumor_Topographie_ICD_O/{*}Code"):
        code.text = site
    xml.write(tmp_path / "delivery.xml")
    folder = tmp_path / "csv"
    folder.mkdir()
    for name in ("patient", "tumor"):
        rows = pl.read_csv(real_data("rki_obds") / "csv" / f"{name}.csv", separator=";", infer_schema=False)
        if name == "tumor":
            rows = rows.with_columns(Diagnose_ICD10_Code=pl.lit(diagnosis), Topographie_Code=pl.lit(site))
        rows.write_csv(folder / f"{name}.csv", separator=";")
    of_xml = validate(read_sources([tmp_path / "delivery.xml"]), today=TODAY)
    found = csv_delivery(folder)
    tumours = found.tables["tumour"].select(SHARED_OF_TUMOURS).sort("tumour_id")
    assert tumours.height == 75
    assert tumours.equals(of_xml.tables["tumour"].select(SHARED_OF_TUMOURS).sort("tumour_id"))
    # Of RAS only the XML tells: 30 entries, each one row for KRAS and one for NRAS.
    assert of_xml.tables["biomarker"].height == 2 * 30


def test_the_synthetic_sample_keeps_the_published_schema(tmp_path: Path) -> None:
    write_sample(tmp_path, 200, 4, "obds")
    schema = etree.XMLSchema(file=str(next(real_data("rki_obds").glob("*.xsd"))))
    schema.assertValid(etree.parse(tmp_path / "obds_rki.xml"))


def test_every_list_of_the_sample_is_counted(lists: dict[str, Sheet]) -> None:
    assert lists["Patient"].records.height == 30
    assert lists["Tumor"].records.height == 75
    assert lists["Tumor"].records["RASMutation"].count() == 30
    assert lists["OP"].records.height == 63
    assert lists["Folgeereignis"].records.height == 183
    assert lists["Bestrahlung"].records.height == 159
    named = pl.coalesce("Substanz", "ATC").is_not_null()
    assert lists["SYST"].records.filter(named).height == 200


def test_the_lists_agree_with_the_same_data_as_text(lists: dict[str, Sheet]) -> None:
    delivered = pl.read_csv(real_data("rki_obds") / "csv" / "tumor.csv", separator=";", infer_schema=False)
    ours = lists["Tumor"].records
    pairs = {"Tumor_ID": "oBDS_RKIPatientTumorId", "ICD": "Diagnose_ICD10_Code", "Topographie": "Topographie_Code",
             "Morphologie": "Morphologie_Code", "Diagnosedatum": "Diagnosedatum", "LK_befallen": "LK_befallen",
             "Diagnosedatum_Genauigkeit": "Diagnosedatum_Genauigkeit", "pT": "T_p", "cM": "M_c"}  # fmt: skip
    expected = delivered.select(pl.col(theirs).alias(name) for name, theirs in pairs.items()).sort("Tumor_ID")
    assert ours.select(pairs.keys()).sort("Tumor_ID").equals(expected)


def test_no_tumour_is_colorectal_and_each_is_told(sample: Extract) -> None:
    noticed = {notice.check_name: len(notice.rows) for notice in sample.notices if notice.rows}
    assert noticed == {"no_colorectal_tumour": 30, "not_colorectal": 75, "ras_outside_colorectal": 30}
    assert {part.table_name: part.frame.height for part in sample.tables if part.frame.height} == {"patient": 30}


def test_the_sample_is_accepted(sample: Extract) -> None:
    found = validate(sample, today=TODAY)
    assert found.rejected_row.is_empty()
    assert found.tables["patient"].height == 30
