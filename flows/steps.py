"""The steps of a run, in order: the one list that the command line and the Prefect flows both serve.

A step gets paths and settings and returns counts; what passes between steps is the warehouse file:
`FILE.building` is half made and replaced by the next run, `FILE.next` is ingested and whole, `FILE` is published.
The caller holds the warehouse's lock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from crlm_pipeline.archive import Archive, ArchivingRun
from crlm_pipeline.buckets import Frames, bucket_count, by_bucket
from crlm_pipeline.errors import DefectError, RejectedShareError, SourceError, UsageError
from crlm_pipeline.extracts.mapping_load import load_mapping
from crlm_pipeline.extracts.pseudonyms import load_key
from crlm_pipeline.extracts.read import Reader, read_sources
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.intake import refuse_other_key, take_addition, take_whole
from crlm_pipeline.lake import Lake
from crlm_pipeline.migrations import with_present_record
from crlm_pipeline.provenance import new_run_id, now, package_version, reader_key
from crlm_pipeline.publishing import publish
from crlm_pipeline.report.build import write_report
from crlm_pipeline.validation import Ingested, check_evaluated, check_shares, validate
from crlm_pipeline.warehouse import Warehouse, building
from flows.annotating import annotate
from flows.job import Counts, Job, Tell, half_made_file, in_silence, ingested_file
from schemas.archive import Delivery
from schemas.audit import (
    CheckResult,
    Deletion,
    DeliveredColumn,
    Finding,
    FindingRow,
    RejectedRow,
    RowLedger,
    Run,
    SetAsideCount,
    SourceFile,
)
from schemas.column import Table, describe
from schemas.extract import EXTRACT_MODELS, Patient


@dataclass(frozen=True, slots=True)
class Step:
    """A step: what it is called, what it does, and how often a failure of the system may be tried again."""

    name: str
    do: Callable[[Job, Tell], Counts]
    retries: int = 0


def read(sources: Sequence[Path], mappings: Sequence[Path]) -> Ingested:
    """Read and validate the sources as a whole registry; writes nothing.

    Raises `SourceError` for what cannot be read or mapped, `UsageError` when real and relative calendars are mixed.
    """
    return _validated(read_sources(sources, [load_mapping(mapping) for mapping in mappings]), None)


def _validated(extract: Extract, previous_findings: pl.DataFrame | None) -> Ingested:
    ingested = validate(extract, today=datetime.now(tz=UTC).date(), previous_findings=previous_findings)
    if ingested.has_real_calendar and ingested.has_relative_calendar:
        raise UsageError("The sources mix real dates with day offsets; give them to separate runs.")
    return ingested


@dataclass(frozen=True, slots=True)
class Last:
    """What the last published run leaves to the next."""

    archive: Archive
    findings: pl.DataFrame | None = None
    pseudonym_key_id: str | None = None


def _last(warehouse: Path, copy: Path, *, is_needed: bool) -> Last:
    """Read it; a first run finds nothing, nor does a whole registry after an older version, which kept no archive.

    `copy`: where a file of an earlier layout may be copied to.
    """
    if not warehouse.is_file() and not is_needed:
        return Last(Archive.empty())
    with with_present_record(warehouse, copy) as published:
        if published.holds(Delivery):
            run = published.read(Run).row(0, named=True)
            return Last(
                Archive.of(published), findings=published.read(Finding), pseudonym_key_id=run["pseudonym_key_id"]
            )
        if is_needed:
            problem = "an older version wrote the warehouse and kept no record of deliveries to add to."
            raise SourceError(problem, "Run once with the whole registry, without --add.", str(warehouse))
        return Last(Archive.empty(), findings=published.read(Finding))


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What takes part in a run, validated, and the archive that it leaves; `key_id` names the key of pseudonyms."""

    extract: Extract
    archive: Archive
    ingested: Ingested
    key_id: str | None


def take_in(job: Job, run_id: str) -> TakenIn:
    """Read and validate the sources with all that stands beside them; writes no warehouse."""
    is_first = job.is_start_allowed and not job.warehouse.exists()
    builds_on = job.builds_on or job.warehouse
    last = _last(builds_on, half_made_file(job.warehouse), is_needed=job.is_addition and not is_first)
    key = load_key(job.pseudonym_key) if job.pseudonym_key else None
    reader = Reader([load_mapping(mapping) for mapping in job.mappings], key)
    refuse_other_key(reader.key_id, last.pseudonym_key_id, last.archive, is_addition=job.is_addition)
    taking = take_addition if job.is_addition else take_whole
    extract, archive = taking(job.sources, reader, last.archive, run_id)
    return TakenIn(extract, archive, _validated(extract, last.findings), reader.key_id)


def ingest(job: Job, _tell: Tell = in_silence) -> Counts:
    """Read the sources into `FILE.next`, as the whole registry or in addition to what stands in `FILE`.

    Unless a partial run is allowed, raises `RejectedShareError` when too much was rejected and `DefectError` when a
    check could not be evaluated.
    """
    started_at = now()
    run_id = job.run_id or new_run_id(started_at)
    taken = take_in(job, run_id)
    ingested = taken.ingested
    run = _new_run(ingested, job, run_id, started_at).with_columns(pseudonym_key_id=pl.lit(taken.key_id, pl.String))
    archiving = ArchivingRun(run_id, reader_key(taken.key_id), is_addition=job.is_addition)
    half_made = half_made_file(job.warehouse)
    counts = ingested.tables.heights()
    lake = Lake.create(job.lake, run_id, bucket_count(counts[describe(Patient).name])) if job.lake else None
    run = run.with_columns(lake=pl.lit(str(lake.folder) if lake else None, pl.String))
    with building(half_made, lake=lake.folder if lake else None) as warehouse:
        if lake:
            _fill(lake, warehouse, {model: ingested.tables[describe(model).name] for model in EXTRACT_MODELS})
        else:
            for model in EXTRACT_MODELS:
                for part in ingested.tables.given_away(describe(model).name):
                    warehouse.insert(model, part)
        warehouse.insert(Run, run)
        warehouse.insert(Deletion, taken.extract.deleted)
        _record(warehouse, ingested, run_id)
        for model, frame in taken.archive.with_delivered(taken.extract, ingested.rejected_row, archiving):
            warehouse.insert(model, frame)
    publish(half_made, ingested_file(job.warehouse))
    return counts


def _fill(lake: Lake, warehouse: Warehouse, accepted: Frames) -> None:
    """Write the accepted rows to the lake and show them in the warehouse."""
    for model, parts in by_bucket(accepted, lake.bucket_count):
        for number, rows in parts.items():
            lake.write(model, number, rows)
        warehouse.show_files(model, lake.files(model))
    lake.seal()


def _new_run(ingested: Ingested, job: Job, run_id: str, started_at: datetime) -> pl.DataFrame:
    settings = job.settings
    as_of = settings.as_of or ingested.latest_date
    if as_of is None:
        raise UsageError("The sources hold no date; say with --as-of which day the run stands for.")
    row = {
        "run_id": run_id,
        "started_at": started_at,
        "as_of": as_of,
        "package_version": package_version(),
        "content_hash": "",
        "status": _status(ingested, job),
        "guidelines": list(settings.guidelines),
        "judge_by": settings.judge_by,
        "side_policy": settings.side_policy,
        "grace_days": settings.grace_days,
        "is_addition": job.is_addition,
    }
    return pl.DataFrame([row], schema=describe(Run).polars_schema)


def _status(ingested: Ingested, job: Job) -> str:
    try:
        check_evaluated(ingested)
        check_shares(ingested, job.settings.allowed_rejected_share)
    except (DefectError, RejectedShareError):
        if not job.is_partial_allowed:
            raise
        return "partial"
    return "complete"


def _record(warehouse: Warehouse, ingested: Ingested, run_id: str) -> None:
    audit: dict[type[Table], pl.DataFrame] = {
        SourceFile: ingested.source_file,
        RowLedger: ingested.row_ledger,
        RejectedRow: ingested.rejected_row,
        Finding: ingested.finding,
        FindingRow: ingested.finding_row,
        CheckResult: ingested.check_result,
        DeliveredColumn: ingested.delivered_column,
        SetAsideCount: ingested.set_aside_count,
    }
    for model, frame in audit.items():
        columns = list(describe(model).polars_schema)
        warehouse.insert(model, frame.with_columns(run_id=pl.lit(run_id)).select(columns))


def report(job: Job, _tell: Tell = in_silence) -> Counts:
    """Write the report of the published warehouse and swap its folder whole."""
    with Warehouse.open_readonly(job.warehouse) as warehouse:
        write_report(warehouse, job.report, job.settings)
    return {"pages": sum(1 for _ in job.report.glob("*.html"))}


STEPS: Final = (Step("ingest", ingest, retries=2), Step("annotate", annotate), Step("report", report))
RUNS: Final = {"cohort": STEPS, "ingest": STEPS[:1], "annotate": STEPS[1:2]}


def summary(warehouse: Path) -> dict[str, Any]:
    """Return what the published run did, as totals (`sql/run/summary.sql`)."""
    with Warehouse.open_readonly(warehouse) as published:
        return published.query("run/summary").row(0, named=True)
