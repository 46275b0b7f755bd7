"""The command line as a function."""

import sys

import pytest

from flows import cli
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
