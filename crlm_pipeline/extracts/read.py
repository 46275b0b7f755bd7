"""Reading: files of any known format become canonical tables as text, with their sources and what was noticed."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.format import Format, Mapped, Reading
from crlm_pipeline.extracts.formats import canonical, cbioportal, maf_folder, naaccr, obds
from crlm_pipeline.extracts.formats.mapped import MappedFormat
from crlm_pipeline.extracts.mapping_load import MappingFile
from crlm_pipeline.extracts.source import Group, Sheet, Source, discover
from crlm_pipeline.extracts.tables import Extract, Notice, SourceFile, TextTable

# In the order in which they are tried.
FORMATS: Final[tuple[Format, ...]] = (canonical, cbioportal, maf_folder, naaccr, obds)


def read_sources(sources: Sequence[Path], mappings: Sequence[MappingFile] = ()) -> Extract:
    """Read files and folders; the format of each folder, and of each folder in it, is recognised by headers.

    A folder with a file that a mapping knows is read by mappings alone, each file by the first that knows it.

    A file that stands in two sources (same name, same content) is read once. Raises `SourceError` for a source of no
    known format, one that cannot be read, and sources without any patient table.
    """
    described = [mapping.described() for mapping in mappings]
    files: dict[str, SourceFile] = {file.source_file_id: file for file in described}
    tables: list[TextTable] = []
    notices: list[Notice] = []
    found_sources = discover(sources, besides=[mapping.file.path for mapping in mappings])
    for format_, group in _recognised(found_sources, [MappedFormat(file.mapping) for file in mappings]):
        reading = format_.read(group) if format_ else Reading("real", (), (), ())
        found = _source_files(format_.NAME, reading) if format_ else []
        notices += [*reading.notices, *_unused(group, reading), *_repeated(found, files)]
        tables += [table for table in _tables(reading) if table.source_file_id not in files]
        files |= {file.source_file_id: file for file in found if file.source_file_id not in files}
    if not any(table.table_name == "patient" for table in tables):
        raise SourceError(
            "The sources hold no patient table.", "Add patient.csv (one row per person), or name the whole folder."
        )
    return Extract(tuple(files.values()), tuple(tables), tuple(notices))


def _recognised(sources: Sequence[Source], mappings: Sequence[MappedFormat]) -> Iterable[tuple[Format | None, Group]]:
    """Yield the folders of the sources with their formats; None for what has none beside others that have."""
    groups = [group for source in sources for group in source.groups]
    for mapping in mappings:
        if not any(mapping.recognises(group) for group in groups):
            mapping.refuse_unknown([sheet for group in groups for sheet in group.sheets])
    for source in sources:
        parts = [part for group in source.groups for part in _with_format(group, mappings)]
        if not any(format_ for format_, _ in parts):
            raise _unrecognised(source)
        yield from parts


def _with_format(group: Group, mappings: Sequence[MappedFormat]) -> list[tuple[Format | None, Group]]:
    """Return a folder with its format or, where a mapping knows a file of it, each file with its mapping."""
    files = [
        Group(group.label, tuple(sheets), ()) for _, sheets in groupby(group.sheets, key=lambda sheet: sheet.file.name)
    ]
    by_mapping = [(_first(mappings, file), file) for file in files]
    if any(mapping for mapping, _ in by_mapping):
        return [*by_mapping, (None, Group(group.label, (), group.other_files))]
    return [(_first(FORMATS, group), group)]


def _first(formats: Sequence[Format], group: Group) -> Format | None:
    return next((format_ for format_ in formats if format_.recognises(group)), None)


def _unrecognised(source: Source) -> SourceError:
    return SourceError(
        "No registry format that is known here: neither tables of the extract contract (patient, tumour, …), "
        "nor a cBioPortal study, a folder with a MAF file, NAACCR XML or oBDS-RKI XML.",
        "Check the source, or map it to the contract with --mapping.",
        source.label,
    )


def _source_files(format_name: str, reading: Reading) -> list[SourceFile]:
    """Describe each file that was read, its sheets together."""
    used = [*reading.mapped, *(Mapped(sheet) for sheet in reading.consulted)]
    used.sort(key=lambda mapped: mapped.sheet.file.name)
    return [
        _source_file(format_name, reading, list(of_file))
        for _, of_file in groupby(used, key=lambda mapped: mapped.sheet.file.name)
    ]


def _source_file(format_name: str, reading: Reading, of_file: list[Mapped]) -> SourceFile:
    file = of_file[0].sheet.file
    with_records = [mapped for mapped in of_file if mapped.sheet not in reading.consulted]
    return SourceFile(
        source_file_id=file.source_file_id,
        file_name=file.name,
        format=format_name,
        sha256=file.sha256,
        byte_count=len(file.content),
        calendar=reading.calendar,
        row_count=sum(mapped.sheet.records.height for mapped in with_records),
        unmapped_count=sum(mapped.unmapped_count for mapped in with_records),
    )


def _tables(reading: Reading) -> Iterable[TextTable]:
    for mapped in reading.mapped:
        for name, frame in mapped.tables.items():
            yield TextTable(name, mapped.sheet.file.source_file_id, frame, mapped.sheet.records)


def _unused(group: Group, reading: Reading) -> list[Notice]:
    used: list[Sheet] = [*(mapped.sheet for mapped in reading.mapped), *reading.consulted]
    unused = [*group.other_files, *(_label(sheet) for sheet in group.sheets if sheet not in used)]
    return [
        Notice("file_not_used", "warning", None, None, None, f"{name}: nothing of it was used.")
        for name in sorted(unused)
    ]


def _label(sheet: Sheet) -> str:
    return f"{sheet.file.name}, sheet {sheet.name}" if sheet.kind == "workbook" else sheet.file.name


def _repeated(found: list[SourceFile], files: dict[str, SourceFile]) -> list[Notice]:
    return [
        Notice(
            "file_repeated",
            "warning",
            file.source_file_id,
            None,
            None,
            f"{file.file_name}: the same file stands in two sources and was read once.",
        )
        for file in found
        if file.source_file_id in files
    ]
