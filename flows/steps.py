"""The steps of a run, in order: the one list that the command line and the Prefect flows both serve.

A step gets paths and settings and returns counts; what passes between steps is the warehouse file:
`FILE.building` is half made and replaced by the next run, `FILE.next` is ingested and whole, `FILE` is published.
The caller holds the warehouse's lock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from crlm_pipeline.cohort.build import build_cohort
from crlm_pipeline.errors import RejectedShareError, SourceError, UsageError
from crlm_pipeline.extracts.mapping_load import load_mapping
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.guidelines.annotate import annotate as judge
from crlm_pipeline.guidelines.annotate import judging_series
from crlm_pipeline.guidelines.load import load_editions
from crlm_pipeline.guidelines.tables import guideline_tables
from crlm_pipeline.marts import build_marts
from crlm_pipeline.notices import record_notices
from crlm_pipeline.provenance import new_run_id, package_version
from crlm_pipeline.report.build import write_report
from crlm_pipeline.settings import Settings
from crlm_pipeline.validation import Ingested, check_shares, validate
from crlm_pipeline.warehouse import Warehouse, building, publish
from schemas.audit import Finding, FindingRow, RejectedRow, RowLedger, Run, SourceFile
from schemas.cohort import Recommendation, RequiredTest
from schemas.column import Table, describe
from schemas.extract import EXTRACT_MODELS

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


@dataclass(frozen=True, slots=True)
class Step:
    """A step: what it is called, what it does, and how often a failure of the system may be tried again."""

    name: str
    do: Callable[[Job], Counts]
    retries: int = 0


def read(sources: Sequence[Path], mappings: Sequence[Path], previous_findings: pl.DataFrame | None = None) -> Ingested:
    """Read and validate the sources; writes nothing.

    Raises `SourceError` for what cannot be read or mapped, `UsageError` when real and relative calendars are mixed.
    """
    extract = read_sources(sources, [load_mapping(mapping) for mapping in mappings])
    ingested = validate(extract, today=datetime.now(tz=UTC).date(), previous_findings=previous_findings)
    if ingested.has_real_calendar and ingested.has_relative_calendar:
        raise UsageError("The sources mix real dates with day offsets; give them to separate runs.")
    return ingested


def _last_findings(warehouse: Path) -> pl.DataFrame | None:
    if not warehouse.is_file():
        return None
    with Warehouse.open_readonly(warehouse) as published:
        return published.read(Finding)


def ingest(job: Job) -> Counts:
    """Read the sources into `FILE.next`.

    Raises `RejectedShareError` when too much was rejected and a partial run is not allowed.
    """
    ingested = read(job.sources, job.mappings, _last_findings(job.warehouse))
    run = _new_run(ingested, job)
    half_made = _half_made(job.warehouse)
    with building(half_made) as warehouse:
        for model in EXTRACT_MODELS:
            warehouse.insert(model, ingested.tables[describe(model).name])
        warehouse.insert(Run, run)
        _record(warehouse, ingested, run["run_id"].item())
    publish(half_made, ingested_file(job.warehouse))
    return {name: frame.height for name, frame in ingested.tables.items()}


def _new_run(ingested: Ingested, job: Job) -> pl.DataFrame:
    settings = job.settings
    as_of = settings.as_of or ingested.latest_date
    if as_of is None:
        raise UsageError("The sources hold no date; say with --as-of which day the run stands for.")
    started_at = datetime.now(tz=UTC).replace(tzinfo=None)
    row = {
        "run_id": new_run_id(started_at),
        "started_at": started_at,
        "as_of": as_of,
        "package_version": package_version(),
        "content_hash": "",
        "status": _status(ingested, job),
        "guidelines": list(settings.guidelines),
        "judge_by": settings.judge_by,
        "side_policy": settings.side_policy,
        "grace_days": settings.grace_days,
    }
    return pl.DataFrame([row], schema=describe(Run).polars_schema)


def _status(ingested: Ingested, job: Job) -> str:
    try:
        check_shares(ingested, job.settings.allowed_rejected_share)
    except RejectedShareError:
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
        counts = _judge(warehouse, job.settings)
    publish(half_made, job.warehouse)
    ingested.unlink()
    return counts


def _judge(warehouse: Warehouse, settings: Settings) -> Counts:
    run = warehouse.read(Run).row(0, named=True)
    as_of = settings.as_of or run["as_of"]
    knowledge = load_editions()
    cohort = build_cohort(warehouse, settings, as_of)
    annotation = judge(cohort, knowledge, settings, as_of)
    record_notices(warehouse, cohort.notices, run["run_id"])
    for frames in (cohort.frames, guideline_tables(knowledge), annotation.frames):
        for model, frame in frames.items():
            warehouse.insert(model, frame)
    warehouse.create_view(Recommendation, "cohort/recommendation")
    warehouse.create_view(RequiredTest, "cohort/required_test")
    build_marts(warehouse, as_of)
    _finish(warehouse, settings, as_of, [series.guideline for series in judging_series(knowledge, settings)])
    return {describe(model).name: frame.height for model, frame in (*cohort.frames.items(), *annotation.frames.items())}


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
