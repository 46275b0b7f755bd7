"""Sums up faults and notices as findings: what was noticed, in which centre, in how many rows, whether it is new."""

import hashlib
from collections.abc import Sequence
from typing import Final

import polars as pl

from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.validation.delivery import ROW_ID
from crlm_pipeline.validation.faults import DELETED_PATIENT
from crlm_pipeline.validation.ledger import shape
from crlm_pipeline.validation.places import places
from crlm_pipeline.validation.screening import Screened
from schemas.audit import Finding, FindingRow

_TOLD: Final[dict[str, pl.DataType]] = {
    "check_name": pl.String(),
    "severity": pl.String(),
    "table_name": pl.String(),
    "column_name": pl.String(),
    "centre_id": pl.String(),
    "message": pl.String(),
    "place": pl.String(),
    "source_file_id": pl.String(),
    "source_row": pl.Int32(),
}
_GROUP: Final = ["check_name", "severity", "table_name", "column_name", "centre_id", "place"]


def summarise(
    extract: Extract, found: Sequence[pl.DataFrame], previous: pl.DataFrame | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the findings and the rows they concern, of the reader's notices and what was `found` (`told`).

    A finding is a check, table, column and centre; of a reader's notice the file and its text as well. `previous`: the
    findings of the last published run; those that are gone come back once, with no rows, as resolved.
    """
    findings, rows = _summed_up(pl.concat([_of_notices(extract), *found]))
    return _with_state(findings, previous), rows


def told(screened: Sequence[Screened], homes: pl.DataFrame) -> pl.DataFrame:
    """Return a line per fault of these tables, with its place (`homes`: see `home_centres`)."""
    return pl.concat([pl.DataFrame(schema=_TOLD), *(_of_table(table, homes) for table in screened)])


def told_again(findings: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the lines (`told`) of which these rows of `audit.finding_row` came; what a notice told is left out."""
    groups = findings.with_columns(pl.lit("").alias("place"))
    is_of_faults = pl.Series([_identity(row) for row in groups.select(_GROUP).iter_rows()], dtype=pl.String)
    groups = groups.filter(is_of_faults == groups["finding_id"])
    lines = rows.select("finding_id", "source_file_id", "source_row").join(groups, on="finding_id")
    return lines.select(_TOLD.keys())


def noticed(extract: Extract) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return notices alone as findings and the rows they concern; every one is new."""
    findings, rows = _summed_up(_of_notices(extract))
    return _with_state(findings, None), rows


def _summed_up(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    groups = lines.group_by(_GROUP, maintain_order=True).agg(pl.col("message").first())
    ids = pl.Series("finding_id", [_identity(row) for row in groups.select(_GROUP).iter_rows()], pl.String)
    groups = groups.with_columns(ids)
    rows = (
        lines.filter(pl.col("source_row").is_not_null())
        .join(groups, on=_GROUP, how="left", nulls_equal=True)
        .select(shape(FindingRow).keys())
        .unique()
        .sort(pl.all())
    )
    counts = rows.group_by("finding_id").agg(pl.len().cast(pl.Int64).alias("row_count"))
    return groups.join(counts, on="finding_id", how="left").with_columns(pl.col("row_count").fill_null(0)), rows


def _with_state(findings: pl.DataFrame, previous: pl.DataFrame | None) -> pl.DataFrame:
    if previous is None:
        previous = pl.DataFrame(schema=shape(Finding))
    open_before = previous.filter(pl.col("state") != "resolved")
    is_known = pl.col("finding_id").is_in(open_before["finding_id"].implode())
    state = pl.when(is_known).then(pl.lit("persisting")).otherwise(pl.lit("new"))
    gone = open_before.join(findings, on="finding_id", how="anti").with_columns(
        pl.lit("resolved").alias("state"), pl.lit(0, dtype=pl.Int64).alias("row_count")
    )
    columns = list(shape(Finding))
    return pl.concat([findings.with_columns(state.alias("state")).select(columns), gone.select(columns)]).sort(
        "check_name", "table_name", "column_name", "centre_id", "finding_id"
    )


def _of_table(screened: Screened, homes: pl.DataFrame) -> pl.DataFrame:
    is_odd = (pl.col("action") == "keep") | (pl.col("check_name") == DELETED_PATIENT.name)
    return screened.found.join(places(screened, homes, screened.found), on=ROW_ID, how="left").select(
        "check_name",
        pl.when(is_odd).then(pl.lit("warning")).otherwise(pl.lit("error")).alias("severity"),
        pl.lit(screened.table.name).alias("table_name"),
        "column_name",
        "centre_id",
        "message",
        pl.lit("").alias("place"),
        "source_file_id",
        "source_row",
    )


def _of_notices(extract: Extract) -> pl.DataFrame:
    names = {file.source_file_id: file.file_name for file in extract.files}
    lines = [
        {
            "check_name": notice.check_name,
            "severity": notice.severity,
            "table_name": notice.table_name,
            "column_name": notice.column_name,
            "message": notice.message,
            # The file's name, not its id: with other content it is still the same finding.
            "place": f"{names.get(notice.source_file_id or '', '')}|{notice.message}",
            "source_file_id": notice.source_file_id,
            "source_row": row,
        }
        for notice in extract.notices
        for row in (notice.rows or (None,))
    ]
    return pl.DataFrame(lines, schema=_TOLD)


def _identity(group: tuple[str | None, ...]) -> str:
    text = "\x1f".join(part or "" for part in group)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
