"""The example's published warehouse and report, made once for every test of this folder, and a read-only connection."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from crlm_pipeline import resources
from flows.run import run
from flows.steps import STEPS, Job


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of the embedded example."""
    folder = tmp_path_factory.mktemp("analyst")
    run(Job((resources.example_folder(),), folder / "crlm.duckdb", folder / "report"), STEPS[:2])
    return folder / "crlm.duckdb"


@pytest.fixture(scope="session")
def connection(example: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The example as an analyst opens it: by DuckDB alone, read-only."""
    with duckdb.connect(str(example), read_only=True) as opened:
        yield opened
