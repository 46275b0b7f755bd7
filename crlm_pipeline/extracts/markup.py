"""Registry XML, plain or gzipped: told by its root element, read record by record, refused where it could do harm.

A document type (DOCTYPE) is refused, and with it every entity; nothing is fetched from anywhere. Limits stop a file
that unpacks to far more than it is (a bomb) and a record without end. No message holds a value of the file.
"""

import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl
from lxml import etree

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.text import HEAD_BYTES, SOURCE_ROW, UnreadableError

MAX_RECORD_BYTES: Final = 64 * 2**20  # of one record; a real one has some kilobytes
MAX_UNPACKED_BYTES: Final = 32 * 2**30  # of a gzipped file
MAX_RATIO: Final = 200  # unpacked to packed bytes; registry XML unpacks to some 20 times
_RATIO_COUNTS_FROM: Final = 2**24  # unpacked bytes; below them any ratio is harmless
_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31  # zlib's number for a gzip header
_CHUNK_ROWS: Final = 50_000
_STEP: Final = 4096
_BEFORE_ROOT: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_DOCTYPE: Final = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_ELEMENT: Final = re.compile(rb"<[A-Za-z_]")


@dataclass(frozen=True, slots=True)
class Root:
    """The root element: its name without namespace, and its attributes."""

    name: str
    attributes: Mapping[str, str]


def root(start: bytes, file: str) -> Root | None:
    """Return the root element of XML that begins with these bytes (plain or gzipped); None for anything else.

    Raises `UnreadableError` for XML with a document type, so that it is never passed over in silence.
    """
    head = _unpacked(start)
    rest = head[_end_of_prolog(head) :]
    if _DOCTYPE.match(rest):
        raise UnreadableError(
            "The XML declares a document type (DOCTYPE), through which entities could be smuggled in.",
            "Deliver it without one.",
            file,
        )
    return _first_element(head) if _ELEMENT.match(rest) else None


def _unpacked(start: bytes) -> bytes:
    """Return the bytes as they are, or what the first of a gzipped file unpack to, up to the length of a head."""
    if not start.startswith(_GZIP_MAGIC):
        return start
    try:
        return zlib.decompressobj(_GZIP_WINDOW).decompress(start, HEAD_BYTES)
    except zlib.error:
        return b""


def _end_of_prolog(head: bytes) -> int:
    found = _BEFORE_ROOT.match(head)
    return found.end() if found else 0


def _first_element(head: bytes) -> Root | None:
    parser = etree.XMLPullParser(events=("start",), resolve_entities=False, no_network=True, huge_tree=False)
    try:
        for at in range(0, len(head), _STEP):
            parser.feed(head[at : at + _STEP])
            for _, element in parser.read_events():
                if isinstance(element, etree._Element):
                    attributes = {str(key): str(value) for key, value in element.attrib.items()}
                    return Root(etree.QName(element).localname, attributes)
    except etree.XMLSyntaxError:
        return None
    return None


def records(content: bytes, file: str, name: str) -> Iterator[etree._Element]:
    """Yield each element of this name in any namespace; it is emptied when the next one is asked for.

    Raises `SourceError` when the file is cut off, not well-formed, or beyond a limit.
    """
    stream = _Metered(content, file)
    # huge_tree stays off: libxml2 then refuses a value beyond 10 MB and absurd depth by itself.
    events = etree.iterparse(
        stream, events=("end",), tag=f"{{*}}{name}", resolve_entities=False, no_network=True, load_dtd=False,
        dtd_validation=False, huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        for _, element in events:
            yield element
            stream.start_record()
            _forget(element)
    except etree.XMLSyntaxError as error:
        raise SourceError(
            f"The XML is cut off, not well-formed or holds a value beyond 10 MB (line {error.lineno}).",
            "Deliver it again.",
            file,
        ) from error


def _forget(element: etree._Element) -> None:
    """Free a record and everything before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


class _Metered:
    """The unpacked bytes of a file, counted as they are read."""

    def __init__(self, content: bytes, file: str) -> None:
        packed = io.BytesIO(content)
        self._is_packed = content.startswith(_GZIP_MAGIC)
        self._stream = gzip.GzipFile(fileobj=packed) if self._is_packed else packed
        self._packed_bytes = len(content)
        self._file = file
        self._read = 0
        self._record_start = 0

    def start_record(self) -> None:
        """Count the bytes of a record from here."""
        self._record_start = self._read

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; `SourceError` when the gzip file is damaged or a limit is passed."""
        try:
            chunk = self._stream.read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError("The gzip file is cut off or damaged.", "Deliver it again.", self._file) from error
        self._read += len(chunk)
        if self._is_packed and self._is_bomb():
            raise SourceError(
                f"The gzip file unpacks to more than {MAX_RATIO} times its size, or {MAX_UNPACKED_BYTES >> 30} GB.",
                "Check it; a very large delivery can be split by patients.",
                self._file,
            )
        if self._read - self._record_start > MAX_RECORD_BYTES:
            problem = f"A record of the XML is larger than {MAX_RECORD_BYTES >> 20} MB."
            raise SourceError(problem, "Check that the file is what it claims to be.", self._file)
        return chunk

    def _is_bomb(self) -> bool:
        is_swollen = self._read > max(_RATIO_COUNTS_FROM, MAX_RATIO * self._packed_bytes)
        return is_swollen or self._read > MAX_UNPACKED_BYTES


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
