"""Warehouses of every earlier layout, written by the code of their time, under this version."""

import lzma
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from crlm_pipeline import migrations
from crlm_pipeline.errors import DefectError, SourceError
from crlm_pipeline.migrations import check_conserved
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from flows.job import Job, half_made_file, ingested_file
from flows.run import run
from flows.steps import RUNS
from schemas.archive import DELIVERED_MODELS, Delivery
from schemas.audit import Deletion, Finding, Run
from schemas.column import Integer, Table, Text, column
from schemas.layout import FINGERPRINT, LAYOUT, MODELS, fingerprint
from tests.command_line import Crlm

WAREHOUSES = Path(__file__).parents[1] / "warehouses"
EARLIER = range(1, LAYOUT)
JUDGED = (*RUNS["ingest"], *RUNS["annotate"])
SETTINGS = Settings(guidelines=("esmo",))


def written(layout: int, folder: Path) -> Path:
    """Put the warehouse of a layout into a folder."""
    path = folder / "crlm.duckdb"
    path.write_bytes(lzma.decompress((WAREHOUSES / f"layout_{layout}.duckdb.xz").read_bytes()))
    return path


def job_of(warehouse: Path, *sources: str, is_addition: bool = True) -> Job:
    """The second delivery holds a row that is rejected."""
    folders = tuple(WAREHOUSES / name for name in sources)
    report = warehouse.with_name("report")
    return Job(folders, warehouse, report, (), SETTINGS, is_partial_allowed=True, is_addition=is_addition)


def content_hash(warehouse: Path) -> str:
    with Warehouse.open_readonly(warehouse) as published:
        return str(published.read(Run)["content_hash"].item())


def on_record(warehouse: Path) -> dict[str, list[str]]:
    """Every row on record with all that it says, but by which version its file was read."""
    with Warehouse.open_of_any_layout(warehouse) as published:
        frames = {name: published.read(model).drop("row_no") for name, model in DELIVERED_MODELS.items()}
        frames["deletion"] = published.read(Deletion)
        frames["delivery"] = published.read(Delivery).drop("reader_key")
    return {name: sorted(map(str, frame.rows())) for name, frame in frames.items()}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The content hash of this version over the same deliveries."""
    warehouse = tmp_path_factory.mktemp("clean") / "crlm.duckdb"
    run(job_of(warehouse, "first", is_addition=False), JUDGED)
    run(job_of(warehouse, "second"), JUDGED)
    return content_hash(warehouse)


def test_the_layout_is_numbered_anew_when_a_table_or_column_changes() -> None:
    assert fingerprint(MODELS) == FINGERPRINT, (
        f"Tables or columns have changed. Raise LAYOUT if {LAYOUT} was released, record the fingerprint, say in "
        "docs/upgrades.md what is another, write a migration if a run needs one, keep a warehouse of the layout before."
    )


def test_the_fingerprint_tells_names_types_and_what_is_required() -> None:
    def table(column_name: str, kind: type, *, is_required: bool) -> type[Table]:
        body = {
            "__doc__": "A table.",
            "__module__": __name__,
            "__annotations__": {column_name: kind},
            "Config": type("Config", (), {"name": "audit.table", "metadata": {"grain": "row"}}),
            column_name: column("A column.", required=is_required),
        }
        return type("Changed", (Table,), body)

    tables = [table("a", Text, is_required=True), table("b", Text, is_required=True)]
    tables += [table("a", Integer, is_required=True), table("a", Text, is_required=False)]
    assert len({fingerprint([each]) for each in tables}) == len(tables)
    assert fingerprint(tables[:2]) != fingerprint(tables[:1])


@pytest.mark.parametrize("layout", EARLIER)
def test_an_earlier_layout_is_known_and_told_with_the_command_that_mends_it(
    layout: int, tmp_path: Path, crlm: Crlm
) -> None:
    warehouse = written(layout, tmp_path)
    with Warehouse.open_of_any_layout(warehouse) as published:
        assert published.layout == layout
    for command in (["report", "--report", tmp_path / "report"], ["explain", "d1"], ["verify"]):
        answer = crlm(*command[:1], *command[1:], "--warehouse", warehouse)
        assert answer.code == 3
        assert answer.is_one_line
        assert f"has layout {layout}" in answer.err
        assert f"crlm upgrade --warehouse {warehouse}" in answer.err


@pytest.mark.parametrize("layout", EARLIER)
def test_an_upgrade_conserves_every_row_on_record_and_ends_as_a_clean_run(
    layout: int,
    tmp_path: Path,
    clean: str,
    crlm: Crlm,
    quick_report: None,
) -> None:
    warehouse = written(layout, tmp_path)
    before, recorded = warehouse.read_bytes(), on_record(warehouse)
    answer = crlm("upgrade", "--warehouse", warehouse, "--report", tmp_path / "report", "--guideline", "esmo")
    assert answer.code == 0, answer.err
    assert on_record(warehouse) == recorded
    assert content_hash(warehouse) == clean
    (kept,) = tmp_path.glob("crlm.duckdb.replaced-*")
    assert str(kept) in answer.out
    assert kept.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"crlm.duckdb", "crlm.duckdb.lock", kept.name, "report"}
    assert crlm("verify", "--warehouse", warehouse).code == 0


def test_a_trial_of_an_upgrade_changes_nothing(tmp_path: Path, crlm: Crlm) -> None:
    warehouse = written(1, tmp_path)
    before = warehouse.read_bytes()
    answer = crlm("upgrade", "--warehouse", warehouse, "--guideline", "esmo", "--dry-run")
    assert answer.code == 0, answer.err
    assert "every verdict is given as often as before" in answer.out
    assert "nothing was published" in answer.out
    assert warehouse.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"crlm.duckdb", "crlm.duckdb.lock"}


def test_a_trial_tells_which_verdicts_an_upgrade_moves_and_hides_small_counts(tmp_path: Path, crlm: Crlm) -> None:
    warehouse = written(3, tmp_path)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update cohort.verdict set verdict = 'no_rule' where guideline = 'esmo'")
    answer = crlm("upgrade", "--warehouse", warehouse, "--guideline", "esmo", "--dry-run")
    told = [line.split() for line in answer.out.splitlines() if line.startswith("esmo")]
    assert told
    assert all(line[-3:] == ["code", "or", "settings"] for line in told)
    counts = [cell for line in told for cell in line[3:5]]
    assert "<5" in counts
    assert all(cell in {"0", "<5"} or int(cell) >= 5 for cell in counts)


@pytest.mark.parametrize("layout", EARLIER)
def test_deliveries_are_known_and_deletions_honoured_when_a_run_adds_to_an_earlier_layout(
    layout: int, tmp_path: Path
) -> None:
    warehouse = written(layout, tmp_path)
    before, recorded = warehouse.read_bytes(), on_record(warehouse)
    run(job_of(warehouse, "first", "second"), RUNS["ingest"])
    assert on_record(ingested_file(warehouse)) == recorded, "both deliveries were known"
    assert recorded["deletion"]
    assert warehouse.read_bytes() == before
    assert not half_made_file(warehouse).exists()
    with Warehouse.open_readonly(ingested_file(warehouse)) as ingested:
        states = set(ingested.read(Finding)["state"])
    assert "persisting" in states
    assert "new" not in states, "the findings were known too"


def test_a_file_without_a_record_is_followed_by_a_whole_registry_and_nothing_else(tmp_path: Path, crlm: Crlm) -> None:
    warehouse = written(1, tmp_path)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("drop schema archive cascade; drop table audit.deletion")
    with Warehouse.open_of_any_layout(warehouse) as published:
        assert published.layout == 0
    with pytest.raises(SourceError, match="kept no record of deliveries"):
        run(job_of(warehouse, "second"), RUNS["ingest"])
    assert "Run once with the whole registry" in crlm("upgrade", "--warehouse", warehouse).err
    run(job_of(warehouse, "first", is_addition=False), RUNS["ingest"])


def test_an_upgrade_that_would_lose_a_row_publishes_nothing(tmp_path: Path) -> None:
    warehouse = written(2, tmp_path)
    run(job_of(warehouse), RUNS["ingest"])
    ingested = ingested_file(warehouse)
    check_conserved(warehouse, ingested, half_made_file(warehouse))
    for statement, what in (
        ("delete from archive.mdt where row_no = 1", "rows of mdt"),
        ("delete from audit.deletion", "deletions"),
    ):
        run(job_of(warehouse), RUNS["ingest"])
        with duckdb.connect(str(ingested)) as connection:
            connection.execute(statement)
        with pytest.raises(DefectError, match=what):
            check_conserved(warehouse, ingested, half_made_file(warehouse))


def test_a_file_of_a_newer_version_is_told_as_such_and_not_written_over(tmp_path: Path) -> None:
    warehouse = tmp_path / "crlm.duckdb"
    run(job_of(warehouse, "first", is_addition=False), RUNS["ingest"])
    ingested_file(warehouse).rename(warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update audit.layout set layout = layout + 1")
    before = warehouse.read_bytes()
    for is_addition in (False, True):
        with pytest.raises(SourceError, match=f"newer version wrote the file: it has layout {LAYOUT + 1}"):
            run(job_of(warehouse, "second", is_addition=is_addition), JUDGED)
    assert warehouse.read_bytes() == before


def test_what_another_version_ingested_is_not_annotated(tmp_path: Path) -> None:
    warehouse = tmp_path / "crlm.duckdb"
    ingested_file(warehouse).write_bytes(written(3, tmp_path).read_bytes())
    with pytest.raises(SourceError, match=r"another version ingested it\. Run `crlm ingest"):
        run(replace(job_of(warehouse)), RUNS["annotate"])


def test_the_migrations_of_a_layout_are_those_after_it_and_none_of_what_kept_no_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(migrations, "sql_names", lambda _: ["migrations/0002_a", "migrations/0003_b"])
    needed = {layout: migrations.migrations(layout) for layout in range(4)}
    assert needed == {0: [], 1: ["migrations/0002_a", "migrations/0003_b"], 2: ["migrations/0003_b"], 3: []}
