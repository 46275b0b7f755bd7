"""A delivery: the files of a folder that are read together, known again by their names and contents."""

import hashlib
from collections.abc import Iterable, Sequence, Set
from itertools import groupby

from crlm_pipeline.extracts.format import Format, Mapped, Reading
from crlm_pipeline.extracts.formats.mapped import MappedFormat
from crlm_pipeline.extracts.source import Group, Sheet, SourceBytes
from crlm_pipeline.extracts.tables import Delivery, Notice, SourceFile, TextTable, dense


def read_delivery(format_: Format, group: Group) -> Delivery:
    """Read the files of a group; raises what the format raises."""
    reading = format_.read(group)
    files = (*_rules(format_), *_source_files(format_.NAME, reading))
    tables = tuple(_tables(reading))
    return Delivery(
        delivery_id=_identity(format_, group, {file.file_name for file in files}),
        files=files,
        tables=tables,
        notices=(*reading.notices, *_unused(group, reading)),
        row_count=sum(table.frame.height for table in tables),
    )


def known_delivery(format_: Format, group: Group, known: Sequence[Delivery]) -> Delivery | None:
    """Return the known delivery that the group is, if it is one; of its files only those used before are looked at."""
    present = {file.name: file for file in _files(group)}
    rules = _rules(format_)
    for delivery in known:
        used = {file.file_name: file.source_file_id for file in delivery.files if file not in rules}
        is_same = all(name in present and present[name].source_file_id == used[name] for name in used)
        if used and is_same and _identity(format_, group, used.keys()) == delivery.delivery_id:
            return delivery
    return None


def unread(group: Group) -> Delivery:
    """Return what stands for files of no format: the notice that nothing of them was used."""
    return Delivery("", (), (), tuple(_unused(group, Reading("real", (), (), ()))), 0)


def _files(group: Group) -> list[SourceBytes]:
    return list({sheet.file.name: sheet.file for sheet in group.sheets}.values())


def _rules(format_: Format) -> tuple[SourceFile, ...]:
    """Return the mapping file, where one says how to read."""
    return (format_.described,) if isinstance(format_, MappedFormat) else ()


def _identity(format_: Format, group: Group, used: Set[str]) -> str:
    """Return the hash of all that a reading depends on: the format, its mapping file and the files of the group.

    A file that was used (by its name) counts with its content, another with its headers, by which it was passed over.
    """
    rules = [rule.source_file_id for rule in _rules(format_)]
    contents = sorted(file.source_file_id for file in _files(group) if file.name in used)
    headers = sorted(
        f"{sheet.file.name} {sheet.name} {sheet.header}" for sheet in group.sheets if sheet.file.name not in used
    )
    parts = [format_.NAME, *rules, *contents, *headers, *sorted(group.other_files)]
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def _source_files(format_name: str, reading: Reading) -> list[SourceFile]:
    """Describe each file that was read, its sheets together."""
    used = [*reading.mapped, *(Mapped(sheet) for sheet in reading.consulted)]
    used.sort(key=lambda mapped: mapped.sheet.file.name)
    consulted = frozenset(reading.consulted)
    return [
        _source_file(format_name, reading, list(of_file), consulted)
        for _, of_file in groupby(used, key=lambda mapped: mapped.sheet.file.name)
    ]


def _source_file(format_name: str, reading: Reading, of_file: list[Mapped], consulted: Set[Sheet]) -> SourceFile:
    file = of_file[0].sheet.file
    with_records = [mapped for mapped in of_file if mapped.sheet not in consulted]
    return SourceFile(
        source_file_id=file.source_file_id,
        file_name=file.name,
        format=format_name,
        sha256=file.sha256,
        byte_count=file.byte_count,
        calendar=reading.calendar,
        row_count=sum(mapped.sheet.records.height for mapped in with_records),
        unmapped_count=sum(mapped.unmapped_count for mapped in with_records),
    )


def _tables(reading: Reading) -> Iterable[TextTable]:
    for mapped in reading.mapped:
        records = dense(mapped.sheet.records)
        for name, frame in mapped.tables.items():
            yield TextTable(name, mapped.sheet.file.source_file_id, dense(frame), records)


def _unused(group: Group, reading: Reading) -> list[Notice]:
    used: set[Sheet] = {*(mapped.sheet for mapped in reading.mapped), *reading.consulted}
    unused = [*group.other_files, *(_label(sheet) for sheet in group.sheets if sheet not in used)]
    return [
        Notice("file_not_used", "warning", None, None, None, f"{name}: nothing of it was used.")
        for name in sorted(unused)
    ]


def _label(sheet: Sheet) -> str:
    return f"{sheet.file.name}, sheet {sheet.name}" if sheet.kind == "workbook" else sheet.file.name
