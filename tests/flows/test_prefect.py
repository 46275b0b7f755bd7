"""The flows on one real, ephemeral Prefect server; kept few, because the server takes seconds to start."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crlm_pipeline.errors import SourceError, WarehouseBusyError
from crlm_pipeline.locking import lock
from flows.steps import Job, summary
from tests.command_line import Crlm
from tests.servers import prefect_server

pytestmark = [
    # The ephemeral server's own resources, at its exit.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server with a home of its own."""
    with prefect_server(tmp_path_factory.mktemp("prefect")):
        yield


@pytest.fixture
def job(registry: Path, tmp_path: Path) -> Job:
    return Job((registry,), tmp_path / "crlm.duckdb", tmp_path / "report")


def flow_runs() -> list[Any]:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        return client.read_flow_runs()


def task_runs() -> list[Any]:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        return client.read_task_runs()


def task_names() -> list[str]:
    return [run.name.rsplit("-", 1)[0] for run in task_runs()]


@pytest.mark.usefixtures("server", "quick_report")
def test_the_flow_publishes_what_the_direct_run_publishes(job: Job, tmp_path: Path) -> None:
    from flows.cohort import cohort
    from flows.run import run

    cohort(job)
    direct = Job(job.sources, tmp_path / "direct.duckdb", tmp_path / "direct")
    run(direct)
    assert summary(job.warehouse)["content_hash"] == summary(direct.warehouse)["content_hash"]
    assert (job.report / "index.html").is_file()
    assert set(task_names()) == {"ingest", "annotate", "report"}


@pytest.mark.usefixtures("server", "quick_report")
def test_the_three_flows_alone_are_a_run(job: Job) -> None:
    from flows.annotate import annotate
    from flows.ingest import ingest
    from flows.report import report

    ingest(job)
    annotate(job)
    report(job)
    assert summary(job.warehouse)["status"] == "complete"
    assert (job.report / "index.html").is_file()


@pytest.mark.usefixtures("server", "quick_report")
def test_crlm_goes_through_prefect_where_a_server_is_named(
    crlm: Crlm, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.settings import PREFECT_API_URL

    before = len(flow_runs())
    monkeypatch.setenv("PREFECT_API_URL", PREFECT_API_URL.value())
    answer = crlm("run", job.sources[0], "--warehouse", job.warehouse, "--report", job.report)
    assert answer.code == 0
    assert "60 patients" in answer.out
    assert len(flow_runs()) == before + 1


@pytest.mark.usefixtures("server", "quick_report")
def test_what_the_user_must_mend_fails_at_once_and_is_not_tried_again(job: Job, tmp_path: Path) -> None:
    from flows.ingest import ingest

    with pytest.raises(SourceError):
        ingest(Job((tmp_path / "nowhere",), job.warehouse, job.report))
    failed = [run for run in flow_runs() if run.state_name == "Failed"]
    assert failed


@pytest.mark.usefixtures("server", "quick_report")
def test_a_flow_does_not_wait_for_a_warehouse_that_another_run_holds(job: Job) -> None:
    from flows.cohort import cohort

    with lock(job.warehouse), pytest.raises(WarehouseBusyError):
        cohort(job)


@pytest.mark.usefixtures("server", "quick_report")
def test_the_server_learns_paths_and_settings_but_nothing_of_a_patient(job: Job) -> None:
    from flows.cohort import cohort

    cohort(job)
    known = json.dumps([run.model_dump(mode="json") for run in flow_runs()])
    assert str(job.warehouse) in known
    assert "P0000001" not in known


@pytest.mark.usefixtures("server", "quick_report")
def test_the_server_learns_nothing_of_a_defect_but_its_kind_and_place(
    job: Job, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from flows import steps
    from flows.defects import UntoldDefectError
    from flows.ingest import ingest
    from flows.tasks import INGEST

    value = "QZX-secret"

    def broken(*_: object, **__: object) -> None:
        raise ValueError(value)  # a traceback shows this line, which is ours, and no value

    monkeypatch.setattr(steps, "validate", broken)
    monkeypatch.setattr(INGEST, "retries", 0)
    with pytest.raises(UntoldDefectError):
        ingest(job)
    known = json.dumps([run.model_dump(mode="json") for run in (*flow_runs(), *task_runs())])
    assert "UntoldDefectError" in known
    assert "ValueError in test_prefect.py" in known
    assert "QZX" not in known + caplog.text
