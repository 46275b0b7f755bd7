"""Cells of the contract, as text, from source columns: translations, dates, units, durations and lists.

What cannot be read as the mapping says stays as it was delivered, so that validation sets it aside and says so.
"""

from collections.abc import Mapping as Values
from collections.abc import Sequence
from typing import Final

import polars as pl

from crlm_pipeline.extracts.mapping import Cell, Condition, Exactness, Mapping, Precision, Unit, is_day
from crlm_pipeline.extracts.mapping_fit import EXCEL
from schemas.column import Column

_DAYS: Final[dict[Unit, float]] = {"days": 1, "weeks": 7, "months": 30.4375, "years": 365.25}
_LONGEST_YEAR: Final = 366
_EXACT_DECIMALS: Final = 6
_ANY: Final = "*"
_ISO: Final = r"^\d{4}(-\d{2}(-\d{2})?)?$"
_LENGTHS: Final[dict[Precision, int]] = {"year": 4, "month": 7, "day": 10}
_YEARS: Final = (1900, 2100)
_EXCEL_DAY_0: Final = pl.date(1899, 12, 30)
_FAR: Final = 200_000  # days; a longer duration is no date


def cell_text(cell: Cell, column: Column, mapping: Mapping) -> pl.Expr:
    """Return the column's text; null where it is unknown. The source columns hold known cells only."""
    text = _text(cell, column, mapping)
    return pl.when(meets(cell.only_if)).then(text) if cell.only_if else text


def meets(condition: Condition) -> pl.Expr:
    """Return whether the condition holds; an unknown cell does not meet it."""
    cell = pl.col(condition.column)
    if not condition.values:
        return cell.is_not_null()
    return cell.str.to_lowercase().is_in([value.lower() for value in condition.values]).fill_null(value=False)


def _text(cell: Cell, column: Column, mapping: Mapping) -> pl.Expr:
    if cell.constant is not None:
        return pl.lit(cell.constant)
    if cell.elements:
        joined = pl.concat_str(
            [cell_text(element, column, mapping) for element in cell.elements], separator=";", ignore_nulls=True
        )
        return pl.when(joined != "").then(joined)
    text = pl.col(cell.column or "")
    if cell.split:
        elements = text.str.split(cell.split).list.eval(_translated(pl.element().str.strip_chars(), cell.values))
        joined = elements.list.drop_nulls().list.join(";")
        return pl.when(joined != "").then(joined)
    return _translated(text, cell.values, _converted(text, cell, column, mapping))


def _translated(text: pl.Expr, values: Values[str, str | None], otherwise: pl.Expr | None = None) -> pl.Expr:
    """Return the value that stands for a delivered one, whatever its case; what is in no list comes otherwise.

    `C22*` stands for all that begin so; the longest beginning counts, and a whole value before any.
    """
    by_key = {delivered.strip().lower(): value for delivered, value in values.items()}
    key = text.str.to_lowercase()
    known = key.replace_strict(by_key, default=None, return_dtype=pl.String)
    is_listed = key.is_in(list(by_key)).fill_null(value=False)
    translated = text if otherwise is None else otherwise
    for beginning in sorted((delivered for delivered in by_key if delivered.endswith(_ANY)), key=len):
        begins_so = key.str.starts_with(beginning.removesuffix(_ANY))
        translated = pl.when(begins_so).then(pl.lit(by_key[beginning], pl.String)).otherwise(translated)
    return pl.when(is_listed).then(known).otherwise(translated)


def _converted(text: pl.Expr, cell: Cell, column: Column, mapping: Mapping) -> pl.Expr:
    formats = (*cell.dates, *mapping.dates)
    if cell.unit:
        return _after_duration(text, cell, column, mapping)
    if column.dtype == pl.Date():
        day = _iso(text, formats)
        return _as_exact(day, cell.exact) if cell.exact else day
    if column.unit == "year":
        return _iso(text, formats).str.replace(r"^(\d{4})-\d{2}(-\d{2})?$", "${1}")
    if column.dtype in (pl.Int32(), pl.Float64()):
        return _number_text(text, cell, column, decimal_comma=mapping.decimal_comma)
    return text


def _number_text(text: pl.Expr, cell: Cell, column: Column, *, decimal_comma: bool) -> pl.Expr:
    """Return a number in the contract's unit; a cell with a percent sign is in percent already."""
    bare = text.str.replace(r"\s*%$", "") if column.unit == "%" else text
    number = _number(bare, decimal_comma=decimal_comma)
    if cell.factor is not None:
        number = pl.when(bare == text).then(number * cell.factor).otherwise(number)
    if cell.factor is None and cell.decimals is None:
        plain = bare.str.replace(r"^(-?\d+),(\d+)$", "${1}.${2}") if decimal_comma else bare
        return pl.when(number.is_not_null()).then(plain).otherwise(text)
    decimals = _EXACT_DECIMALS if cell.decimals is None else cell.decimals
    rounded = number.round(decimals, mode="half_away_from_zero")
    whole = pl.when(rounded == rounded.round()).then(rounded.cast(pl.Int64, strict=False).cast(pl.String))
    return pl.coalesce(whole, rounded.cast(pl.String), text)


def _number(text: pl.Expr, *, decimal_comma: bool) -> pl.Expr:
    plain = text.str.replace(r"^(-?\d+),(\d+)$", "${1}.${2}") if decimal_comma else text
    number = plain.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _after_duration(text: pl.Expr, cell: Cell, column: Column, mapping: Mapping) -> pl.Expr:
    """Return the day that lies so long after or before another; only its year where the contract asks for one."""
    assert cell.unit is not None
    length = _number(text, decimal_comma=mapping.decimal_comma)
    if cell.decimals is not None:
        length = length.round(cell.decimals, mode="half_away_from_zero")
    length = length if cell.after is not None else -length
    base = _base(cell, mapping)
    if column.unit == "year":
        year = base.dt.year() + (base.dt.ordinal_day() - 1) / _LONGEST_YEAR + length * _DAYS[cell.unit] / _DAYS["years"]
        return (
            pl.when(length.is_not_null())
            .then(year.floor().cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(text)
        )
    days = (length * _DAYS[cell.unit]).round(mode="half_away_from_zero")
    near = pl.when(days.abs() < _FAR).then(days.cast(pl.Int64, strict=False))
    return pl.when(near.is_not_null()).then((base + pl.duration(days=near)).cast(pl.String)).otherwise(text)


def _base(cell: Cell, mapping: Mapping) -> pl.Expr:
    """Return the day from which a duration counts: the first of its month or year where only that is known."""
    base = cell.after or cell.before or ""
    if is_day(base):
        return pl.lit(base).str.to_date("%Y-%m-%d")
    day = _iso(pl.col(base), (*cell.dates, *mapping.dates))
    whole = (day + pl.lit("-01-01")).str.head(len("2023-01-01"))
    return whole.str.to_date("%Y-%m-%d", strict=False)


def _iso(text: pl.Expr, formats: Sequence[str]) -> pl.Expr:
    """Return a date by the first format that reads it, as precise as that format is; else as delivered."""
    return pl.coalesce(*(_by_format(text, format_) for format_ in formats), text)


def _as_exact(day: pl.Expr, exact: Exactness) -> pl.Expr:
    """Return as much of an ISO date as its code says is exact; what is no date stays as delivered."""
    lengths = {code.strip().lower(): _LENGTHS[precision] for code, precision in exact.values.items()}
    length = pl.col(exact.column).str.to_lowercase().replace_strict(lengths, default=None, return_dtype=pl.UInt32)
    believed = pl.when(length.is_not_null()).then(day.str.head(length))
    return pl.when(day.str.contains(_ISO)).then(believed).otherwise(day)


def _by_format(text: pl.Expr, format_: str) -> pl.Expr:
    if format_ == EXCEL:
        serial = pl.when(text.str.contains(r"^\d{5}(\.\d+)?$")).then(text.cast(pl.Float64, strict=False))
        return (_EXCEL_DAY_0 + pl.duration(days=serial.cast(pl.Int64))).cast(pl.String)
    has_month = any(directive in format_ for directive in ("%m", "%b", "%B"))
    precision = "%Y-%m-%d" if "%d" in format_ else "%Y-%m" if has_month else "%Y"
    whole_text, whole_format = text, format_
    if not has_month:
        whole_text, whole_format = pl.lit("01 ") + whole_text, "%m " + whole_format
    if "%d" not in format_:
        whole_text, whole_format = pl.lit("01 ") + whole_text, "%d " + whole_format
    if "%H" in format_:
        day = whole_text.str.to_datetime(whole_format, strict=False, time_unit="us").dt.date()
    else:
        day = whole_text.str.to_date(whole_format, strict=False)
    return pl.when(day.dt.year().is_between(*_YEARS)).then(day.dt.strftime(precision))
