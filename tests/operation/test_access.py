"""Before an unattended run begins, what others could read or change is refused, with the command that mends it."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crlm_pipeline.errors import UsageError
from flows.access import open_access, refuse_open_access
from flows.configuration import Configured
from flows.journal import journal_file
from flows.nightly import night

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
    ("zone", 0o771, 0o775),
    ("zone", 0o771, 0o773),
    ("zone/north", 0o770, 0o774),
]


@pytest.fixture
def server() -> Iterator[Path]:
    """A server on which everything is as narrow as it should be, in a folder that all may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield laid_out(Path(name))


def laid_out(server: Path) -> Path:
    (server / "crlm.toml").write_text(
        'warehouse = "data/crlm.duckdb"\nlake = "lake"\npseudonym_key = "key"\n[drops]\nzone = "zone"\n'
        '[watching]\nnotify_file = "addresses"\n[keeping]\nbackups = "backups"\n'
    )
    for folder in ("data", "lake", "backups", "zone", "zone/north"):
        (server / folder).mkdir()
    for file in (server / "key", server / "addresses", server / "data" / "crlm.duckdb"):
        file.touch()
    journal_file(server / "data" / "crlm.duckdb").touch()
    for name, narrow, _ in RIGHTS:
        (server / name).chmod(narrow)
    return server


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
    shutil.rmtree(server / "zone")
    assert found(server) == []


def test_what_lies_where_nobody_else_can_come_is_passed_over(server: Path) -> None:
    (server / "data" / "crlm.duckdb").chmod(0o644)
    assert len(found(server)) == 1
    server.chmod(0o700)
    assert found(server) == []


def test_a_night_takes_nothing_from_a_zone_that_all_may_write(server: Path) -> None:
    drop = server / "zone" / "north" / "patient.csv"
    drop.touch()
    (server / "zone").chmod(0o777)
    (server / "data" / "crlm.duckdb").unlink()
    entry = night(Configured.read(server / "crlm.toml"))
    assert (entry.outcome, entry.exit_code, entry.stage) == ("failed", 2, "")
    assert entry.problem == next(open_access(Configured.read(server / "crlm.toml")))
    assert [alert.kind for alert in entry.alerts] == ["failure"]
    assert drop.is_file()
