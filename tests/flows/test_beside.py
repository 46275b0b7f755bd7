"""What is judged beside the published warehouse, and for which days."""

from datetime import date
from pathlib import Path

import pytest

from crlm_pipeline.errors import UsageError
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from flows.beside import Every, beside, ends_of_periods, judged_anew
from flows.job import Job
from flows.run import run
from flows.steps import STEPS, summary


@pytest.mark.parametrize(
    ("first", "last", "every", "expected"),
    [
        (date(2024, 1, 31), date(2024, 2, 29), "month", (date(2024, 1, 31), date(2024, 2, 29))),
        (date(2024, 2, 1), date(2024, 3, 30), "month", (date(2024, 2, 29),)),
        (date(2023, 12, 31), date(2024, 3, 31), "quarter", (date(2023, 12, 31), date(2024, 3, 31))),
        (date(2022, 1, 1), date(2023, 12, 30), "year", (date(2022, 12, 31),)),
    ],
)
def test_a_period_counts_when_it_ends_within(first: date, last: date, every: Every, expected: tuple[date, ...]) -> None:
    assert ends_of_periods(first, last, every) == expected


@pytest.mark.parametrize("last", [date(2024, 1, 30), date(2023, 1, 1)])
def test_no_period_is_the_users_mistake(last: date) -> None:
    with pytest.raises(UsageError, match="No month ends"):
        ends_of_periods(date(2024, 1, 1), last, "month")


@pytest.fixture(scope="module")
def published(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """The registry, published; what stands in its warehouse is the record of its deliveries."""
    folder = tmp_path_factory.mktemp("published")
    job = Job((registry,), folder / "crlm.duckdb", folder / "report")
    run(job, STEPS[:2])
    return job


def test_what_is_judged_anew_is_what_was_published(published: Job) -> None:
    before = summary(published.warehouse)
    run(judged_anew(published), STEPS[:2])
    after = summary(published.warehouse)
    assert after["content_hash"] == before["content_hash"]
    assert after["run_id"] != before["run_id"]
    assert after["decisions_judged"] == after["decisions"] > 0


def test_without_being_told_to_nothing_is_judged_anew(published: Job) -> None:
    run(Job(published.sources, published.warehouse, published.report), STEPS[:2])
    assert summary(published.warehouse)["decisions_judged"] == 0


def test_another_edition_judges_beside_and_the_published_file_stays(published: Job) -> None:
    before = published.warehouse.read_bytes()
    job = beside(published, "what-if/esmo_2016_07", Settings(judge_by="esmo_2016_07"))
    run(job, STEPS[:2])
    assert job.warehouse == published.warehouse.parent / "what-if" / "esmo_2016_07" / "crlm.duckdb"
    assert published.warehouse.read_bytes() == before
    told = summary(job.warehouse)
    assert told["judge_by"] == "esmo_2016_07"
    assert told["patients"] == summary(published.warehouse)["patients"]


def test_a_past_day_is_judged_by_the_facts_up_to_it(published: Job) -> None:
    day = date(2020, 12, 31)
    job = beside(published, f"backfill/{day}", Settings(as_of=day))
    run(job, STEPS[:2])
    assert summary(job.warehouse)["as_of"] == day
    assert 0 < summary(job.warehouse)["decisions"] < summary(published.warehouse)["decisions"]


def test_a_lake_has_its_own_folder_beside(published: Job, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    job = Job(published.sources, tmp_path / "crlm.duckdb", tmp_path / "report", lake=lake)
    run(job, STEPS[:2])
    kept = {path: path.read_bytes() for path in lake.rglob("*.parquet")}
    other = beside(job, "what-if/esmo_2022_10", Settings(judge_by="esmo_2022_10"))
    run(other, STEPS[:2])
    assert {path: path.read_bytes() for path in lake.rglob("*.parquet")} == kept
    with Warehouse.open_readonly(other.warehouse) as opened:
        assert opened.content_hash() == summary(other.warehouse)["content_hash"]
    assert other.lake == tmp_path / "what-if" / "esmo_2022_10" / "lake"
    assert any(other.lake.rglob("*.parquet"))
