"""Whole runs: all steps beside reading the files, the tables of the report, and a run in which little has changed."""

import shutil
from pathlib import Path

import duckdb
import polars as pl

from bench.harness import Comparison, Cost, Task, fresh, here
from bench.work import Work, row_count
from crlm_pipeline.marts import build_marts
from crlm_pipeline.warehouse import building
from schemas.audit import Run

CHANGED_SHARE = 0.01


def compare(work: Work) -> Comparison:
    """Return a run, whole and by step, against reading the same files; every one in a process of its own.

    The nightly run adds a drop that changes few patients to what a run has published.
    """
    warehouse, rows = work.published_by_run, row_count(work.registry)
    nightly = work.folder / "nightly.duckdb"
    drop = _drop(work.registry, work.folder / "drop")

    def published() -> None:
        shutil.copyfile(work.published, nightly)

    return Comparison(
        tasks={
            "generate": fresh("generate", work.folder / "generated", str(work.patients), rows=rows),
            "read_csv": fresh("read_csv_polars", work.registry, rows=rows),
            "run": fresh("run", work.registry, warehouse, rows=rows, before=lambda: warehouse.unlink(missing_ok=True)),
            "nightly": fresh("add", drop, nightly, rows=rows, before=published),
            "report": fresh("report", work.registry, warehouse, rows=rows),
        },
        ratios={"run_vs_read_csv": ("run", "read_csv"), "incremental_vs_full": ("nightly", "run")},
    )


def compare_marts(work: Work) -> Comparison:
    """Return filling the tables of the report against scanning the tables of the cohort that they count."""
    emptied = work.folder / "marts.duckdb"

    def without_marts() -> None:
        shutil.copyfile(work.published, emptied)
        with duckdb.connect(str(emptied)) as connection:
            connection.execute("drop schema mart cascade; create schema mart; delete from audit.report_key")

    def filled() -> Cost:
        # The copy that is built on is not what is measured.
        with building(emptied.with_suffix(".building"), start_from=emptied) as warehouse:
            return here(lambda: build_marts(warehouse, warehouse.read(Run).get_column("as_of").item())).do()

    without_marts()
    rows = _heights(emptied)
    return Comparison(
        tasks={
            "scan_cohort": here(lambda: _scan_cohort(emptied), rows),
            "cohort_tables": Task(filled, rows),
        },
        ratios={"cohort_tables_vs_scan": ("cohort_tables", "scan_cohort")},
    )


def _drop(source: Path, target: Path) -> Path:
    """Write the assessments of some patients of a registry, evenly spread, without their performance status."""
    target.mkdir()
    assessments = pl.read_csv(source / "assessment.csv", infer_schema_length=0)
    number = pl.col("patient_id").str.tail(7).cast(pl.Int64)
    changed = assessments.filter(number % round(1 / CHANGED_SHARE) == 0).with_columns(ecog=pl.lit(None, pl.String))
    changed.write_csv(target / "assessment.csv")
    return target


def _cohort_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    found = connection.sql(
        "select table_name, column_name from duckdb_columns() join duckdb_tables() using (table_oid, table_name) "
        "where duckdb_tables.schema_name = 'cohort'"
    )
    for table, column in found.fetchall():
        columns.setdefault(table, []).append(column)
    return columns


def _scan_cohort(file: Path) -> None:
    with duckdb.connect(str(file), read_only=True) as connection:
        for table, columns in _cohort_columns(connection).items():
            counts = ", ".join(f'count("{column}")' for column in columns)
            connection.execute(f"select {counts} from cohort.{table}")  # noqa: S608  # our own names


def _heights(file: Path) -> int:
    with duckdb.connect(str(file), read_only=True) as connection:
        rows = connection.sql("select sum(estimated_size) from duckdb_tables() where schema_name = 'cohort'").fetchone()
    assert rows is not None
    return int(rows[0])
