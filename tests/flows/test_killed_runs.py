"""A run that is killed at any moment leaves the warehouse that was published, or the new one: whole, never between."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crlm_pipeline.synthetic import write_registry
from crlm_pipeline.warehouse import Warehouse
from flows.run import run
from flows.steps import STEPS, Job
from schemas.audit import Run

# Kills its own process when a function is called by a module of flows, before or after the call.
KILLED_AT = """
import os, signal, sys
from importlib import import_module
from pathlib import Path
from flows import steps
from flows.run import run

module, name, when, source, warehouse = sys.argv[1:]
module = import_module(f"flows.{module}")
original = getattr(module, name)

def killing(*arguments, **named):
    if when == "after":
        original(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(module, name, killing)
run(steps.Job((Path(source),), Path(warehouse), Path(warehouse).with_name("report")), steps.STEPS)
"""

WHOLE = """
import sys
from pathlib import Path
from flows.run import run
from flows.steps import STEPS, Job

run(Job((Path(sys.argv[1]),), Path(sys.argv[2]), Path("unused")), STEPS[:2])
"""


@pytest.fixture(scope="module")
def registries(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An older and a newer registry."""
    folder = tmp_path_factory.mktemp("registries")
    for name, seed in (("old", 1), ("new", 2)):
        write_registry(folder / name, 40, seed)
    return folder / "old", folder / "new"


@pytest.fixture(scope="module")
def whole(registries: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The warehouse of each of them, published when nothing happens."""
    folder = tmp_path_factory.mktemp("whole")
    jobs = [Job((source,), folder / f"{source.name}.duckdb", folder / "report") for source in registries]
    for job in jobs:
        run(job, STEPS[:2])
    return jobs[0].warehouse, jobs[1].warehouse


@pytest.fixture(scope="module")
def hashes(whole: tuple[Path, Path]) -> tuple[str, str]:
    """What each of them holds."""
    return content(whole[0]), content(whole[1])


@pytest.fixture
def published(whole: tuple[Path, Path], tmp_path: Path) -> Path:
    """The older registry, published."""
    return Path(shutil.copyfile(whole[0], tmp_path / "crlm.duckdb"))


def content(warehouse: Path) -> str:
    """Return the recorded content hash, having checked that the content is what it says."""
    with Warehouse.open_readonly(warehouse) as opened:
        recorded = str(opened.read(Run)["content_hash"].item())
        assert opened.content_hash() == recorded
    return recorded


@pytest.mark.parametrize(
    ("point", "survivor"),
    [
        ("steps validate after", "old"),
        ("steps publish before", "old"),
        ("steps publish after", "old"),
        ("annotating judge_bucket after", "old"),
        ("annotating build_marts after", "old"),
        ("annotating publish before", "old"),
        ("annotating publish after", "new"),
        ("steps write_report before", "new"),
    ],
)
def test_a_run_killed_between_its_stages_leaves_a_whole_warehouse(
    published: Path, registries: tuple[Path, Path], hashes: tuple[str, str], point: str, survivor: str
) -> None:
    command = [sys.executable, "-c", KILLED_AT, *point.split(), str(registries[1]), str(published)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert content(published) == hashes[("old", "new").index(survivor)]
    run(Job((registries[1],), published, published.with_name("report")), STEPS[:2])
    assert content(published) == hashes[1]


def test_a_run_killed_at_ten_moments_leaves_a_whole_warehouse(
    published: Path, registries: tuple[Path, Path], hashes: tuple[str, str]
) -> None:
    command = [sys.executable, "-c", WHOLE, str(registries[1]), str(published)]
    began = time.monotonic()
    subprocess.run(command, check=True)
    duration = time.monotonic() - began
    for moment in range(1, 11):
        with subprocess.Popen(command) as process:
            try:
                process.wait(timeout=duration * moment / 11)
            except subprocess.TimeoutExpired:
                process.kill()
        assert content(published) in hashes
