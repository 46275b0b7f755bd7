"""Finding the files of a source and what their headers say; the records are read only when a format asks for them."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

import polars as pl

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts import fhir_json, limits, markup, parquet, text
from crlm_pipeline.extracts.bombs import OLE_MAGIC
from crlm_pipeline.extracts.tables import dense
from crlm_pipeline.extracts.unpacking import unpacked, unpacked_head
from crlm_pipeline.printable import printable
from schemas.extract import extract_tables

_JSON: Final = frozenset({".json", ".ndjson", ".jsonl"})
_EXAMINED: Final = _JSON | {"", ".csv", ".tsv", ".tab", ".txt", ".maf", ".parquet", ".xlsx", ".xml", ".gz"}
_REFUSED_WHEN_DAMAGED: Final = frozenset({".parquet", ".xlsx", ".xml"})
_PACKED: Final = ".gz"


@dataclass(frozen=True)
class SourceBytes:
    """A file of a source: its path, its name relative to the source, and its content (read when asked for, not kept).

    The name is printable: signs that could steer a terminal or are in no encoding stand as escapes.
    """

    path: Path
    name: str

    @property
    def kind_and_stem(self) -> tuple[str, str]:
        """The ending of its name in lower case and what stands before it, both without the `.gz` of a packed file."""
        bare = self.path.with_suffix("") if self.path.suffix.lower() == _PACKED else self.path
        return bare.suffix.lower(), printable(bare.stem)

    @cached_property
    def first_seen(self) -> tuple[int, int] | None:
        """When the file was last changed, and its size, as they were when it was first looked at."""
        return self._stamp()

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return text.read_bytes(self.path, self.name)

    @property
    def is_changed(self) -> bool:
        """Whether the file is another one by now than when it was first looked at."""
        return self._stamp() != self.first_seen

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size

    @property
    def sha256(self) -> str:
        """Hash of the content."""
        return self._measures[0]

    @property
    def source_file_id(self) -> str:
        """First 16 hex digits of sha256(relative name + NUL + content)."""
        return self._measures[1][:16]

    @property
    def byte_count(self) -> int:
        """Size of the content."""
        return self._measures[2]

    @cached_property
    def _measures(self) -> tuple[str, str, int]:
        content = self.content
        of_content, with_name = hashlib.sha256(), hashlib.sha256(self.name.encode() + b"\x00")
        of_content.update(content)
        with_name.update(content)
        return of_content.hexdigest(), with_name.hexdigest(), len(content)


@dataclass(frozen=True)
class Sheet:
    """A table of records inside a file: all of a text or Parquet file, or one sheet of a workbook.

    `name` is the file's stem or the sheet's name; `head` is the start of a text file, empty for other kinds. The header
    of an XML file is the name of its root element, that of FHIR JSON is `resourceType`; the format reads such a file
    and hands over its lists of records as sheets of their own, with their records `delivered`.
    """

    file: SourceBytes
    name: str
    header: tuple[str, ...]
    head: str = ""
    kind: Literal["text", "parquet", "workbook", "xml", "json"] = "text"
    delivered: pl.DataFrame | None = field(default=None, compare=False, repr=False)

    @cached_property
    def records(self) -> pl.DataFrame:
        """The records as delivered: `source_row` and String columns. Raises `SourceError` when they cannot be read."""
        if self.delivered is not None:
            return self.delivered
        if self.kind == "parquet":
            return parquet.read_parquet(self.file.content, self.file.name)
        if self.kind == "workbook":
            return text.read_sheet(self.file.content, self.name, self.file.name)
        return text.read_text(unpacked(self.file.content, self.file.name), self.file.name)

    def held(self) -> "Sheet":
        """Return the sheet with its records read, their texts as TEXT: a large file takes little memory."""
        if self.delivered is None and self.kind == "text":
            records = text.read_text(unpacked(self.file.content, self.file.name), self.file.name, held=dense)
        else:
            records = dense(self.records)
        return replace(self, delivered=records)

    def has(self, *columns: str) -> bool:
        """Whether the header has all these columns."""
        return set(columns) <= set(self.header)


@dataclass(frozen=True, slots=True)
class Group:
    """The files of one folder, which are read together. `label` is the folder's name."""

    label: str
    sheets: tuple[Sheet, ...]
    other_files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """What was named on the call: a folder with its folders, or all files named one by one."""

    label: str
    groups: tuple[Group, ...]


def discover(sources: Sequence[Path], besides: Collection[Path] = ()) -> list[Source]:
    """Return the files of the sources, by folder; files named one by one are one source together.

    Files in `besides`, which the run uses otherwise, are left out of folders. Raises `SourceError` for a source that
    does not exist, may not be read, or is damaged beyond its header.
    """
    found = [
        Source(printable(source.name), _groups(list(_files(source, besides)), is_named=False))
        for source in sources
        if source.is_dir()
    ]
    named = [SourceBytes(source, printable(source.name)) for source in sources if not source.is_dir()]
    if named:
        found.append(Source(named[0].name, _groups(named, is_named=True)))
    return found


def refuse_changed(sources: Sequence[Source]) -> None:
    """Raise `SourceError` for a file that changed since it was found: what was read may be half of each."""
    sheets = (sheet for source in sources for group in source.groups for sheet in group.sheets)
    changed = next((sheet.file for sheet in sheets if sheet.file.is_changed), None)
    if changed:
        raise SourceError("The file changed while it was being read.", "Run again once it is whole.", changed.name)


def _groups(files: list[SourceBytes], *, is_named: bool) -> tuple[Group, ...]:
    by_folder: dict[Path, list[SourceBytes]] = {}
    for file in files:
        by_folder.setdefault(file.path.absolute().parent, []).append(file)
    return tuple(
        _group(printable(folder.name), of_folder, is_named=is_named) for folder, of_folder in by_folder.items()
    )


def _files(folder: Path, besides: Collection[Path]) -> Iterator[SourceBytes]:
    left_out = {path.absolute() for path in besides}
    for path in sorted(_walk(folder)):
        if path.absolute() not in left_out:
            yield SourceBytes(path, printable(path.relative_to(folder).as_posix()))


def _walk(source: Path) -> Iterator[Path]:
    """Yield the files of a folder and of those in it; links are followed, out of the folder as well.

    A folder that was met before, as it is in a loop of links, is handed over itself and not entered again.
    """
    met: set[tuple[int, int]] = set()
    waiting = [source]
    count = 0
    while waiting:
        folder = waiting.pop()
        identity, entries = _entries(folder, source)
        if identity in met:
            yield folder
            continue
        met.add(identity)
        count += len(entries)
        if count > limits.MAX_FILES:
            raise _endless(f"more than {limits.MAX_FILES:,} files", source)
        waiting += [entry for entry in reversed(entries) if entry.is_dir()]
        yield from (entry for entry in entries if not entry.is_dir())


def _entries(folder: Path, source: Path) -> tuple[tuple[int, int], list[Path]]:
    """Return what tells a folder from all others, and what it holds but for hidden entries."""
    if len(folder.relative_to(source).parts) > limits.MAX_DEPTH:
        raise _endless(f"folders in folders, more than {limits.MAX_DEPTH} deep", source)
    try:
        status = folder.stat()
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        name = folder.relative_to(source).as_posix() if folder != source else folder.name
        raise text.UnreadableError(
            "The folder cannot be read.", "Check that you may read it.", printable(name)
        ) from error
    return (status.st_dev, status.st_ino), entries


def _endless(what: str, source: Path) -> SourceError:
    return text.UnreadableError(f"The folder holds {what}.", "Name the registry's own folder.", printable(source.name))


def _group(label: str, files: list[SourceBytes], *, is_named: bool) -> Group:
    sheets: list[Sheet] = []
    others: list[str] = []
    for file in files:
        _ = file.first_seen  # before anything of it is read
        is_examined = is_named or _is_expected(file) or _is_promising(file)
        try:
            found = list(_sheets(file)) if is_examined else []
        except text.UnreadableError:
            raise
        except SourceError:
            if is_named or _is_expected(file):
                raise
            found = []
        sheets += found
        if not found:
            others.append(file.name)
    return Group(label, tuple(sheets), tuple(others))


def _is_promising(file: SourceBytes) -> bool:
    """Whether a file may hold records by its kind; a pipe, a device or a folder that was met before does not."""
    is_special = file.path.exists() and not file.path.is_file()
    return file.path.suffix.lower() in _EXAMINED and not is_special


def _is_expected(file: SourceBytes) -> bool:
    """Whether a damaged file must not be passed over: one of our tables, or a data file by its kind."""
    kind, stem = file.kind_and_stem
    return kind in _EXAMINED and (stem.lower() in extract_tables() or kind in _REFUSED_WHEN_DAMAGED)


def _sheets(file: SourceBytes) -> Iterator[Sheet]:
    start = text.read_bytes(file.path, file.name, limit=text.HEAD_BYTES)
    kind, stem = file.kind_and_stem
    if start.startswith(text.PARQUET_MAGIC) or (kind == ".parquet" and start):
        yield Sheet(file, stem, parquet.header_of_parquet(file.content, file.name), kind="parquet")
    elif start.startswith((text.ZIP_MAGIC, OLE_MAGIC)) or (kind == ".xlsx" and start):
        book = text.workbook(file.content, file.name)
        for name in book.sheet_names:
            yield Sheet(file, name, text.header_of_sheet(book, name, file.name), kind="workbook")
    elif root := markup.root(start, file.name):
        yield Sheet(file, stem, (root.name,), kind="xml")
    elif fhir_json.is_fhir(start):
        yield Sheet(file, stem, ("resourceType",), kind="json")
    elif kind not in _JSON:
        beginning = text.head(unpacked_head(start) or unpacked(file.content, file.name), file.name)
        yield Sheet(file, stem, text.header_of_text(beginning), beginning)
