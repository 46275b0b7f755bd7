"""What reading hands to validation: canonical tables as text, the files they came from, and what the reader noticed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import polars as pl

# Text as it is held: values repeat, so that a cell is the number of its value. The list of values goes with the last
# frame that needs it.
TEXT: Final = pl.Categorical(pl.Categories("delivered"))
DELETED: Final = {"patient_hash": pl.String(), "source_file_id": pl.String(), "source_row": pl.Int32()}


def dense(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose texts are held as numbers of their values (TEXT)."""
    return frame.with_columns(pl.col(pl.String).cast(TEXT))


def recoded(frame: pl.DataFrame, changes: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """Return a frame in whose TEXT columns `changes`, of a column's text, were worked out of every known value, once.

    A column in which no value is another then is that of the frame, and takes no memory.
    """
    changed = [found for name, change in changes.items() if (found := _changed(frame[name], change)) is not None]
    return frame.with_columns(changed) if changed else frame


def _changed(column: pl.Series, change: pl.Expr) -> pl.Series | None:
    values = column.drop_nulls().unique()
    before = values.cast(pl.String)
    after = before.to_frame().select(change.alias(column.name)).to_series()
    if after.equals(before, null_equal=True):
        return None
    return column.replace_strict(values, after.cast(TEXT), default=None, return_dtype=TEXT)


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

    `frame`: `source_row` (Int32, from 1 below the header) and any contract columns, all text (TEXT, which is small, or
    String), unknown = null; lists separated by `;`. Absent columns are all-unknown. Several rows may share a source
    row. `raw`: the source records as delivered, text columns beside `source_row`; it is read only for rows that are
    rejected. `raw_rows`: what stands on record as such a row already, by `source_row`, as JSON in `raw_row`.
    """

    table_name: str
    source_file_id: str
    frame: pl.DataFrame
    raw: pl.DataFrame
    raw_rows: pl.DataFrame | None = None


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
class Delivery:
    """The files that were read together, and what they made. `row_count`: the canonical rows that its format made.

    `delivery_id`: hash of the format and the files; empty for files of no format, of which there are only notices.
    """

    delivery_id: str
    files: tuple[SourceFile, ...]
    tables: tuple[TextTable, ...]
    notices: tuple[Notice, ...]
    row_count: int


@dataclass(frozen=True, slots=True)
class Extract:
    """Everything that takes part in a run, in reading order.

    `deleted`: the patients whose data may not be held: `patient_hash`, and `source_file_id` and `source_row` in a list.
    """

    deliveries: tuple[Delivery, ...]
    deleted: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DELETED))

    @property
    def files(self) -> tuple[SourceFile, ...]:
        """The files, each once."""
        return tuple({file.source_file_id: file for one in self.deliveries for file in one.files}.values())

    @property
    def tables(self) -> tuple[TextTable, ...]:
        """The canonical rows, by file and table."""
        return tuple(table for one in self.deliveries for table in one.tables)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the readers noticed."""
        return tuple(notice for one in self.deliveries for notice in one.notices)
