"""The canonical extract: one file or sheet per table, with the contract's own column names."""

from typing import Final

import polars as pl

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.format import Mapped, Reading, warning
from crlm_pipeline.extracts.source import Group, Sheet
from crlm_pipeline.extracts.tables import Notice, recoded
from crlm_pipeline.extracts.text import SOURCE_ROW
from crlm_pipeline.extracts.topography import dotted
from schemas.column import SOURCE_COLUMNS, TableDescription
from schemas.extract import extract_tables

NAME: Final = "canonical"


def recognises(group: Group) -> bool:
    """Whether any file or sheet is a table of the contract."""
    return any(_table(sheet) for sheet in group.sheets)


def read(group: Group) -> Reading:
    """Take over the contract's columns as text; other columns are kept out and noticed.

    Raises `SourceError` naming a required column that a table lacks.
    """
    mapped: list[Mapped] = []
    notices: list[Notice] = []
    for sheet in group.sheets:
        if table := _table(sheet):
            _refuse_incomplete(sheet, table)
            held = sheet.held()
            mapped.append(Mapped(held, {table.name: _frame(held, table)}))
            notices += [_unknown(held, table, column) for column in _unknown_columns(held, table)]
    return Reading("real", tuple(mapped), (), tuple(notices))


def _columns(table: TableDescription) -> list[str]:
    return [column.name for column in table.columns if column.name not in SOURCE_COLUMNS]


def _required(table: TableDescription) -> list[str]:
    return [column.name for column in table.columns if column.required and column.name not in SOURCE_COLUMNS]


def _table(sheet: Sheet) -> TableDescription | None:
    """Return the table a sheet is: by its name and a column of that table, else by the required columns it has.

    A table of the OMOP model is none, though its name and columns may be ours, too (`drug_exposure.stop_reason`).
    """
    if _is_omop(sheet):
        return None
    named = extract_tables().get(sheet.name.lower())
    if named and set(_columns(named)) & set(sheet.header):
        return named
    fits = [table for table in extract_tables().values() if sheet.has(*_required(table))]
    return fits[0] if len(fits) == 1 else None


def _is_omop(sheet: Sheet) -> bool:
    header = {name.lower() for name in sheet.header}
    return "patient_id" not in header and "person_id" in header and any(name.endswith("_concept_id") for name in header)


def _refuse_incomplete(sheet: Sheet, table: TableDescription) -> None:
    missing = next((name for name in _required(table) if name not in sheet.header), None)
    if missing:
        problem = f"The table {table.name} lacks this required column."
        raise SourceError(problem, "Add the column.", sheet.file.name, column=missing)


def _frame(sheet: Sheet, table: TableDescription) -> pl.DataFrame:
    known = [name for name in _columns(table) if name in sheet.records.columns]
    tidy = {name: dotted(name) if name == "topography" else pl.col(name).str.strip_chars() for name in known}
    return recoded(sheet.records.select(SOURCE_ROW, *known), tidy)


def _unknown_columns(sheet: Sheet, table: TableDescription) -> list[str]:
    return [name for name in sheet.records.columns if name not in (*_columns(table), SOURCE_ROW)]


def _unknown(sheet: Sheet, table: TableDescription, column: str) -> Notice:
    message = f"{sheet.file.name}: column {column} is not in the extract contract and was kept out."
    return warning("unknown_column", sheet, message, table=table.name, column=column)
