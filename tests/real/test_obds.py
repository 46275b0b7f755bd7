"""The German sample: everything in it is read, nothing in it is colorectal, and each of both is told."""

from datetime import date

import polars as pl
import pytest

from crlm_pipeline.extracts import obds
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.source import Sheet, discover
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.validation import validate
from tests.real.data import real_data


@pytest.fixture(scope="module")
def sample() -> Extract:
    return read_sources([real_data("rki_obds")])


@pytest.fixture(scope="module")
def lists() -> dict[str, Sheet]:
    (source,) = discover([real_data("rki_obds") / "xml"])
    (group,) = source.groups
    return obds.read_lists(group.sheets[0])


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
    found = validate(sample, today=date(2026, 11, 23))
    assert found.rejected_row.is_empty()
    assert found.tables["patient"].height == 30
