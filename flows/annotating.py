"""The step `annotate`: judges what was ingested, bucket by bucket, counts, and publishes."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from crlm_pipeline.buckets import (
    Judged,
    Judging,
    audit_of,
    bucket_count,
    buckets,
    extract_of,
    judge_bucket,
)
from crlm_pipeline.carried import Carried, carry_over, nothing_carried
from crlm_pipeline.cohort.facts.sources import sources_statement
from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.guidelines.annotate import judging_series
from crlm_pipeline.guidelines.earlier import SHARED_MODELS
from crlm_pipeline.guidelines.load import shipped_knowledge
from crlm_pipeline.guidelines.tables import guideline_tables
from crlm_pipeline.lake import Lake, remove_other_runs
from crlm_pipeline.marts import build_marts
from crlm_pipeline.notices import record_notices
from crlm_pipeline.provenance import judgement_key
from crlm_pipeline.publishing import publish
from crlm_pipeline.quality_loss import quality_losses
from crlm_pipeline.settings import Settings
from crlm_pipeline.verdict_shift import verdict_shift
from crlm_pipeline.warehouse import Warehouse, building
from flows.job import Counts, Job, Tell, half_made_file, in_silence, ingested_file
from schemas.audit import QualityLoss, Run, VerdictShift
from schemas.cohort import COHORT_MODELS, FactSource, Recommendation, RequiredTest
from schemas.column import describe
from schemas.extract import EXTRACT_MODELS
from schemas.layout import LAYOUT


@dataclass(frozen=True, slots=True)
class LakeBucket:
    """A bucket of a lake to be judged: nothing of a patient, so that it may be sent to where it is judged."""

    lake: Lake
    bucket_no: int
    ingested: Path
    judging: Judging


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a judged bucket: rows by table, what was noticed, how many decisions were judged anew."""

    counts: Counts
    notices: tuple[Notice, ...]
    judged_anew: int


# How the buckets of a lake are judged: here, one after the other, or on a cluster.
JudgeEach = Callable[[Sequence[LakeBucket]], Iterable[Told]]


def here(lake_buckets: Sequence[LakeBucket]) -> Iterable[Told]:
    """Judge buckets one after the other in this process."""
    return map(judge_lake_bucket, lake_buckets)


def annotate(job: Job, tell: Tell = in_silence, judge_each: JudgeEach = here) -> Counts:
    """Judge what was ingested into `FILE.next` and publish it as `FILE`, which is whole at every moment.

    Raises `SourceError` when nothing was ingested, `UsageError` for a guideline or edition that is not held.
    """
    ingested = ingested_file(job.warehouse)
    if not ingested.is_file():
        raise SourceError("nothing was ingested.", "Run `crlm ingest SOURCE...` first.", str(ingested))
    with Warehouse.open_of_any_layout(ingested) as found:
        if found.layout != LAYOUT:
            raise SourceError("another version ingested it.", "Run `crlm ingest SOURCE...` again.", str(ingested))
    half_made = half_made_file(job.warehouse)
    before = lake_of(job.warehouse)
    published = job.warehouse if job.warehouse.is_file() else None
    with building(half_made, start_from=ingested, before=published) as warehouse:
        lake = _lake(warehouse)
        # Rows that lie in a lake are not carried over: its buckets are judged anew, in any place.
        counts = _judge(warehouse, job, lake, judge_each, tell, may_carry=published is not None and before is None)
        if published:
            with Warehouse.open_of_any_layout(published) as last:
                warehouse.insert(QualityLoss, quality_losses(last, warehouse))
        warehouse.insert(VerdictShift, verdict_shift(warehouse, job.settings))
    publish(half_made, job.warehouse)
    ingested.unlink()
    if lake:
        # What was published before may still be read by those who have it open.
        remove_other_runs(lake.folder.parent, keep={lake.folder, *([before.folder] if before else [])})
    return counts


def lake_of(warehouse: Path) -> Lake | None:
    """Return the lake of a published warehouse; None where there is none, or no warehouse."""
    if not warehouse.is_file():
        return None
    with Warehouse.open_of_any_layout(warehouse) as published:
        return _lake(published)


def _lake(warehouse: Warehouse) -> Lake | None:
    folder = warehouse.read(Run)["lake"].item()
    return Lake.open(Path(folder)) if folder else None


def _judge(
    warehouse: Warehouse, job: Job, lake: Lake | None, judge_each: JudgeEach, tell: Tell, *, may_carry: bool
) -> Counts:
    settings = job.settings
    run = warehouse.read(Run).row(0, named=True)
    as_of = settings.as_of or run["as_of"]
    knowledge = shipped_knowledge()
    guidelines = [series.guideline for series in judging_series(knowledge, settings)]
    key = judgement_key(settings, as_of, knowledge.last_change(as_of))
    judged = None if job.is_judged_anew else _published_by(job.warehouse, key)
    judging = Judging(settings, as_of, judged)
    if lake:
        told = _together(judge_each(_buckets_of(lake, job, judging)), lake.bucket_count, tell)
        _show(lake, warehouse)
    else:
        is_carried = may_carry and judging.published is not None
        carried = carry_over(warehouse, as_of) if is_carried else nothing_carried(warehouse)
        count = bucket_count(carried.anew.height)
        already = Told(dict(carried.counts), carried.notices, judged_anew=0)
        told = _together(_fill_file(warehouse, carried, judging), count, tell, already)
    tell("annotate: counting")
    record_notices(warehouse, told.notices, run["run_id"])
    for model, frame in guideline_tables(knowledge).items():
        warehouse.insert(model, frame)
    warehouse.build_view(FactSource, sources_statement(settings.windows))
    warehouse.create_view(Recommendation, "cohort/recommendation")
    warehouse.create_view(RequiredTest, "cohort/required_test")
    build_marts(warehouse, as_of, settings.funnel_overdispersion)
    warehouse.execute("run/judged", judgement_key=key, decisions_judged=told.judged_anew)
    _finish(warehouse, settings, as_of, guidelines)
    return told.counts


def _published_by(warehouse: Path, key: str) -> Path | None:
    """Return the published warehouse, if there is one that was judged by the same knowledge, rules and settings."""
    if not warehouse.is_file():
        return None
    with Warehouse.open_of_any_layout(warehouse) as published:
        is_same = published.layout == LAYOUT and published.read(Run)["judgement_key"].item() == key
    return warehouse.resolve() if is_same else None


def _fill_file(warehouse: Warehouse, carried: Carried, judging: Judging) -> Iterator[Told]:
    """Judge bucket by bucket whom nothing was carried over of, and store the rows.

    What decisions share by number is stored once, at the end.
    """
    audit = audit_of(warehouse)
    shared = {model: [frame] for model, frame in carried.shared.items()}
    for patients in buckets(warehouse, carried.anew):
        judged = judge_bucket(extract_of(warehouse, patients), audit, judging)
        for model, frame in judged.frames.items():
            if model in shared:
                shared[model].append(frame)
            else:
                warehouse.insert(model, frame)
        yield _told(judged)
    for model, parts in shared.items():
        warehouse.insert(model, pl.concat(parts).unique())


def _buckets_of(lake: Lake, job: Job, judging: Judging) -> list[LakeBucket]:
    ingested = ingested_file(job.warehouse).resolve()
    return [LakeBucket(lake, number, ingested, judging) for number in lake.buckets]


def _show(lake: Lake, warehouse: Warehouse) -> None:
    """Show the judged rows of the lake in the warehouse."""
    lake.seal()
    for model in filter(lake.holds, COHORT_MODELS):
        warehouse.show_files(model, lake.files(model), is_repeated=model in SHARED_MODELS)


def judge_lake_bucket(bucket: LakeBucket) -> Told:
    """Judge a bucket of a lake and write its rows beside it; done again, it writes the same."""
    lake, number = bucket.lake, bucket.bucket_no
    with Warehouse.open_readonly(bucket.ingested) as ingested:
        audit = audit_of(ingested)
    judged = judge_bucket({model: lake.read(model, number) for model in EXTRACT_MODELS}, audit, bucket.judging)
    for model, frame in judged.frames.items():
        lake.write(model, number, frame)
    return _told(judged)


def _told(judged: Judged) -> Told:
    counts = {describe(model).name: frame.height for model, frame in judged.frames.items()}
    return Told(counts, judged.notices, judged.judged_anew)


def _together(
    buckets_told: Iterable[Told], count: int, tell: Tell, already: Told = Told({}, (), judged_anew=0)
) -> Told:
    """Return what was told of all buckets, as they are judged, and of what was there already."""
    counts: Counter[str] = Counter(already.counts)
    notices: list[Notice] = list(already.notices)
    judged_anew = already.judged_anew
    for number, told in enumerate(buckets_told, start=1):
        counts.update(told.counts)
        notices += told.notices
        judged_anew += told.judged_anew
        tell(f"annotate: bucket {number} of {count}")
    return Told(dict(counts), tuple(notices), judged_anew)


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
