"""Findings of the cohort, which are only noticed when lines and decisions are derived, join those of validation."""

from collections.abc import Sequence

import polars as pl

from crlm_pipeline.extracts.tables import Delivery, Extract, Notice, SourceFile
from crlm_pipeline.validation.findings import noticed
from crlm_pipeline.validation.results import notice_results
from crlm_pipeline.warehouse import Warehouse
from schemas.audit import CheckResult, Finding, FindingRow
from schemas.audit import SourceFile as SourceFileTable
from schemas.column import describe


def record_notices(warehouse: Warehouse, notices: Sequence[Notice], run_id: str) -> None:
    """Add notices to `audit.finding`, `audit.finding_row` and `audit.check_result`.

    Those that stood in the last published run persist: validation, which cannot see them, took them for resolved.
    """
    files = warehouse.read(SourceFileTable).drop("run_id").unique("source_file_id", maintain_order=True)
    described = tuple(SourceFile(**row) for row in files.iter_rows(named=True))
    findings, rows = noticed(Extract((Delivery("", described, (), tuple(notices), 0),)))
    warehouse.register("noticed_again", findings.select("finding_id"))
    before = warehouse.query("run/findings_noticed_again")["finding_id"]
    warehouse.execute("run/forget_findings_noticed_again")
    is_known = pl.col("finding_id").is_in(before.implode())
    state = pl.when(is_known).then(pl.lit("persisting")).otherwise("state").alias("state")
    found = findings.with_columns(state, run_id=pl.lit(run_id)).select(describe(Finding).polars_schema.keys())
    warehouse.insert(Finding, found)
    results = notice_results(notices).with_columns(run_id=pl.lit(run_id))
    warehouse.insert(CheckResult, results.select(describe(CheckResult).polars_schema.keys()))
    warehouse.insert(FindingRow, rows.select(describe(FindingRow).polars_schema.keys()))
