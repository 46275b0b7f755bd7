"""Reading a registry with every check, beside readers of the same files that check nothing."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from bench.harness import Comparison, fresh, here
from bench.scan import scan_by_duckdb
from bench.work import Work, csv_files, row_count
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.validation import Ingested, validate
from schemas.extract import extract_tables

DIRTY_SHARE = 0.05


def compare(work: Work) -> Comparison:
    """Return ingesting clean and dirty files against reading them."""
    dirty = _soiled(work.sample, work.folder / "dirty")
    rows, dirty_rows = row_count(work.registry), row_count(dirty)
    return Comparison(
        tasks={
            "read_csv_polars": fresh("read_csv_polars", work.registry, rows=rows),
            "read_csv_duckdb": fresh("read_csv_duckdb", work.registry, rows=rows),
            "ingest": fresh("ingest", work.registry, work.folder / "clean.duckdb", rows=rows),
            "read_dirty_csv": fresh("read_csv_polars", dirty, rows=dirty_rows),
            "ingest_dirty": fresh("ingest", dirty, work.folder / "dirty.duckdb", rows=dirty_rows),
        },
        ratios={
            "ingest_vs_read_csv": ("ingest", "read_csv_polars"),
            "ingest_dirty_vs_read_csv": ("ingest_dirty", "read_dirty_csv"),
        },
    )


def compare_checks(work: Work) -> Comparison:
    """Return every check of a registry in memory against scanning the same tables as Parquet."""
    extract = read_sources([work.sample])
    tables = sorted(work.extract.glob("*.parquet"))
    checked = _checked(extract)
    rows = row_count(work.sample)
    assert sum(table.height for table in checked.tables.values()) == rows, "the clean registry lost rows"
    return Comparison(
        tasks={
            "scan_tables": here(lambda: [scan_by_duckdb([table]) for table in tables], rows),
            "checks": here(lambda: _checked(extract), rows),
        },
        ratios={"checks_vs_scan": ("checks", "scan_tables")},
    )


def _checked(extract: Extract) -> Ingested:
    return validate(extract, today=datetime.now(tz=UTC).date())


def _soiled(source: Path, target: Path) -> Path:
    """Copy a registry and put what is no date into the first date of so many of its rows, evenly spread."""
    target.mkdir()
    for path in csv_files(source):
        read = pl.read_csv(path, infer_schema_length=0)
        dates = [c.name for c in extract_tables()[path.stem].columns if c.dtype == pl.Date and c.name in read.columns]
        number = pl.int_range(pl.len())
        is_dirty = ((number + 1) * DIRTY_SHARE).floor() > (number * DIRTY_SHARE).floor()
        soiled = pl.when(is_dirty).then(pl.lit("31.02.2020x")).otherwise(pl.col(dates[0])).alias(dates[0])
        read.with_columns(soiled).write_csv(target / path.name)
    return target
