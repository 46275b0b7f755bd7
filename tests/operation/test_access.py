"""Before an unattended run begins, what others could read or change is refused, with the command that mends it."""

import subprocess
from pathlib import Path

import pytest

from crlm_pipeline.errors import UsageError
from flows.access import open_access, refuse_open_access
from flows.configuration import Configured
from flows.journal import journal_file

# What is laid out below, by the setting that names it, with the widest rights that are accepted and ones too wide.
RIGHTS = [
    ("crlm.toml", 0o644, 0o664),
    ("crlm.toml", 0o644, 0o646),
    ("addresses", 0o600, 0o604),
    ("key", 0o600, 0o640),
    ("data", 0o775, 0o777),
    ("data/crlm.duckdb", 0o600, 0o640),
    ("data/crlm.duckdb.journal.jsonl", 0o600, 0o604),
    ("lake", 0o700, 0o750),
    ("backups", 0o700, 0o701),
    ("zone", 0o770, 0o775),
]


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """A server on which everything is as narrow as it should be."""
    (tmp_path / "crlm.toml").write_text(
        'warehouse = "data/crlm.duckdb"\nlake = "lake"\npseudonym_key = "key"\n[drops]\nzone = "zone"\n'
        '[watching]\nnotify_file = "addresses"\n[keeping]\nbackups = "backups"\n'
    )
    for folder in ("data", "lake", "backups", "zone"):
        (tmp_path / folder).mkdir()
    for file in (tmp_path / "key", tmp_path / "addresses", tmp_path / "data" / "crlm.duckdb"):
        file.touch()
    journal_file(tmp_path / "data" / "crlm.duckdb").touch()
    for name, narrow, _ in RIGHTS:
        (tmp_path / name).chmod(narrow)
    return tmp_path


def found(server: Path) -> list[str]:
    return list(open_access(Configured.read(server / "crlm.toml")))


def test_nothing_is_said_where_rights_are_narrow(server: Path) -> None:
    assert found(server) == []
    refuse_open_access(Configured.read(server / "crlm.toml"))


@pytest.mark.parametrize(("name", "narrow", "wide"), RIGHTS)
def test_what_others_could_read_or_change_is_named_with_the_command_that_mends_it(
    server: Path, name: str, narrow: int, wide: int
) -> None:
    path = server / name
    path.chmod(wide)
    (problem,) = found(server)
    assert problem.startswith(f"{path}: ")
    with pytest.raises(UsageError, match="Take their rights away"):
        refuse_open_access(Configured.read(server / "crlm.toml"))
    command = problem.rpartition("away: ")[2].split()
    subprocess.run(command, check=True)
    assert found(server) == []
    assert path.stat().st_mode & 0o777 & ~narrow == 0


def test_a_folder_in_which_nobody_replaces_what_is_anothers_will_do(server: Path) -> None:
    (server / "data").chmod(0o1777)
    assert found(server) == []


def test_what_is_not_there_yet_is_passed_over(server: Path) -> None:
    (server / "data" / "crlm.duckdb").unlink()
    (server / "zone").rmdir()
    assert found(server) == []
