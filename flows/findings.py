"""What `crlm check` tells of a source: counts and places, never a value."""

from typing import Any

import polars as pl

from crlm_pipeline.validation import Ingested
from flows.console import table_text


def findings(ingested: Ingested) -> dict[str, Any]:
    """Return the rows per table, the rejections by reason and the findings, as plain values."""
    return {
        "tables": _ledger(ingested).to_dicts(),
        "rejections": _rejections(ingested).to_dicts(),
        "findings": _found(ingested).to_dicts(),
    }


def findings_text(ingested: Ingested) -> str:
    """Return the same as text."""
    parts = [_section("Rows", _ledger(ingested))]
    for title, frame in (("Rejected", _rejections(ingested)), ("Findings", _found(ingested))):
        parts.append(_section(title, frame) if frame.height else f"{title}: none")
    return "\n\n".join(parts)


def _section(title: str, frame: pl.DataFrame) -> str:
    return f"{title}\n{table_text(frame.columns, frame.rows())}"


def _ledger(ingested: Ingested) -> pl.DataFrame:
    counts = pl.col("rows_read", "rows_accepted", "rows_rejected", "rows_duplicate").sum()
    return ingested.row_ledger.group_by("table_name", maintain_order=True).agg(counts).sort("table_name")


def _rejections(ingested: Ingested) -> pl.DataFrame:
    reason = ["table_name", "scope", "check_name", "column_name", "message"]
    return ingested.rejected_row.group_by(reason).agg(pl.len().alias("count")).sort(reason)


def _found(ingested: Ingested) -> pl.DataFrame:
    columns = ["severity", "check_name", "table_name", "column_name", "centre_id", "row_count", "message"]
    return ingested.finding.filter(pl.col("state") != "resolved").select(columns).sort(columns)
