"""What the comparisons work on, made once in one folder: a registry, its warehouse, and their tables as Parquet."""

import shutil
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import polars as pl

from bench.harness import fresh
from crlm_pipeline.buckets import PATIENTS_PER_BUCKET, bucket_count
from crlm_pipeline.cohort.build import Cohort, build_cohort
from crlm_pipeline.guidelines.load import Knowledge, shipped_knowledge
from crlm_pipeline.guidelines.model import Edition, fact_columns
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from flows.job import Job, ingested_file
from schemas.audit import Run
from schemas.cohort import Decision
from schemas.column import describe
from schemas.extract import EXTRACT_MODELS

EDITION = "esmo_2022_10"
SAMPLE = PATIENTS_PER_BUCKET  # what a run holds in memory at once
# What judging reads of a decision beside its facts.
_BESIDE_FACTS = (
    *("decision_id", "patient_id", "centre_id", "country", "decision_date", "is_relative_calendar", "treatment"),
    *("is_open", "failed_classes", "out_of_scope_reason", "deviation_reason"),
)


def decision_columns() -> list[str]:
    """Return the columns of `cohort.decision` that judging reads."""
    read = {*_BESIDE_FACTS, *fact_columns()}
    return [column.name for column in describe(Decision).columns if column.name in read]


@dataclass(frozen=True)
class Work:
    """A folder to work in and the size of the registry."""

    folder: Path
    patients: int

    @cached_property
    def knowledge(self) -> Knowledge:
        # Loaded once, as in a run: equal editions of two loads are compared field by field whenever one is looked up.
        return shipped_knowledge()

    @cached_property
    def edition(self) -> Edition:
        return self.knowledge.edition(EDITION)

    @cached_property
    def active(self) -> frozenset[str]:
        return frozenset(rule.id for rule in self.edition.rules)

    @cached_property
    def registry(self) -> Path:
        """The registry as CSV files."""
        return _generated(self.folder / "registry", self.patients)

    @cached_property
    def sample(self) -> Path:
        """A registry of at most SAMPLE patients as CSV files."""
        return self.registry if self.patients <= SAMPLE else _generated(self.folder / "sample", SAMPLE)

    @cached_property
    def ingested(self) -> Path:
        """The ingested sample: a warehouse file in which nothing was judged."""
        warehouse = self.folder / "sample.duckdb"
        fresh("ingest", self.sample, warehouse).do()
        return ingested_file(warehouse)

    @property
    def published_by_run(self) -> Path:
        """Where a whole run publishes."""
        return self.folder / "run.duckdb"

    @property
    def published(self) -> Path:
        """The judged registry; made now where no run has made it yet."""
        if not self.published_by_run.is_file():
            fresh("ingest", self.registry, self.published_by_run).do()
            fresh("annotate", self.registry, self.published_by_run).do()
        return self.published_by_run

    @cached_property
    def extract(self) -> Path:
        """A folder with each extract table of the sample as Parquet."""
        folder = self.folder / "extract"
        folder.mkdir()
        with Warehouse.open_readonly(self.ingested) as ingested:
            for model in EXTRACT_MODELS:
                ingested.read(model).write_parquet(folder / f"{describe(model).name}.parquet")
        return folder

    @cached_property
    def as_of(self) -> date:
        """The last day of the sample."""
        with Warehouse.open_readonly(self.ingested) as ingested:
            return ingested.read(Run).get_column("as_of").item()

    @cached_property
    def cohort(self) -> Cohort:
        """The cohort of the sample."""
        with Warehouse.open_readonly(self.ingested) as ingested:
            return build_cohort(ingested, Settings(), self.as_of)

    @cached_property
    def decisions(self) -> list[Path]:
        """Parquet files of decisions: those of the sample, repeated until they stand for the patients of the registry.

        A run judges a large registry in parts of this size too, so repeating them saves no work.
        """
        folder = self.folder / "decisions"
        folder.mkdir()
        first = folder / "000.parquet"
        self.cohort.decision.select(decision_columns()).write_parquet(first)
        parts = [folder / f"{number:03}.parquet" for number in range(bucket_count(self.patients))]
        for part in parts[1:]:
            shutil.copyfile(first, part)
        return parts

    @property
    def decision_count(self) -> int:
        """How many rows `decisions` has."""
        return len(self.decisions) * self.cohort.decision.height


def job(source: Path, warehouse: Path) -> Job:
    """Return a run over a source into a warehouse; dirty rows do not stop it."""
    return Job((source,), warehouse, warehouse.with_suffix(".report"), settings=Settings(), is_partial_allowed=True)


def _generated(folder: Path, patients: int) -> Path:
    fresh("generate", folder, str(patients)).do()
    return folder


def row_count(folder: Path) -> int:
    """Return how many rows the CSV files of a folder have."""
    return sum(pl.scan_csv(path, infer_schema_length=0).select(pl.len()).collect().item() for path in csv_files(folder))


def csv_files(folder: Path) -> list[Path]:
    """Return the CSV files of a folder, sorted."""
    return sorted(folder.glob("*.csv"))
