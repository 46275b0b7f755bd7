"""A small published warehouse, and a copy for each test."""

import shutil
from pathlib import Path

import pytest

from crlm_pipeline.synthetic import write_registry
from flows.job import Job
from flows.run import run
from flows.steps import STEPS


@pytest.fixture(scope="session")
def published_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of 60 synthetic patients, for reading alone."""
    folder = tmp_path_factory.mktemp("published")
    write_registry(folder / "registry", 60, 7)
    run(Job((folder / "registry",), folder / "crlm.duckdb", folder / "report"), STEPS[:2])
    return folder / "crlm.duckdb"


@pytest.fixture
def published(published_once: Path, tmp_path: Path) -> Path:
    """A copy of the warehouse in a folder of its own."""
    return Path(shutil.copy(published_once, tmp_path / "crlm.duckdb"))
