"""The balance of rows: each row that was read is accepted, rejected or a duplicate; each rejection is on record."""

from collections import Counter
from collections.abc import Sequence

import polars as pl

from crlm_pipeline.extracts.tables import TEXT, Extract
from crlm_pipeline.validation.delivery import ROW_ID
from crlm_pipeline.validation.faults import DELETED_PATIENT
from crlm_pipeline.validation.screening import Screened
from schemas.audit import RejectedRow, RowLedger
from schemas.column import Table, describe

_PLACE = ["source_file_id", "source_row"]


def shape(model: type[Table]) -> dict[str, pl.DataType]:
    """Return the columns of an audit table as validation fills it: all but the run, which is not known yet."""
    return {name: dtype for name, dtype in describe(model).polars_schema.items() if name != "run_id"}


def row_ledger(extract: Extract, screened: list[Screened]) -> pl.DataFrame:
    """Return what became of the rows, per file and table; an imbalance is a defect of ours."""
    delivered: Counter[tuple[str, str]] = Counter()
    for part in extract.tables:
        delivered[part.source_file_id, part.table_name] += part.frame.height
    fates = pl.concat([_fates(table) for table in screened])
    assert fates.select(pl.sum_horizontal("^rows_.*$").eq(1).all()).item(), "a row has no fate or two"
    counts = fates.group_by("source_file_id", "table_name").agg(pl.col("^rows_.*$").sum().cast(pl.Int64))
    read = pl.DataFrame(
        [(file, table, count) for (file, table), count in delivered.items()],
        {"source_file_id": pl.String, "table_name": pl.String, "rows_read": pl.Int64},
        orient="row",
    )
    ledger = read.join(counts, on=["source_file_id", "table_name"], how="full", coalesce=True)
    ledger = ledger.with_columns(pl.col("^rows_.*$").fill_null(0)).select(shape(RowLedger).keys())
    balances = pl.sum_horizontal("rows_accepted", "rows_rejected", "rows_duplicate") == pl.col("rows_read")
    lost = ledger.filter(~balances).select("source_file_id", "table_name").rows()
    assert not lost, f"rows were lost or doubled: {lost}"
    return ledger.sort("source_file_id", "table_name")


def check_balance(extract: Extract, ledgers: Sequence[pl.DataFrame]) -> None:
    """Assert that each row of an extract is in one of its portions, by their balances."""
    read = sum(int(ledger["rows_read"].sum()) for ledger in ledgers)
    assert read == sum(table.frame.height for table in extract.tables), "rows are in no portion"


def whole_ledger(ledgers: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the balance of all patients from those of portions of them."""
    ledger = pl.concat(ledgers).group_by("source_file_id", "table_name").agg(pl.col("^rows_.*$").sum())
    return ledger.sort("source_file_id", "table_name")


def rejected_rows(extract: Extract, screened: list[Screened]) -> pl.DataFrame:
    """Return every rejected row and cell with its reason and the row as it was delivered."""
    parts = [_rejected(extract, table) for table in screened]
    return pl.concat([pl.DataFrame(schema=shape(RejectedRow)), *parts])


def _fates(screened: Screened) -> pl.DataFrame:
    """Return each delivered row with what it came to, one of three."""
    is_rejected = screened.found.filter(pl.col("action") == "row")[ROW_ID].implode()
    return screened.read.select(
        "source_file_id",
        pl.lit(screened.table.name).alias("table_name"),
        pl.col(ROW_ID).is_in(screened.rows[ROW_ID].implode()).alias("rows_accepted"),
        pl.col(ROW_ID).is_in(is_rejected).alias("rows_rejected"),
        pl.col("is_duplicate").alias("rows_duplicate"),
    )


def _rejected(extract: Extract, screened: Screened) -> pl.DataFrame:
    faults = screened.found.filter(pl.col("action") != "keep").sort(ROW_ID, "check_name", "column_name")
    placed = faults.join(screened.read.select(ROW_ID, *_PLACE), on=ROW_ID, how="left", maintain_order="left")
    raw = _raw_rows(extract, screened.table.name, placed)
    return placed.join(raw, on=_PLACE, how="left", maintain_order="left").select(
        "source_file_id",
        pl.lit(screened.table.name).alias("table_name"),
        "source_row",
        pl.col("action").alias("scope"),
        "check_name",
        "column_name",
        "message",
        pl.when(pl.col("check_name") != DELETED_PATIENT.name).then("raw_row").fill_null("{}").alias("raw_row"),
    )


def _raw_rows(extract: Extract, table: str, wanted: pl.DataFrame) -> pl.DataFrame:
    """Return the delivered records of these rows as JSON; a record that made several rows is the same for each.

    Of a row that an earlier run rejected already, what is on record of it comes first.
    """
    shape_of_raw = {"source_file_id": pl.String, "source_row": pl.Int32, "raw_row": pl.String}
    recorded = [
        part.raw_rows.select(pl.lit(part.source_file_id).alias("source_file_id"), "source_row", "raw_row")
        for part in extract.tables
        if part.table_name == table and part.raw_rows is not None
    ]
    parts = [pl.DataFrame(schema=shape_of_raw), *recorded]
    for part in extract.tables:
        rows = wanted.filter(pl.col("source_file_id") == part.source_file_id)
        if part.table_name == table and rows.height and part.raw.width > 1:
            raw = part.raw.join(rows, on="source_row", how="semi").cast({TEXT: pl.String})
            json = pl.struct(pl.exclude("source_row")).struct.json_encode().alias("raw_row")
            parts.append(raw.select(pl.lit(part.source_file_id).alias("source_file_id"), "source_row", json))
    return pl.concat(parts).unique(_PLACE, keep="first", maintain_order=True)
