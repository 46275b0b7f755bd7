"""What moved the verdicts of a real run since the one before: nothing, the registry, an edition, the settings."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest

from crlm_pipeline import resources
from crlm_pipeline.guidelines.load import shipped_knowledge
from crlm_pipeline.settings import Settings
from crlm_pipeline.synthetic import write_registry
from crlm_pipeline.verdict_shift import PARTS, verdict_shift_alerts
from crlm_pipeline.warehouse import Warehouse
from flows.job import Job
from flows.steps import annotate, ingest, summary
from schemas.audit import Run, VerdictShift
from schemas.mart import Concordance

CELL = ("guideline", "setting", "centre_id", "verdict")


def judged(job: Job) -> pl.DataFrame:
    ingest(job)
    annotate(job)
    with Warehouse.open_readonly(job.warehouse) as warehouse:
        return warehouse.read(VerdictShift)


@pytest.fixture(scope="module")
def first(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("first")
    job = Job((registry,), folder / "crlm.duckdb", folder / "report", settings=Settings(guidelines=("esmo", "fda")))
    assert judged(job).is_empty()
    return job


@pytest.fixture
def job(first: Job, tmp_path: Path) -> Job:
    """The same job, of which a first run is published."""
    warehouse = tmp_path / "crlm.duckdb"
    shutil.copyfile(first.warehouse, warehouse)
    return replace(first, warehouse=warehouse)


def moved_by(shift: pl.DataFrame) -> set[str]:
    return {part for part in PARTS if (shift[f"n_{part}"] != 0).any()}


def counts_of(warehouse: Path) -> pl.DataFrame:
    """Return the decisions of every cell as `mart.concordance` counts them."""
    with Warehouse.open_readonly(warehouse) as published:
        every = published.read(Concordance)
    cells = every.filter(pl.col("setting").is_not_null(), population="all")
    return cells.filter(pl.all_horizontal(pl.col("year", "edition_id", "line").is_null())).select(*CELL, "n").sort(CELL)


def test_the_same_registry_moves_nothing(first: Job, job: Job) -> None:
    shift = judged(job)
    assert shift.select(*CELL, "n").sort(CELL).equals(counts_of(first.warehouse))
    assert moved_by(shift) == set()
    assert not shift["is_beyond"].any()
    assert shift.filter("is_beyond").is_empty()
    assert shift["is_beyond"].is_not_null().any()
    assert set(shift["differs"].explode().drop_nulls()) == set()
    assert summary(job.warehouse)["shares_moved"] == 0


def test_another_registry_is_data(first: Job, job: Job, tmp_path: Path) -> None:
    write_registry(tmp_path / "other", 60, 8)
    shift = judged(replace(job, sources=(tmp_path / "other",)))
    assert moved_by(shift) == {"data"}
    before, now = (
        shift.filter(pl.col(n) > 0).select(*CELL, pl.col(n).alias("n")).sort(CELL) for n in ("n_before", "n")
    )
    assert before.equals(counts_of(first.warehouse))
    assert now.equals(counts_of(job.warehouse))


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str, str], None]]:
    """Replace words of an edition for the runs that follow."""
    folder = tmp_path / "editions"
    shutil.copytree(resources.edition_files()[0].parent, folder)

    def edit(edition: str, words: str, others: str) -> None:
        text = (folder / f"{edition}.yaml").read_text(encoding="utf-8")
        assert words in text
        (folder / f"{edition}.yaml").write_text(text.replace(words, others), encoding="utf-8")
        monkeypatch.setattr(resources, "edition_files", lambda: sorted(folder.glob("*.yaml")))
        shipped_knowledge.cache_clear()

    yield edit
    shipped_knowledge.cache_clear()


def test_an_edited_edition_is_the_edition(job: Job, edited: Callable[[str, str, str], None]) -> None:
    edited("esmo_2022_10", "preference: preferred", "preference: alternative")
    shift = judged(job)
    assert moved_by(shift) == {"edition"}
    assert set(shift.filter(pl.col("n_edition") != 0)["guideline"]) == {"esmo"}
    with Warehouse.open_readonly(job.warehouse) as warehouse:
        told = verdict_shift_alerts(warehouse, Settings(disclosure_threshold=1))
    assert summary(job.warehouse)["shares_moved"] == shift["is_beyond"].sum() > 0
    assert told[0].startswith("esmo, systemic, ")
    assert "mostly by an edition that is new, gone or changed" in told[0]


def test_settings_are_code_and_named(job: Job) -> None:
    shift = judged(replace(job, settings=replace(job.settings, grace_days=1_500)))
    assert moved_by(shift) == {"code"}
    assert shift["differs"].to_list() == [["grace_days"]] * shift.height


def alter(warehouse: Path, *statements: str) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_column_that_an_update_brings_changes_no_decision(job: Job) -> None:
    alter(
        job.warehouse,
        "create table plain as from cohort.decision select * exclude (ras)",
        "drop table cohort.decision",
        "create table cohort.decision as from plain",
        "update audit.run set judgement_key = 'of another version'",
    )
    shift = judged(job)
    assert not shift.is_empty()
    assert moved_by(shift) == set()


@pytest.mark.parametrize("table", ["cohort.class_view", "cohort.verdict"])
def test_a_warehouse_too_old_to_be_compared_is_not(job: Job, table: str) -> None:
    alter(job.warehouse, f"drop table {table}", "update audit.run set judgement_key = 'of another version'")
    assert judged(job).is_empty()


def test_lakes_are_compared_too(job: Job, tmp_path: Path) -> None:
    in_lake = replace(job, lake=tmp_path / "lake")
    for _ in range(2):
        shift = judged(in_lake)
        assert not shift.is_empty()
        assert moved_by(shift) == set()


def test_the_run_before_is_named(first: Job, job: Job) -> None:
    shift = judged(job)
    runs = []
    for warehouse in (first.warehouse, job.warehouse):
        with Warehouse.open_readonly(warehouse) as published:
            runs.append(published.read(Run)["run_id"].item())
    assert set(shift.select("run_id_before", "run_id").iter_rows()) == {tuple(runs)}
