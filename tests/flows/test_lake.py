"""A registry judged from a lake: the same content as in one file, and every reader works on it unchanged."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from polars.testing import assert_frame_equal

from crlm_pipeline import buckets
from crlm_pipeline.buckets import Judging
from crlm_pipeline.errors import SourceError
from crlm_pipeline.lake import Lake
from crlm_pipeline.warehouse import Warehouse
from flows.annotating import LakeBucket, judge_lake_bucket
from flows.job import Job, ingested_file
from flows.steps import annotate, ingest, summary
from schemas.audit import Run
from schemas.cohort import Decision, Verdict
from tests.command_line import Crlm


@pytest.fixture(scope="module", autouse=True)
def small_buckets() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "PATIENTS_PER_BUCKET", 25)
        yield


@pytest.fixture(scope="module")
def in_file(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("in_file")
    return judged(Job((registry,), folder / "crlm.duckdb", folder / "report"))


@pytest.fixture(scope="module")
def in_lake(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("in_lake")
    return judged(Job((registry,), folder / "crlm.duckdb", folder / "report", lake=folder / "lake"))


def judged(job: Job) -> Job:
    ingest(job)
    annotate(job)
    return job


def runs(job: Job) -> list[str]:
    assert job.lake
    return sorted(path.name for path in job.lake.iterdir())


def test_one_bucket_several_and_a_lake_have_one_content(
    registry: Path, in_file: Job, in_lake: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "PATIENTS_PER_BUCKET", 1_000)
    whole = judged(Job((registry,), tmp_path / "crlm.duckdb", tmp_path / "report"))
    totals = [summary(job.warehouse) for job in (whole, in_file, in_lake)]
    assert len({one["content_hash"] for one in totals}) == 1
    assert len({one["decisions_judged"] for one in totals}) == 1
    assert len({one["warnings"] for one in totals}) == 1


def test_the_rows_of_patients_are_in_the_lake_alone(in_lake: Job) -> None:
    with duckdb.connect(str(in_lake.warehouse), read_only=True) as connection:
        views = connection.sql("select schema_name || '.' || view_name from duckdb_views()").fetchall()
        seen = connection.sql("select count(*) from cohort.decision").fetchall()
        (about,) = connection.sql("select comment from duckdb_views() where view_name = 'verdict'").fetchall()
    assert {("extract.biomarker",), ("cohort.decision",), ("cohort.verdict",)} <= set(views)
    assert seen[0][0] == summary(in_lake.warehouse)["decisions"] > 0
    assert about[0].startswith("How a decision stands against a guideline")


def test_a_decision_is_explained_and_the_report_written_from_a_lake(crlm: Crlm, in_lake: Job, tmp_path: Path) -> None:
    with Warehouse.open_readonly(in_lake.warehouse) as warehouse:
        decision_id = warehouse.read(Decision)["decision_id"][0]
    assert crlm("explain", decision_id, "--warehouse", in_lake.warehouse).code == 0
    assert crlm("report", "--warehouse", in_lake.warehouse, "--report", tmp_path / "report").code == 0
    assert (tmp_path / "report" / "index.html").is_file()


def test_a_second_run_keeps_the_judgement_and_the_lake_of_the_run_before(in_lake: Job, tmp_path: Path) -> None:
    job = replace(in_lake, warehouse=tmp_path / "crlm.duckdb", lake=tmp_path / "lake")
    judged(job)
    first = runs(job)
    content = summary(job.warehouse)["content_hash"]
    judged(job)
    second = runs(job)
    assert first == second[:1]
    assert len(second) == 2
    assert summary(job.warehouse)["decisions_judged"] == 0
    assert summary(job.warehouse)["content_hash"] == content
    judged(job)
    assert runs(job)[0] == second[1]
    assert len(runs(job)) == 2


def test_a_lake_that_lost_a_file_is_told_before_anything_is_judged(in_lake: Job, tmp_path: Path) -> None:
    job = replace(in_lake, warehouse=tmp_path / "crlm.duckdb", lake=tmp_path / "lake")
    ingest(job)
    assert job.lake
    lost = next(job.lake.glob("*/extract/biomarker/*/rows.parquet"))
    lost.unlink()
    with pytest.raises(SourceError, match="the lake lacks extract/biomarker"):
        annotate(job)
    assert not job.warehouse.exists()


def test_a_lake_that_is_gone_is_told_to_who_asks_for_rows(crlm: Crlm, in_lake: Job, tmp_path: Path) -> None:
    job = judged(replace(in_lake, warehouse=tmp_path / "crlm.duckdb", lake=tmp_path / "lake"))
    assert job.lake
    shutil.rmtree(job.lake)
    answer = crlm("report", "--warehouse", job.warehouse, "--report", tmp_path / "report")
    assert answer.code == 3
    assert answer.is_one_line
    assert "lake" in answer.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "x", "--dask", "tcp://here:1"], "--lake"),
        (["run", "x", "--lake", "lake", "--dask", "tcp://here:1"], "PREFECT_API_URL"),
    ],
)
def test_a_cluster_needs_a_lake_and_a_server(crlm: Crlm, arguments: list[str], said: str) -> None:
    answer = crlm(*arguments)
    assert answer.code == 2
    assert answer.is_one_line
    assert said in answer.err


def test_a_bucket_judged_again_writes_the_same(in_lake: Job, tmp_path: Path) -> None:
    job = replace(in_lake, warehouse=tmp_path / "crlm.duckdb", lake=tmp_path / "lake")
    ingest(job)
    ingested = ingested_file(job.warehouse)
    with Warehouse.open_readonly(ingested) as warehouse:
        run = warehouse.read(Run).row(0, named=True)
    lake = Lake.open(Path(run["lake"]))
    bucket = LakeBucket(lake, 0, ingested, Judging(job.settings, run["as_of"], None))
    told = judge_lake_bucket(bucket)
    first = lake.read(Verdict, 0)
    assert told.counts["verdict"] == first.height > 0
    assert judge_lake_bucket(bucket) == told
    assert_frame_equal(lake.read(Verdict, 0), first, check_row_order=False)
