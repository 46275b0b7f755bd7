"""The steps of a run, in order: the one list that the command line and the Prefect flows both serve.

A step gets paths and settings and returns counts; what passes between steps is the warehouse file:
`FILE.building` is half made and replaced by the next run, `FILE.next` is ingested and whole, `FILE` is published.
The caller holds the warehouse's lock.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
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
from crlm_pipeline.guidelines.load import shipped_knowledge
from crlm_pipeline.intake import read_addition, refuse_other_key, take_addition, take_whole
from crlm_pipeline.lake import Lake
from crlm_pipeline.migrations import with_present_record
from crlm_pipeline.provenance import judgement_key, new_run_id, now, package_version, reader_key
from crlm_pipeline.publishing import publish
from crlm_pipeline.report.build import write_report
from crlm_pipeline.touched import is_still_valid, nobody, touched
from crlm_pipeline.unchanged import copy_accepted, copy_archived
from crlm_pipeline.validation import Ingested, Outcome, check_evaluated, check_shares, outcomes, validate
from crlm_pipeline.validation.on_record import outcome_of_others
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
    return _validated(read_sources(sources, [load_mapping(mapping) for mapping in mappings]), None, now().date())


def _validated(
    extract: Extract, previous_findings: pl.DataFrame | None, today: date, others: Outcome | None = None
) -> Ingested:
    ingested = validate(extract, today=today, previous_findings=previous_findings, others=others)
    if ingested.has_real_calendar and ingested.has_relative_calendar:
        raise UsageError("The sources mix real dates with day offsets; give them to separate runs.")
    return ingested


@dataclass(frozen=True, slots=True)
class Last:
    """What the last published run leaves to the next: its file, if that keeps a record of deliveries, and more."""

    published: Warehouse | None = None
    findings: pl.DataFrame | None = None
    pseudonym_key_id: str | None = None

    def archive(self, patients: pl.DataFrame | None = None) -> Archive:
        """Return what earlier runs were given; of `patients`, if they are given, the rows alone."""
        return Archive.of(self.published, patients) if self.published else Archive.empty()


@contextmanager
def _last(warehouse: Path, copy: Path, *, is_needed: bool) -> Iterator[Last]:
    """Open it; a first run finds nothing, nor does a whole registry after an older version, which kept no archive.

    `copy`: where a file of an earlier layout may be copied to.
    """
    if not warehouse.is_file() and not is_needed:
        yield Last()
        return
    with with_present_record(warehouse, copy) as published:
        if published.holds(Delivery):
            run = published.read(Run).row(0, named=True)
            yield Last(published, published.read(Finding), run["pseudonym_key_id"])
        elif is_needed:
            problem = "an older version wrote the warehouse and kept no record of deliveries to add to."
            raise SourceError(problem, "Run once with the whole registry, without --add.", str(warehouse))
        else:
            yield Last(findings=published.read(Finding))


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Where the rows of patients lie whom an addition does not touch.

    `touched`: the others (`patient_id`), as the archive was `before` of them.
    """

    published: Path
    touched: pl.DataFrame
    before: Archive


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What takes part in a run, validated, and the archive that it leaves; `key_id` names the key of pseudonyms.

    Where there is something `unchanged`, extract and archive are those of the touched patients, and so are the accepted
    rows and the corrections; the rest of what validation says is of all patients.
    """

    extract: Extract
    archive: Archive
    ingested: Ingested
    key_id: str | None
    unchanged: Unchanged | None = None


def take_in(job: Job, run_id: str, today: date | None = None) -> TakenIn:
    """Read and validate the sources with all that stands beside them; writes no warehouse.

    `today`: the day of the run, by which a date lies in the future; none: this one.
    """
    today = today or now().date()
    is_first = job.is_start_allowed and not job.warehouse.exists()
    builds_on = job.builds_on or job.warehouse
    key = load_key(job.pseudonym_key) if job.pseudonym_key else None
    reader = Reader([load_mapping(mapping) for mapping in job.mappings], key)
    with _last(builds_on, half_made_file(job.warehouse), is_needed=job.is_addition and not is_first) as last:
        known = last.archive(nobody())
        refuse_other_key(reader.key_id, last.pseudonym_key_id, known, is_addition=job.is_addition)
        if not job.is_addition:
            extract, archive = take_whole(job.sources, reader, last.archive(), run_id)
            return TakenIn(extract, archive, _validated(extract, last.findings, today), reader.key_id)
        arrived = read_addition(job.sources, reader, known, run_id)
        patients = _touched(job, last, known, arrived, today)
        before = last.archive(patients)
        extract, archive = take_addition(arrived, before, run_id)
        if last.published is None or patients is None:
            return TakenIn(extract, archive, _validated(extract, last.findings, today), reader.key_id)
        others = _others(last.published, before)
        ingested = _validated(extract, last.findings, today, others)
        return TakenIn(extract, archive, ingested, reader.key_id, Unchanged(builds_on, patients, before))


def _touched(job: Job, last: Last, known: Archive, arrived: Extract, today: date) -> pl.DataFrame | None:
    """Return whom an addition touches; None: everybody may be, or all is to be done anew."""
    if last.published is None or job.lake or job.is_judged_anew:
        return None
    as_of = last.published.read(Run)["as_of"].item()
    key = judgement_key(job.settings, as_of, shipped_knowledge().last_change(as_of))
    return touched(last.published, known, arrived, today) if is_still_valid(last.published, key) else None


def _others(published: Warehouse, before: Archive) -> Outcome:
    """Return what came in the published run of those that are not touched; `before`: the archive of the touched."""
    validated_on = published.read(Run)["started_at"].item().date()
    were = outcomes(Extract(before.standing()), validated_on)
    return outcome_of_others(published, were, before.places())


def ingest(job: Job, _tell: Tell = in_silence) -> Counts:
    """Read the sources into `FILE.next`, as the whole registry or in addition to what stands in `FILE`.

    Unless a partial run is allowed, raises `RejectedShareError` when too much was rejected and `DefectError` when a
    check could not be evaluated.
    """
    started_at = now()
    run_id = job.run_id or new_run_id(started_at)
    taken = take_in(job, run_id, started_at.date())
    ingested = taken.ingested
    run = _new_run(ingested, job, run_id, started_at).with_columns(pseudonym_key_id=pl.lit(taken.key_id, pl.String))
    half_made = half_made_file(job.warehouse)
    counts = ingested.tables.heights()
    lake = Lake.create(job.lake, run_id, bucket_count(counts[describe(Patient).name])) if job.lake else None
    run = run.with_columns(lake=pl.lit(str(lake.folder) if lake else None, pl.String))
    before = taken.unchanged.published if taken.unchanged else None
    with building(half_made, lake=lake.folder if lake else None, before=before) as warehouse:
        if lake:
            _fill(lake, warehouse, {model: ingested.tables[describe(model).name] for model in EXTRACT_MODELS})
        else:
            _store(warehouse, taken)
            counts = {describe(model).name: warehouse.count(model) for model in EXTRACT_MODELS}
        warehouse.insert(Run, run)
        warehouse.insert(Deletion, taken.extract.deleted)
        _record(warehouse, ingested, run_id)
        _archive(warehouse, taken, ArchivingRun(run_id, reader_key(taken.key_id), is_addition=job.is_addition))
    publish(half_made, ingested_file(job.warehouse))
    return counts


def _store(warehouse: Warehouse, taken: TakenIn) -> None:
    """Store the accepted rows: first those that did not change."""
    if taken.unchanged:
        copy_accepted(warehouse, taken.unchanged.touched)
    for model in EXTRACT_MODELS:
        for part in taken.ingested.tables.given_away(describe(model).name):
            warehouse.insert(model, part)


def _archive(warehouse: Warehouse, taken: TakenIn, run: ArchivingRun) -> None:
    """Store what was delivered, and what is on record of earlier deliveries."""
    archive, extract, rejected = taken.archive, taken.extract, taken.ingested.rejected_row
    if taken.unchanged:
        changed = archive.changed_rows(taken.unchanged.before, extract, rejected)
        copy_archived(warehouse, taken.unchanged.touched, changed)
        tables = archive.with_deliveries(extract, run)
    else:
        tables = archive.with_delivered(extract, rejected, run)
    for model, frame in tables:
        warehouse.insert(model, frame)


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
