"""Tells treatment around surgery (line 0) from treatment of metastatic disease, by intent or by a resection nearby."""

from typing import Final

import polars as pl

from crlm_pipeline.cohort.line_numbers import History, number
from crlm_pipeline.cohort.line_rules import Events, Rules
from crlm_pipeline.settings import Windows

_COURSE: Final = ("patient_id", "number")
_OPERABLE: Final = ("upfront", "difficult")


def add_purpose(systemic: pl.DataFrame, events: Events, history: History, windows: Windows) -> pl.DataFrame:
    """Add `is_curative` (never null: line 0 or not) and `is_near_resection` (why, where no intent says so).

    A stated intent decides for its exposure and for those of its course that state none. A course that states none is
    line 0 if it ends at most 90 days before, or starts at most 90 days after, a resection of the liver, and the latest
    resectability known at its start was upfront or difficult (semantics, "Decisions").
    """
    stated = systemic.with_columns(is_curative="is_stated_curative")
    is_open_question = pl.col("patient_id").is_in(_undecided(stated, history).implode())
    inferred = _inferred(stated.filter(is_open_question), events, history, windows)
    return systemic.join(
        inferred.select("order", "is_curative", "is_near_resection"), on="order", how="left", maintain_order="left"
    ).with_columns(
        pl.coalesce("is_curative", "is_stated_curative", pl.lit(value=False)),
        pl.col("is_near_resection").fill_null(value=False),
    )


def _undecided(stated: pl.DataFrame, history: History) -> pl.Series:
    """Return the patients with an unstated exposure that something else could make line 0."""
    purpose = pl.col("is_stated_curative")
    near = history.procedures.filter(pl.col("procedure") == "resection")["patient_id"].unique()
    return (
        stated.group_by("patient_id")
        .agg(is_unstated=purpose.is_null().any(), is_any_curative=purpose.fill_null(value=False).any())
        .filter(pl.col("is_unstated") & (pl.col("is_any_curative") | pl.col("patient_id").is_in(near.implode())))
    )["patient_id"]


def _inferred(stated: pl.DataFrame, events: Events, history: History, windows: Windows) -> pl.DataFrame:
    numbered = stated.with_columns(number(stated, events, Rules(windows, every_gap=True)).number)
    courses = _courses(numbered).join(_near_resection(numbered, history, windows), on=_COURSE, how="left")
    # Where the registry counts the lines, it has said that an unstated course is one.
    near = (
        pl.col("is_near").fill_null(value=False)
        & pl.col("is_course_curative").is_null()
        & ~pl.col("is_registered_usable")
    )
    return (
        numbered.join(courses, on=_COURSE, how="left", maintain_order="left")
        .with_columns(is_near_resection=near)
        .with_columns(is_curative=pl.coalesce("is_stated_curative", "is_course_curative", "is_near_resection"))
        .drop("number", "is_near", "is_course_curative")
    )


def _courses(numbered: pl.DataFrame) -> pl.DataFrame:
    return numbered.group_by(_COURSE).agg(is_course_curative=pl.col("is_stated_curative").drop_nulls().first())


def _near_resection(numbered: pl.DataFrame, history: History, windows: Windows) -> pl.DataFrame:
    """Return the courses that lie round a resection and were judged operable at their start, with `is_near` = true.

    A course that runs on past the resection is taken in two: what was given before it, and what was given after it.
    """
    resections = history.procedures.filter(pl.col("procedure") == "resection").select("patient_id", "procedure_date")
    start, end, day = pl.col("start_date"), pl.col("end_date"), pl.col("procedure_date")
    is_before, is_after = start <= day, start >= day
    days_after = (start.filter(is_after).min() - day.first()).dt.total_days()
    days_before = (day.first() - end.filter(is_before).max()).dt.total_days()
    is_ended = end.filter(is_before).is_not_null().all() & is_before.any()
    return (
        numbered.join(_operable(numbered, history), on=_COURSE, how="semi")
        .join(resections.unique(), on="patient_id")
        .group_by(*_COURSE, "procedure_date")
        .agg(
            is_near=(days_after <= windows.perioperative).fill_null(value=False)
            | (is_ended & (days_before <= windows.perioperative).fill_null(value=False))
        )
        .filter("is_near")
        .select(*_COURSE, "is_near")
        .unique()
    )


def _operable(numbered: pl.DataFrame, history: History) -> pl.DataFrame:
    """Return the courses at whose start the latest recorded resectability was upfront or difficult."""
    judged = history.assessments.filter(pl.col("resectability").is_not_null()).select(
        "patient_id", "assessment_date", "resectability"
    )
    starts = numbered.group_by(_COURSE).agg(pl.col("start_date").min())
    return (
        starts.sort("start_date")
        .join_asof(
            judged.sort("assessment_date"),
            left_on="start_date",
            right_on="assessment_date",
            by="patient_id",
            strategy="backward",
            check_sortedness=False,
        )
        .filter(pl.col("resectability").is_in(_OPERABLE))
    )
