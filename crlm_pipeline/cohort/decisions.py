"""The treatment decisions: each line of therapy, each assessment of the liver, and the next step of a patient.

Frames of one shape (`SHAPE`), without facts. Only metastatic patients have decisions (semantics, "Decisions").
"""

from datetime import date
from typing import Final

import polars as pl

from crlm_pipeline.cohort.facts.evidence import first_of
from crlm_pipeline.cohort.line_numbers import History
from crlm_pipeline.cohort.windows import (
    assessment_windows,
    local_treatments,
    treated_in_windows,
    untreated_by_any,
)
from crlm_pipeline.settings import Windows

SHAPE: Final[dict[str, pl.DataType]] = {
    "decision_id": pl.String(),
    "patient_id": pl.String(),
    "centre_id": pl.String(),
    "setting": pl.String(),
    "decision_date": pl.Date(),
    "facts_date": pl.Date(),
    "window_end": pl.Date(),
    "line": pl.Int32(),
    "course": pl.Int32(),
    "treatment": pl.String(),
    "regimen_name": pl.String(),
    "trial_id": pl.String(),
    "intent": pl.String(),
    "has_conversion_drug": pl.Boolean(),
    "fate": pl.String(),
    "is_open": pl.Boolean(),
}
"""`window_end`: last day of a local decision's window, the as-of date at most. `fate`: of an untreated assessment,
reassessed or died."""


def decisions(
    history: History, patients: pl.DataFrame, lines: pl.DataFrame, as_of: date, windows: Windows
) -> pl.DataFrame:
    """Return every decision of the metastatic patients, sorted by decision_id. Grain: decision.

    `patients` as `facts/patients` gives them, `lines` with their centre filled in.
    """
    periods = assessment_windows(history.assessments, as_of, windows)
    local = local_treatments(history.procedures, patients, as_of)
    assessed = assessed_decisions(treated_in_windows(periods, local, lines), patients, as_of)
    unassessed = unassessed_decisions(untreated_by_any(periods, local))
    upcoming = next_decisions(patients, lines, assessed.filter("is_latest"), as_of)
    has_become_next = (
        assessed.filter(pl.col("is_latest") & pl.col("is_waiting"))
        .join(upcoming, on="patient_id", how="semi")
        .select("decision_id")
    )
    written = assessed.join(has_become_next, on="decision_id", how="anti")
    parts = [systemic_decisions(lines), written, unassessed, upcoming]
    metastatic = patients.filter("is_metastatic").select("patient_id")
    return (
        pl.concat([_shaped(part) for part in parts])
        .join(metastatic, on="patient_id", how="semi")
        .with_columns(pl.min_horizontal("window_end", pl.when(pl.col("window_end").is_not_null()).then(as_of)))
        .sort("decision_id")
    )


def _shaped(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of `SHAPE` in order; those that a kind of decision does not have are unknown."""
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in SHAPE.items()
    ).with_columns(pl.col("has_conversion_drug", "is_open").fill_null(value=False))


def systemic_decisions(lines: pl.DataFrame) -> pl.DataFrame:
    """Return one decision per line and course; further line-0 courses carry their number (`/0-2`)."""
    suffix = pl.when(pl.col("course") > 1).then(pl.format("-{}", "course")).otherwise(pl.lit(""))
    return lines.with_columns(
        pl.format("{}/systemic/{}{}", "patient_id", "line", suffix).alias("decision_id"),
        pl.lit("systemic").alias("setting"),
        pl.col("start_date").alias("decision_date"),
        pl.col("regimen").alias("treatment"),
    )


def assessed_decisions(assessed: pl.DataFrame, patients: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return one decision per assessment. Besides `SHAPE`: `is_latest`, `is_untreated`, `is_waiting` (window open)."""
    is_untreated = pl.col("treatment").is_null()
    # Of a patient who is dead without a date it is only known that it happened by the as-of date.
    died_on = pl.when(~pl.col("is_alive")).then(pl.coalesce("death_date", pl.lit(as_of)))
    has_died = (died_on >= pl.col("assessment_date")) & (died_on <= pl.col("window_end"))
    fate = first_of(
        (is_untreated & pl.col("is_reassessed"), "reassessed"),
        (is_untreated & has_died.fill_null(value=False), "died"),
    )
    return assessed.join(
        patients.select("patient_id", "is_alive", "death_date", pl.col("centre_id").alias("home_centre_id")),
        on="patient_id",
        how="left",
        maintain_order="left",
    ).with_columns(
        pl.format("{}/local/{}", "patient_id", "n").alias("decision_id"),
        pl.lit("local").alias("setting"),
        pl.col("assessment_date").alias("decision_date"),
        pl.col("assessment_date").alias("facts_date"),
        pl.coalesce("centre_id", "home_centre_id").alias("centre_id"),
        fate.alias("fate"),
        is_untreated.alias("is_untreated"),
        (is_untreated & (pl.col("window_end") >= as_of)).alias("is_waiting"),
    )


def unassessed_decisions(unassessed: pl.DataFrame) -> pl.DataFrame:
    """Return one decision per day with a local treatment in no assessment's window."""
    return unassessed.with_columns(
        pl.format("{}/local/p{}", "patient_id", "n").alias("decision_id"),
        pl.lit("local").alias("setting"),
        pl.col("procedure_date").alias("decision_date"),
        pl.col("procedure_date").alias("facts_date"),
        pl.col("procedure_date").alias("window_end"),
    )


def next_decisions(patients: pl.DataFrame, lines: pl.DataFrame, latest: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the open decision of each living metastatic patient who awaits one. Grain: patient.

    Awaits: no line yet, the last line ended or progressed, or the latest assessment led to nothing. `latest`: the
    decision of each patient's latest assessment. Local while that one is untreated and at most 183 days old.
    """
    has_ended = (pl.col("end_date") <= as_of).fill_null(value=False) | pl.col("progression_date").is_not_null()
    # The last one by date: while an adjuvant course runs, the ended line before it awaits nothing.
    last = (
        lines.sort("patient_id", "start_date", "line", "course")
        .group_by("patient_id", maintain_order=True)
        .agg(pl.col("line").max(), has_ended.last().alias("has_ended"))
    )
    known = (
        patients.filter(pl.col("is_metastatic") & pl.col("is_alive"))
        .join(last, on="patient_id", how="left")
        .join(
            latest.select("patient_id", "is_untreated", "is_waiting", assessing_centre_id="centre_id"),
            on="patient_id",
            how="left",
        )
        .with_columns(pl.col("is_untreated", "is_waiting").fill_null(value=False))
    )
    return known.filter(pl.col("line").is_null() | pl.col("has_ended") | pl.col("is_untreated")).with_columns(
        pl.format("{}/next", "patient_id").alias("decision_id"),
        pl.when("is_waiting").then(pl.lit("local")).otherwise(pl.lit("systemic")).alias("setting"),
        pl.lit(as_of).alias("decision_date"),
        pl.lit(as_of).alias("facts_date"),
        pl.when("is_waiting").then(pl.lit(as_of)).alias("window_end"),
        (pl.col("line").fill_null(0) + 1).alias("line"),
        pl.when("is_waiting").then("assessing_centre_id").otherwise("centre_id").alias("centre_id"),
        pl.lit(value=True).alias("is_open"),
    )
