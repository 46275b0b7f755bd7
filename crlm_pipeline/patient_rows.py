"""Queries for the rows of patients, put together from what the tables declare: what can be carried over asks them."""

from collections.abc import Callable

from crlm_pipeline.ddl import literal, quoted
from schemas.column import Date, TableDescription, describe
from schemas.extract import EXTRACT_MODELS


def of_every_table(select: Callable[[TableDescription], str]) -> str:
    """Return the query for what `select` asks of each extract table, one below the other."""
    return "\nunion all\n".join(select(describe(model)) for model in EXTRACT_MODELS)


def accepted_rows(table: TableDescription) -> str:
    """Return the query for patient, place and last date (null: it has none) of each accepted row of a table."""
    last_date = f"greatest({', '.join(dates(table))}) as last_date"
    return f"select {patient_and_place(table)}, {last_date} from {table.qualified_name}"  # noqa: S608  # declared names


def patient_and_place(table: TableDescription) -> str:
    """Return what to select of a table's rows for the patient, and the place from which each came."""
    return f"patient_id, {literal(table.name)} as table_name, source_file_id, source_row"


def dates(table: TableDescription) -> list[str]:
    """Return the quoted names of the columns that hold dates."""
    return [quoted(column.name) for column in table.columns if column.dtype == Date]


def of_others(table: TableDescription, but: str, key: str) -> str:
    """Return the query for the published rows of a table, but for those of which the relation `but` has the key."""
    columns = ", ".join(quoted(column.name) for column in table.columns)
    return f"select {columns} from before.{table.qualified_name} anti join {but} using ({key})"  # noqa: S608  # declared names
