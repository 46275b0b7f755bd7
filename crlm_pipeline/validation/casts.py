"""Turns delivered text into typed values; what cannot be one becomes unknown and a fault."""

from typing import Final

import polars as pl

from crlm_pipeline.validation.delivery import ROW_ID
from crlm_pipeline.validation.faults import Check, cell_check, faults, together
from schemas.column import SOURCE_COLUMNS, Column, TableDescription

# A partial date stands for the last day of its period here, for the first everywhere else (semantics, "Time").
LAST_DAY_COLUMNS: Final = ("report_date",)

_PRECISION: Final = "|precision"
_EARLIEST_YEAR: Final = 1900
LONGEST_TEXT: Final = 1_000  # signs; no id, name or code is longer, and what reads them later may take them apart

_EXPECTED: Final[dict[pl.DataType, tuple[str, str]]] = {
    pl.Date(): ("not_a_date", "expected a date such as 2023-05-17, 2023-05 or 2023, not before 1900."),
    pl.Int32(): ("not_an_integer", "expected a whole number."),
    pl.Float64(): ("not_a_number", "expected a number with a decimal point."),
    pl.Boolean(): ("not_a_boolean", "expected true or false."),
    pl.String(): ("too_long", f"expected at most {LONGEST_TEXT:,} signs."),
}

CAST_CHECKS: Final = tuple(name for name, _ in _EXPECTED.values())


def cast(text: pl.DataFrame, table: TableDescription) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the typed rows and the faults of cells (TEXT) that are no value of their column's type.

    Beside each date stands its precision, which `earliest`, `latest` and `is_partial` read.
    """
    columns = [column for column in table.columns if column.name not in SOURCE_COLUMNS]
    typed = text.with_columns(
        pl.col("source_file_id").cast(pl.String), *(part for column in columns for part in _cast(text, column))
    )
    if {"start_date", "end_date"} <= set(text.columns):
        typed = typed.with_columns(_not_before_start())
    found = []
    for column in columns:
        if check := cast_check(column):
            failed = text.select(ROW_ID).filter(text[column.name].is_not_null() & typed[column.name].is_null())
            found.append(faults(check, failed))
    return typed, together(found)


def _cast(text: pl.DataFrame, column: Column) -> list[pl.Series]:
    """Return a column as values and, of dates, their precision; each distinct text is taken for a value once."""
    texts = text[column.name].drop_nulls().unique()
    parts = [_typed(column).alias(column.name)]
    parts += [_precision(column.name)] if column.dtype == pl.Date() else []
    values = texts.cast(pl.String).to_frame().select(parts)
    places = pl.int_range(texts.len(), dtype=pl.UInt32, eager=True)
    place = text[column.name].replace_strict(texts, places, default=None, return_dtype=pl.UInt32)
    return [values[name].gather(place) for name in values.columns]


def cast_check(column: Column) -> Check | None:
    """Return the check that a text is a value of its column's type; None where every text is one."""
    if column.dtype not in _EXPECTED:
        return None
    name, expected = _EXPECTED[column.dtype]
    return cell_check(name, column, expected)


def earliest(name: str) -> pl.Expr:
    """Return the first day that a date can stand for: its own, or the first of the month or year that was delivered."""
    return _by_precision(name, month=pl.col(name).dt.month_start(), year=_first_of_year(pl.col(name)))


def latest(name: str) -> pl.Expr:
    """Return the last day that a date can stand for."""
    return _by_precision(name, month=pl.col(name).dt.month_end(), year=_last_of_year(pl.col(name)))


def is_partial(name: str) -> pl.Expr:
    """Return whether only the month or the year of a known date was delivered."""
    return pl.col(name).is_not_null() & (pl.col(name + _PRECISION) < len("2023-05-17"))


def precision_columns(table: TableDescription) -> list[str]:
    """Return the columns that say how precise the dates of a table are."""
    return [column.name + _PRECISION for column in table.columns if column.dtype == pl.Date()]


def _by_precision(name: str, *, month: pl.Expr, year: pl.Expr) -> pl.Expr:
    precision = pl.col(name + _PRECISION)
    return (
        pl.when(precision == len("2023"))
        .then(year)
        .when(precision == len("2023-05"))
        .then(month)
        .otherwise(pl.col(name))
    )


def _typed(column: Column) -> pl.Expr:
    text = pl.col(column.name)
    match column.dtype:
        case pl.Date():
            return _date(text, is_last_day=column.name in LAST_DAY_COLUMNS)
        case pl.Int32():
            # A column with gaps comes out of a spreadsheet or Parquet file as 3.0.
            return text.str.replace(r"\.0+$", "").cast(pl.Int32, strict=False)
        case pl.Float64():
            number = text.cast(pl.Float64, strict=False)
            return pl.when(number.is_finite()).then(number)
        case pl.Boolean():
            return text.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
        case pl.List():
            return _list(text)
        case _:
            short = pl.when(text.str.len_chars() <= LONGEST_TEXT).then(text)
            return _dotted(short) if column.name == "topography" else short


def _not_before_start() -> pl.Expr:
    """Return the end of a period; where only its month or year is known, no day before the start stands in for it."""
    may_follow = is_partial("end_date") & (latest("end_date") >= pl.col("start_date"))
    return pl.when(may_follow).then(pl.max_horizontal("start_date", "end_date")).otherwise("end_date").alias("end_date")


def _list(text: pl.Expr) -> pl.Expr:
    """Return the elements of a list in their order, without blanks, gaps and repetitions; no element is unknown."""
    element = pl.element().str.strip_chars()
    elements = text.str.split(";").list.eval(element.filter(element != "")).list.unique(maintain_order=True)
    return pl.when(elements.list.len() > 0).then(elements)


def _dotted(text: pl.Expr) -> pl.Expr:
    """Return an ICD-O-3 topography as C18.7, from C187 or C18.7; C20 alone is C20.9, not otherwise specified."""
    code = text.str.to_uppercase().str.replace(r"^(C[0-9]{2})([0-9])$", "${1}.${2}")
    return code.str.replace(r"^(C[0-9]{2})$", "${1}.9")


def _day(text: pl.Expr) -> pl.Expr:
    """Return the delivered part of a date: a spreadsheet adds a midnight."""
    return text.str.replace(r"[ T]00:00:00(\.0+)?$", "")


def _precision(name: str) -> pl.Expr:
    return _day(pl.col(name)).str.len_bytes().cast(pl.UInt8, strict=False).alias(name + _PRECISION)


def _date(text: pl.Expr, *, is_last_day: bool) -> pl.Expr:
    day = _day(text)
    length = day.str.len_bytes()
    completed = (
        pl.when(length == len("2023"))
        .then(day + "-01-01")
        .when(length == len("2023-05"))
        .then(day + "-01")
        .otherwise(day)
    )
    is_shaped = day.str.contains(r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$")
    first = pl.when(is_shaped).then(completed).str.to_date("%Y-%m-%d", strict=False)
    plausible = pl.when(first.dt.year() >= _EARLIEST_YEAR).then(first)
    if not is_last_day:
        return plausible
    return (
        pl.when(length == len("2023"))
        .then(_last_of_year(plausible))
        .when(length == len("2023-05"))
        .then(plausible.dt.month_end())
        .otherwise(plausible)
    )


def _first_of_year(day: pl.Expr) -> pl.Expr:
    return pl.date(day.dt.year(), 1, 1)


def _last_of_year(day: pl.Expr) -> pl.Expr:
    return pl.date(day.dt.year(), 12, 31)
