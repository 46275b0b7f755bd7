"""`crlm verify`: a published warehouse is what its run recorded, or it is said what is not."""

from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows.job import Job
from flows.run import run
from flows.steps import RUNS
from tests.command_line import Answer, Crlm


@pytest.fixture
def job(registry: Path, tmp_path: Path) -> Job:
    return Job((registry,), tmp_path / "crlm.duckdb", tmp_path / "report")


def judged(job: Job) -> Path:
    run(job, (*RUNS["ingest"], *RUNS["annotate"]))
    return job.warehouse


def changed(warehouse: Path, statement: str) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(statement)


def is_told_once(answer: Answer) -> bool:
    return answer.code == 3 and answer.is_one_line and "is not what its run recorded" in answer.err


def test_a_published_warehouse_is_as_recorded_until_a_row_changes_or_is_lost(crlm: Crlm, job: Job) -> None:
    warehouse = judged(job)
    answer = crlm("verify", "--warehouse", warehouse)
    assert answer.code == 0
    assert answer.out.splitlines() == ["content hash: as recorded", "balance of rows: as recorded"]
    changed(warehouse, "update cohort.verdict set reason = reason || ' ' where guideline = 'esmo'")
    answer = crlm("verify", "--warehouse", warehouse)
    assert is_told_once(answer)
    assert "content hash: the rows are not those" in answer.out
    assert "balance of rows: as recorded" in answer.out
    changed(
        warehouse,
        "delete from extract.drug_exposure where patient_id = (select min(patient_id) from extract.drug_exposure)",
    )
    answer = crlm("verify", "--warehouse", warehouse)
    assert is_told_once(answer)
    assert "rows of drug_exposure accepted" in answer.out


def test_a_file_of_a_lake_that_is_not_that_of_the_run_is_named(crlm: Crlm, job: Job, tmp_path: Path) -> None:
    job = replace(job, lake=tmp_path / "lake")
    warehouse = judged(job)
    assert crlm("verify", "--warehouse", warehouse).out.splitlines()[0] == "files of the lake: as recorded"
    damaged = next((tmp_path / "lake").glob("*/extract/patient/*/rows.parquet"))
    pl.read_parquet(damaged).with_columns(country=pl.lit("ZZ")).write_parquet(damaged)
    answer = crlm("verify", "--warehouse", warehouse)
    assert is_told_once(answer)
    assert "extract/patient/bucket=0000/rows.parquet: not as the manifest says" in answer.out
    assert "content hash: the rows are not those" in answer.out
