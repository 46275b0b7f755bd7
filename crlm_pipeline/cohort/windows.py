"""The windows of the assessments of the liver: to the day before the next one, at most 183 days; and what they hold.

The windows of a patient do not overlap: what was given belongs to the latest assessment before it, if to any.
"""

from datetime import date
from typing import Final

import polars as pl

from crlm_pipeline.settings import Windows

_WINDOW: Final = ("patient_id", "n")


def assessment_windows(assessments: pl.DataFrame, as_of: date, windows: Windows) -> pl.DataFrame:
    """Return each assessment with its number and window, sorted. Grain: patient and assessment_date.

    Columns patient_id, centre_id, assessment_date, `n` (from 1), `next_date`, `window_end` (last day).
    """
    day, next_day = pl.col("assessment_date"), pl.col("next_date")
    return (
        assessments.filter(day <= as_of)
        .select("patient_id", "centre_id", "assessment_date")
        .sort("patient_id", "assessment_date")
        .with_columns(
            pl.int_range(1, pl.len() + 1).over("patient_id").alias("n"),
            day.shift(-1).over("patient_id").alias("next_date"),
        )
        .with_columns(
            pl.min_horizontal(day + pl.duration(days=windows.local), next_day - pl.duration(days=1)).alias("window_end")
        )
    )


def local_treatments(procedures: pl.DataFrame, patients: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the local treatments as `token`, `given_date`, `centre_id` (else the patient's), `trial_id`."""
    home = patients.select("patient_id", pl.col("centre_id").alias("home_centre_id"))
    return (
        procedures.filter(pl.col("procedure_date") <= as_of)
        .join(home, on="patient_id")
        .select(
            "patient_id",
            pl.col("procedure").alias("token"),
            pl.col("procedure_date").alias("given_date"),
            pl.coalesce("centre_id", "home_centre_id").alias("centre_id"),
            "trial_id",
            pl.lit(value=False).alias("has_conversion_drug"),
        )
    )


def treated_in_windows(windows: pl.DataFrame, local: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return each assessment with what was given in its window: its procedures, `systemic` for a course before them.

    Adds `treatment` (null: nothing), `trial_id`, `has_conversion_drug`, `is_latest` and `is_reassessed` (another one
    followed before anything was started). `centre_id` is that of the first treatment, else of the assessment.
    """
    courses = lines.select(
        "patient_id",
        pl.lit("systemic").alias("token"),
        pl.col("start_date").alias("given_date"),
        "centre_id",
        "trial_id",
        "has_conversion_drug",
    )
    next_day = pl.col("next_date")
    started = pl.concat([part.select("patient_id", started_date="given_date") for part in (local, courses)])
    return (
        windows.join(_given(windows, local, courses), on=_WINDOW, how="left", maintain_order="left")
        .sort("assessment_date")
        .join_asof(
            started.sort("started_date"),
            left_on="assessment_date",
            right_on="started_date",
            by="patient_id",
            strategy="forward",
            check_sortedness=False,
        )
        .with_columns(
            pl.coalesce("given_centre_id", "centre_id").alias("centre_id"),
            pl.col("has_conversion_drug").fill_null(value=False),
            next_day.is_null().alias("is_latest"),
            (next_day.is_not_null() & (pl.col("started_date") >= next_day).fill_null(value=True)).alias(
                "is_reassessed"
            ),
        )
        .sort("patient_id", "assessment_date")
    )


def untreated_by_any(windows: pl.DataFrame, local: pl.DataFrame) -> pl.DataFrame:
    """Return the local treatments in no window, one row per day, numbered by date. Grain: patient and day."""
    return (
        local.join(_placed(windows, local), on=["patient_id", "given_date"], how="anti")
        .sort("patient_id", "given_date", "token", "centre_id")
        .group_by("patient_id", "given_date", maintain_order=True)
        .agg(_together())
        .with_columns(pl.int_range(1, pl.len() + 1).over("patient_id").alias("n"))
        .rename({"given_date": "procedure_date", "given_centre_id": "centre_id"})
    )


def _given(windows: pl.DataFrame, local: pl.DataFrame, courses: pl.DataFrame) -> pl.DataFrame:
    procedures = _placed(windows, local)
    first = procedures.group_by(_WINDOW).agg(pl.col("given_date").min().alias("first_date"))
    begun = (
        _placed(windows, courses)
        .join(first, on=_WINDOW, how="left")
        .filter((pl.col("given_date") < pl.col("first_date")).fill_null(value=True))
        .drop("first_date")
    )
    given = pl.concat([procedures, begun]).sort(*_WINDOW, "given_date", "token", "centre_id")
    return given.group_by(_WINDOW, maintain_order=True).agg(_together())


def _together() -> list[pl.Expr]:
    """Return what treatments, sorted by day, make together; the centre is that of the first."""
    return [
        pl.col("token").unique().sort().str.join("+").alias("treatment"),
        pl.col("centre_id").first().alias("given_centre_id"),
        pl.col("trial_id").min(),
        pl.col("has_conversion_drug").any(),
    ]


def _placed(windows: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """Return the treatments that lie in a window, with its number `n`."""
    return (
        given.sort("given_date")
        .join_asof(
            windows.select(*_WINDOW, "assessment_date", "window_end").sort("assessment_date"),
            left_on="given_date",
            right_on="assessment_date",
            by="patient_id",
            strategy="backward",
            check_sortedness=False,
        )
        .filter(pl.col("given_date") <= pl.col("window_end"))
        .drop("assessment_date", "window_end")
    )
