"""Which drops keep a run from its end, so that it can take in the others without them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException

from crlm_pipeline.errors import CrlmError, RejectedShareError, SourceError
from crlm_pipeline.extracts.mapping_load import MappingFile, load_mapping
from crlm_pipeline.extracts.pseudonyms import PseudonymKey, load_key
from crlm_pipeline.extracts.read import Reader, fitting, read_deliveries
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.validation import Ingested, check_shares
from crlm_pipeline.warehouse import Warehouse
from flows.defects import kind_and_place
from flows.drops import QUARANTINED, REJECTED, Drop, Refused
from flows.job import Job
from flows.steps import take_in
from schemas.audit import SourceFile

MIXED = "It has day offsets where the registry has dates, or the other way round. Give it to a registry of its own."


def job_over(job: Job, drops: Sequence[Drop]) -> Job:
    """Return the job that adds these drops, by those of its mappings that know any of them.

    Raises `SourceError` when one cannot be read.
    """
    sources = tuple(drop.path for drop in drops)
    known = {one.file.path for one in fitting(sources, _mappings(job))} if job.mappings else set()
    mappings = tuple(path for path in job.mappings if load_mapping(path).file.path in known)
    return replace(job, sources=sources, mappings=mappings, is_addition=True, is_start_allowed=True)


def sift(job: Job, drops: Sequence[Drop], run_id: str) -> tuple[list[Drop], list[Refused]]:
    """Return the drops that can be taken in together, and those that cannot, with the reason.

    Rejected: what cannot be read alone, or has the other calendar. Quarantined: what lets the rejected rows or cells of
    all exceed the allowed share, the drop with the largest share first; and what we fail at by a defect of ours.
    """
    read: dict[Drop, Extract] = {}
    refused: list[Refused] = []
    for drop, found in _each_alone(job, drops):
        if isinstance(found, Refused):
            refused.append(found)
        else:
            read[drop] = found
    mixed = _of_other_calendar(job, read)
    refused += [Refused(drop, REJECTED, MIXED) for drop in mixed]
    left = [drop for drop in read if drop not in mixed]
    while left and (ingested := _beyond_share(job_over(job, left), run_id)):
        share = _share_by_drop(ingested, read)
        worst = max(left, key=share)
        left.remove(worst)
        refused.append(Refused(worst, QUARANTINED, _too_much(share(worst), job.settings.allowed_rejected_share)))
    return left, refused


def _mappings(job: Job) -> list[MappingFile]:
    return [load_mapping(path) for path in job.mappings]


def _each_alone(job: Job, drops: Sequence[Drop]) -> Iterator[tuple[Drop, Extract | Refused]]:
    mappings = _mappings(job)
    key = load_key(job.pseudonym_key) if job.pseudonym_key else None
    for drop in drops:
        try:
            yield drop, _alone(drop, mappings, key)
        except SourceError as error:
            yield drop, Refused(drop, REJECTED, str(error))
        except (Exception, PanicException) as error:
            why = f"This is a defect of crlm-pipeline ({kind_and_place(error)}). Please report it."
            yield drop, Refused(drop, QUARANTINED, why)


def _alone(drop: Drop, mappings: Sequence[MappingFile], key: PseudonymKey | None) -> Extract:
    return read_deliveries([drop.path], Reader(fitting([drop.path], mappings), key))


def _of_other_calendar(job: Job, read: Mapping[Drop, Extract]) -> list[Drop]:
    """Return the drops of another calendar than that of the warehouse or, without one, of the first drop."""
    calendars: dict[Drop, set[str]] = {drop: {file.calendar for file in one.files} for drop, one in read.items()}
    held = _calendars_of(job.warehouse) or next(iter(calendars.values()), set())
    return [drop for drop, found in calendars.items() if len(held | found) > 1]


def _calendars_of(warehouse: Path) -> set[str]:
    if not warehouse.exists():
        return set()
    with Warehouse.open_of_any_layout(warehouse) as published:
        return set(published.read(SourceFile)["calendar"])


def _beyond_share(job: Job, run_id: str) -> Ingested | None:
    """Return what a run would ingest, if more of it is rejected than is allowed; what else is wrong, the run tells."""
    try:
        ingested = take_in(job, run_id).ingested
    except CrlmError:
        return None
    try:
        check_shares(ingested, job.settings.allowed_rejected_share)
    except RejectedShareError:
        return ingested
    return None


def _share_by_drop(ingested: Ingested, read: Mapping[Drop, Extract]) -> Callable[[Drop], float]:
    """Return what tells the share of a drop: rejected rows and cells to rows read."""
    rejected = ingested.rejected_row.group_by("source_file_id").agg(pl.len().alias("rejected"))
    counted = (
        ingested.row_ledger.group_by("source_file_id")
        .agg(pl.col("rows_read").sum())
        .join(rejected, on="source_file_id", how="left")
        .with_columns(pl.col("rejected").fill_null(0))
    )

    def share(drop: Drop) -> float:
        own = counted.filter(pl.col("source_file_id").is_in([file.source_file_id for file in read[drop].files]))
        return int(own["rejected"].sum()) / max(int(own["rows_read"].sum()), 1)

    return share


def _too_much(share: float, allowed: float) -> str:
    return (
        f"{share:.2f} rejections for each row of it; with it, more than {allowed:.0%} of all rows or cells would be "
        "rejected. `crlm check` says what is wrong, `crlm check --corrections DIR` writes lists for the centres."
    )
