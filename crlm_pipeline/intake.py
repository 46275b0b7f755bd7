"""What takes part in a run: the whole registry as delivered now, or what stands of it already and an addition."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from crlm_pipeline.archive import Archive
from crlm_pipeline.errors import UsageError
from crlm_pipeline.extracts.read import Reader, read_deliveries, refuse_without_patients
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.provenance import reader_key


def take_whole(sources: Sequence[Path], reader: Reader, archive: Archive, run_id: str) -> tuple[Extract, Archive]:
    """Return the sources as the whole registry, and the archive left as history; known files are not read again.

    Raises `SourceError` when the sources cannot be read or hold no patient table.
    """
    read = read_deliveries(sources, replace(reader, known=archive.whole(reader_key(reader.key_id))))
    refuse_without_patients(read)
    extract = replace(read, deleted=archive.all_deleted(read.deleted, run_id))
    return extract, archive.replaced_by(extract, run_id)


def read_addition(sources: Sequence[Path], reader: Reader, archive: Archive, run_id: str) -> Extract:
    """Return what the sources add, and everybody who is deleted; known files add nothing. No rows on record are read.

    Raises `SourceError` when the sources cannot be read.
    """
    read = read_deliveries(sources, replace(reader, known=archive.seen()))
    deleted = archive.all_deleted(read.deleted, run_id)
    return Extract(tuple(one for one in read.deliveries if one.delivery_id not in archive.ids), deleted)


def take_addition(arrived: Extract, archive: Archive, run_id: str) -> tuple[Extract, Archive]:
    """Return what stands of earlier deliveries and, behind it, what is added; and the archive that it corrects.

    Each delivery corrects those before it, of earlier nights and of this one, in the order in which they are named.

    Raises `SourceError` when there is no patient table in either.
    """
    corrected, deliveries = archive.corrected_by(arrived, run_id)
    extract = Extract((*corrected.standing(), *deliveries), arrived.deleted)
    refuse_without_patients(extract)
    return extract, corrected


def refuse_other_key(key_id: str | None, recorded: str | None, archive: Archive, *, is_addition: bool) -> None:
    """Raise `UsageError` where ids on record were made by another key and must meet those of this run."""
    if key_id != recorded and (is_addition or archive.deletions.height):
        raise UsageError(
            "The ids in the warehouse were made with another key of pseudonyms, or without one: corrections and "
            "deletions would miss their patients. Use that key, or write another file with --warehouse."
        )
