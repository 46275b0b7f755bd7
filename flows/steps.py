"""The steps of a run, in order: the one list that the command line and the Prefect flows both serve.

A step gets paths and settings and returns counts; what passes between steps is the warehouse file:
`FILE.building` is half made and replaced by the next run, `FILE.next` is ingested and whole, `FILE` is published.
The caller holds the warehouse's lock.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from crlm_pipeline.archive import Archive, ArchivingRun
from crlm_pipeline.buckets import Judging, audit_of, bucket_count, buckets, extract_of, judge_bucket
from crlm_pipeline.errors import DefectError, RejectedShareError, SourceError, UsageError
from crlm_pipeline.extracts.mapping_load import load_mapping
from crlm_pipeline.extracts.pseudonyms import load_key
from crlm_pipeline.extracts.read import Reader, read_sources
from crlm_pipeline.extracts.tables import Extract, Notice
from crlm_pipeline.guidelines.annotate import judging_series
from crlm_pipeline.guidelines.earlier import SHARED_MODELS
from crlm_pipeline.guidelines.load import shipped_knowledge
from crlm_pipeline.guidelines.tables import guideline_tables
from crlm_pipeline.intake import refuse_other_key, take_addition, take_whole
from crlm_pipeline.marts import build_marts
from crlm_pipeline.notices import record_notices
from crlm_pipeline.provenance import judgement_key, new_run_id, package_version, reader_key
from crlm_pipeline.report.build import write_report
from crlm_pipeline.settings import Settings
from crlm_pipeline.validation import Ingested, check_evaluated, check_shares, validate
from crlm_pipeline.warehouse import Warehouse, building, publish
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
from schemas.cohort import Recommendation, RequiredTest
from schemas.column import Table, describe
from schemas.extract import EXTRACT_MODELS, Patient

Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class Job:
    """What a run is asked to do: paths and settings, nothing of a patient."""

    sources: tuple[Path, ...]
    warehouse: Path
    report: Path
    mappings: tuple[Path, ...] = ()
    settings: Settings = field(default_factory=Settings)
    is_partial_allowed: bool = False
    is_addition: bool = False
    pseudonym_key: Path | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step: what it is called, what it does, and how often a failure of the system may be tried again."""

    name: str
    do: Callable[[Job], Counts]
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


def _last(warehouse: Path, *, is_needed: bool) -> Last:
    """Read it; a first run finds nothing, nor does a whole registry after an older version, which kept no archive."""
    if not warehouse.is_file() and not is_needed:
        return Last(Archive.empty())
    with Warehouse.open_readonly(warehouse) as published:
        if published.holds(Delivery):
            run = published.read(Run).row(0, named=True)
            return Last(
                Archive.of(published), findings=published.read(Finding), pseudonym_key_id=run["pseudonym_key_id"]
            )
        if is_needed:
            problem = "an older version wrote the warehouse and kept no record of deliveries to add to."
            raise SourceError(problem, "Run once with the whole registry, without --add.", str(warehouse))
        return Last(Archive.empty(), findings=published.read(Finding))


def ingest(job: Job) -> Counts:
    """Read the sources into `FILE.next`, as the whole registry or in addition to what stands in `FILE`.

    Unless a partial run is allowed, raises `RejectedShareError` when too much was rejected and `DefectError` when a
    check could not be evaluated.
    """
    started_at = datetime.now(tz=UTC).replace(tzinfo=None)
    run_id = new_run_id(started_at)
    last = _last(job.warehouse, is_needed=job.is_addition)
    key = load_key(job.pseudonym_key) if job.pseudonym_key else None
    reader = Reader([load_mapping(mapping) for mapping in job.mappings], key)
    refuse_other_key(reader.key_id, last.pseudonym_key_id, last.archive, is_addition=job.is_addition)
    take_in = take_addition if job.is_addition else take_whole
    extract, archive = take_in(job.sources, reader, last.archive, run_id)
    ingested = _validated(extract, last.findings)
    run = _new_run(ingested, job, run_id, started_at).with_columns(pseudonym_key_id=pl.lit(reader.key_id, pl.String))
    archiving = ArchivingRun(run_id, reader_key(reader.key_id), is_addition=job.is_addition)
    half_made = _half_made(job.warehouse)
    with building(half_made) as warehouse:
        for model in EXTRACT_MODELS:
            warehouse.insert(model, ingested.tables[describe(model).name])
        warehouse.insert(Run, run)
        warehouse.insert(Deletion, extract.deleted)
        _record(warehouse, ingested, run_id)
        for model, frame in archive.with_delivered(extract, ingested.rejected_row, archiving).items():
            warehouse.insert(model, frame)
    publish(half_made, ingested_file(job.warehouse))
    return {name: frame.height for name, frame in ingested.tables.items()}


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


def annotate(job: Job) -> Counts:
    """Judge what was ingested into `FILE.next` and publish it as `FILE`, which is whole at every moment.

    Raises `SourceError` when nothing was ingested, `UsageError` for a guideline or edition that is not held.
    """
    ingested = ingested_file(job.warehouse)
    if not ingested.is_file():
        raise SourceError("nothing was ingested.", "Run `crlm ingest SOURCE...` first.", str(ingested))
    half_made = _half_made(job.warehouse)
    with building(half_made, start_from=ingested) as warehouse:
        counts = _judge(warehouse, job)
    publish(half_made, job.warehouse)
    ingested.unlink()
    return counts


def _judge(warehouse: Warehouse, job: Job) -> Counts:
    settings = job.settings
    run = warehouse.read(Run).row(0, named=True)
    as_of = settings.as_of or run["as_of"]
    knowledge = shipped_knowledge()
    guidelines = [series.guideline for series in judging_series(knowledge, settings)]
    key = judgement_key(settings, as_of, knowledge.last_change(as_of))
    judging = Judging(settings, as_of, _published_by(job.warehouse, key))
    counts, judged_anew = _fill_cohort(warehouse, judging, run["run_id"])
    for model, frame in guideline_tables(knowledge).items():
        warehouse.insert(model, frame)
    warehouse.create_view(Recommendation, "cohort/recommendation")
    warehouse.create_view(RequiredTest, "cohort/required_test")
    build_marts(warehouse, as_of, settings.funnel_overdispersion)
    warehouse.execute("run/judged", judgement_key=key, decisions_judged=judged_anew)
    _finish(warehouse, settings, as_of, guidelines)
    return counts


def _published_by(warehouse: Path, key: str) -> Path | None:
    """Return the published warehouse, if there is one that was judged by the same knowledge, rules and settings."""
    if not warehouse.is_file():
        return None
    with Warehouse.open_readonly(warehouse) as published:
        is_same = published.holds(Delivery) and published.read(Run)["judgement_key"].item() == key
    return warehouse if is_same else None


def _fill_cohort(warehouse: Warehouse, judging: Judging, run_id: str) -> tuple[Counts, int]:
    """Judge bucket by bucket and store the rows; what decisions share by number is stored once, at the end."""
    audit = audit_of(warehouse)
    counts: Counter[str] = Counter()
    notices: list[Notice] = []
    shared: dict[type[Table], list[pl.DataFrame]] = {model: [] for model in SHARED_MODELS}
    judged_anew = 0
    for patients in buckets(warehouse, bucket_count(warehouse.count(Patient))):
        judged = judge_bucket(extract_of(warehouse, patients), audit, judging)
        for model, frame in judged.frames.items():
            if model in shared:
                shared[model].append(frame)
            else:
                warehouse.insert(model, frame)
                counts[describe(model).name] += frame.height
        notices += judged.notices
        judged_anew += judged.judged_anew
    for model, parts in shared.items():
        warehouse.insert(model, pl.concat(parts).unique())
    record_notices(warehouse, notices, run_id)
    return dict(counts), judged_anew


def _finish(warehouse: Warehouse, settings: Settings, as_of: date, guidelines: list[str]) -> None:
    warehouse.execute(
        "run/finish",
        as_of=as_of,
        guidelines=guidelines,
        judge_by=settings.judge_by,
        side_policy=settings.side_policy,
        grace_days=settings.grace_days,
    )
    # Only now, as the views read of the run what it has just been told.
    warehouse.execute("run/seal", content_hash=warehouse.content_hash())
    imbalance = warehouse.query("run/imbalance")
    assert imbalance.is_empty(), f"the run does not balance: {imbalance.rows()}"


def report(job: Job) -> Counts:
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


def ingested_file(warehouse: Path) -> Path:
    """Return the file beside the warehouse that `ingest` fills and `annotate` publishes."""
    return warehouse.with_name(f"{warehouse.name}.next")


def _half_made(warehouse: Path) -> Path:
    return warehouse.with_name(f"{warehouse.name}.building")
