"""The accepted patients, their lines as decisions read them, and what all their tissue results say."""

import polars as pl

from crlm_pipeline.cohort.facts.biomarkers import patient_biomarkers
from crlm_pipeline.cohort.facts.primaries import sided
from crlm_pipeline.guidelines.patterns import targeted_drugs
from crlm_pipeline.warehouse import Warehouse
from schemas.cohort import CohortPatient, PatientFacts
from schemas.column import describe


def cohort_patients(patients: pl.DataFrame, decisions: pl.DataFrame, first_reports: pl.DataFrame) -> pl.DataFrame:
    """Return `cohort.patient`. Grain: accepted patient. The first event: the first decision, else the first report."""
    first = decisions.group_by("patient_id").agg(pl.col("decision_date").min().alias("first_decision_date"))
    return (
        patients.join(first, on="patient_id", how="left")
        .join(first_reports, on="patient_id", how="left")
        .with_columns(pl.coalesce("first_decision_date", "first_report_date").alias("first_event_date"))
        .select(pl.col(name).cast(dtype) for name, dtype in describe(CohortPatient).polars_schema.items())
        .sort("patient_id")
    )


def therapy_lines(lines: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """Return `cohort.line_of_therapy` with its centre filled in, and two columns that decisions ask for.

    `has_conversion_drug`: a drug of the line was given for conversion. `is_chemotherapy`: it holds a cytotoxic drug.
    """
    is_cytotoxic = ~pl.element().is_in(sorted(targeted_drugs()))
    home = patients.select("patient_id", pl.col("centre_id").alias("home_centre_id"))
    return (
        lines.join(home, on="patient_id", how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("centre_id", "home_centre_id").alias("centre_id"),
            (pl.col("intent") == "conversion").fill_null(value=False).alias("has_conversion_drug"),
            pl.col("regimen").str.split("+").list.eval(is_cytotoxic).list.any().alias("is_chemotherapy"),
        )
        .drop("home_centre_id")
    )


def patient_facts(
    warehouse: Warehouse, patients: pl.DataFrame, primaries: pl.DataFrame, known: pl.DataFrame
) -> pl.DataFrame:
    """Return `cohort.patient_facts`: side and biomarkers by all that is known, undated results included.

    Grain: accepted patient; untested is null. `primaries` as `facts.primaries.prepare_primaries` gives them, `known`
    as `facts.biomarkers.results`.
    """
    side = pl.col("side")
    sides = primaries.group_by("patient_id").agg(
        sided((side == "left").any(), (side == "right").any(), side.is_null().any()).alias("side")
    )
    return (
        patients.select("patient_id")
        .join(sides, on="patient_id", how="left")
        .join(patient_biomarkers(warehouse, known), on="patient_id", how="left")
        .with_columns(pl.col("is_braf_tested").fill_null(value=False))
        .select(pl.col(name).cast(dtype) for name, dtype in describe(PatientFacts).polars_schema.items())
        .sort("patient_id")
    )
