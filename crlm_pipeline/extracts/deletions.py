"""Deletion lists: a file or sheet called `deletion…` with a column `patient_id`, beside or apart from the registry.

Every patient on it is taken out of everything, now and however often the data are delivered again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from crlm_pipeline.extracts.format import warning
from crlm_pipeline.extracts.pseudonyms import PseudonymKey, patient_hashes
from crlm_pipeline.extracts.source import Sheet, Source
from crlm_pipeline.extracts.tables import DELETED, Delivery, SourceFile
from crlm_pipeline.extracts.text import SOURCE_ROW

NAME: Final = "deletion"
_ID: Final = "patient_id"


@dataclass(frozen=True, slots=True)
class Deletions:
    """The lists of the sources: whom to delete (DELETED, each patient once); the files, as deliveries without rows."""

    patients: pl.DataFrame
    deliveries: tuple[Delivery, ...]


def is_deletion_list(sheet: Sheet) -> bool:
    """Whether a sheet is a deletion list."""
    return sheet.name.lower().startswith(NAME) and sheet.has(_ID)


def take_deletions(sources: Sequence[Source], key: PseudonymKey | None) -> tuple[list[Source], Deletions]:
    """Return the sources without their deletion lists, and the lists; a source that holds nothing else is left out."""
    lists = [
        sheet for source in sources for group in source.groups for sheet in group.sheets if is_deletion_list(sheet)
    ]
    patients = pl.concat([pl.DataFrame(schema=DELETED), *(_patients(sheet, key) for sheet in lists)])
    patients = patients.unique("patient_hash", keep="first", maintain_order=True)
    rest = [(source, _without_lists(source)) for source in sources]
    left = [without for source, without in rest if without.groups or not source.groups]
    return left, Deletions(patients, tuple(map(_delivery, lists)))


def _without_lists(source: Source) -> Source:
    groups = (
        replace(group, sheets=tuple(sheet for sheet in group.sheets if not is_deletion_list(sheet)))
        for group in source.groups
    )
    return replace(source, groups=tuple(group for group in groups if group.sheets or group.other_files))


def _patients(sheet: Sheet, key: PseudonymKey | None) -> pl.DataFrame:
    ids = sheet.records[_ID]
    hashes = patient_hashes(key.pseudonyms(ids) if key else ids)
    places = sheet.records.select(pl.lit(sheet.file.source_file_id).alias("source_file_id"), SOURCE_ROW)
    return places.select(hashes.alias("patient_hash"), *places.columns).drop_nulls("patient_hash")


def _delivery(sheet: Sheet) -> Delivery:
    """Return the list as a delivery of no rows; a line without an id is noticed."""
    nameless = sheet.records.filter(pl.col(_ID).str.strip_chars().fill_null("") == "")[SOURCE_ROW]
    message = f"{sheet.file.name}: a line of the deletion list names no patient and deletes none."
    notice = warning("deletion_without_id", sheet, message, column=_ID, rows=tuple(nameless))
    file = SourceFile(
        source_file_id=sheet.file.source_file_id,
        file_name=sheet.file.name,
        format=NAME,
        sha256=sheet.file.sha256,
        byte_count=sheet.file.byte_count,
        calendar="real",
        row_count=sheet.records.height,
        unmapped_count=nameless.len(),
    )
    return Delivery(sheet.file.source_file_id, (file,), (), (notice,) if nameless.len() else (), 0)
