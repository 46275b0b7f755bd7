"""Reading: files of any known format become canonical tables as text, with their sources and what was noticed."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Final

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.deletions import take_deletions
from crlm_pipeline.extracts.delivery import known_delivery, read_delivery, unread
from crlm_pipeline.extracts.format import Format
from crlm_pipeline.extracts.formats import canonical, cbioportal, maf_folder, mcode, naaccr, obds, omop
from crlm_pipeline.extracts.formats.mapped import MappedFormat
from crlm_pipeline.extracts.mapping_load import MAPPING_FILE, MappingFile
from crlm_pipeline.extracts.pseudonyms import PseudonymKey, pseudonymised
from crlm_pipeline.extracts.source import Group, Source, discover, refuse_changed
from crlm_pipeline.extracts.tables import Delivery, Extract, Notice

# In the order in which they are tried.
FORMATS: Final[tuple[Format, ...]] = (canonical, cbioportal, maf_folder, naaccr, obds, omop, mcode)


@dataclass(frozen=True, slots=True)
class Reader:
    """How sources are read: the mapping files, the key of pseudonyms if ids are to be replaced, and `known`.

    A delivery that is known, by its files' names and contents, is not read again: it stands as it is in `known`.
    """

    mappings: Sequence[MappingFile] = ()
    key: PseudonymKey | None = None
    known: Sequence[Delivery] = ()

    @property
    def key_id(self) -> str | None:
        """Which key makes the pseudonyms; None where ids stay as they are."""
        return self.key.key_id if self.key else None


def read_sources(sources: Sequence[Path], mappings: Sequence[MappingFile] = ()) -> Extract:
    """Read files and folders that are a whole registry (`read_deliveries`).

    Raises `SourceError` when they hold no patient table.
    """
    extract = read_deliveries(sources, Reader(mappings))
    refuse_without_patients(extract)
    return extract


def refuse_without_patients(extract: Extract) -> None:
    """Raise `SourceError` when no patient table takes part."""
    if not any(table.table_name == "patient" for table in extract.tables):
        raise SourceError(
            "The sources hold no patient table.", "Add patient.csv (one row per person), or name the whole folder."
        )


def read_deliveries(sources: Sequence[Path], reader: Reader) -> Extract:
    """Read files and folders; the format of each folder, and of each folder in it, is recognised by headers.

    A folder with a file that a mapping knows is read by mappings alone, each file by the first that knows it.

    A file that stands in two sources (same name, same content) is read once. Raises `SourceError` for a source of no
    known format and one that cannot be read, or changes while it is.
    """
    discovered = discover(sources, besides=[mapping.file.path for mapping in reader.mappings])
    found, deletions = take_deletions(discovered, reader.key)
    mapped = [MappedFormat(file.mapping, file.described()) for file in reader.mappings]
    deliveries: list[Delivery] = list(deletions.deliveries)
    seen: set[str] = set()
    for format_, group in _recognised(found, mapped):
        delivery = _without_repeated(_delivery(format_, group, reader), seen)
        deliveries.append(delivery)
        seen |= {file.source_file_id for file in delivery.files if file.format != MAPPING_FILE}
    refuse_changed(discovered)
    return Extract(tuple(deliveries), deletions.patients)


def fitting(sources: Sequence[Path], mappings: Sequence[MappingFile]) -> list[MappingFile]:
    """Return the mappings that know a file of the sources; the others are for what does not come every night."""
    groups = [group for source in discover(sources) for group in source.groups]
    formats = [(one, MappedFormat(one.mapping, one.described())) for one in mappings]
    return [one for one, mapped in formats if any(mapped.recognises(group) for group in groups)]


def _delivery(format_: Format | None, group: Group, reader: Reader) -> Delivery:
    if format_ is None:
        return unread(group)
    delivery = known_delivery(format_, group, reader.known)
    if delivery is None:
        delivery = read_delivery(format_, group)
        delivery = pseudonymised(delivery, reader.key) if reader.key else delivery
    return delivery


def _without_repeated(delivery: Delivery, seen: Set[str]) -> Delivery:
    """Return a delivery without the files that stand in an earlier one, told once for each."""
    repeated = [file for file in delivery.files if file.source_file_id in seen]
    if not repeated:
        return delivery
    told = [
        Notice("file_repeated", "warning", file.source_file_id, None, None,
               f"{file.file_name}: the same file stands in two sources and was read once.")
        for file in repeated
    ]  # fmt: skip
    return replace(
        delivery,
        files=tuple(file for file in delivery.files if file not in repeated),
        tables=tuple(table for table in delivery.tables if table.source_file_id not in seen),
        notices=(*delivery.notices, *told),
    )


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
        "nor a cBioPortal study, a folder with a MAF file, NAACCR XML, oBDS-RKI XML, "
        "FHIR JSON (mCODE) or OMOP CDM tables (person, …).",
        "Check the source, or map it to the contract with --mapping.",
        source.label,
    )
