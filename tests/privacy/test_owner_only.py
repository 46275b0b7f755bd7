"""What is written of patients is its owner's alone, whatever the process allows; and no statement gets out."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from crlm_pipeline.guidelines.load import load_editions
from crlm_pipeline.publishing import publish
from crlm_pipeline.report.cases import write_cases
from crlm_pipeline.settings import Settings
from crlm_pipeline.synthetic import write_registry
from crlm_pipeline.warehouse import Warehouse, building
from flows import annotating, steps
from flows.run import run
from flows.steps import STEPS, Job


@pytest.fixture(params=[0o000, 0o022], ids=["000", "022"])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.usefixtures("umask")
def test_everything_that_a_run_writes_is_its_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_registry(tmp_path / "source", 60, 7)
    out = tmp_path / "out"
    job = Job((tmp_path / "source",), out / "inner" / "crlm.duckdb", out / "report")
    seen: dict[str, int] = {}

    def look(_: str = "") -> None:
        seen.update({path.relative_to(tmp_path).as_posix(): rights(path) for path in out.rglob("*")})

    for module in (steps, annotating):
        monkeypatch.setattr(module, "publish", lambda *files: (look(), publish(*files), look()))
    run(job, STEPS, look)
    with Warehouse.open_readonly(job.warehouse) as warehouse:
        write_cases(warehouse, out / "cases", load_editions(), Settings().headline_guideline)
        look()
    assert {"out/inner/crlm.duckdb", "out/inner/crlm.duckdb.lock", "out/inner/crlm.duckdb.building"} <= seen.keys()
    assert {"out/inner/crlm.duckdb.next", "out/report/index.html", "out/cases/centre-01.html"} <= seen.keys()
    assert any(name.startswith("out/report/data/") for name in seen)
    assert {name: oct(mode) for name, mode in seen.items() if mode & 0o077} == {}
    assert {path.name for path in (out / "inner").iterdir()} == {"crlm.duckdb", "crlm.duckdb.lock"}


@pytest.mark.usefixtures("umask")
def test_a_report_for_all_to_read_is_replaced_by_one_for_its_owner(tmp_path: Path) -> None:
    write_registry(tmp_path / "source", 60, 7)
    job = Job((tmp_path / "source",), tmp_path / "crlm.duckdb", tmp_path / "report")
    run(job)
    for path in (job.report, *job.report.rglob("*")):
        path.chmod(0o777)
    steps.report(job)
    assert {path.name for path in (job.report, *job.report.rglob("*")) if rights(path) & 0o077} == set()


@pytest.mark.usefixtures("umask")
def test_what_memory_cannot_hold_goes_into_a_folder_of_the_owner_that_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with building(tmp_path / "w.duckdb") as warehouse:
        (spill,) = tmp_path.glob(".w.duckdb-spill-*")
        assert rights(spill) == 0o700
        setting = warehouse._connection.sql("select current_setting('temp_directory')").fetchone()
        assert setting == (str(spill),)
    assert [path.name for path in tmp_path.iterdir()] == ["w.duckdb"]


def test_what_a_killed_build_spilled_is_removed_by_the_next(tmp_path: Path) -> None:
    left, other = tmp_path / ".w.duckdb-spill-abc", tmp_path / ".x.duckdb-spill-abc"
    for folder in (left, other):
        folder.mkdir()
        (folder / "duckdb_temp_storage").touch()
    with building(tmp_path / "w.duckdb"):
        assert not left.exists()
    assert other.exists()


ESCAPES = (
    "select * from read_csv('/etc/passwd')",
    "select * from read_text('/etc/passwd')",
    "from '/etc/passwd'",
    "copy (select 1) to '{folder}/out.csv'",
    "attach '{folder}/other.duckdb' as other",
    "export database '{folder}/out'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "set temp_directory = '{folder}'",
    "set lock_configuration = false",
)


@pytest.fixture(params=["written", "read", "in memory"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    if request.param == "in memory":
        warehouse = Warehouse.in_memory()
    else:
        warehouse = Warehouse.create(tmp_path / "w.duckdb")
        if request.param == "read":
            warehouse.close()
            warehouse = Warehouse.open_readonly(tmp_path / "w.duckdb")
    with warehouse:
        yield warehouse


@pytest.mark.parametrize("statement", ESCAPES)
def test_no_statement_reaches_another_file_or_the_network(opened: Warehouse, tmp_path: Path, statement: str) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(duckdb.Error):
        opened._connection.execute(statement.format(folder=tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_frames_are_still_handed_over(opened: Warehouse) -> None:
    opened.register("given", pl.DataFrame({"a": [1, 2]}))
    assert opened._connection.sql("select sum(a) from given").fetchone() == (3,)
