"""Every format under every fault: what is published stays as it is; the next run completes with a balanced ledger."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from crlm_pipeline import publishing
from crlm_pipeline.errors import SourceError, WarehouseBusyError
from crlm_pipeline.extracts import read as reading
from crlm_pipeline.locking import lock
from crlm_pipeline.publishing import publish
from crlm_pipeline.settings import Settings
from crlm_pipeline.synthetic import write_sample
from crlm_pipeline.synthetic.layouts import LAYOUTS
from crlm_pipeline.warehouse import Warehouse
from flows.run import run
from flows.steps import STEPS, Job, ingested_file
from schemas.audit import RowLedger

SETTINGS = Settings(as_of=date(2024, 12, 31), judge_by="esmo_2022_10", allowed_rejected_share=1.0)
INGEST = STEPS[:1]

# Does the steps of a job in a process of its own, which a limit or a signal ends.
IN_A_PROCESS = """
import os, resource, signal, sys
from datetime import date
from pathlib import Path
from crlm_pipeline.settings import Settings
from flows import steps
from flows.run import run

fault, source, warehouse, *mappings = sys.argv[1:]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if fault == "killed":
    steps.publish = die
if fault == "disk full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
settings = Settings(as_of=date(2024, 12, 31), judge_by="esmo_2022_10", allowed_rejected_share=1.0)
job = steps.Job((Path(source),), Path(warehouse), Path("unused"), tuple(map(Path, mappings)), settings)
try:
    run(job, steps.STEPS[:1])
except steps.SourceError as error:
    print(error)
    sys.exit(3)
"""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def job_of(source: Path, warehouse: Path) -> Job:
    """A layout that needs a mapping writes it beside its files."""
    return Job((source,), warehouse, warehouse.with_name("report"), tuple(source.glob("*.yaml")), SETTINGS)


@pytest.fixture(scope="module", params=sorted(LAYOUTS))
def job(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A newer registry in one format, to be read over an older one that is published."""
    folder = tmp_path_factory.mktemp(request.param)
    for name, seed in (("old", 1), ("new", 2)):
        write_sample(folder / name, 8, seed, request.param)
    run(job_of(folder / "old", folder / "crlm.duckdb"), STEPS[:2])
    return job_of(folder / "new", folder / "crlm.duckdb")


def in_a_process(job: Job, fault: str) -> subprocess.CompletedProcess[str]:
    arguments = [fault, str(job.sources[0]), str(job.warehouse), *map(str, job.mappings)]
    return subprocess.run([sys.executable, "-c", IN_A_PROCESS, *arguments], check=False, capture_output=True, text=True)


def killed(job: Job, _monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_a_process(job, "killed").returncode == -signal.SIGKILL


def disk_full(job: Job, _monkeypatch: pytest.MonkeyPatch) -> None:
    ended = in_a_process(job, "disk full")
    assert ended.returncode == 3, ended.stderr
    assert "cannot be written" in ended.stdout


def locked(job: Job, _monkeypatch: pytest.MonkeyPatch) -> None:
    with lock(job.warehouse), pytest.raises(WarehouseBusyError):
        run(job, INGEST)


def changed_while_read(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    original = reading.read_delivery
    file = next(path for path in sorted(job.sources[0].rglob("*")) if path.is_file() and path.suffix != ".yaml")

    def changing(*arguments):
        made = original(*arguments)
        os.utime(file, ns=(0, 0))
        return made

    with monkeypatch.context() as patch:
        patch.setattr(reading, "read_delivery", changing)
        with pytest.raises(SourceError, match="changed while it was being read"):
            run(job, INGEST)


@pytest.mark.parametrize("fault", [killed, disk_full, locked, changed_while_read])
def test_a_fault_leaves_what_is_published_and_the_next_run_completes(
    job: Job, fault: Callable[[Job, pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sha256(job.warehouse)
    fault(job, monkeypatch)
    assert sha256(job.warehouse) == before
    run(job, INGEST)
    assert sha256(job.warehouse) == before, "nothing is published before it is judged"
    with Warehouse.open_readonly(ingested_file(job.warehouse)) as ingested:
        ledger = ingested.read(RowLedger)
    fates = ledger.select("rows_accepted", "rows_rejected", "rows_duplicate").sum_horizontal()
    assert (fates == ledger["rows_read"]).all()
    assert ledger["rows_accepted"].sum() > 0


def test_after_the_faults_the_registry_is_published(job: Job) -> None:
    before = sha256(job.warehouse)
    run(job, STEPS[:2])
    assert sha256(job.warehouse) != before


@pytest.mark.parametrize("is_addition", [False, True])
def test_a_damaged_warehouse_is_not_written_over(tmp_path: Path, is_addition: bool) -> None:
    write_sample(tmp_path / "new", 3, 1, "canonical")
    job = replace(job_of(tmp_path / "new", tmp_path / "crlm.duckdb"), is_addition=is_addition)
    run(replace(job, is_addition=False), STEPS[:2])
    damaged = job.warehouse.read_bytes()[:9000]
    job.warehouse.write_bytes(damaged)
    with pytest.raises(SourceError, match="damaged"):
        run(job, STEPS[:2])
    assert job.warehouse.read_bytes() == damaged, "its deletions and history are not given up in silence"
    job.warehouse.rename(tmp_path / "aside")
    run(replace(job, is_addition=False), STEPS[:2])


def test_content_reaches_the_disk_before_its_name_and_the_name_before_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a loss of power may interrupt: write, fsync of the file, rename, fsync of the folder."""
    built, target = tmp_path / "crlm.duckdb.building", tmp_path / "crlm.duckdb"
    built.write_bytes(b"whole")
    target.write_bytes(b"old")
    order: list[tuple[str, str, bytes]] = []
    fsync, rename = os.fsync, Path.replace

    def noted_fsync(descriptor: int) -> None:
        order.append(("fsync", str(Path(f"/proc/self/fd/{descriptor}").readlink()), target.read_bytes()))
        fsync(descriptor)

    def noted_rename(path: Path, other: Path) -> Path:
        order.append(("rename", str(path), target.read_bytes()))
        return rename(path, other)

    monkeypatch.setattr(publishing.os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_rename)
    publish(built, target)
    assert order == [
        ("fsync", str(built), b"old"),
        ("rename", str(built), b"old"),
        ("fsync", str(tmp_path), b"whole"),
    ]
