"""Records of a Parquet file as the text that a CSV would hold."""

import io
from typing import TYPE_CHECKING, Final, NoReturn

import polars as pl

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.bombs import damaged, refuse_parquet
from crlm_pipeline.extracts.text import MIDNIGHT, SOURCE_ROW, column_names, known_cells, refuse_rounded

if TYPE_CHECKING:
    from polars.datatypes import DataTypeClass

# From here on a floating-point number may stand for its neighbours too.
_INEXACT: Final[dict[pl.DataType, int]] = {pl.Float32(): 2**24, pl.Float64(): 2**53}
# From 0001-01-02 to 9999-12-30, whatever the time zone, in days since 1970; of nanoseconds all are in between.
_DAYS: Final = (-719_161, 2_932_895)
_PER_DAY: Final = {"Date": 1, "ms": 86_400_000, "us": 86_400_000_000}


def header_of_parquet(content: bytes, file: str) -> tuple[str, ...]:
    """Return the column names of a Parquet file; `SourceError` when it is cut off or beyond a limit."""
    refuse_parquet(content, file)
    try:
        return tuple(name.strip() for name in pl.read_parquet_schema(io.BytesIO(content)))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise damaged(file, "Parquet") from None


def read_parquet(content: bytes, file: str) -> pl.DataFrame:
    """Read Parquet; numbers, dates, booleans and lists become the text a CSV would hold (lists by `;`)."""
    refuse_parquet(content, file)
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        raise damaged(file, "Parquet") from None
    frame.columns = column_names(tuple(name.strip() for name in frame.columns), file)
    for column in frame.iter_columns():
        limit = _INEXACT.get(column.dtype)
        if limit:
            refuse_rounded((column.abs() >= limit) & column.is_finite(), column.name, file)
    texts = [_as_text(name, dtype, file) for name, dtype in frame.schema.items()]
    rows = frame.select(pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias(SOURCE_ROW), *texts)
    return known_cells(rows, file)


def _as_text(name: str, dtype: pl.DataType, file: str) -> pl.Expr:
    if isinstance(dtype, pl.List) and not _is_no_text(dtype.inner):
        elements = pl.col(name).list.eval(_value(pl.element(), dtype.inner))
        return elements.list.join(";").alias(name)
    if _is_no_text(dtype):
        _refuse_type(name, file)
    return _value(pl.col(name), dtype).alias(name)


def _is_no_text(dtype: "pl.DataType | DataTypeClass") -> bool:
    return dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Duration)


def _refuse_type(name: str, file: str) -> NoReturn:
    raise SourceError(
        "The column holds nested or binary values, or durations.",
        "Deliver one plain value per cell.",
        file,
        column=name,
    )


def _value(value: pl.Expr, dtype: "pl.DataType | DataTypeClass") -> pl.Expr:
    """Return plain values as text; a date before the year 1 or after 9999, which polars cannot write, as its number."""
    if dtype.is_float():
        whole = pl.when(value == value.round()).then(value.cast(pl.Int64, strict=False)).cast(pl.String)
        return pl.when(value.is_not_nan()).then(pl.coalesce(whole, value.cast(pl.String)))
    unit = dtype.time_unit if isinstance(dtype, pl.Datetime) else str(dtype)
    if unit not in _PER_DAY:
        return _written(value, dtype)
    number = value.to_physical()
    first, last = (day * _PER_DAY[unit] for day in _DAYS)
    known = pl.when(number.is_between(first, last)).then(value)
    return pl.coalesce(_written(known, dtype), number.cast(pl.String))


def _written(value: pl.Expr, dtype: "pl.DataType | DataTypeClass") -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        return value.dt.strftime("%Y-%m-%d %H:%M:%S").str.replace(MIDNIGHT.pattern, "")
    return value.cast(pl.String)
