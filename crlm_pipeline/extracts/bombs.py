"""Refuses workbooks and Parquet files that are far larger than they look, before a library unpacks them."""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final
from xml.parsers import expat

import pyarrow as pa
import pyarrow.parquet as pq

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts import limits

OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0"
_WORKBOOK: Final = "xl/workbook.xml"
_OTHER_KINDS: Final = frozenset({"content.xml", "xl/workbook.bin"})  # OpenDocument, binary workbook
_CELLS: Final = b"sheetData"
_PLACE: Final = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_CHUNK: Final = 2**20
_UNKNOWN_SIZE: Final = 2**62
# Of a broken zip or sheet; the last two also of parts that are encrypted, and of places that are none.
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, expat.ExpatError, OSError, EOFError, RuntimeError, ValueError)


def refuse_workbook(content: bytes, file: str) -> None:
    """Raise `SourceError` for what is no .xlsx, is damaged, or unpacks to more than a limit.

    Every part is unpacked once and thrown away: what a zip says of the size of its parts need not be true. A sheet
    takes memory for the rectangle around its cells, so that one cell far out is as large as a full sheet.
    """
    if content.startswith(OLE_MAGIC):
        problem = "The file is an Excel file of the old kind (.xls), or has a password."
        raise SourceError(problem, "Save it as .xlsx without a password.", file)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            names = set(package.namelist())
            if _WORKBOOK not in names or names & _OTHER_KINDS:
                problem = "The file is no Excel workbook (.xlsx)."
                raise SourceError(problem, "Unpack it, or save its table as .xlsx or CSV.", file)
            _refuse_parts(package, len(content), file)
    except _BROKEN as error:
        raise damaged(file, "Excel") from error


def damaged(file: str, kind: str) -> SourceError:
    """Return the error for a binary file that cannot be read."""
    return SourceError(f"The {kind} file is cut off or damaged.", "Deliver it again.", file)


def _refuse_parts(package: zipfile.ZipFile, packed_bytes: int, file: str) -> None:
    most = min(limits.MAX_WORKBOOK_BYTES, max(limits.RATIO_COUNTS_FROM, limits.MAX_RATIO * packed_bytes))
    unpacked = 0
    for part in package.infolist():
        before, has_cells = b"", False
        for chunk in _chunks(package, part):
            unpacked += len(chunk)
            if unpacked > most:
                raise SourceError(
                    f"The workbook unpacks to more than {limits.MAX_RATIO} times its size, or "
                    f"{limits.MAX_WORKBOOK_BYTES >> 30} GB.",
                    "Check it; deliver a very large table as CSV or Parquet.",
                    file,
                )
            has_cells = has_cells or _CELLS in before + chunk
            before = chunk[-len(_CELLS) :]
        if has_cells:
            _refuse_extent(package, part, file)


def _chunks(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a part really unpacks to; its checksum is tested at the end."""
    part.file_size = _UNKNOWN_SIZE
    with package.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _refuse_extent(package: zipfile.ZipFile, part: zipfile.ZipInfo, file: str) -> None:
    extent = _Extent()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = extent.start
    parser.StartDoctypeDeclHandler = _refuse_doctype
    for chunk in _chunks(package, part):
        parser.Parse(chunk)
        if extent.rows * extent.columns > limits.MAX_SHEET_CELLS:
            raise SourceError(
                f"A sheet of the workbook spans more than {limits.MAX_SHEET_CELLS:,} cells.",
                "Delete what stands far below or beside the table, or deliver it as CSV or Parquet.",
                file,
            )
    parser.Parse(b"", True)  # expat's way to say that this is the end


def _refuse_doctype(*_: object) -> None:
    raise ValueError


class _Extent:
    """How far the filled cells of a sheet reach; a cell without a place stands after the one before it."""

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self._row = self._column = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take note of an element of the sheet."""
        match name.rpartition(" ")[2]:
            case "row":
                self._row, self._column = int(attributes.get("r", self._row + 1)), 0
            case "c":
                self._row, self._column = self._place(attributes.get("r"))
            case "v" | "is":
                self.rows, self.columns = max(self.rows, self._row), max(self.columns, self._column)

    def _place(self, place: str | None) -> tuple[int, int]:
        if place is None:
            return self._row, self._column + 1
        found = _PLACE.fullmatch(place)
        if found is None:
            raise ValueError
        column = 0
        for letter in found[1].upper():
            column = 26 * column + ord(letter) - ord("A") + 1
        return int(found[2]), column


def refuse_parquet(content: bytes, file: str) -> None:
    """Raise `SourceError` for a damaged Parquet file, or one that says it holds more than a limit."""
    try:
        told = pq.read_metadata(io.BytesIO(content))
        groups = [told.row_group(number) for number in range(told.num_row_groups)]
        sizes = [group.total_byte_size for group in groups]
        rows = [told.num_rows, *(group.num_rows for group in groups)]
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise damaged(file, "Parquet") from error
    if min(rows) < 0 or sum(rows[1:]) != rows[0]:
        raise damaged(file, "Parquet")
    refuse_size(rows[0], told.num_columns, file)
    if sum(sizes) > limits.MAX_FILE_BYTES:
        problem = f"The Parquet file unpacks to more than {limits.MAX_FILE_BYTES >> 30} GB."
        raise SourceError(problem, "Split it by patients.", file)


def refuse_size(rows: int, columns: int, file: str) -> None:
    """Raise `SourceError` for a table with more columns or cells than the limits."""
    if columns > limits.MAX_COLUMNS:
        problem = f"The table has {columns:,} columns; at most {limits.MAX_COLUMNS:,} are read."
        raise SourceError(problem, "Deliver only columns that the registry needs.", file)
    if rows * columns > limits.MAX_CELLS:
        problem = f"The table has {rows:,} rows of {columns:,} columns, more than {limits.MAX_CELLS:,} cells."
        raise SourceError(problem, "Split it by patients.", file)
