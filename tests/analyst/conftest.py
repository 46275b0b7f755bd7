"""The tutorial, done once for every test of this folder: its commands' results, its warehouse and its report."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


@dataclass(frozen=True)
class Done:
    """A command or script of a page, and what came of it."""

    text: str
    code: int
    out: str
    err: str


def blocks(page: str, language: str) -> list[str]:
    """Return the fenced blocks of a language on a page of `docs/`."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def do(command: list[str], text: str, folder: Path) -> Done:
    """Run a command of a page in `folder`, with this environment's programs first on the path."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    done = subprocess.run(
        [*command, text], cwd=folder, env=environment | {"PATH": programs}, capture_output=True, text=True, check=False
    )
    return Done(text, done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Done]]:
    """The folder in which the tutorial was done, and what became of each of its commands."""
    folder = tmp_path_factory.mktemp("tutorial")
    commands = "".join(blocks("tutorial.md", "sh")).splitlines()
    return folder, [do(["sh", "-c"], command, folder) for command in commands]


@pytest.fixture(scope="session")
def example(tutorial: tuple[Path, list[Done]]) -> Path:
    """The warehouse of the embedded example."""
    return tutorial[0] / "crlm.duckdb"


@pytest.fixture(scope="session")
def connection(example: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The example as an analyst opens it: by DuckDB alone, read-only."""
    with duckdb.connect(str(example), read_only=True) as opened:
        yield opened
