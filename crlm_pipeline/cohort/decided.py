"""Puts the facts to the decisions: every occasion gets what was known that day, each part by a narrow join."""

from typing import Final

import polars as pl

from crlm_pipeline.cohort.aim import treatment_setting
from crlm_pipeline.cohort.facts import rare_markers, scores
from crlm_pipeline.cohort.facts.biomarkers import biomarker_facts
from crlm_pipeline.cohort.scope import meetings, out_of_scope_reason
from crlm_pipeline.settings import Windows
from crlm_pipeline.warehouse import Warehouse
from schemas.cohort import Decision
from schemas.column import describe

DECISION_COLUMNS: Final = describe(Decision).polars_schema


def with_facts(
    warehouse: Warehouse,
    seen: pl.DataFrame,
    patients: pl.DataFrame,
    dated_facts: tuple[pl.DataFrame, ...],
    drug_facts: tuple[pl.DataFrame, ...],
    windows: Windows,
) -> pl.DataFrame:
    """Return each occasion with every fact of `cohort.decision`, `has_imputed_date` excepted. Grain: occasion.

    Besides: the assessment's `source_file_id`, `source_row`. `dated_facts`: facts of assessments and primaries by
    occasion_id; `drug_facts`: of drugs by decision_id, the same on every day a decision is seen. Registers `occasion`
    and `decided`.
    """
    warehouse.register("occasion", seen.select("occasion_id", "patient_id", "facts_date"))
    warehouse.register("decided", seen.filter("is_own"))
    by_occasion = [*dated_facts, biomarker_facts(warehouse, seen)]
    by_decision = [warehouse.query("facts/liver_history"), meetings(warehouse, windows), *drug_facts]
    facts = seen.join(_of_patient(patients), on="patient_id", how="left", maintain_order="left")
    for part in by_occasion:
        facts = facts.join(part, on="occasion_id", how="left", maintain_order="left", validate="1:1")
    facts = facts.with_columns(pl.col("is_other_tumour").fill_null(value=False))
    for part in by_decision:
        facts = facts.join(part, on="decision_id", how="left", maintain_order="left", validate="m:1")
    return facts.with_columns(_derived(windows)).with_columns(out_of_scope_reason().alias("out_of_scope_reason"))


def _of_patient(patients: pl.DataFrame) -> pl.DataFrame:
    return patients.select(
        "patient_id", pl.col("centre_id").alias("home_centre_id"), "country", "is_relative_calendar", "birth_year"
    )


def _derived(windows: Windows) -> list[pl.Expr]:
    """Return the facts that several parts make together."""
    return [
        (pl.col("decision_date").dt.year() - pl.col("birth_year")).alias("age"),
        rare_markers.dpd(pl.col("contraindications")).alias("dpd"),
        scores.is_synchronous(windows).alias("is_synchronous"),
        scores.fong_score_min().alias("fong_score_min"),
        scores.fong_score_max().alias("fong_score_max"),
        scores.tumour_burden_score().alias("tumour_burden_score"),
        treatment_setting().alias("treatment_setting"),
        pl.col("ecog").is_not_null().alias("is_fitness_known"),
        pl.coalesce("trial_id", "mdt_trial_id").alias("trial_id"),
    ]


def as_decisions(facts: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of `cohort.decision`, in order and of the declared types."""
    return facts.select(pl.col(name).cast(dtype) for name, dtype in DECISION_COLUMNS.items())
