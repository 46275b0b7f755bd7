"""The command line as a function, and a report that takes no time."""

import sys
from pathlib import Path

import pytest

from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from flows import cli, steps
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


@pytest.fixture
def quick_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the report, which takes longest and has tests of its own, by an empty page."""

    def write_page(_warehouse: Warehouse, folder: Path, _settings: Settings) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.html").touch()
        return folder / "index.html"

    monkeypatch.setattr(steps, "write_report", write_page)
