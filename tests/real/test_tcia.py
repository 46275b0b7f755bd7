"""The TCIA data set through the mapping that ships, as workbook and as CSV: equal, and as others counted it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import CensoredData, ecdf

from crlm_pipeline.extracts.mapping_load import load_mapping
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.tables import TEXT, Extract
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from flows.steps import Job, annotate, ingest
from schemas.audit import RejectedRow, RowLedger
from schemas.cohort import CohortPatient, Decision, Verdict
from schemas.extract import Patient
from tests.real.data import real_data

MAPPING = Path("tcia_crlm")
SOURCES = ("clinical_data.xlsx", "attributes.csv")


def read(name: str) -> Extract:
    return read_sources([real_data("tcia_crlm") / name], [load_mapping(MAPPING)])


@pytest.fixture(scope="module", params=SOURCES)
def extract(request: pytest.FixtureRequest) -> Extract:
    return read(request.param)


def table(extract: Extract, name: str) -> pl.DataFrame:
    return pl.concat([part.frame.cast({TEXT: pl.String}) for part in extract.tables if part.table_name == name])


def test_the_workbook_and_the_csv_give_equal_tables() -> None:
    workbook, csv = (read(name) for name in SOURCES)
    assert [part.table_name for part in workbook.tables] == [part.table_name for part in csv.tables]
    for of_workbook, of_csv in zip(workbook.tables, csv.tables, strict=True):
        assert of_workbook.frame.equals(of_csv.frame), of_workbook.table_name


def test_patients_their_sex_and_deaths(extract: Extract) -> None:
    patient = table(extract, "patient")
    assert patient["patient_id"].n_unique() == patient.height == 197
    assert patient["sex"].value_counts().sort("sex").rows() == [("female", 80), ("male", 117)]
    assert patient.filter(pl.col("vital_status") == "dead")["death_date"].drop_nulls().len() == 107
    assert patient.filter(pl.col("vital_status") == "alive")["last_contact_date"].drop_nulls().len() == 90


def test_extrahepatic_disease_and_recurrence(extract: Extract) -> None:
    sites = table(extract, "assessment")["mets_sites"].value_counts().sort("mets_sites").rows()
    assert sites == [("liver", 180), ("liver;other", 17)]
    assert table(extract, "outcome")["patient_id"].n_unique() == 131
    assert table(extract, "procedure")["patient_id"].n_unique() == 197


def test_median_survival_is_that_of_the_months_to_one_decimal(extract: Extract) -> None:
    patient = table(extract, "patient")
    last = pl.coalesce("death_date", "last_contact_date").str.to_date()
    months = patient.select((last - pl.date(2000, 1, 1)).dt.total_days() / 30.4375).to_series().to_numpy()
    is_alive = (patient["vital_status"] == "alive").to_numpy()
    survival = ecdf(CensoredData(uncensored=months[~is_alive], right=months[is_alive])).sf
    median = survival.quantiles[np.searchsorted(-survival.probabilities, -0.5)]
    assert median == pytest.approx(75.97, abs=0.05)


def test_the_records_behind_the_rows_hold_what_the_contract_cannot_carry(extract: Extract) -> None:
    """Chemotherapy (neither drug nor date) and the score (its items are not told) make no cell, yet are not lost."""
    (records, *_) = (part.raw.cast({TEXT: pl.String}) for part in extract.tables if part.table_name == "patient")
    assert records.filter(pl.col("chemo_before_liver_resection") == "1").height == 122
    scores = dict(records.group_by("clinrisk_score").len().iter_rows())
    assert scores == {"0": 11, "1": 42, "2": 64, "3": 44, "4": 6, "5": 1, "-999": 29}


def test_what_the_contract_cannot_carry_is_noticed_by_column(extract: Extract) -> None:
    (message,) = [notice.message for notice in extract.notices if notice.check_name == "column_not_used"]
    for column in ("clinrisk_score", "chemo_before_liver_resection", "necrosis_percent"):
        assert column in message
    assert {"biomarker", "drug_exposure", "tumour"}.isdisjoint(part.table_name for part in extract.tables)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    folder = tmp_path_factory.mktemp("tcia")
    settings = Settings(judge_by="crlm_editorial_2023_12")
    sources = (real_data("tcia_crlm") / SOURCES[0],)
    job = Job(sources, folder / "crlm.duckdb", folder / "report", mappings=(MAPPING,), settings=settings)
    ingest(job)
    annotate(job)
    with Warehouse.open_readonly(job.warehouse) as warehouse:
        yield warehouse


def test_a_run_rejects_nothing_and_balances(judged: Warehouse) -> None:
    patients = judged.read(Patient)
    assert (patients.height, patients.filter(pl.col("sex") == "male").height) == (197, 117)
    assert patients["death_date"].drop_nulls().len() == 107
    assert judged.read(RejectedRow).is_empty()
    ledger = judged.read(RowLedger)
    assert ledger["rows_read"].sum() == ledger["rows_accepted"].sum() == 3 * 197 + 131


def test_everyone_has_liver_metastases_on_a_relative_calendar(judged: Warehouse) -> None:
    patients = judged.read(CohortPatient)
    assert patients["is_crlm"].all()
    assert patients["is_relative_calendar"].all()


def test_no_item_of_the_risk_score_is_known(judged: Warehouse) -> None:
    decisions = judged.read(Decision)
    assert decisions.select("fong_score_min", "fong_score_max").unique().rows() == [(0, 5)]
    assert decisions["ras"].null_count() == decisions["side"].null_count() == decisions.height


def test_every_resection_is_not_evaluable_for_want_of_the_liver_remnant(judged: Warehouse) -> None:
    local = judged.read(Verdict).filter(pl.col("decision_id").str.ends_with("/local/1"))
    assert local["verdict"].to_list() == ["not_evaluable"] * 197
    assert set(local.explode("missing_facts")["missing_facts"]) == {
        "flr_percent",
        "liver_background",
        "treatment_setting",
    }
