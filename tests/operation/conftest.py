"""A small published warehouse, a copy for each test, and the command line as a function."""

import shutil
import sys
from pathlib import Path

import pytest

from crlm_pipeline.synthetic import write_registry
from flows import cli
from flows.job import Job
from flows.run import run
from flows.steps import STEPS
from tests.command_line import Answer, Crlm


@pytest.fixture
def crlm(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Crlm:
    """Run `crlm` in this process, without Prefect."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)

    def call(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["crlm", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return Answer(int(ended.value.code or 0), captured.out, captured.err)

    return call


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
