"""The warehouse holds every declared table, says what it holds, and is published whole or not at all."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from crlm_pipeline import warehouse as module
from crlm_pipeline.errors import SourceError, WarehouseBusyError
from crlm_pipeline.locking import lock
from crlm_pipeline.publishing import publish
from crlm_pipeline.warehouse import Warehouse, building
from schemas.archive import ARCHIVE_MODELS
from schemas.audit import AUDIT_MODELS
from schemas.cohort import COHORT_MODELS, FactSource, Recommendation, RequiredTest
from schemas.column import describe
from schemas.extract import EXTRACT_MODELS, Mdt, Outcome
from schemas.guideline import GUIDELINE_MODELS, Evidence
from schemas.mart import PathwayMix

DECLARED = [
    model
    for model in (*EXTRACT_MODELS, *COHORT_MODELS, *GUIDELINE_MODELS, *AUDIT_MODELS, *ARCHIVE_MODELS)
    if model not in (FactSource, Recommendation, RequiredTest)
]
HOLD = """
import sys
from pathlib import Path
from crlm_pipeline.locking import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
WRITE = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def evidence(*trials):
    return pl.DataFrame({"edition_id": ["e"] * len(trials), "rule_id": ["r"] * len(trials), "trial": list(trials)})


def meetings(*rows):
    schema = describe(Mdt).polars_schema
    return pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema)


def meeting(**cells):
    return {
        "patient_id": "p1",
        "mdt_date": date(2024, 1, 1),
        "source_file_id": "f1",
        "source_row": 1,
    } | cells


@pytest.fixture(scope="module")
def comments(tmp_path_factory):
    path = tmp_path_factory.mktemp("comments") / "cohort.duckdb"
    Warehouse.create(path).close()
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.sql("select schema_name || '.' || table_name, comment from duckdb_tables()").fetchall()
        columns = connection.sql(
            "select schema_name || '.' || table_name, column_name, data_type, comment from duckdb_columns() "
            "where schema_name in ('extract', 'cohort', 'guideline', 'audit', 'mart', 'archive') order by column_index"
        ).fetchall()
    return dict(tables), columns


def test_every_declared_table_is_there_with_its_sentence_and_grain(comments):
    tables, _ = comments
    assert set(tables) == {describe(model).qualified_name for model in DECLARED}
    assert tables["extract.outcome"] == "A response assessment or event. Grain: response assessment."
    assert all(tables.values())


def test_every_declared_column_is_there_with_its_sentence_unit_and_values(comments):
    _, columns = comments
    declared = {(describe(model).qualified_name, c.name) for model in DECLARED for c in describe(model).columns}
    assert {(table, column) for table, column, _, _ in columns} == declared
    texts = {(table, column): comment for table, column, _, comment in columns}
    assert all(texts.values())
    assert texts["extract.assessment", "crlm_max_mm"] == "Diameter of the largest liver metastasis. Unit: mm."
    assert texts["extract.outcome", "outcome"].endswith(
        "Values: complete_response, partial_response, stable_disease, progression."
    )


def test_the_file_is_the_owners_alone_and_pinned_to_a_layout_that_older_versions_read(tmp_path):
    path = tmp_path / "w.duckdb"
    Warehouse.create(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    with duckdb.connect(str(path), read_only=True) as connection:
        tags = connection.sql(
            "select tags['storage_version'] from duckdb_databases() where path is not null"
        ).fetchall()
    assert tags == [("v1.2.0+",)]


def test_what_an_ended_run_left_is_replaced(tmp_path):
    path = tmp_path / "w.duckdb"
    path.write_bytes(b"half a file")
    with Warehouse.create(path) as warehouse:
        assert warehouse.read(Evidence).height == 0


def test_rows_come_back_as_they_went_in_sorted(tmp_path):
    rows = meetings(meeting(source_row=2, disciplines=["surgery", "oncology"]), meeting(disciplines=[]), meeting())
    with Warehouse.create(tmp_path / "w.duckdb") as warehouse:
        warehouse.insert(Mdt, rows)
        assert warehouse.read(Mdt).equals(rows[[1, 0, 2]])
        assert dict(warehouse.read(Mdt).schema) == describe(Mdt).polars_schema


def test_columns_are_matched_by_name():
    with Warehouse.in_memory() as warehouse:
        warehouse.insert(Evidence, evidence("cairo5").select("trial", "rule_id", "edition_id"))
        assert warehouse.read(Evidence).rows() == [("e", "r", "cairo5")]


@pytest.mark.parametrize(
    "frame",
    [evidence("a").drop("trial"), evidence("a").with_columns(more=1), evidence("a").with_columns(trial=pl.lit(1))],
)
def test_a_frame_of_another_shape_is_a_defect_of_ours(frame):
    with (
        Warehouse.in_memory() as warehouse,
        pytest.raises(AssertionError, match=r"guideline\.evidence: columns differ"),
    ):
        warehouse.insert(Evidence, frame)


@pytest.mark.parametrize(
    "cells", [{"patient_id": None}, {"mdt_type": "tea"}, {"disciplines": ["surgery", "astrology"]}]
)
def test_the_database_refuses_what_the_declaration_does_not_allow(cells):
    with Warehouse.in_memory() as warehouse, pytest.raises(duckdb.ConstraintException) as refusal:
        warehouse.insert(Mdt, meetings(meeting(**cells)))
    assert "tea" not in str(refusal.value)
    assert "astrology" not in str(refusal.value)


def test_a_repeated_key_is_a_defect_of_ours():
    model = next(model for model in COHORT_MODELS if describe(model).name == "analyte_known")
    rows = pl.DataFrame({"patient_id": ["p", "p"], "analyte": ["msi", "msi"], "known_date": [date(2024, 1, 1)] * 2})
    with Warehouse.in_memory() as warehouse, pytest.raises(AssertionError, match="key is not unique"):
        warehouse.insert(model, rows)


@pytest.fixture
def statement(monkeypatch):
    statements = {}
    monkeypatch.setattr(module, "sql", statements.__getitem__)
    return statements


def test_a_statement_is_run_with_its_named_parameters(statement):
    statement["facts/trials"] = (
        "-- of a rule\nselect trial from guideline.evidence where trial >= $first order by trial;\n"
    )
    with Warehouse.in_memory() as warehouse:
        warehouse.insert(Evidence, evidence("b", "a", "c"))
        assert warehouse.query("facts/trials", first="b").rows() == [("b",), ("c",)]


def test_a_registered_frame_can_be_read_but_no_python_variable(statement):
    statement["facts/one"] = "select rule_id from known"
    known = evidence("a")
    with Warehouse.in_memory() as warehouse:
        with pytest.raises(duckdb.CatalogException):
            warehouse.query("facts/one")
        warehouse.register("known", known)
        assert warehouse.query("facts/one").height == 1


MIX = """
create {kind} mart.pathway_mix as
select 'all' as population, null::varchar as centre_id, null::integer as year, edition_id as guideline, edition_id,
    null::varchar as pathway, {count} as n, {count} as n_total, null::double as percent
from guideline.evidence group by all
"""


@pytest.mark.parametrize("kind", ["table", "view"])
def test_a_mart_is_built_by_sql_and_commented(statement, kind):
    statement["marts/pathway_mix"] = MIX.format(kind=kind, count="count(*)")
    with Warehouse.in_memory() as warehouse:
        warehouse.insert(Evidence, evidence("a", "b"))
        warehouse.build_mart(PathwayMix, "marts/pathway_mix")
        assert warehouse.read(PathwayMix)["n"].to_list() == [2]
        statement["comment"] = "select comment from duckdb_columns() where table_name = 'pathway_mix'"
        assert warehouse.query("comment")["comment"].null_count() == 0


def test_a_mart_of_other_types_is_a_defect_of_ours(statement):
    statement["marts/pathway_mix"] = MIX.format(kind="table", count="sum(1)")
    with Warehouse.in_memory() as warehouse, pytest.raises(AssertionError, match=r"\('n', 'HUGEINT'\)"):
        warehouse.build_mart(PathwayMix, "marts/pathway_mix")


def test_a_declared_table_may_be_a_view(statement):
    columns = ", ".join(f"null::{kind} as {name}" for name, kind in _view_columns(RequiredTest))
    statement["cohort/required_test"] = f"create view cohort.required_test as select {columns}"
    with Warehouse.in_memory() as warehouse:
        warehouse.create_view(RequiredTest, "cohort/required_test")
        assert warehouse.read(RequiredTest).height == 1


def _view_columns(model):
    return [(c.name, "date" if c.dtype == pl.Date() else "varchar") for c in describe(model).columns]


def test_a_table_that_sql_may_make_can_also_be_inserted():
    columns = describe(Recommendation).polars_schema
    rows = pl.DataFrame({name: [1 if dtype == pl.Int32() else "x"] for name, dtype in columns.items()}, schema=columns)
    known = {"certainty": "definite", "preference": "preferred", "state": "verified", "pathway": None}
    with Warehouse.in_memory() as warehouse:
        warehouse.insert(
            Recommendation, rows.with_columns(pl.lit(v, dtype=pl.String).alias(k) for k, v in known.items())
        )
        assert warehouse.read(Recommendation).height == 1


def test_a_warehouse_is_built_whole_and_another_may_start_from_it(tmp_path):
    first, second = tmp_path / "first.duckdb", tmp_path / "second.duckdb"
    with building(first) as warehouse:
        warehouse.insert(Evidence, evidence("a"))
    with building(second, start_from=first) as warehouse:
        warehouse.insert(Evidence, evidence("b"))
    assert second.stat().st_mode & 0o777 == 0o600
    counts = []
    for path in (first, second):
        with Warehouse.open_readonly(path) as warehouse:
            counts.append(warehouse.read(Evidence).height)
    assert counts == [1, 2]


def test_a_full_disk_is_the_users_to_mend_and_any_other_failure_ours(tmp_path):
    def build_until(error):
        with building(tmp_path / "w.duckdb"):
            raise error

    with pytest.raises(SourceError, match=r"cannot be written \(no space left on device\)"):
        build_until(duckdb.IOException("IO Error: Could not write: No space left on device"))
    with pytest.raises(duckdb.BinderException):
        build_until(duckdb.BinderException("no such column"))


def content(*inserts):
    with Warehouse.in_memory() as warehouse:
        for model, frame in inserts:
            warehouse.insert(model, frame)
        return warehouse.content_hash()


def test_the_content_hash_does_not_depend_on_the_order_of_insertion():
    together = content((Evidence, evidence("a", "b", "c")))
    assert content((Evidence, evidence("c")), (Evidence, evidence("b", "a"))) == together


@pytest.mark.parametrize("frame", [evidence("a"), evidence("a", "b", "b"), evidence("a", ""), evidence("a", "b ")])
def test_other_content_has_another_hash(frame):
    assert content((Evidence, frame)) != content((Evidence, evidence("a", "b")))


def test_unknown_and_empty_have_different_hashes():
    outcomes = [content((Mdt, meetings(meeting(trial_id=trial)))) for trial in (None, "", "null", "NULL")]
    assert len(set(outcomes)) == 4


def test_a_row_in_another_table_has_another_hash():
    mdt = meetings(meeting())
    outcome = pl.DataFrame(
        [
            {
                "patient_id": "p1",
                "outcome_date": date(2024, 1, 1),
                "outcome": "progression",
                "source_file_id": "f",
                "source_row": 1,
            }
        ],
        schema=describe(Outcome).polars_schema,
    )
    assert len({content(), content((Mdt, mdt)), content((Outcome, outcome))}) == 3


def test_the_record_of_the_run_does_not_change_the_hash():
    finding_row = next(model for model in AUDIT_MODELS if describe(model).name == "finding_row")
    rows = pl.DataFrame([("f", "s", "patient", 1)], schema=describe(finding_row).polars_schema, orient="row")
    assert content((finding_row, rows)) == content()


def test_the_hash_is_the_same_in_another_process_and_file(tmp_path):
    path = tmp_path / "w.duckdb"
    with Warehouse.create(path) as warehouse:
        warehouse.insert(Evidence, evidence("a", "b"))
        here = warehouse.content_hash()
    code = (
        "import sys; from pathlib import Path; from crlm_pipeline.warehouse import Warehouse; "
        "print(Warehouse.open_readonly(Path(sys.argv[1])).content_hash())"
    )
    there = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True).stdout
    assert there.strip() == here


def test_publishing_replaces_the_file_in_one_step(tmp_path):
    built, target = tmp_path / "w.duckdb.next", tmp_path / "w.duckdb"
    target.write_bytes(b"old")
    beside = tmp_path / "w.duckdb.wal"
    beside.write_bytes(b"changes to the old file")
    with Warehouse.create(built) as warehouse:
        warehouse.insert(Evidence, evidence("a"))
    publish(built, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w.duckdb"]
    assert target.stat().st_mode & 0o777 == 0o600
    with Warehouse.open_readonly(target) as warehouse:
        assert warehouse.read(Evidence).height == 1


def test_a_reader_keeps_the_old_file_while_a_new_one_is_published(tmp_path):
    built, target = tmp_path / "w.duckdb.next", tmp_path / "w.duckdb"
    Warehouse.create(target).close()
    with Warehouse.open_readonly(target) as reader:
        with Warehouse.create(built) as warehouse:
            warehouse.insert(Evidence, evidence("a"))
        publish(built, target)
        assert reader.read(Evidence).height == 0


class Other:
    """Another process that holds a file until it is let go."""

    def __init__(self, code: str, path: Path) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, "-c", code, path], stdin=pipe, stdout=pipe, text=True)
        assert self.process.stdout.readline() == "held\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()


def test_publishing_does_not_mind_a_program_that_holds_the_old_file(tmp_path):
    built, target = tmp_path / "w.duckdb.next", tmp_path / "w.duckdb"
    Warehouse.create(target).close()
    with Warehouse.create(built) as warehouse:
        warehouse.insert(Evidence, evidence("a"))
    with Other(WRITE, target):
        publish(built, target)
        with Warehouse.open_readonly(target) as warehouse:
            assert warehouse.read(Evidence).height == 1


def test_a_second_run_is_told_that_the_warehouse_is_held(tmp_path):
    target = tmp_path / "w.duckdb"
    with (
        Other(HOLD, target),
        pytest.raises(WarehouseBusyError, match=r"another run holds.*Wait until it ends"),
        lock(target),
    ):
        raise AssertionError
    with lock(target):
        assert (tmp_path / "w.duckdb.lock").stat().st_mode & 0o777 == 0o600


def test_a_killed_run_holds_nothing(tmp_path):
    target = tmp_path / "w.duckdb"
    other = Other(HOLD, target)
    other.process.kill()
    other.process.communicate()
    with lock(target):
        pass


def test_a_warehouse_that_another_program_writes_is_busy(tmp_path):
    target = tmp_path / "w.duckdb"
    Warehouse.create(target).close()
    with Other(WRITE, target), pytest.raises(WarehouseBusyError, match="another program has the warehouse open"):
        Warehouse.open_readonly(target)


def test_a_missing_folder_is_told_before_anything_runs(tmp_path):
    with pytest.raises(SourceError, match="folder cannot be written to"), lock(tmp_path / "none" / "w.duckdb"):
        raise AssertionError


@pytest.mark.parametrize(
    ("content", "problem"), [(None, "no such warehouse"), (b"", "not a DuckDB"), (b"text " * 5000, "not a DuckDB")]
)
def test_what_is_no_warehouse_is_told_in_one_line(tmp_path, content, problem):
    path = tmp_path / "w.duckdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=problem) as told:
        Warehouse.open_readonly(path)
    assert "\n" not in str(told.value)


def test_a_file_of_a_later_duckdb_is_told_as_such(tmp_path, monkeypatch):
    def refuse(*_):
        raise duckdb.IOException("Trying to read a database file with version number 999, but we can only read ...")

    path = tmp_path / "w.duckdb"
    path.touch()
    monkeypatch.setattr(module, "attach", refuse)
    with pytest.raises(SourceError, match="written by another version of DuckDB"):
        Warehouse.open_readonly(path)


def test_a_damaged_file_is_told_as_such(tmp_path):
    path = tmp_path / "w.duckdb"
    Warehouse.create(path).close()
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:12] + b"?" + whole[13:]):
        path.write_bytes(damaged)
        with pytest.raises(SourceError, match="damaged"):
            Warehouse.open_readonly(path)


def test_a_database_of_something_else_is_no_warehouse(tmp_path):
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table notes (text varchar)")
    with pytest.raises(SourceError, match="no crlm warehouse"):
        Warehouse.open_readonly(path)


def test_a_published_warehouse_cannot_be_written_to(tmp_path):
    path = tmp_path / "w.duckdb"
    Warehouse.create(path).close()
    with Warehouse.open_readonly(path) as warehouse, pytest.raises(duckdb.InvalidInputException):
        warehouse.insert(Evidence, evidence("a"))


def test_the_mask_of_new_files_is_as_it_was(tmp_path):
    before = os.umask(0o022)
    try:
        Warehouse.create(tmp_path / "w.duckdb").close()
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def test_a_column_that_an_older_version_did_not_write_is_unknown_and_a_required_one_is_missed(tmp_path):
    path = tmp_path / "older.duckdb"
    with Warehouse.create(path) as warehouse:
        warehouse.insert(Mdt, meetings(meeting()))
    optional = next(column.name for column in describe(Mdt).columns if not column.required)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"alter table extract.mdt drop column {optional}")
    with Warehouse.open_readonly(path) as warehouse:
        whole, chosen = warehouse.read(Mdt), warehouse.read(Mdt, among=pl.DataFrame({"patient_id": ["p1"]}))
    assert whole.schema == describe(Mdt).polars_schema
    assert whole.equals(chosen)
    assert whole[optional].to_list() == [None]
    with duckdb.connect(str(path)) as connection:
        connection.execute("alter table extract.mdt drop column mdt_date")
    with Warehouse.open_readonly(path) as warehouse, pytest.raises(duckdb.BinderException):
        warehouse.read(Mdt)
