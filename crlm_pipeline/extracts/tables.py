"""What reading hands to validation: canonical tables as text, the files they came from, and what the reader noticed."""

from dataclasses import dataclass
from typing import Literal

import polars as pl


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was read. `row_count` counts source records, `unmapped_count` those that made no canonical row."""

    source_file_id: str
    file_name: str
    format: str
    sha256: str
    byte_count: int
    calendar: Literal["real", "relative"]
    row_count: int
    unmapped_count: int


@dataclass(frozen=True, slots=True)
class TextTable:
    """Canonical rows of one table from one file.

    `frame`: `source_row` (Int32, from 1 below the header) and any contract columns, all String, unknown = null; lists
    separated by `;`. Absent columns are all-unknown. Several rows may share a source row. `raw`: the source records as
    delivered, String columns beside `source_row`; it is read only for rows that are rejected.
    """

    table_name: str
    source_file_id: str
    frame: pl.DataFrame
    raw: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a reader noticed: a finding of `rows` (empty: the file as a whole), told without a cell's value."""

    check_name: str
    severity: Literal["error", "warning"]
    source_file_id: str | None
    table_name: str | None
    column_name: str | None
    message: str
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Extract:
    """Everything that was read from the sources of a run, in reading order."""

    files: tuple[SourceFile, ...]
    tables: tuple[TextTable, ...]
    notices: tuple[Notice, ...]
