"""Rows of the canonical tables as text, in the contract's column order."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crlm_pipeline.synthetic.chance import NEVER, Bools, Floats, Texts
from schemas.column import SOURCE_COLUMNS, Column
from schemas.extract import extract_tables


def rows(table: str, mask: Bools, **columns: Any) -> pl.DataFrame:
    """Return the masked entries as rows of a table, every column as text.

    Unknown is an empty text, a NaN or the day NEVER. Columns that are not given are unknown throughout.
    """
    described = extract_tables()[table].columns
    assert set(columns) <= {column.name for column in described}, f"not a column of {table}"
    return pl.DataFrame(
        {
            column.name: _text(column, columns.get(column.name, ""), mask)
            for column in described
            if column.name not in SOURCE_COLUMNS
        }
    )


def _text(column: Column, values: Any, mask: Bools) -> pl.Series:
    if isinstance(values, str):  # the same text in every row, mostly none
        return pl.Series(column.name, [values or None], dtype=pl.String).new_from_index(0, int(mask.sum()))
    chosen = np.broadcast_to(np.asarray(values), mask.shape)[mask]
    if chosen.dtype.kind == "U":
        series = pl.Series(column.name, chosen, dtype=pl.String)
        return series.set(series == "", None)
    if column.dtype == pl.Date:
        days = pl.Series(column.name, chosen)
        return days.set(days >= NEVER, None).cast(pl.Int32).cast(pl.Date).cast(pl.String)
    series = pl.Series(column.name, chosen, nan_to_null=True)
    if column.dtype.is_integer():
        series = series.cast(pl.Int64)
    return series.cast(pl.String)


def joined(parts: dict[str, Bools]) -> Texts:
    """Return the names of the parts that hold, as a list in one cell separated by `;`."""
    cell: Texts = np.full(next(iter(parts.values())).shape, "", dtype=np.str_)
    for name, holds in parts.items():
        separator = np.where(cell == "", "", ";")
        cell = np.where(holds, np.char.add(np.char.add(cell, separator), name), cell)
    return cell


def answer(value: Bools, known: Bools) -> Texts:
    """Return a boolean as text, empty where it is not known."""
    return np.where(known, np.where(value, "true", "false"), "")


def number(value: NDArray[np.floating[Any]], known: Bools, digits: int = 1) -> Floats:
    """Return the value to so many decimals, NaN where it is not known."""
    return np.where(known, np.round(value, digits), np.nan)
