"""What a source format declares: how it is recognised, and which canonical rows each of its files makes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import polars as pl

from crlm_pipeline.extracts.source import Group, Sheet
from crlm_pipeline.extracts.tables import Notice

Calendar = Literal["real", "relative"]


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a format made of one sheet: canonical rows by table, and the source rows that completed other files' rows.

    A frame has `source_row` (Int32, not null) and contract columns, all String. Several rows may share a source row.
    """

    sheet: Sheet
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    completing: pl.Series | None = None

    @property
    def unmapped_count(self) -> int:
        """Records that made no row and completed none."""
        used = [frame["source_row"] for frame in self.tables.values()]
        if self.completing is not None:
            used.append(self.completing)
        return self.sheet.records.height - (pl.concat(used).n_unique() if used else 0)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a format made of a group of files; `consulted` are files read for their settings, without records."""

    calendar: Calendar
    mapped: tuple[Mapped, ...]
    consulted: tuple[Sheet, ...]
    notices: tuple[Notice, ...]


class Format(Protocol):
    """A source format: one module of `formats/`, or a mapping."""

    @property
    def NAME(self) -> str:  # noqa: N802  # a constant of the module
        """What the format is called in `audit.source_file`."""
        ...

    def recognises(self, group: Group) -> bool:
        """Whether the headers of the group are of this format."""
        ...

    def read(self, group: Group) -> Reading:
        """Make canonical rows of the group's files; `SourceError` when they cannot be used."""
        ...


def warning(
    check_name: str,
    sheet: Sheet,
    message: str,
    *,
    table: str | None = None,
    column: str | None = None,
    rows: tuple[int, ...] = (),
) -> Notice:
    """Return a notice of severity warning about a sheet."""
    return Notice(check_name, "warning", sheet.file.source_file_id, table, column, message, rows)
