"""Refuses a run in which too much was set aside, or a check of ours broke: its result would not be what it seems."""

import polars as pl

from crlm_pipeline.errors import DefectError, RejectedShareError
from crlm_pipeline.validation.faults import DELETED_PATIENT
from crlm_pipeline.validation.ingest import Ingested


def check_shares(ingested: Ingested, allowed_share: float) -> None:
    """Raise `RejectedShareError` when more than `allowed_share` (0 to 1) of the rows, or of the cells, was rejected.

    Rows: of those read, those of deleted patients aside. Cells: of those delivered that held something; the cells of a
    rejected row are not among the rejected ones. Exactly the allowed share is allowed.
    """
    ledger = ingested.row_ledger
    is_deleted = pl.col("check_name") == DELETED_PATIENT.name
    rejected = ingested.rejected_row.filter(~is_deleted)
    deleted = ingested.rejected_row.height - rejected.height
    for scope, count, total in (
        ("row", int(ledger["rows_rejected"].sum()) - deleted, int(ledger["rows_read"].sum()) - deleted),
        ("cell", rejected.filter(pl.col("scope") == "cell").height, ingested.cells_delivered),
    ):
        if count > allowed_share * total:
            raise RejectedShareError(_message(ingested, scope, count / total, allowed_share))


def check_evaluated(ingested: Ingested) -> None:
    """Raise `DefectError` when a check could not be evaluated: impossible rows may stand among those accepted."""
    broken = ingested.check_result.filter(pl.col("status") == "error")
    if broken.height:
        places = ", ".join("/".join(filter(None, row)) for row in broken[:, ["table_name", "check_name"]].iter_rows())
        raise DefectError(
            f"{broken.height} of the checks could not be evaluated ({places}): this is a defect of crlm-pipeline, not "
            "of the source; nothing was published. Please report it, or publish without them with --partial."
        )


def _message(ingested: Ingested, scope: str, share: float, allowed_share: float) -> str:
    worst = (
        ingested.rejected_row.filter(pl.col("scope") == scope, pl.col("check_name") != DELETED_PATIENT.name)
        .join(ingested.source_file, on="source_file_id", how="left")
        .group_by("file_name", "table_name", "check_name", "column_name")
        .len()
        .sort(["len", "file_name", "table_name", "check_name", "column_name"], descending=[True, *[False] * 4])
        .row(0, named=True)
    )
    place = f"{worst['file_name']}, table {worst['table_name']}, column {worst['column_name']}"
    return (
        f"{share:.1%} of the {scope}s were rejected, {allowed_share:.1%} are allowed; nothing was published. "
        f"Most often: {place}: {worst['check_name']} ({worst['len']} {scope}s). "
        "Correct the source (`crlm check` lists every rejection), or publish what is left with --partial."
    )
