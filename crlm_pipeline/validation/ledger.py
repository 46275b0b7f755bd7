"""The balance of rows: each row that was read is accepted, rejected or a duplicate; each rejection is on record."""

from collections import Counter

import polars as pl

from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.validation.delivery import ROW_ID
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
    counts = fates.group_by("source_file_id", "table_name").agg(
        pl.col("fate").eq(fate).sum().cast(pl.Int64).alias(f"rows_{fate}")
        for fate in ("accepted", "rejected", "duplicate")
    )
    keys = [(file, table, count) for (file, table), count in delivered.items()]
    read = pl.DataFrame(keys, ["source_file_id", "table_name", "rows_read"], orient="row")
    ledger = read.join(counts, on=["source_file_id", "table_name"], how="full", coalesce=True).with_columns(
        pl.col("^rows_.*$").fill_null(0)
    )
    whole = pl.sum_horizontal("rows_accepted", "rows_rejected", "rows_duplicate") == pl.col("rows_read")
    lost = ledger.filter(~whole).select("source_file_id", "table_name").rows()
    assert not lost, f"rows were lost or doubled: {lost}"
    return ledger.select(shape(RowLedger).keys()).sort("source_file_id", "table_name")


def rejected_rows(extract: Extract, screened: list[Screened]) -> pl.DataFrame:
    """Return every rejected row and cell with its reason and the row as it was delivered."""
    parts = [_rejected(extract, table) for table in screened]
    return pl.concat([pl.DataFrame(schema=shape(RejectedRow)), *parts])


def _fates(screened: Screened) -> pl.DataFrame:
    accepted = pl.col(ROW_ID).is_in(screened.rows[ROW_ID].implode())
    rejected = pl.col(ROW_ID).is_in(screened.found.filter(pl.col("action") == "row")[ROW_ID].implode())
    fates = pl.concat_list(
        pl.when(accepted).then(pl.lit("accepted")),
        pl.when(rejected).then(pl.lit("rejected")),
        pl.when("is_duplicate").then(pl.lit("duplicate")),
    ).list.drop_nulls()
    return screened.read.select(
        "source_file_id", pl.lit(screened.table.name).alias("table_name"), fates.alias("fate")
    ).explode("fate")


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
        pl.col("raw_row").fill_null("{}"),
    )


def _raw_rows(extract: Extract, table: str, wanted: pl.DataFrame) -> pl.DataFrame:
    """Return the delivered records of these rows as JSON; a record that made several rows is the same for each."""
    parts = [pl.DataFrame(schema={"source_file_id": pl.String, "source_row": pl.Int32, "raw_row": pl.String})]
    for part in extract.tables:
        rows = wanted.filter(pl.col("source_file_id") == part.source_file_id)
        if part.table_name == table and rows.height and part.raw.width > 1:
            raw = part.raw.join(rows, on="source_row", how="semi")
            json = pl.struct(pl.exclude("source_row")).struct.json_encode().alias("raw_row")
            parts.append(raw.select(pl.lit(part.source_file_id).alias("source_file_id"), "source_row", json))
    return pl.concat(parts).unique(_PLACE, keep="first", maintain_order=True)
