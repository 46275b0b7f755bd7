"""Registries that say the same on the as-of date are judged the same, however they were delivered.

Later rows, the order of rows and columns, repeated rows and their spread over folders change nothing but lineage.
"""

import random
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from crlm_pipeline.settings import Settings
from crlm_pipeline.synthetic import write_registry
from flows.steps import Job, annotate, ingest

AS_OF = date(2022, 6, 30)
DAY_OF_ROW = {
    "tumour": ("diagnosis_date",),
    "assessment": ("assessment_date",),
    "biomarker": ("report_date", "sample_date"),
    "drug_exposure": ("start_date",),
    "procedure": ("procedure_date",),
    "mdt": ("mdt_date",),
    "outcome": ("outcome_date",),
}
TABLES = (
    *("cohort.patient", "cohort.patient_facts", "cohort.line_of_therapy", "cohort.decision", "cohort.class_view"),
    *("cohort.analyte_known", "cohort.verdict", "cohort.safety_finding", "cohort.patient_pathway"),
    *("cohort.required_test", "cohort.recommendation"),
    *("mart.biomarker_distribution", "mart.concordance", "mart.pathway_mix"),
    *(
        "cohort.what_if",
        "cohort.what_if_outcome",
        "mart.edition_comparison",
        "mart.recommended_to_given",
        "mart.uptake",
    ),
)
Registry = Mapping[str, pl.DataFrame]


def published(folder: Path, *registries: Registry) -> Path:
    """Deliver each registry as a folder of CSV files and return the published warehouse."""
    for number, registry in enumerate(registries):
        source = folder / f"source_{number}"
        source.mkdir(parents=True)
        for table, rows in registry.items():
            rows.write_csv(source / f"{table}.csv")
    sources = tuple(sorted(folder.glob("source_*")))
    settings = Settings(as_of=AS_OF, allowed_rejected_share=1.0)
    job = Job(sources, folder / "crlm.duckdb", folder / "report", settings=settings)
    ingest(job)
    annotate(job)
    return job.warehouse


def differing(one: Path, other: Path) -> list[str]:
    """Return the tables whose rows differ."""
    connection = duckdb.connect()
    for name, path in (("one", one), ("other", other)):
        connection.execute(f"attach '{path}' as {name} (read_only)")
    both = """
        select count(*) from (
            (from one.{0} except all from other.{0}) union all (from other.{0} except all from one.{0})
        )
    """
    return [table for table in TABLES if connection.execute(both.format(table)).fetchall() != [(0,)]]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("registry")
    write_registry(folder, 250, 9)
    return {path.stem: pl.read_csv(path, infer_schema_length=0) for path in folder.glob("*.csv")}


@pytest.fixture(scope="module")
def delivered(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("delivered"), registry)


def until_as_of(registry: Registry) -> Registry:
    """Return what the registry would have held on the as-of date."""
    last = str(AS_OF)
    known = {
        table: rows.filter(pl.coalesce(DAY_OF_ROW[table]).fill_null("") <= last) if table in DAY_OF_ROW else rows
        for table, rows in registry.items()
    }
    is_running = pl.col("end_date") > last
    known["drug_exposure"] = known["drug_exposure"].with_columns(
        pl.when(~is_running.fill_null(value=False)).then(pl.col("end_date", "stop_reason"))
    )
    is_alive = (pl.col("death_date") > last).fill_null(value=False)
    known["patient"] = known["patient"].with_columns(
        pl.when(is_alive).then(pl.lit("alive")).otherwise("vital_status").alias("vital_status"),
        pl.when(pl.col("death_date") <= last).then("death_date").alias("death_date"),
        pl.when(pl.col("last_contact_date") <= last).then("last_contact_date").alias("last_contact_date"),
    )
    return known


def test_what_came_after_the_as_of_date_takes_part_in_nothing(
    registry: Registry, delivered: Path, tmp_path: Path
) -> None:
    earlier = until_as_of(registry)
    assert sum(map(len, earlier.values())) < sum(map(len, registry.values()))
    assert differing(delivered, published(tmp_path, earlier)) == []


def spread(registry: Registry) -> list[Registry]:
    """Return two registries with half of the centres each, in another order, and the first one once more."""
    draw = random.Random(3)  # noqa: S311
    centres = registry["patient"]["centre_id"].unique().sort()
    half = registry["patient"].filter(pl.col("centre_id").is_in(centres[::2].implode())).select("patient_id")
    first, second = (
        {
            table: rows.join(half, on="patient_id", how=how)
            .sample(fraction=1, shuffle=True, seed=5)
            .select(draw.sample(rows.columns, len(rows.columns)))
            for table, rows in registry.items()
        }
        for how in ("semi", "anti")
    )
    return [first, second, {table: rows[::-1] for table, rows in first.items()}]


def test_folders_orders_and_repeated_rows_change_no_verdict(
    registry: Registry, delivered: Path, tmp_path: Path
) -> None:
    assert differing(delivered, published(tmp_path, *spread(registry))) == []
