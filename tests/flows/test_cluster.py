"""A lake judged by two worker processes of a Dask cluster through a Prefect server, one of them killed on the way."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest

from crlm_pipeline import buckets
from crlm_pipeline.errors import SourceError
from flows.job import Job
from flows.run import run
from flows.steps import RUNS, ingest, summary
from tests.servers import prefect_server

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

DASK = Path(sys.executable).with_name("dask")
PATIENTS_PER_BUCKET = 12
SECONDS_TO_WAIT = 120


@dataclass(frozen=True)
class Cluster:
    address: str
    workers: tuple[subprocess.Popen[bytes], ...]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prefect_server(tmp_path_factory.mktemp("prefect")) as address:
        yield address


@pytest.fixture
def cluster(server: str, tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler and two workers of one thread each; a worker that dies is not started again."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    # As docs/scaling.md starts a scheduler: without any worker, a bucket is given up after a while.
    environment = os.environ | {"PREFECT_API_URL": server, "DASK_DISTRIBUTED__SCHEDULER__NO_WORKERS_TIMEOUT": "5s"}

    def start(*arguments: object) -> subprocess.Popen[bytes]:
        command = [str(DASK), *map(str, arguments), "--no-dashboard"]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", port)
    options = ("--no-nanny", "--nthreads", 1, "--local-directory", tmp_path / "dask")
    workers = tuple(start("worker", address, *options) for _ in range(2))
    try:
        yield Cluster(address, workers)
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def wait_until(is_so: Callable[[], bool]) -> None:
    give_up = time.monotonic() + SECONDS_TO_WAIT
    while not is_so():
        assert time.monotonic() < give_up, "nothing happened"
        time.sleep(0.05)


def test_a_lake_judged_by_a_cluster_that_loses_a_worker_is_that_of_one_process(
    registry: Path, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.annotate import annotate  # noqa: PLC0415  # Prefect reads its settings when it is imported
    from flows.cluster import with_cluster  # noqa: PLC0415

    monkeypatch.setattr(buckets, "PATIENTS_PER_BUCKET", PATIENTS_PER_BUCKET)
    alone = Job((registry,), tmp_path / "alone.duckdb", tmp_path / "report")
    run(alone, (*RUNS["ingest"], *RUNS["annotate"]))
    lake = tmp_path / "lake"
    job = Job((registry,), tmp_path / "crlm.duckdb", tmp_path / "report", lake=lake, scheduler=cluster.address)
    ingest(job)

    def kill_one() -> None:
        wait_until(lambda: any(lake.glob("*/cohort/*/*/rows.parquet")))
        cluster.workers[0].send_signal(signal.SIGKILL)

    killer = Thread(target=kill_one)
    killer.start()
    with_cluster(annotate, cluster.address)(job)
    killer.join()
    assert cluster.workers[0].wait(timeout=SECONDS_TO_WAIT) == -signal.SIGKILL
    assert cluster.workers[1].poll() is None
    assert summary(job.warehouse)["content_hash"] == summary(alone.warehouse)["content_hash"]
    assert task_names() == {"judge-bucket"}


def test_a_cluster_that_loses_every_worker_ends_the_run_and_publishes_nothing(
    registry: Path, cluster: Cluster, tmp_path: Path
) -> None:
    from flows.annotate import annotate  # noqa: PLC0415
    from flows.cluster import with_cluster  # noqa: PLC0415

    lake = tmp_path / "lake"
    job = Job((registry,), tmp_path / "crlm.duckdb", tmp_path / "report", lake=lake, scheduler=cluster.address)
    ingest(job)
    for worker in cluster.workers:
        worker.kill()
    with pytest.raises(SourceError, match="the cluster: it has no worker left"):
        with_cluster(annotate, cluster.address)(job)
    assert not job.warehouse.exists()


def task_names() -> set[str]:
    from prefect.client.orchestration import get_client  # noqa: PLC0415

    with get_client(sync_client=True) as client:
        return {one.name.rsplit("-", 1)[0] for one in client.read_task_runs()}
