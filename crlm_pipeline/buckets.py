"""Patients divided into buckets, each judged by itself: nothing that is said of one patient depends on another.

So a registry of any size is judged in the memory of one bucket, and buckets may be judged in any place and order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from crlm_pipeline.cohort.build import build_cohort
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.guidelines.annotate import annotate
from crlm_pipeline.guidelines.earlier import Earlier, read_earlier
from crlm_pipeline.guidelines.load import shipped_knowledge
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from schemas.audit import Finding, FindingRow, SourceFile
from schemas.column import Table
from schemas.extract import EXTRACT_MODELS, Patient

Frames = Mapping[type[Table], pl.DataFrame]

# So many need about 1 GiB to be judged; fewer would pay the fixed cost of a bucket more often.
PATIENTS_PER_BUCKET: Final = 50_000

# What the cohort reads beside the rows of patients: calendars, and which dates were imputed.
_AUDIT_READ: Final[tuple[type[Table], ...]] = (SourceFile, Finding, FindingRow)


@dataclass(frozen=True, slots=True)
class Judging:
    """By what every bucket is judged. `published`: the warehouse whose judgement stands where nothing changed."""

    settings: Settings
    as_of: date
    published: Path | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A judged bucket: a frame per table of the cohort, what was noticed, and how many decisions were judged anew."""

    frames: Frames
    notices: tuple[Notice, ...]
    judged_anew: int


def bucket_count(patients: int) -> int:
    """Return how many buckets so many patients make, at least one."""
    return max(1, -(-patients // PATIENTS_PER_BUCKET))


def buckets(warehouse: Warehouse, patients: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield these patients (`patient_id`) by bucket, in the order of its number; some buckets may be empty."""
    count = bucket_count(patients.height)
    numbered = warehouse.query("run/buckets", bucket_count=count).join(patients, on="patient_id", how="semi")
    for number in range(count):
        yield numbered.filter(bucket_no=number).select("patient_id")


def by_bucket(accepted: Frames, count: int) -> Iterator[tuple[type[Table], dict[int, pl.DataFrame]]]:
    """Yield every extract table with its rows by bucket; a bucket without rows has an empty frame."""
    with Warehouse.of_frames({Patient: accepted[Patient]}) as patients:
        numbered = patients.query("run/buckets", bucket_count=count)
    for model, frame in accepted.items():
        rows = frame.join(numbered, on="patient_id", how="left", maintain_order="left")
        parts = rows.partition_by("bucket_no", include_key=False, as_dict=True)
        yield model, {number: parts.get((number,), frame.clear()) for number in range(count)}


def extract_of(warehouse: Warehouse, patients: pl.DataFrame) -> Frames:
    """Return the accepted rows of these patients (`patient_id`), a frame per extract table."""
    return {model: warehouse.read(model, among=patients) for model in EXTRACT_MODELS}


def audit_of(warehouse: Warehouse) -> Frames:
    """Return what a bucket needs to know of the files and findings of the run."""
    return {model: warehouse.read(model) for model in _AUDIT_READ}


def judge_bucket(extract: Frames, audit: Frames, judging: Judging) -> Judged:
    """Derive the cohort of the patients of a bucket and judge it (`build_cohort`, `annotate`)."""
    with Warehouse.of_frames({**extract, **audit}) as bucket:
        cohort = build_cohort(bucket, judging.settings, judging.as_of)
    earlier = _earlier(judging.published, extract[Patient].select("patient_id"))
    annotation = annotate(cohort, shipped_knowledge(), judging.settings, judging.as_of, earlier)
    return Judged({**cohort.frames, **annotation.frames}, cohort.notices, annotation.judged_anew)


def _earlier(published: Path | None, patients: pl.DataFrame) -> Earlier | None:
    if published is None:
        return None
    with Warehouse.open_readonly(published) as warehouse:
        return read_earlier(warehouse, patients)
