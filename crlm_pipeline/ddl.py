"""SQL text made from the declared tables: definitions, comments, types. Only declared names ever enter a statement."""

from typing import Final

import polars as pl

from schemas.column import Column, TableDescription

SQL_TYPES: Final[dict[pl.DataType, str]] = {
    pl.String(): "VARCHAR",
    pl.List(pl.String()): "VARCHAR[]",
    pl.List(pl.Int32()): "INTEGER[]",
    pl.Date(): "DATE",
    pl.Boolean(): "BOOLEAN",
    pl.Int32(): "INTEGER",
    pl.Int64(): "BIGINT",
    pl.Float64(): "DOUBLE",
    pl.Datetime("us"): "TIMESTAMP",
}


def quoted(identifier: str) -> str:
    """Return a name as an SQL identifier."""
    escaped = identifier.replace('"', '""')
    return f'"{escaped}"'


def literal(text: str) -> str:
    """Return a text as an SQL literal, where a statement takes no parameter."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def create_table(table: TableDescription) -> str:
    """Return the statement that makes a table; it refuses nulls in required columns, foreign values and bounds."""
    columns = ", ".join(map(_definition, table.columns))
    return f"create table {table.qualified_name} ({columns})"


def comments(table: TableDescription) -> list[str]:
    """Return the statements that say of a table or view, and of each column, what it holds."""
    about_table = literal(f"{table.sentence} Grain: {table.grain}.")
    about_columns = [
        f"comment on column {table.qualified_name}.{quoted(column.name)} is {literal(_meaning(column))}"
        for column in table.columns
    ]
    return [f"comment on table {table.qualified_name} is {about_table}", *about_columns]


def _definition(column: Column) -> str:
    name = quoted(column.name)
    parts = [name, SQL_TYPES[column.dtype]]
    if column.required:
        parts.append("not null")
    if column.values is not None:
        values = ", ".join(map(literal, column.values))
        parts.append(f"check (list_has_all([{values}], {name}))" if column.is_list else f"check ({name} in ({values}))")
    bounds = [
        f"{name} {sign} {bound}" for sign, bound in ((">=", column.low), ("<=", column.high)) if bound is not None
    ]
    if bounds:
        parts.append(f"check ({' and '.join(bounds)})")
    return " ".join(parts)


def _meaning(column: Column) -> str:
    parts = [column.sentence]
    if column.unit:
        parts.append(f"Unit: {column.unit}.")
    if column.values:
        parts.append(f"Values: {', '.join(column.values)}.")
    return " ".join(parts)
