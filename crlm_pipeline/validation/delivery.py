"""Stacks what the sources delivered for one table: text, one line per row, in reading order."""

from collections.abc import Sequence

import polars as pl

from crlm_pipeline.extracts.tables import TEXT, Delivery, Extract, dense, recoded
from schemas.column import SOURCE_COLUMNS, TableDescription

ROW_ID = "row_id"


def contract_columns(table: TableDescription) -> list[str]:
    """Return the columns that a source may deliver: all but those that say where a row came from."""
    return [column.name for column in table.columns if column.name not in SOURCE_COLUMNS]


def deliver(extract: Extract, table: TableDescription, only: pl.Series | None = None) -> pl.DataFrame:
    """Return the delivered rows of a table: `row_id` (from 0), `source_file_id`, `source_row` and every column as TEXT.

    Blanks around a value are not part of it; an empty text is unknown (null), as is a column that no source has.
    `only`: the ids of the rows that are asked for.
    """
    rows = archived(extract.deliveries, table).drop("delivery_id").with_row_index(ROW_ID)
    if only is not None:
        rows = rows.filter(pl.col(ROW_ID).is_in(only.implode()))
    return rows


def archived(deliveries: Sequence[Delivery], table: TableDescription) -> pl.DataFrame:
    """Return the same rows, dense (TEXT), without `row_id` but with the `delivery_id` of each."""
    return recoded(_stacked(deliveries, table), {name: known(name) for name in contract_columns(table)})


def _stacked(deliveries: Sequence[Delivery], table: TableDescription) -> pl.DataFrame:
    places: dict[str, pl.DataType] = {"delivery_id": TEXT, "source_file_id": TEXT, "source_row": pl.Int32()}
    empty = pl.DataFrame(schema=places | dict.fromkeys(contract_columns(table), TEXT))
    parts = [
        dense(part.frame).with_columns(
            delivery_id=pl.lit(one.delivery_id, TEXT), source_file_id=pl.lit(part.source_file_id, TEXT)
        )
        for one in deliveries
        for part in one.tables
        if part.table_name == table.name
    ]
    for part in parts:
        unknown = set(part.columns) - set(empty.columns)
        assert not unknown, f"a reader delivered columns outside the contract of {table.name}: {sorted(unknown)}"
    return pl.concat([empty, *parts], how="diagonal")


def known(name: str) -> pl.Expr:
    """Return a text without the blanks around it; of nothing but blanks it is unknown (null)."""
    stripped = pl.col(name).str.strip_chars()
    return pl.when(stripped != "").then(stripped)
