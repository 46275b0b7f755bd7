"""Whether a mapping fits the extract contract: tables, columns, vocabularies and types, before any record is read."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

import polars as pl

from crlm_pipeline.extracts.mapping import Cell, FileMapping, Mapping, RowTemplate
from crlm_pipeline.strict_yaml import Place
from schemas.column import SOURCE_COLUMNS, Column, TableDescription
from schemas.extract import extract_tables

Complaint = tuple[Place, str]

EXCEL: Final = "excel"
_DIRECTIVES: Final = frozenset("YymdbBHMS")
_DATE: Final = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_PATIENT_ID: Final = "patient_id"


def complaints(mapping: Mapping) -> Iterator[Complaint]:
    """Yield everything that does not fit, each with its place in the file."""
    yield from _dates(mapping.dates, ("dates",))
    for number, file in enumerate(mapping.files):
        yield from ((("files", number, *place), problem) for place, problem in _file(file))


def _file(file: FileMapping) -> Iterator[Complaint]:
    if not file.header and file.sheet is None:
        yield (), "the file needs `header` (columns that tell it from others) or `sheet` (a sheet's name)."
    patient = extract_tables()["patient"].column(_PATIENT_ID)
    if file.patient_id.column is None:
        yield (_PATIENT_ID,), "patient_id needs a source column: it names the patient of each record."
    for name, cell in ((_PATIENT_ID, file.patient_id), ("id_prefix", file.id_prefix)):
        if cell:
            yield from (((name, *place), problem) for place, problem in _cell(cell, patient))
    for number, row in enumerate(file.rows):
        yield from ((("rows", number, *place), problem) for place, problem in _row(row))


def _row(row: RowTemplate) -> Iterator[Complaint]:
    table = extract_tables().get(row.table)
    if table is None:
        yield ("table",), f"there is no table {row.table!r}. Tables: {', '.join(extract_tables())}."
        return
    columns = {column.name: column for column in table.columns if column.name not in SOURCE_COLUMNS}
    for name, cell in row.columns.items():
        if name == _PATIENT_ID:
            yield ("columns", name), "patient_id is given once for the file, beside `rows`."
        elif name not in columns:
            yield ("columns", name), f"{row.table} has no column {name!r}. Columns: {', '.join(columns)}."
        else:
            yield from ((("columns", name, *place), problem) for place, problem in _cell(cell, columns[name]))
    yield from _absent(row, table)


def _absent(row: RowTemplate, table: TableDescription) -> Iterator[Complaint]:
    for column in table.columns:
        if column.required and column.name not in (*SOURCE_COLUMNS, _PATIENT_ID, *row.columns):
            yield (), f"{table.name} needs {column.name}: give it a source column or a constant."


def _cell(cell: Cell, column: Column) -> Iterator[Complaint]:
    given = [cell.column is not None, cell.constant is not None, bool(cell.elements)]
    if sum(given) != 1:
        kinds = "`column`, `constant` or `list`" if column.is_list else "`column` or `constant`"
        yield (), f"{column.name} needs exactly one of {kinds}."
    yield from _targets(cell, column)
    yield from _dates(cell.dates, ("dates",))
    yield from _misplaced(cell, column)
    yield from _duration(cell)
    for number, element in enumerate(cell.elements):
        if element.elements:
            yield ("list", number), "a list inside a list."
        yield from ((("list", number, *place), problem) for place, problem in _cell(element, column))


def _targets(cell: Cell, column: Column) -> Iterator[Complaint]:
    """Yield constants and translations that the contract would set aside."""
    if cell.constant is not None and not fits(cell.constant, column):
        yield ("constant",), f"{cell.constant!r} is no value of {column.name}: expected {_expected(column)}."
    for delivered, value in cell.values.items():
        if value is not None and not fits(value, column):
            yield ("values", delivered), f"{value!r} is no value of {column.name}: expected {_expected(column)}."
    twice = [key for key, count in Counter(key.strip().lower() for key in cell.values).items() if count > 1]
    if twice:
        yield ("values",), f"{twice[0]!r} stands twice: case does not tell values apart."


def fits(text: str, column: Column) -> bool:
    """Whether the contract takes a text as a value of the column; an element counts for a list."""
    if not text.strip():
        return False
    match column.dtype:
        case pl.Date():
            return bool(_DATE.fullmatch(text))
        case pl.Int32() | pl.Float64():
            return _is_number(text, column)
        case pl.Boolean():
            return text in ("true", "false")
        case pl.List():
            return all(element in (column.values or ()) for element in text.split(";"))
        case _:
            return text in column.values if column.values else bool(re.match(column.pattern or "", text))


def _is_number(text: str, column: Column) -> bool:
    try:
        number = int(text) if column.dtype == pl.Int32() else float(text)
    except ValueError:
        return False
    return (column.low is None or number >= column.low) and (column.high is None or number <= column.high)


def _expected(column: Column) -> str:
    """Say what a column takes."""
    if column.values:
        return ", ".join(column.values)
    bounds = [f"from {column.low:g}" if column.low is not None else "", f"to {column.high:g}" if column.high else ""]
    match column.dtype:
        case pl.Date():
            return "a date such as 2023-05-17, 2023-05 or 2023"
        case pl.Int32():
            return " ".join(["a whole number", *filter(None, bounds)])
        case pl.Float64():
            return " ".join(["a number", *filter(None, bounds)])
        case pl.Boolean():
            return "true or false"
        case _:
            return f"text like {column.pattern}" if column.pattern else "some text; leave it out for unknown"


def _dates(formats: tuple[str, ...], place: Place) -> Iterator[Complaint]:
    for number, format_ in enumerate(formats):
        if format_ != EXCEL and not _is_date_format(format_):
            expected = f"expected such as %d.%m.%Y, %m/%Y, %Y or %d.%m.%Y %H:%M, or {EXCEL} for serial numbers."
            yield (*place, number), f"{format_!r} is no date format: {expected}"
    orders = {tuple(d for d in re.findall("%(.)", f) if d in "md"): f for f in formats if not {"b", "B"} & set(f)}
    if {("d", "m"), ("m", "d")} <= set(orders):
        yield place, f"{orders['d', 'm']!r} and {orders['m', 'd']!r} cannot be told apart: keep one."


def _is_date_format(format_: str) -> bool:
    """Whether a format has one year, a month if it has a day, a day if it has a time, and nothing else."""
    directives = re.findall("%(.?)", format_)
    has_year, has_month = (len(set(directives) & set(kind)) == 1 for kind in ("Yy", "mbB"))
    has_day, has_time = "d" in directives, {"H", "M"} <= set(directives)
    return (
        set(directives) <= _DIRECTIVES
        and len(directives) == len(set(directives))
        and has_year
        and (has_month or not has_day)
        and (has_day or not has_time)
        and (has_time or not set(directives) & set("HMS"))
    )


def _misplaced(cell: Cell, column: Column) -> Iterator[Complaint]:
    """Yield keys that mean nothing for a column of that type, or without a source column."""
    is_number = column.dtype in (pl.Int32(), pl.Float64())
    is_day_or_year = column.dtype == pl.Date() or column.unit == "year"
    allowed = {
        "factor": is_number,
        "decimals": is_number or cell.unit is not None,
        "dates": is_day_or_year,
        "exact": column.dtype == pl.Date() and cell.unit is None,
        "after": is_day_or_year,
        "before": is_day_or_year,
        "split": column.is_list,
        "list": column.is_list,
    }
    for key, is_allowed in allowed.items():
        if getattr(cell, "elements" if key == "list" else key) not in (None, ()) and not is_allowed:
            yield (key,), f"`{key}` has no meaning for {column.name}."
    if cell.column is None:
        useless = cell.model_fields_set - {"column", "constant", "elements", "only_if"}
        yield from (((key,), f"`{key}` needs `column`.") for key in sorted(useless))


def _duration(cell: Cell) -> Iterator[Complaint]:
    bases = [base for base in (cell.after, cell.before) if base is not None]
    if len(bases) > 1 or bool(bases) != (cell.unit is not None):
        yield (), "a duration needs `unit` and one of `after` and `before` (a day such as 2000-01-01, or a column)."
