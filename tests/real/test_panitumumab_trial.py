"""A public trial of panitumumab, judged: harm found in the KRAS-mutant, untested RAS in the others."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from flows.steps import Job, annotate, ingest
from schemas.cohort import SafetyFinding
from tests.real.data import real_data

START = date(2008, 1, 1)


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """The safety findings of the trial's patients with their KRAS status and arm."""
    trial = pl.read_csv(real_data("picbayes_mcrc") / "mCRC.csv", infer_schema_length=0)
    folder = tmp_path_factory.mktemp("trial")
    write_extract(trial, folder)
    job = Job((folder,), folder / "crlm.duckdb", folder / "report", settings=Settings(judge_by="esmo_2022_10"))
    ingest(job)
    annotate(job)
    with Warehouse.open_readonly(job.warehouse) as warehouse:
        found = warehouse.read(SafetyFinding)
    patient_id = pl.col("decision_id").str.split("/").list.first()
    return found.with_columns(patient_id=patient_id).join(
        trial.select(patient_id="ID", is_mutant=pl.col("KRAS_C") == "1", had_panitumumab=pl.col("TRT_C") == "1"),
        on="patient_id",
    )


def write_extract(trial: pl.DataFrame, folder: Path) -> None:
    people = trial.select(patient_id="ID")
    people.with_columns(centre_id=trial["SITE"], country=pl.lit("ZZ")).write_csv(folder / "patient.csv")
    biomarkers = people.with_columns(
        specimen_id=pl.lit("1"),
        specimen_site=pl.lit("primary"),
        report_date=pl.lit(date(2007, 12, 1)),
        analyte=pl.lit("kras"),
        region_tested=pl.lit("12;13"),
        result=pl.when(trial["KRAS_C"] == "1").then(pl.lit("mutated")).otherwise(pl.lit("not_detected")),
    )
    biomarkers.write_csv(folder / "biomarker.csv")
    drugs = pl.DataFrame({"drug": ["fluorouracil", "oxaliplatin", "panitumumab"]})
    given = trial.select(patient_id="ID", arm="TRT_C").join(drugs, how="cross")
    given.filter((pl.col("drug") != "panitumumab") | (pl.col("arm") == "1")).select(
        "patient_id",
        "drug",
        start_date=pl.lit(START),
        end_date=pl.lit(date(2008, 6, 1)),
        intent=pl.lit("palliative"),
    ).write_csv(folder / "drug_exposure.csv")


def patients(findings: pl.DataFrame, rule_id: str, *, is_mutant: bool) -> int:
    fired = pl.col("verdict").is_not_null() & (pl.col("rule_id") == rule_id) & (pl.col("is_mutant") == is_mutant)
    return findings.filter(fired).get_column("patient_id").n_unique()


def test_every_mutant_patient_on_the_antibody_is_found_and_no_wild_type_one(findings: pl.DataFrame) -> None:
    assert patients(findings, "esmo.x01", is_mutant=True) == 188
    assert patients(findings, "esmo.x01", is_mutant=False) == 0


def test_every_wild_type_patient_on_the_antibody_was_not_fully_tested(findings: pl.DataFrame) -> None:
    assert patients(findings, "esmo.x02", is_mutant=False) == 240
    assert patients(findings, "esmo.x02", is_mutant=True) == 0


def test_nobody_without_the_antibody_is_found(findings: pl.DataFrame) -> None:
    rules = ["esmo.x01", "esmo.x02"]
    assert findings.filter(pl.col("rule_id").is_in(rules) & ~pl.col("had_panitumumab")).is_empty()
