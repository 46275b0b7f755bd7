"""Stacks what the sources delivered for one table: text, one line per row, in reading order."""

import polars as pl

from crlm_pipeline.extracts.tables import Extract
from schemas.column import SOURCE_COLUMNS, TableDescription

ROW_ID = "row_id"


def contract_columns(table: TableDescription) -> list[str]:
    """Return the columns that a source may deliver: all but those that say where a row came from."""
    return [column.name for column in table.columns if column.name not in SOURCE_COLUMNS]


def deliver(extract: Extract, table: TableDescription, only: pl.Series | None = None) -> pl.DataFrame:
    """Return the delivered rows of a table: `row_id` (from 0), `source_file_id`, `source_row` and every column as text.

    Blanks around a value are not part of it; an empty text is unknown (null), as is a column that no source has.
    `only`: the ids of the rows that are asked for.
    """
    names = contract_columns(table)
    empty = pl.DataFrame(schema={"source_file_id": pl.String, "source_row": pl.Int32} | dict.fromkeys(names, pl.String))
    parts = [
        part.frame.with_columns(pl.lit(part.source_file_id).alias("source_file_id"))
        for part in extract.tables
        if part.table_name == table.name
    ]
    for part in parts:
        unknown = set(part.columns) - set(empty.columns)
        assert not unknown, f"a reader delivered columns outside the contract of {table.name}: {sorted(unknown)}"
    stripped = pl.col(names).str.strip_chars()
    rows = pl.concat([empty, *parts], how="diagonal").with_row_index(ROW_ID)
    if only is not None:
        rows = rows.filter(pl.col(ROW_ID).is_in(only.implode()))
    return rows.with_columns(pl.when(stripped != "").then(stripped))
