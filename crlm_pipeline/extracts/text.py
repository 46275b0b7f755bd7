"""Records of one file as text: delimited text and Excel become frames of String columns with row numbers.

Nothing is guessed: a file that is cut off, in another encoding, ragged or without unique headers is refused with the
place and the remedy. Cells come as delivered; an empty cell is null.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import fastexcel
import polars as pl

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts import limits
from crlm_pipeline.extracts.bombs import damaged, refuse_size, refuse_workbook

SOURCE_ROW: Final = "source_row"
HEAD_BYTES: Final = 262_144
PARQUET_MAGIC: Final = b"PAR1"
ZIP_MAGIC: Final = b"PK\x03\x04"
_DELIMITERS: Final = ("\t", ";", ",")
# From here on a number may stand for its neighbours too: a spreadsheet keeps 15 digits.
_INEXACT_CELL: Final = r"^-?\d{16,}$"
MIDNIGHT: Final = re.compile(r" 00:00:00(\.0+)?$")
_PATTERN: Final = re.compile(r"\*|\^.*\$", re.DOTALL)
_PART_BYTES: Final = 2**23  # of a text that are read at a time
csv.field_size_limit(2 * limits.MAX_CELL_BYTES)  # beyond our own limit, which has words for it


Held = Callable[[pl.DataFrame], pl.DataFrame]


def _as_it_is(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


class UnreadableError(SourceError):
    """A file or folder that may not be read; never passed over in silence."""


def read_bytes(path: Path, file: str, limit: int = -1) -> bytes:
    """Return the bytes of a file (the first `limit` if given).

    Raises `UnreadableError` when it may not be read, is too large, or is a pipe or device, which could wait for ever.
    """
    try:
        if path.exists() and not path.is_file():
            raise UnreadableError("It is no regular file.", "Name a file, or leave it out of the folder.", file)
        if path.stat().st_size > limits.MAX_FILE_BYTES:
            problem = f"The file is larger than {limits.MAX_FILE_BYTES >> 30} GB."
            raise UnreadableError(problem, "Split it by patients, or deliver it as Parquet.", file)
        with path.open("rb") as stream:
            return stream.read(limit)
    except OSError as error:
        raise UnreadableError(
            "The file cannot be read.", "Check that it exists and that you may read it.", file
        ) from error


def decode(content: bytes, file: str) -> str:
    """Return UTF-8 text without its byte-order mark; `SourceError` names the row where the encoding breaks."""
    _refuse_binary(content, file)
    try:
        return _with_line_ends(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        row = _row(content.removeprefix(codecs.BOM_UTF8)[: error.start])
        raise SourceError("The text is not UTF-8.", "Save the file as UTF-8 and run again.", file, row) from None


def _with_line_ends(text: str) -> str:
    """Return the text with line feeds where all its lines end in carriage returns, as those of an old Macintosh do."""
    return text if "\n" in text else text.replace("\r", "\n")


def _refuse_binary(content: bytes, file: str) -> None:
    if not content or content.isspace():
        raise SourceError("The file is empty.", "Deliver it again, with at least a header line.", file)
    if b"\x00" in content:
        raise SourceError(
            "The file holds NUL bytes: it is damaged, binary or UTF-16.",
            "Save it as UTF-8 text.",
            file,
            _row(content[: content.index(0)]),
        )


def _row(before: bytes) -> int | None:
    """Return the row in which these bytes end, counted from 1 below the header; None inside the header."""
    lines = before.decode("utf-8", errors="replace").split("\n")
    header = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    return len(lines) - 1 - header or None if header < len(lines) else None


def head(content: bytes, file: str) -> str:
    """Return the start of a text file up to its last whole line, leniently decoded; `SourceError` when binary."""
    _refuse_binary(content, file)
    text = _with_line_ends(content.decode("utf-8-sig", errors="replace"))
    return text if len(content) < HEAD_BYTES else text.rpartition("\n")[0] or text


def _header_line(text: str) -> str:
    """Return the first line that is neither blank nor a comment (`#`); an empty text when there is none."""
    return next((line for line in text.split("\n") if line.strip() and not line.startswith("#")), "")


def delimiter(header: str) -> str:
    """Return the delimiter of a header line: a tab if it has one, else the more frequent of `;` and `,`."""
    return "\t" if "\t" in header else max(_DELIMITERS[1:], key=header.count)


def header_of_text(text: str) -> tuple[str, ...]:
    """Return the column names of delimited text, as far as it is at hand."""
    line = _header_line(text).rstrip("\r")
    if not line:
        return ()
    separator = delimiter(line)
    return tuple(_unquoted(cell) for cell in _header_cells(line, separator))


def _header_cells(line: str, separator: str) -> list[str]:
    """Return the cells of a header; a line that is no CSV (a carriage return within it) is split as it stands."""
    if separator == "\t":
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator))
    except csv.Error:
        return line.split(separator)


def _unquoted(cell: str) -> str:
    text = cell.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] == '"' else text


def workbook(content: bytes, file: str) -> fastexcel.ExcelReader:
    """Open an Excel workbook; `SourceError` when it is damaged or beyond a limit."""
    refuse_workbook(content, file)
    try:
        return fastexcel.read_excel(content)
    except fastexcel.FastExcelError:
        raise damaged(file, "Excel") from None


def read_text(content: bytes, file: str, held: Held = _as_it_is) -> pl.DataFrame:
    """Read delimited text. Rows count from 1 below the header; blank lines count but make no record.

    `held`: the form in which rows are held, part by part, as they are read.
    """
    regular = _read_regular(content, file, held)
    frame = held(_read_any(content, file)) if regular is None else regular
    return _without_nameless(frame)


def _read_any(content: bytes, file: str) -> pl.DataFrame:
    text = decode(content, file)
    header_line = _header_line(text)
    if not header_line:
        raise SourceError("The file has no header.", "Deliver it with a header line.", file)
    separator = delimiter(header_line)
    # A comment line may hold the same words: the header is a line of its own.
    body = text if text.startswith(header_line) else text[text.index(f"\n{header_line}") + 1 :]
    names = column_names(header_of_text(header_line), file)
    refuse_size(body.count("\n", 0, len(body) - 1), len(names), file)
    if separator != "\t" and '"' in body:
        return _read_quoted(body, separator, names, file)
    lines = pl.Series("line", body.removesuffix("\n").split("\n")).str.strip_suffix("\r")[1:]
    cells = lines.str.split(separator)
    frame = pl.DataFrame({SOURCE_ROW: pl.int_range(1, len(lines) + 1, dtype=pl.Int32, eager=True), "cells": cells})
    frame = frame.filter(lines.str.strip_chars() != "")
    ragged = frame.select(SOURCE_ROW, pl.col("cells").list.len()).filter(pl.col("cells") != len(names))
    _refuse_ragged(ragged.row(0) if ragged.height else None, len(names), file)
    columns = [pl.col("cells").list.get(i).alias(name) for i, name in enumerate(names)]
    return known_cells(frame.select(SOURCE_ROW, *columns), file, strip_quotes='"' in body)


def _read_regular(content: bytes, file: str, held: Held) -> pl.DataFrame | None:
    """Return what `_read_any` makes of a file, in little memory and time, if nothing of it is out of the ordinary.

    That is: the header is the first line, nothing is quoted, no carriage return stands alone, and every line has all
    its cells. Of any other file, and of one that is to be refused, this tells nothing (None).
    """
    start = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    end = content.find(b"\n", start)
    if end < 0 or content.startswith(b"#", start) or b'"' in content or b"\x00" in content:
        return None
    if content.count(b"\r") != content.count(b"\r\n"):  # polars would take it off the end of a cell
        return None
    try:
        header = content[start:end].decode()
        names = column_names(header_of_text(header), file)
        refuse_size(content.count(b"\n", end), len(names), file)
        return _regular_rows(content, end + 1, delimiter(header), names, held)
    except (UnicodeDecodeError, SourceError, pl.exceptions.PolarsError):
        return None


def _regular_rows(content: bytes, start: int, separator: str, names: list[str], held: Held) -> pl.DataFrame | None:
    frames = []
    count = 0
    while start < len(content):
        end = content.rfind(b"\n", start, start + _PART_BYTES) + 1 or content.find(b"\n", start) + 1 or len(content)
        part = _regular_part(content[start:end], separator, names, count)
        if part is None:
            return None
        # Of a line of nothing but tabs it cannot be told whether it is blank or a record: it is blank.
        records = part.filter(~pl.all_horizontal(pl.exclude(SOURCE_ROW).is_null())) if separator == "\t" else part
        frames.append(held(records))
        start, count = end, count + part.height
    return pl.concat(frames) if frames else None


def _regular_part(lines: bytes, separator: str, names: list[str], before: int) -> pl.DataFrame | None:
    """Return whole lines as rows, counted on from `before`; None if a line lacks a cell.

    None has one too many, which polars refuses; so that with the separators of all lines each has its own.
    """
    count = lines.count(b"\n") + (not lines.endswith(b"\n"))
    cells_are_told = len(names) > 1 and lines.count(separator.encode()) == count * (len(names) - 1)
    if not cells_are_told or lines.startswith(codecs.BOM_UTF8):  # which polars would take off
        return None
    cells = pl.read_csv(
        lines,
        has_header=False,
        separator=separator,
        quote_char=None,
        schema=dict.fromkeys(names, pl.String),
    )
    numbers = pl.int_range(before + 1, before + count + 1, dtype=pl.Int32, eager=True).alias(SOURCE_ROW)
    is_whole = cells.height == count and not _longest_cell(cells) > limits.MAX_CELL_BYTES
    return _blank_is_null(cells.insert_column(0, numbers)) if is_whole else None


def _read_quoted(body: str, separator: str, names: list[str], file: str) -> pl.DataFrame:
    """Read text whose cells may be quoted and hold delimiters or line breaks; a record counts as one row."""
    records: list[list[str]] = []
    try:
        records.extend(csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True))
    except csv.Error:
        problem = "A quotation mark is not closed, or text stands beside a quoted cell."
        raise SourceError(problem, 'Close or double it ("").', file, len(records) or None) from None
    del records[:1]
    numbered = [(row, cells) for row, cells in enumerate(records, start=1) if any(map(str.strip, cells))]
    ragged = next(((row, len(cells)) for row, cells in numbered if len(cells) != len(names)), None)
    _refuse_ragged(ragged, len(names), file)
    numbers = pl.Series(SOURCE_ROW, [row for row, _ in numbered], dtype=pl.Int32)
    columns = [pl.Series(name, [cells[i] for _, cells in numbered], dtype=pl.String) for i, name in enumerate(names)]
    return known_cells(pl.DataFrame([numbers, *columns]), file)


def _refuse_ragged(ragged: tuple[int, int] | None, width: int, file: str) -> None:
    """Refuse the first ragged row, given as its number and its count of cells."""
    if ragged:
        row, cells = ragged
        raise SourceError(
            f"The row has {cells} cells where the header has {width} columns.",
            "Quote cells that hold the delimiter, and deliver every row with all its cells.",
            file,
            row,
        )


def column_names(header: tuple[str, ...], file: str) -> list[str]:
    """Return the header with nameless columns numbered; `SourceError` for a name that stands twice.

    Numbered is also a name that polars would take for a pattern of names.
    """
    refuse_size(0, len(header), file)
    names = [
        name if name and not _PATTERN.fullmatch(name) else f"column_{number}"
        for number, name in enumerate(header, start=1)
    ]
    repeated, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise SourceError("The column stands twice.", "Name each column once.", file, column=repeated)
    if SOURCE_ROW in names:
        # A column of that name is ours in the warehouse; the delivered one could not stand beside it.
        names[names.index(SOURCE_ROW)] = f"delivered_{SOURCE_ROW}"
    return names


def known_cells(frame: pl.DataFrame, file: str, *, strip_quotes: bool = False) -> pl.DataFrame:
    """Make empty cells null, and in unquoted text take the quotes off a cell that is wholly quoted."""
    _refuse_long_cells(frame, file)
    if strip_quotes:
        frame = frame.with_columns(pl.exclude(SOURCE_ROW).str.replace(r'^\s*"([^"]*)"\s*$', "${1}"))
    return _without_nameless(_blank_is_null(frame))


def _blank_is_null(frame: pl.DataFrame) -> pl.DataFrame:
    cells = pl.exclude(SOURCE_ROW)
    return frame.with_columns(pl.when(cells.str.strip_chars() != "").then(cells).name.keep())


def _without_nameless(frame: pl.DataFrame) -> pl.DataFrame:
    empty = [name for name in frame.columns if name.startswith("column_") and frame[name].null_count() == frame.height]
    return frame.drop(empty)


def _longest_cell(cells: pl.DataFrame) -> int:
    return cells.select(pl.max_horizontal(pl.all().str.len_bytes().max()).fill_null(0)).item()  # type: ignore[no-any-return]


def _refuse_long_cells(frame: pl.DataFrame, file: str) -> None:
    cells = frame.drop(SOURCE_ROW)
    if not cells.width or _longest_cell(cells) <= limits.MAX_CELL_BYTES:
        return
    for name in cells.columns:
        lengths = frame[name].str.len_bytes()
        if (lengths.max() or 0) > limits.MAX_CELL_BYTES:  # type: ignore[operator]  # a number, or None of no rows
            row = frame[SOURCE_ROW][lengths.arg_max() or 0]
            problem = f"A cell is larger than {limits.MAX_CELL_BYTES // 1_000_000} MB."
            raise SourceError(problem, "Deliver texts and images apart from the table.", file, row, name)


def refuse_rounded(is_rounded: pl.Series, column: str, file: str) -> None:
    """Refuse a column with a number that has lost digits: different ids may have become the same one."""
    rows = is_rounded.fill_null(value=False).arg_true()
    if len(rows):
        raise SourceError(
            "The number has more digits than its file keeps, so that it is rounded.",
            "Deliver the column as text, anew from where its numbers are whole.",
            file,
            rows[0] + 1,
            column,
        )


def header_of_sheet(book: fastexcel.ExcelReader, sheet: str, file: str) -> tuple[str, ...]:
    """Return the first row of a sheet of a workbook; `SourceError` when the sheet is damaged."""
    row = _cells(book, sheet, file, n_rows=1)
    return tuple((cell or "").strip() for cell in row.row(0)) if row.height else ()


def read_sheet(content: bytes, sheet: str, file: str) -> pl.DataFrame:
    """Read one sheet of a workbook as shown; a date without time is ISO 8601. Blank rows count but make no record.

    Raises `SourceError` for a number with more digits than a spreadsheet keeps. The limits of workbooks were tested
    when this one was opened for its headers.
    """
    book = fastexcel.read_excel(content)
    cells = _cells(book, sheet, file)
    if cells.is_empty():
        raise SourceError(f"The sheet {sheet} is empty.", "Deliver it with a header.", file)
    names = column_names(tuple((cell or "").strip() for cell in cells.row(0)), file)
    cells.columns = names
    _refuse_rounded_cells(cells[1:], book, sheet, file)
    frame = cells[1:].with_columns(pl.all().str.replace(MIDNIGHT.pattern, ""))
    frame = frame.select(pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias(SOURCE_ROW), pl.all())
    frame = known_cells(frame, file)
    return frame.filter(~pl.all_horizontal(pl.exclude(SOURCE_ROW).is_null()))


def _refuse_rounded_cells(cells: pl.DataFrame, book: fastexcel.ExcelReader, sheet: str, file: str) -> None:
    """Refuse numbers of so many digits; the same digits in a cell of text are whole."""
    is_long = cells.select(pl.all().str.contains(_INEXACT_CELL).fill_null(value=False))
    suspects = [number for number, column in enumerate(is_long.iter_columns()) if column.any()]
    if not suspects:
        return
    # Read as truth values, numbers are something and texts are not.
    truths = book.load_sheet(sheet, header_row=None, dtypes="boolean").to_polars()[1:]
    for number in suspects:
        is_number = truths.to_series(number).is_not_null()
        refuse_rounded(is_long.to_series(number) & is_number, cells.columns[number], file)


def _cells(book: fastexcel.ExcelReader, sheet: str, file: str, n_rows: int | None = None) -> pl.DataFrame:
    try:
        return book.load_sheet(sheet, header_row=None, n_rows=n_rows, dtypes="string").to_polars()
    except fastexcel.FastExcelError:
        raise damaged(file, "Excel") from None
