"""Backups that can be restored, and what goes in time: never what is published or what a later run needs."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from crlm_pipeline.backups import back_up, backups, restore
from crlm_pipeline.errors import SourceError
from crlm_pipeline.keeping import RawRows, forget_raw_rows, raw_rows_before
from crlm_pipeline.locking import lock
from crlm_pipeline.settings import Settings
from crlm_pipeline.verification import verify
from crlm_pipeline.warehouse import Warehouse
from flows.configuration import Configuration, Configured, Drops, Keeping
from flows.job import Job, half_made_file, ingested_file
from flows.journal import Entry, entries, record
from flows.nightly import night
from flows.run import run
from flows.steps import RUNS
from flows.tidying import keep, removals
from schemas.archive import DELIVERED_MODELS, Delivery
from schemas.audit import RejectedRow, Run
from schemas.column import Table
from tests.command_line import Crlm

WAREHOUSES = Path(__file__).parents[1] / "warehouses"
SETTINGS = Settings(guidelines=("esmo",))
NOW = datetime(2030, 1, 31, 4, 15)


def job_of(warehouse: Path, *sources: Path, is_addition: bool = False, lake: Path | None = None) -> Job:
    report = warehouse.with_name("report")
    return Job(sources, warehouse, report, (), SETTINGS, is_partial_allowed=True, is_addition=is_addition, lake=lake)


def judge(job: Job, run_id: str) -> None:
    run(replace(job, run_id=run_id), (*RUNS["ingest"], *RUNS["annotate"]))


FIRST_RUN, SECOND_RUN = "20300101T000000-00000001", "20300102T000000-00000002"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of two nights, in which rows were rejected and replaced."""
    warehouse = tmp_path_factory.mktemp("made") / "crlm.duckdb"
    judge(job_of(warehouse, WAREHOUSES / "first"), FIRST_RUN)
    judge(job_of(warehouse, WAREHOUSES / "second", is_addition=True), SECOND_RUN)
    return warehouse


@pytest.fixture
def warehouse(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made, tmp_path / "crlm.duckdb"))


def read(warehouse: Path, model: type[Table]) -> pl.DataFrame:
    with Warehouse.open_readonly(warehouse) as published:
        return published.read(model)


def content_hash(warehouse: Path) -> str:
    with Warehouse.open_readonly(warehouse) as published:
        assert all(one.problem is None for one in verify(published))
        return published.content_hash()


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Backups


def test_a_backup_is_restored_as_it_was_and_the_replaced_file_is_kept(
    warehouse: Path, tmp_path: Path, crlm: Crlm
) -> None:
    was, recorded = content_hash(warehouse), warehouse.read_bytes()
    answer = crlm("backup", "--warehouse", warehouse, "--to", tmp_path / "backups")
    assert answer.code == 0, answer.err
    (made,) = backups(tmp_path / "backups")
    assert made.name == SECOND_RUN
    assert str(made) in answer.out
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "backups", *(tmp_path / "backups").rglob("*"))} == {0}
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("delete from cohort.verdict")
    broken = warehouse.read_bytes()
    answer = crlm("restore", made, "--warehouse", warehouse)
    assert answer.code == 0, answer.err
    assert not answer.err
    assert warehouse.read_bytes() == recorded
    assert content_hash(warehouse) == was
    (kept,) = tmp_path.glob("crlm.duckdb.replaced-*")
    assert kept.read_bytes() == broken
    assert warehouse.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.restoring"))


def test_a_backup_is_restored_where_nothing_was_published(warehouse: Path, tmp_path: Path) -> None:
    made = back_up(warehouse, tmp_path / "backups", NOW)
    assert restore(made, tmp_path / "new.duckdb", NOW) is None
    assert content_hash(tmp_path / "new.duckdb") == content_hash(warehouse)


def test_the_same_file_is_backed_up_once_and_one_of_the_same_run_that_differs_takes_its_place(
    warehouse: Path, tmp_path: Path
) -> None:
    made = back_up(warehouse, tmp_path / "backups", NOW)
    before = (made / "manifest.json").stat().st_ino
    assert back_up(warehouse, tmp_path / "backups", NOW) == made
    assert (made / "manifest.json").stat().st_ino == before
    forget_raw_rows(warehouse, NOW, half_made_file(warehouse))
    assert back_up(warehouse, tmp_path / "backups", NOW) == made
    assert (made / "warehouse.duckdb").read_bytes() == warehouse.read_bytes()
    (made / "warehouse.duckdb").write_bytes(b"damaged meanwhile")
    back_up(warehouse, tmp_path / "backups", NOW)
    assert (made / "warehouse.duckdb").read_bytes() == warehouse.read_bytes()
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [SECOND_RUN]


@pytest.mark.parametrize("damage", ["byte", "shorter", "gone", "manifest", "no manifest"])
def test_a_damaged_backup_is_refused_and_what_is_published_stays(
    damage: str, warehouse: Path, tmp_path: Path, crlm: Crlm
) -> None:
    made = back_up(warehouse, tmp_path / "backups", NOW)
    copy = made / "warehouse.duckdb"
    whole = bytearray(copy.read_bytes())
    if damage == "byte":
        whole[len(whole) // 2] ^= 1
        copy.write_bytes(whole)
    elif damage == "shorter":
        copy.write_bytes(whole[:-1])
    elif damage == "gone":
        copy.unlink()
    elif damage == "manifest":
        (made / "manifest.json").write_text('{"run_id": "x"}')
    else:
        (made / "manifest.json").unlink()
    before = files(tmp_path)
    answer = crlm("restore", made, "--warehouse", warehouse)
    assert answer.code == 3
    assert answer.is_one_line
    assert str(made) in answer.err
    assert files(tmp_path) == before | {"crlm.duckdb.lock": b""}


def test_a_warehouse_that_is_not_as_recorded_is_not_backed_up(warehouse: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("delete from cohort.verdict")
    with pytest.raises(SourceError, match="not what its run recorded"):
        back_up(warehouse, tmp_path / "backups", NOW)
    assert list((tmp_path / "backups").iterdir()) == []


def test_nothing_is_restored_or_backed_up_while_a_run_holds_the_warehouse(
    warehouse: Path, tmp_path: Path, crlm: Crlm
) -> None:
    made = back_up(warehouse, tmp_path / "backups", NOW)
    before = warehouse.read_bytes()
    with lock(warehouse):
        assert crlm("restore", made, "--warehouse", warehouse).code == 5
        assert crlm("backup", "--warehouse", warehouse, "--to", tmp_path / "other").code == 5
        assert crlm("upgrade", "--warehouse", warehouse).code == 5
    assert warehouse.read_bytes() == before


ON_A_FULL_DISK = """
import resource, signal, sys
from flows.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
sys.argv = ["crlm", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_full_disk_is_told_and_nothing_is_lost(command: str, warehouse: Path, tmp_path: Path) -> None:
    made = back_up(warehouse, tmp_path / "backups", NOW)
    os.utime(warehouse)
    words = {"backup": ["backup", "--to", tmp_path / "other"], "restore": ["restore", made]}[command]
    before = files(tmp_path)
    arguments = [*map(str, words), "--warehouse", str(warehouse)]
    ended = subprocess.run(
        [sys.executable, "-c", ON_A_FULL_DISK, *arguments], check=False, capture_output=True, text=True
    )
    assert ended.returncode == 3, ended.stderr
    assert "the copy cannot be written (file too large)" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert files(tmp_path) == before | {"crlm.duckdb.lock": b""}


def test_a_restore_that_forgets_a_deletion_says_so(warehouse: Path, tmp_path: Path, crlm: Crlm) -> None:
    older = tmp_path / "older" / "crlm.duckdb"
    older.parent.mkdir()
    judge(job_of(older, WAREHOUSES / "first"), FIRST_RUN)
    made = back_up(older, tmp_path / "backups", NOW)
    answer = crlm("restore", made, "--warehouse", warehouse)
    assert answer.code == 0
    assert "deliver the lists" in answer.err


def test_a_lake_is_backed_up_and_restored_with_its_warehouse(tmp_path: Path) -> None:
    warehouse = tmp_path / "crlm.duckdb"
    judge(job_of(warehouse, WAREHOUSES / "first", lake=tmp_path / "lake"), FIRST_RUN)
    was = content_hash(warehouse)
    made = back_up(warehouse, tmp_path / "backups", NOW)
    lake = tmp_path / "lake" / FIRST_RUN
    before = files(lake)
    assert files(made / "lake") == before
    damaged = next(lake.glob("extract/patient/*/rows.parquet"))
    damaged.write_bytes(b"damaged")
    restore(made, warehouse, NOW)
    assert files(lake) == before
    shutil.rmtree(tmp_path / "lake")
    restore(made, warehouse, NOW)
    assert content_hash(warehouse) == was
    next((made / "lake").glob("extract/patient/*/rows.parquet")).write_bytes(b"damaged")
    shutil.rmtree(tmp_path / "lake")
    with pytest.raises(SourceError, match="backup is damaged"):
        restore(made, warehouse, NOW)
    assert list((tmp_path / "lake").iterdir()) == []


# What goes in time


def run_at(number: int) -> str:
    return f"203001{number:02d}T000000-0000000{number}"


@pytest.fixture
def configuration(warehouse: Path, tmp_path: Path) -> Configuration:
    """Nothing is kept longer than it must."""
    keeping = Keeping(backups=tmp_path / "backups", warehouses=2, raw_days=30, journal_days=30)
    return Configuration(warehouse=warehouse, keeping=keeping, drops=Drops(zone=tmp_path / "zone"))


def gone(configuration: Configuration, now: datetime = NOW) -> list[str]:
    told = []
    for one in removals(configuration, now):
        one.remove()
        told.append(one.what)
    assert [one.what for one in removals(configuration, now)] == []
    return told


def test_rows_that_were_rejected_or_replaced_go_after_their_days(configuration: Configuration) -> None:
    warehouse = configuration.warehouse
    # The first delivery was read on the 1st, the second, which was rejected in part and replaced a row, on the 2nd.
    second = datetime(2030, 1, 2)
    assert raw_rows_before(warehouse, second) == RawRows(rejected=0, replaced=0)
    assert raw_rows_before(warehouse, second + timedelta(seconds=1)) == RawRows(rejected=2, replaced=1)
    was, standing = content_hash(warehouse), standing_rows(warehouse)
    assert gone(configuration, second + timedelta(days=30)) == []
    (told,) = gone(configuration, second + timedelta(days=30, seconds=1))
    assert told == f"{warehouse}: 2 rejected and 1 replaced rows, older than 30 days"
    assert content_hash(warehouse) == was
    assert standing_rows(warehouse) == standing
    rejected = read(warehouse, RejectedRow)
    assert rejected["raw_row"].to_list() == ["{}"]
    assert rejected["message"].item()
    assert read(warehouse, DELIVERED_MODELS["biomarker"])["superseded_run_id"].null_count() == len(
        read(warehouse, DELIVERED_MODELS["biomarker"])
    )
    assert b"p.Gly12Val" not in warehouse.read_bytes(), "not a byte of the replaced row is left"


def standing_rows(warehouse: Path) -> dict[str, pl.DataFrame]:
    return {
        name: read(warehouse, model).filter(pl.col("superseded_run_id").is_null()).drop("raw_row").rows()
        for name, model in DELIVERED_MODELS.items()
    }


def test_what_is_forgotten_stays_so_and_deliveries_are_known_again(configuration: Configuration) -> None:
    warehouse = configuration.warehouse
    gone(configuration, NOW + timedelta(days=99))
    was, known = content_hash(warehouse), read(warehouse, Delivery)
    with Warehouse.open_readonly(warehouse) as published:
        assert published.read(Run)["run_id"].item() == SECOND_RUN
    judge(job_of(warehouse, WAREHOUSES / "first", WAREHOUSES / "second", is_addition=True), run_at(3))
    assert content_hash(warehouse) == was
    assert read(warehouse, Delivery).equals(known)
    assert read(warehouse, RejectedRow)["raw_row"].to_list() == ["{}"]
    assert gone(configuration, NOW + timedelta(days=99)) == []


def test_all_but_the_newest_copies_go(configuration: Configuration, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    for number in (1, 3, 2):
        (folder / run_at(number)).mkdir(parents=True)
        (folder / run_at(number) / "warehouse.duckdb").touch()
        (tmp_path / f"crlm.duckdb.replaced-2030010{number}T000000").touch()
    (folder / ".half-made-x").mkdir()
    (folder / "of-somebody-else").mkdir()
    (folder / "of-somebody-else" / "warehouse.duckdb").touch()
    assert len(gone(configuration)) == 3
    assert sorted(path.name for path in folder.iterdir()) == [run_at(2), run_at(3), "of-somebody-else"]
    assert sorted(path.name[-15:-7] for path in tmp_path.glob("*.replaced-*")) == ["20300102", "20300103"]


def test_drops_that_were_put_away_go_after_their_days_and_nothing_else(
    configuration: Configuration, tmp_path: Path
) -> None:
    zone = tmp_path / "zone"
    for folder in ("_processed", "_rejected", "_quarantined"):
        for number in (1, 2):
            (zone / folder / run_at(number) / "source").mkdir(parents=True)
    (zone / "_processed" / "00-notes").mkdir()
    told = gone(configuration, datetime(2030, 2, 1))
    outcomes = ("_processed", "_rejected", "_quarantined")
    assert [one.partition(": ")[0] for one in told] == [str(zone / outcome / run_at(1)) for outcome in outcomes]
    left = {str(path.relative_to(zone)) for path in zone.glob("*/*")}
    assert left == {"_processed/00-notes", *(f"{outcome}/{run_at(2)}" for outcome in outcomes)}


def test_what_killed_runs_left_behind_goes_and_what_waits_to_be_annotated_stays_a_day(
    configuration: Configuration, tmp_path: Path
) -> None:
    warehouse = configuration.warehouse
    half_made_file(warehouse).touch()
    (tmp_path / "crlm.duckdb.restoring").touch()
    (tmp_path / ".crlm.duckdb.building-spill-x").mkdir()
    (tmp_path / ".crlm.duckdb-upgrade-x").mkdir()
    (tmp_path / "other.duckdb.building").touch()
    configuration = configuration.model_copy(update={"lake": tmp_path / "lake"})
    (tmp_path / "lake" / ".half-made-x").mkdir(parents=True)
    (tmp_path / "lake" / run_at(1)).mkdir()
    ingested = ingested_file(warehouse)
    ingested.touch()
    changed = datetime(1970, 1, 1) + timedelta(seconds=ingested.stat().st_mtime)
    before = warehouse.read_bytes()
    assert len(gone(configuration, changed + timedelta(days=1))) == 5
    assert ingested.exists()
    assert len(gone(configuration, changed + timedelta(days=1, seconds=1))) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"crlm.duckdb", "other.duckdb.building", "lake"}
    assert [path.name for path in (tmp_path / "lake").iterdir()] == [run_at(1)]
    assert warehouse.read_bytes() == before


def entry(number: int) -> Entry:
    ended = datetime(2030, 1, number)
    return Entry(run_id=run_at(number), name="nightly", started_at=ended, ended_at=ended, outcome="nothing_new")


def test_the_journal_forgets_runs_after_their_days(configuration: Configuration) -> None:
    for number in (1, 2, 3):
        record(configuration.warehouse, entry(number))
    (told,) = gone(configuration, datetime(2030, 2, 1))
    assert "1 runs" in told
    assert entries(configuration.warehouse) == [entry(2), entry(3)]


def test_without_settings_nothing_goes_but_what_was_left_behind(warehouse: Path, tmp_path: Path) -> None:
    (tmp_path / "zone" / "_processed" / run_at(1)).mkdir(parents=True)
    configuration = Configuration(warehouse=warehouse, drops=Drops(zone=tmp_path / "zone"))
    assert gone(configuration, NOW + timedelta(days=9999)) == []


def test_a_night_ends_with_a_backup_without_what_has_gone_and_with_no_more_than_are_kept(
    configuration: Configuration, tmp_path: Path
) -> None:
    for number in (1, 2):
        made = tmp_path / "backups" / f"2029010{number}T000000-00000001"
        made.mkdir(parents=True)
        (made / "warehouse.duckdb").touch()
    told = keep(configuration, datetime(2030, 3, 1))
    assert [path.name for path in backups(tmp_path / "backups")] == [SECOND_RUN, "20290102T000000-00000001"]
    assert len(told) == 3
    assert keep(configuration, datetime(2030, 3, 2)) == [], "the same file is not copied every night"
    restore(tmp_path / "backups" / SECOND_RUN, tmp_path / "again.duckdb", NOW)
    assert raw_rows_before(tmp_path / "again.duckdb", datetime(2030, 3, 1)) == RawRows(rejected=0, replaced=0)


def test_a_night_without_a_delivery_keeps_as_well(warehouse: Path, tmp_path: Path) -> None:
    (tmp_path / "zone").mkdir()
    settings = 'warehouse = "crlm.duckdb"\n[drops]\nzone = "zone"\n[keeping]\nbackups = "backups"\nraw_days = 30\n'
    (tmp_path / "crlm.toml").write_text(settings)
    ended = night(Configured.read(tmp_path / "crlm.toml"), clock=lambda: NOW + timedelta(days=30))
    assert (ended.outcome, ended.problem) == ("nothing_new", None)
    (made,) = backups(tmp_path / "backups")
    assert (made / "warehouse.duckdb").read_bytes() == warehouse.read_bytes()
    assert raw_rows_before(warehouse, NOW) == RawRows(rejected=0, replaced=0)


def test_tidy_lists_or_removes_by_the_settings(
    warehouse: Path, tmp_path: Path, crlm: Crlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("crlm.toml").write_text('warehouse = "crlm.duckdb"\n')
    half_made_file(warehouse).touch()
    answer = crlm("tidy", "--dry-run")
    assert answer.out == "would go: crlm.duckdb.building: left behind\n"
    assert half_made_file(warehouse).exists()
    assert crlm("tidy").out == "gone: crlm.duckdb.building: left behind\n"
    assert not half_made_file(warehouse).exists()
    assert crlm("tidy").out == ""
    with lock(Path("crlm.duckdb")):
        assert crlm("tidy").code == 5
