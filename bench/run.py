"""Whole runs: all steps beside reading the files, the tables of the report, and a run in which little has changed."""

import shutil
from pathlib import Path

import duckdb
import polars as pl

from bench.harness import Comparison, Cost, Task, fresh, here
from bench.work import Work, row_count
from crlm_pipeline.marts import build_marts
from crlm_pipeline.warehouse import building
from flows.job import ingested_file
from schemas.audit import Run

CHANGED_SHARE = 0.05


def compare(work: Work) -> Comparison:
    """Return a run, whole and by step, against reading the same files; every one in a process of its own."""
    warehouse, rows = work.folder / "run.duckdb", row_count(work.registry)
    generated = work.folder / "generated"
    return Comparison(
        tasks={
            "generate": fresh("generate", generated, str(work.patients), rows=rows),
            "read_csv": fresh("read_csv_polars", work.registry, rows=rows),
            "run": fresh("run", work.registry, warehouse, rows=rows, before=lambda: warehouse.unlink(missing_ok=True)),
            "report": fresh("report", work.registry, work.published, rows=rows),
        },
        ratios={"run_vs_read_csv": ("run", "read_csv")},
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


def compare_incremental(work: Work) -> Comparison:
    """Return judging a registry in which few patients changed, after one that was judged, against judging it anew."""
    changed = _changed(work.registry, work.folder / "changed")
    after, anew = work.folder / "after.duckdb", work.folder / "anew.duckdb"
    fresh("ingest", changed, anew).do()
    kept = shutil.copyfile(ingested_file(anew), work.folder / "changed.next")

    def before_anew() -> None:
        anew.unlink(missing_ok=True)
        shutil.copyfile(kept, ingested_file(anew))

    def before_after() -> None:
        shutil.copyfile(work.published, after)
        shutil.copyfile(kept, ingested_file(after))

    return Comparison(
        tasks={
            "annotate_anew": fresh("annotate", changed, anew, before=before_anew),
            "annotate_changed": fresh("annotate", changed, after, before=before_after),
        },
        ratios={"incremental_vs_full": ("annotate_changed", "annotate_anew")},
    )


def _changed(source: Path, target: Path) -> Path:
    """Copy a registry and take the performance status of some of its patients away, evenly spread."""
    shutil.copytree(source, target)
    path = target / "assessment.csv"
    number = pl.col("patient_id").str.tail(7).cast(pl.Int64)
    is_changed = number % round(1 / CHANGED_SHARE) == 0
    ecog = pl.when(is_changed).then(None).otherwise(pl.col("ecog")).alias("ecog")
    pl.read_csv(path, infer_schema_length=0).with_columns(ecog).write_csv(path)
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
