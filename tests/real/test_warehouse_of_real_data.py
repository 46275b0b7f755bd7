"""The warehouse of the real studies: every count that others computed from them, and none invented."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import CensoredData, ecdf

from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from flows.steps import Job, annotate, ingest
from schemas.audit import RowLedger, SourceFile
from schemas.cohort import CohortPatient, Decision, PatientPathway, Verdict
from schemas.extract import Patient
from schemas.mart import BiomarkerDistribution
from tests.real.data import real_data

Run = Callable[[str], Warehouse]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Run:
    opened: dict[str, Warehouse] = {}

    def run(source: str) -> Warehouse:
        if source not in opened:
            folder: Path = tmp_path_factory.mktemp(source)
            job = Job((real_data(source),), folder / "crlm.duckdb", folder / "report", settings=Settings())
            ingest(job)
            annotate(job)
            opened[source] = Warehouse.open_readonly(job.warehouse)
        return opened[source]

    return run


def counts(warehouse: Warehouse, analyte: str) -> dict[str, int]:
    """Return the patients per category of the whole study, and those tested and all."""
    everyone = (pl.col("population") == "all") & pl.col("centre_id").is_null() & pl.col("year").is_null()
    rows = warehouse.read(BiomarkerDistribution).filter(everyone & (pl.col("analyte") == analyte))
    found = dict(zip(rows["category"], rows["n"], strict=True))
    return found | {"tested": rows["n_tested"][0], "total": rows["n_total"][0]}


@pytest.mark.parametrize(
    ("analyte", "expected"),
    [
        ("kras", {"mutant": 1511, "wild_type": 1969, "tested": 3480, "total": 3480}),
        ("kras_g12c", {"true": 109}),
        ("nras", {"mutant": 138, "tested": 3480}),
        ("ras", {"mutant": 1641, "wild_type": 1839, "tested": 3480}),
        ("braf", {"v600e": 241, "other": 110, "wild_type": 3129, "tested": 3480}),
        ("side", {"right": 587, "left": 1642, "tested": 2229, "total": 3480}),
        ("msi", {"mss": 0, "msi_h": 0, "tested": 0, "total": 3480}),
        ("her2", {"positive": 0, "negative": 0, "tested": 0, "total": 3480}),
    ],
)
def test_the_msk_study_is_reproduced(judged: Run, analyte: str, expected: dict[str, int]) -> None:
    assert expected.items() <= counts(judged("msk_met_crc"), analyte).items()


def test_deaths_and_median_survival_of_the_msk_study(judged: Run) -> None:
    patients = judged("msk_met_crc").read(Patient)
    assert patients.filter(vital_status="dead").height == 1156
    start = pl.date(2000, 1, 1)
    months = patients.with_columns(
        months=(pl.coalesce("death_date", "last_contact_date") - start).dt.total_days() / 30.4375
    ).drop_nulls("months")
    is_dead = (months["vital_status"] == "dead").to_numpy()
    days = months["months"].to_numpy()
    survival = ecdf(CensoredData(uncensored=days[is_dead], right=days[~is_dead])).sf
    median = survival.quantiles[np.argmax(survival.probabilities <= 0.5)]
    assert median == pytest.approx(44.35, abs=0.02)


@pytest.mark.parametrize(
    ("analyte", "expected"),
    [
        ("kras", {"mutant": 210}),
        ("nras", {"mutant": 32}),
        ("kras_g12c", {"true": 12}),
        ("braf", {"v600e": 48}),
    ],
)
def test_the_tcga_cohort_is_reproduced(judged: Run, analyte: str, expected: dict[str, int]) -> None:
    assert expected.items() <= counts(judged("tcga_coadread"), analyte).items()


@pytest.mark.parametrize("source", ["msk_met_crc", "tcga_coadread"])
def test_every_file_balances_and_every_metastatic_patient_has_a_pathway(judged: Run, source: str) -> None:
    warehouse = judged(source)
    ledger = warehouse.read(RowLedger)
    made = ledger["rows_accepted"] + ledger["rows_rejected"] + ledger["rows_duplicate"]
    assert (ledger["rows_read"] == made).all()
    assert set(ledger["source_file_id"]) <= set(warehouse.read(SourceFile)["source_file_id"])
    metastatic = warehouse.read(CohortPatient).filter("is_metastatic")
    pathways = warehouse.read(PatientPathway)
    assert set(metastatic["patient_id"]) == set(pathways.filter(guideline="esmo")["patient_id"])


def test_a_relative_calendar_is_not_judged_by_dates(judged: Run) -> None:
    warehouse = judged("msk_met_crc")
    assert warehouse.read(Decision).height > 0
    assert set(warehouse.read(Verdict)["verdict"]) == {"not_in_force"}
