"""A run needs no rights but to read its code and its source and to write its own folder."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crlm_pipeline.synthetic import write_registry

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
# Nobody may be able to read this Python's own library: a first run loads what is needed, the second has no rights.
RUNS_AS = """
import os, sys
from pathlib import Path
from flows.job import Job
from flows.run import run
user, source, before, data = sys.argv[1:]
run(Job((Path(source),), Path(before, "crlm.duckdb"), Path(before, "report")))
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(int(user))
    os.setuid(int(user))
run(Job((Path(source),), Path(data, "crlm.duckdb"), Path(data, "report")))
"""


def files_of(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def server() -> Iterator[Path]:
    """A folder with the code, which nobody may write, and one for data, which belongs to the user of the run."""
    with tempfile.TemporaryDirectory() as name:
        server = Path(name)
        server.chmod(0o755)
        code = server / "code"
        for package in ("crlm_pipeline", "flows", "schemas"):
            shutil.copytree(ROOT / package, code / package, ignore=shutil.ignore_patterns("__pycache__"))
        for text in ("sql", "data"):  # where a wheel has them
            shutil.copytree(ROOT / text, code / "crlm_pipeline" / text)
        for path in (*code.rglob("*"), code):
            path.chmod(0o555 if path.is_dir() else 0o444)
        (server / "data").mkdir()
        yield server
        for path in (code, *code.rglob("*")):
            path.chmod(0o755)


def test_an_unprivileged_user_runs_code_that_it_cannot_write(server: Path, tmp_path: Path) -> None:
    source, data = server / "registry", server / "data"
    source.mkdir(mode=0o755)
    write_registry(source, 20, 7)
    user = NOBODY if os.geteuid() == 0 else os.geteuid()
    os.chown(data, user, -1)
    before = files_of(server / "code")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(server / "code"), "HOME": "/nonexistent"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # the first run could write its code
    arguments = map(str, (user, source, tmp_path, data))
    ended = subprocess.run(
        [sys.executable, "-c", RUNS_AS, *arguments],
        cwd=data,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert (data / "report" / "index.html").is_file()
    assert files_of(server / "code") == before
    assert {path.name for path in data.iterdir()} <= {"crlm.duckdb", "crlm.duckdb.lock", "report"}
    assert {path.stat().st_uid for path in data.rglob("*")} == {user}
