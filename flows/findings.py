"""What `crlm check` tells of a source: counts, places and reasons, never a value of a patient."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from crlm_pipeline.validation import CorrectionList, Ingested
from flows.console import table_text
from schemas.vocabulary import CHECK_STATUS

_NO_CENTRE: Final = pl.col("centre_id").fill_null("unknown")


def findings(ingested: Ingested) -> dict[str, Any]:
    """Return rows per table, rejections per centre and reason, what became of the checks, and the findings."""
    return {
        "tables": _ledger(ingested).to_dicts(),
        "centres": _centres(ingested).to_dicts(),
        "rejections": _rejections(ingested).to_dicts(),
        "check_summary": _summary(ingested),
        "checks": ingested.check_result.to_dicts(),
        "findings": _found(ingested).to_dicts(),
    }


def findings_text(ingested: Ingested) -> str:
    """Return the same as text; of the checks only those that did not simply pass or not apply."""
    parts = [
        _section("Rows", _ledger(ingested)),
        _section("Set aside, by centre", _centres(ingested).with_columns(_NO_CENTRE)),
        _section("Rejected", _rejections(ingested).with_columns(_NO_CENTRE)),
        _checks_text(ingested),
        _section("Findings", _found(ingested)),
    ]
    return "\n\n".join(parts)


def lists_text(folder: Path, lists: Sequence[CorrectionList]) -> str:
    """Return where the correction lists are, and that they are restricted."""
    if not lists:
        return f"corrections {folder}: nothing to correct"
    listed = table_text(("centre", "file", "lines"), [(one.centre_id or "unknown", *one[1:]) for one in lists])
    return (
        f"{listed}\ncorrections {folder}: patients' data, readable by you alone. "
        "Give each list to its own centre and to nobody else."
    )


def _section(title: str, frame: pl.DataFrame) -> str:
    return f"{title}\n{table_text(frame.columns, frame.rows())}" if frame.height else f"{title}: none"


def _ledger(ingested: Ingested) -> pl.DataFrame:
    counts = pl.col("rows_read", "rows_accepted", "rows_rejected", "rows_duplicate").sum()
    return ingested.row_ledger.group_by("table_name", maintain_order=True).agg(counts).sort("table_name")


def _centres(ingested: Ingested) -> pl.DataFrame:
    """Return rows and cells set aside per centre; a row counts once, however many checks it failed."""
    set_aside = ingested.corrections.filter(pl.col("set_aside").is_not_null())
    row = pl.struct("file", "table", "row")
    return (
        set_aside.group_by("centre_id")
        .agg(
            row.filter(pl.col("set_aside") == "row").n_unique().alias("rows"),
            (pl.col("set_aside") == "cell").sum().alias("cells"),
        )
        .sort("centre_id", nulls_last=True)
    )


def _rejections(ingested: Ingested) -> pl.DataFrame:
    reason = ["centre_id", "table_name", "scope", "check_name", "column_name", "message"]
    set_aside = ingested.corrections.filter(pl.col("set_aside").is_not_null()).rename(
        {
            "table": "table_name",
            "set_aside": "scope",
            "check": "check_name",
            "column": "column_name",
            "expected": "message",
        }
    )
    return set_aside.group_by(reason).agg(pl.len().alias("count")).sort(reason, nulls_last=True)


def _summary(ingested: Ingested) -> dict[str, int]:
    """Return the number of checks per status; those that passed although something failed them are counted apart."""
    checks = ingested.check_result
    counts = {status: checks.filter(pl.col("status") == status).height for status in CHECK_STATUS}
    tolerated = checks.filter(pl.col("status") == "pass", pl.col("rows_failed") > 0).height
    return {"pass": counts.pop("pass") - tolerated, "pass_with_failures": tolerated, **counts}


def _checks_text(ingested: Ingested) -> str:
    counts = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in _summary(ingested).items())
    columns = ["status", "check_name", "table_name", "column_name", "rows_checked", "rows_failed", "share", "threshold"]
    is_telling = (pl.col("rows_failed") > 0) | (pl.col("status") == "error")
    telling = ingested.check_result.filter(is_telling).select(columns).sort(columns)
    percent = [
        pl.when(pl.col(name).is_not_null())
        .then(pl.format("{} %", (100 * pl.col(name)).round_sig_figs(3).cast(pl.String)))
        .alias(name)
        for name in ("share", "threshold")
    ]
    listed = f"\n{table_text(columns, telling.with_columns(percent).rows())}" if telling.height else ""
    return f"Checks: {counts}{listed}"


def _found(ingested: Ingested) -> pl.DataFrame:
    columns = ["severity", "check_name", "table_name", "column_name", "centre_id", "row_count", "message"]
    return ingested.finding.filter(pl.col("state") != "resolved").select(columns).sort(columns)
