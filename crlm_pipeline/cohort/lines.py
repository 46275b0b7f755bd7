"""Derives the lines of therapy: which drugs make a regimen, its period, and where each exposure belongs."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from crlm_pipeline.cohort.exposures import prepare
from crlm_pipeline.cohort.line_notices import registered_notices
from crlm_pipeline.cohort.line_numbers import History, events_of, place
from crlm_pipeline.cohort.purposes import add_purpose
from crlm_pipeline.cohort.regimens import bit_of, name_regimens, regimen_keys
from crlm_pipeline.cohort.roles import LINE, add_members, add_role, tokens_of_lines
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.settings import Windows
from schemas.cohort import ExposureRole, LineOfTherapy
from schemas.column import Table, describe

__all__ = ["History", "Lines", "derive", "outcomes_of_lines"]


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of therapy of a registry, every frame sorted by its first columns.

    `line_of_therapy`, `exposure_role`: as declared in `schemas.cohort`; `centre_id` of a line is null where its first
    drug has no centre of its own. `class_start`: patient_id, line, course, inn, drug_class, start_date = the first dose
    in the line of each drug of its regimen, swaps and carried drugs included. `progression`: patient_id, line, course,
    progression_date, every recorded one. `notices`: what was found about registered line numbers.
    """

    line_of_therapy: pl.DataFrame
    exposure_role: pl.DataFrame
    class_start: pl.DataFrame
    progression: pl.DataFrame
    notices: tuple[Notice, ...]


def derive(exposures: pl.DataFrame, history: History, windows: Windows, as_of: date) -> Lines:
    """Derive the lines of every patient from the typed frame `extract.drug_exposure` (semantics; clinical 3.11).

    Each exposure ends with exactly one row of `exposure_role`. Rows dated after `as_of` take part in nothing.
    """
    known = history.until(as_of)
    prepared = prepare(exposures, as_of)
    systemic = _add_registered_usable(prepared.filter(pl.col("aside_role").is_null()))
    events = events_of(systemic, known)
    purposed = add_purpose(systemic, events, known, windows)
    placed, carried = place(purposed, events, windows)
    tokens = tokens_of_lines(placed, carried)
    members = add_role(add_members(placed, tokens, windows), windows)
    lines = _lines(members, tokens, windows)
    progression = _progression(members, lines, known)
    roles = _exposure_role(prepared, members)
    assert roles.height == exposures.height, "every exposure has exactly one role"
    return Lines(
        line_of_therapy=_line_of_therapy(lines, progression),
        exposure_role=roles,
        class_start=_class_start(members, tokens, lines),
        progression=progression,
        notices=registered_notices(members),
    )


def _add_registered_usable(systemic: pl.DataFrame) -> pl.DataFrame:
    """Add whether every systemic exposure of the patient has a registered line and these never go backwards."""
    by_date = systemic.select("patient", "start_date", "line_registered").sort(pl.all())
    is_backward = ~pl.col("patient").is_first_distinct() & (pl.col("line_registered").diff() < 0)
    unusable = by_date.filter(pl.col("line_registered").is_null() | is_backward).get_column("patient")
    return systemic.with_columns(is_registered_usable=~pl.col("patient").is_in(unusable.implode()))


def _lines(members: pl.DataFrame, tokens: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Return one row per line, in order: its period, key and what its drugs say of it."""
    window = pl.when("is_awaited").then(windows.antibody).otherwise(windows.regimen)
    has_joined = pl.col("is_first") & ~pl.col("is_carried") & (pl.col("day") <= window)
    told = members.with_columns(
        joined_date=pl.when(has_joined).then("start_date"),
        is_over=pl.col("end_date").is_not_null(),
        is_conversion=pl.col("intent").eq_missing("conversion"),
    )
    drugs = tokens.group_by("line_id", maintain_order=True).agg(drugs=bit_of(pl.col("token")).bitwise_or())
    return (
        told.group_by("line_id", maintain_order=True)
        .agg(
            pl.col(*LINE, "start_date", "line_source", "centre_id").first(),
            pl.col("intent", "trial_id").first(ignore_nulls=True),
            pl.col("end_date", "joined_date").max(),
            pl.col("is_over").all(),
            pl.col("is_conversion").any(),
        )
        .with_columns(
            end_date=pl.when("is_over").then("end_date"),
            facts_date=pl.max_horizontal("start_date", "joined_date"),
            # One drug given for conversion makes it the aim of the line (semantics, "Decisions").
            intent=pl.when("is_conversion").then(pl.lit("conversion")).otherwise("intent"),
            regimen=regimen_keys(drugs["drugs"]),
        )
    )


def _progression(members: pl.DataFrame, lines: pl.DataFrame, history: History) -> pl.DataFrame:
    """Return each progression on a line: a drug of it stopped for it, or an outcome before the next line."""
    stopped = members.filter(pl.col("progression_date").is_not_null()).select(*LINE, "progression_date")
    seen = outcomes_of_lines(history.outcomes.filter(pl.col("outcome") == "progression"), lines).select(
        *LINE, progression_date="outcome_date"
    )
    return pl.concat([stopped, seen]).unique().sort(*LINE, "progression_date")


def outcomes_of_lines(outcomes: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return each outcome with the line it belongs to: the latest one started before that day.

    What is seen on the day a line starts is the last one's: a progression is why the new line started.
    """
    return (
        outcomes.select("patient_id", "outcome_date", "outcome")
        .sort("outcome_date")
        .join_asof(
            lines.select(*LINE, "start_date").sort("start_date", "line", "course"),
            left_on="outcome_date",
            right_on="start_date",
            by="patient_id",
            strategy="backward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .filter(pl.col("line").is_not_null())
        .select(*LINE, "outcome_date", "outcome")
    )


def _line_of_therapy(lines: pl.DataFrame, progression: pl.DataFrame) -> pl.DataFrame:
    first = progression.unique(LINE, keep="first", maintain_order=True)
    named = lines.with_columns(name_regimens(lines["regimen"]).alias("regimen_name"))
    return _as_declared(named.join(first, on=LINE, how="left", maintain_order="left"), LineOfTherapy)


def _class_start(members: pl.DataFrame, tokens: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    names = ["line_id", "inn", "drug_class", "start_date"]
    carried = tokens.filter("is_carried").rename({"token": "inn"})
    return (
        pl.concat([members.select(names), carried.select(names)])
        .sort("line_id", "inn", "start_date")
        .filter(pl.struct("line_id", "inn").rle_id().is_first_distinct())
        .join(lines.select(*LINE, "line_id"), on="line_id", how="left", maintain_order="left")
        .select(*LINE, pl.col("inn", "drug_class").cast(pl.String), "start_date")
    )


def _exposure_role(prepared: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    aside = prepared.filter(pl.col("aside_role").is_not_null()).with_columns(
        role="aside_role",
        reason="aside_reason",
        line=pl.lit(None, dtype=pl.Int32),
        course=pl.lit(None, dtype=pl.Int32),
    )
    names = ["order", *describe(ExposureRole).polars_schema]
    rows = pl.concat([members.select(names), aside.select(names)]).sort("order")
    return _as_declared(rows, ExposureRole)


def _as_declared(frame: pl.DataFrame, model: type[Table]) -> pl.DataFrame:
    schema = describe(model).polars_schema
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
