"""Records of nested files (XML, JSON) as text columns."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from crlm_pipeline.extracts.text import SOURCE_ROW

_CHUNK_ROWS: Final = 50_000


class RecordTable:
    """Records as they are met, as text columns; kept in frames so that a national file needs little memory."""

    def __init__(self, columns: Sequence[str]) -> None:
        """Start without records; `columns` are all that is kept of one."""
        self._columns: dict[str, list[str | None]] = {name: [] for name in columns}
        self._frames: list[pl.DataFrame] = []
        self._waiting = 0

    def add(self, cells: Mapping[str, str | None]) -> None:
        """Take over the known columns of a record; blank text is unknown."""
        for name, values in self._columns.items():
            text = (cells.get(name) or "").strip()
            values.append(text or None)
        self._waiting += 1
        if self._waiting == _CHUNK_ROWS:
            self._store()

    def frame(self) -> pl.DataFrame:
        """Return the records with `source_row`, counted from 1 in the order of the file."""
        self._store()
        frame = pl.concat(self._frames)
        numbers = pl.int_range(1, frame.height + 1, dtype=pl.Int32, eager=True).alias(SOURCE_ROW)
        return frame.insert_column(0, numbers)

    def _store(self) -> None:
        self._frames.append(pl.DataFrame(self._columns, schema=dict.fromkeys(self._columns, pl.String)))
        self._columns = {name: [] for name in self._columns}
        self._waiting = 0
