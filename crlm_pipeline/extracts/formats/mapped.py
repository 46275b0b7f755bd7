"""Spreadsheets and delimited files of any layout, read as a mapping file says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import polars as pl

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.format import Mapped, Reading, warning
from crlm_pipeline.extracts.mapping import FileMapping, Mapping, RowTemplate
from crlm_pipeline.extracts.mapping_cells import cell_text, meets
from crlm_pipeline.extracts.source import Group, Sheet
from crlm_pipeline.extracts.tables import Notice, SourceFile
from crlm_pipeline.extracts.text import SOURCE_ROW
from schemas.extract import extract_tables


@dataclass(frozen=True, slots=True)
class MappedFormat:
    """The format that a mapping file describes; `described` is that file."""

    mapping: Mapping
    described: SourceFile

    @property
    def NAME(self) -> str:  # noqa: N802  # as every format has it
        """`mapping` and the name of the mapping."""
        return f"mapping:{self.mapping.mapping}"

    def recognises(self, group: Group) -> bool:
        """Whether the mapping knows any file or sheet of the group."""
        return any(self._file(sheet) for sheet in group.sheets)

    def read(self, group: Group) -> Reading:
        """Make the rows of every file that the mapping knows.

        Raises `SourceError` naming a source column that the mapping reads and the file lacks.
        """
        known = [(sheet, file) for sheet in group.sheets if (file := self._file(sheet))]
        mapped = tuple(Mapped(sheet, self._tables(sheet, file)) for sheet, file in known)
        notices = [notice for sheet, file in known for notice in _unused(sheet, file)]
        return Reading(self.mapping.calendar, mapped, (), tuple(notices))

    def refuse_unknown(self, sheets: Sequence[Sheet]) -> None:
        """Raise `SourceError` naming the first column that the nearest file lacks of a header in the mapping."""
        lacking = [(sheet, _lacking(sheet, file.header)) for sheet in sheets for file in self.mapping.files]
        sheet, columns = min(lacking, key=lambda pair: len(pair[1]), default=(None, []))
        raise SourceError(
            f"The mapping {self.mapping.mapping} knows none of the files by its `header` and `sheet`.",
            "Correct these keys of the mapping, or name the source that it was written for.",
            sheet.file.name if sheet else None,
            column=columns[0] if columns else None,
        )

    def _file(self, sheet: Sheet) -> FileMapping | None:
        """Return the first file of the mapping that the sheet is."""
        return next(
            (
                file
                for file in self.mapping.files
                if sheet.has(*file.header) and (file.sheet is None or file.sheet.lower() == sheet.name.lower())
            ),
            None,
        )

    def _tables(self, sheet: Sheet, file: FileMapping) -> dict[str, pl.DataFrame]:
        _refuse_absent(sheet, file, self.mapping)
        records = _known(sheet, file, self.mapping)
        rows: dict[str, list[pl.DataFrame]] = {}
        for row in file.rows:
            rows.setdefault(row.table, []).append(self._rows(records, file, row))
        return {
            table: pl.concat(frames, how="diagonal").sort(SOURCE_ROW, maintain_order=True)
            for table, frames in rows.items()
        }

    def _rows(self, records: pl.DataFrame, file: FileMapping, row: RowTemplate) -> pl.DataFrame:
        table = extract_tables()[row.table]
        cells = {name: cell_text(cell, table.column(name), self.mapping) for name, cell in row.columns.items()}
        wanted = records.filter(meets(row.only_if)) if row.only_if else records
        return wanted.select(SOURCE_ROW, patient_id=self._patient_id(file), **cells)

    def _patient_id(self, file: FileMapping) -> pl.Expr:
        column = extract_tables()["patient"].column("patient_id")
        name = cell_text(file.patient_id, column, self.mapping)
        return (
            pl.concat_str(cell_text(file.id_prefix, column, self.mapping), pl.lit("-"), name)
            if file.id_prefix
            else name
        )


def _known(sheet: Sheet, file: FileMapping, mapping: Mapping) -> pl.DataFrame:
    """Return the records without blanks around cells, and null where a code says that a cell is unknown."""
    records = sheet.records.with_columns(pl.exclude(SOURCE_ROW).str.strip_chars())
    cells = [_without(name, (*mapping.missing, *file.missing.get(name, ()))) for name in records.columns[1:]]
    return records.with_columns(cells)


def _without(name: str, codes: tuple[str, ...]) -> pl.Expr:
    cell = pl.col(name)
    return pl.when(~cell.str.to_lowercase().is_in([code.lower() for code in codes])).then(cell).alias(name)


def _lacking(sheet: Sheet, columns: Sequence[str]) -> list[str]:
    return [name for name in columns if name not in sheet.header]


def _refuse_absent(sheet: Sheet, file: FileMapping, mapping: Mapping) -> None:
    delivered = sheet.records.columns
    for _, name in file.columns():
        if name not in delivered:
            close = get_close_matches(name, delivered, n=1)
            remedy = f"Its nearest column is {close[0]!r}." if close else "Deliver it, or take it out of the mapping."
            raise SourceError(
                f"The mapping {mapping.mapping} reads this column, which the file lacks.",
                remedy,
                sheet.file.name,
                column=name,
            )


def _unused(sheet: Sheet, file: FileMapping) -> Iterator[Notice]:
    used = {name for _, name in file.columns()}
    unused = [name for name in sheet.records.columns if name not in used and name != SOURCE_ROW]
    if unused:
        message = f"{sheet.file.name}: the mapping does not use {len(unused)} columns: {', '.join(unused)}."
        yield warning("column_not_used", sheet, message)
