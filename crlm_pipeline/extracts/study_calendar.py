"""The pseudo-calendar of a cBioPortal study: the day of a patient's first specimen is 2000-01-01.

Timelines count days from birth or another day that the study does not tell. Other events stand by their difference from
the first specimen. Where the source gives survival since that day it wins: 2000-01-01 + round(months x 30.4375).
Where a timeline tells both when a specimen was taken and when it was sequenced, no result was known before the latter.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

import polars as pl

from crlm_pipeline.extracts.study_timeline import SEQUENCING, STATUS, days

FIRST_SPECIMEN: Final = pl.date(2000, 1, 1)
DAYS_PER_MONTH: Final = 30.4375
DAYS_PER_YEAR: Final = 365.25
_SINCE_SPECIMEN: Final = re.compile(r"since\b.*\b(sequencing|specimen|sample|biopsy)", re.IGNORECASE)
_LONGEST: Final = 500  # signs of a description that are read
_MOST_MONTHS: Final = 1_440


@dataclass(frozen=True, slots=True)
class StudyCalendar:
    """Where the events of a study stand.

    `specimens`: SAMPLE_ID, PATIENT_ID, day, sequencing_day (null unless another event tells when it was taken).
    `first_days`: PATIENT_ID, first_day, waiting_days (from the first specimen to the first sequencing).
    `statuses`: PATIENT_ID, source day and status of the last contact. `survival_since`: the day from which the study
    counts survival, where that is one of a specimen. `kind` is relative as soon as any date is placed.
    """

    kind: Literal["real", "relative"]
    survival_since: str | None
    specimens: pl.DataFrame
    first_days: pl.DataFrame
    statuses: pl.DataFrame

    @classmethod
    def of(cls, events: pl.DataFrame, survival_since: Sequence[str], *, has_timelines: bool) -> Self:
        """Build the calendar of the events (`study_timeline`) and the descriptions of the survival time."""
        found = [match[1].lower() for text in survival_since if (match := _SINCE_SPECIMEN.search(text[:_LONGEST]))]
        specimens = _specimens(events)
        statuses = events.filter(pl.col("kind") == STATUS, pl.col("day").is_not_null(), is_vital("STATUS"))
        return cls(
            kind="relative" if has_timelines or found else "real",
            survival_since=found[0] if found else None,
            specimens=specimens,
            first_days=specimens.group_by("PATIENT_ID", maintain_order=True).agg(
                first_day=pl.col("day").min(),
                waiting_days=pl.coalesce("sequencing_day", "day").min() - pl.col("day").min(),
            ),
            statuses=statuses.sort("day", maintain_order=True)
            .unique("PATIENT_ID", keep="last", maintain_order=True)
            .select("PATIENT_ID", status_day="day", status="STATUS"),
        )

    def dated(self, samples: pl.DataFrame) -> pl.DataFrame:
        """Add `sample_date` and `report_date`; a patient's only sample is the first, whatever the timelines omit."""
        dated = samples.join(self.specimens.drop("PATIENT_ID"), on="SAMPLE_ID", how="left", maintain_order="left")
        dated = dated.join(self.first_days, on="PATIENT_ID", how="left", maintain_order="left")
        is_only = (pl.len().over("PATIENT_ID") == 1) & pl.lit(self.kind == "relative")
        since_first = pl.coalesce(pl.col("day") - pl.col("first_day"), pl.when(is_only).then(pl.lit(0)))
        return dated.with_columns(
            sample_date=_date(since_first), report_date=_date(pl.col("sequencing_day") - pl.col("first_day"))
        ).drop("day", "sequencing_day", "first_day", "waiting_days")

    def with_last_days(self, patients: pl.DataFrame) -> pl.DataFrame:
        """Add `vital_status`, `death_date` and `last_contact_date` (only the one that applies is known)."""
        known = patients.join(self.first_days, on="PATIENT_ID", how="left", maintain_order="left")
        known = known.join(self.statuses, on="PATIENT_ID", how="left", maintain_order="left")
        known = known.with_columns(vital_status=_vital_status(), last_day=self._last_day())
        is_dead = pl.col("vital_status") == "dead"
        return known.with_columns(
            death_date=pl.when(is_dead).then(_date(pl.col("last_day"))),
            last_contact_date=pl.when(pl.col("vital_status") == "alive").then(_date(pl.col("last_day"))),
        )

    def _last_day(self) -> pl.Expr:
        by_status = pl.col("status_day") - pl.col("first_day")
        if self.survival_since is None:
            return by_status
        months = pl.col("OS_MONTHS").cast(pl.Float64, strict=False)
        known = pl.when(months.is_between(0, _MOST_MONTHS)).then(months)
        survival = (known * DAYS_PER_MONTH).round(mode="half_away_from_zero").cast(pl.Int64)
        waiting = pl.col("waiting_days").fill_null(0) if self.survival_since == "sequencing" else pl.lit(0)
        return pl.coalesce(survival + waiting, by_status)

    def birth_year(self) -> pl.Expr:
        """Return the pseudo-year of birth from the age at sequencing; null on a real calendar or without that age."""
        age = pl.coalesce("AGE_AT_SEQUENCING", "AGE_AT_SEQ_REPORT").cast(pl.Float64, strict=False)
        known = pl.when(age.is_between(0, 130)).then(age)
        birth = FIRST_SPECIMEN - pl.duration(days=(known * DAYS_PER_YEAR).round().cast(pl.Int64))
        return pl.when(pl.lit(self.kind == "relative")).then(birth.dt.year().cast(pl.String))

    def placed(self, events: pl.DataFrame) -> pl.DataFrame:
        """Return the events of patients whose first specimen has a day, with `date` and `end_date` as text."""
        placed = events.join(self.first_days, on="PATIENT_ID", maintain_order="left").with_columns(
            date=_date(pl.col("day") - pl.col("first_day")), end_date=_date(days("STOP_DATE") - pl.col("first_day"))
        )
        return placed.filter(pl.col("date").is_not_null())

    def completing(self, events: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
        """Return the events that date a sample; the status of a patient counts where survival is not given."""
        dates_sample = pl.col("SAMPLE_ID").is_in(samples["SAMPLE_ID"].implode()).fill_null(value=False)
        is_status = (pl.col("kind") == STATUS) & pl.lit(self.survival_since is None)
        return events.filter(dates_sample | is_status)


def _specimens(events: pl.DataFrame) -> pl.DataFrame:
    """Return each sample with the day on which it was taken; the day of sequencing stands in where no other is told."""
    named = events.filter(pl.col("SAMPLE_ID").is_not_null(), pl.col("day").is_not_null())
    is_sequencing = pl.col("kind") == SEQUENCING
    days_of_sample = named.group_by("SAMPLE_ID", "PATIENT_ID", maintain_order=True).agg(
        taken=pl.col("day").filter(~is_sequencing).min(), sequenced=pl.col("day").filter(is_sequencing).min()
    )
    is_after = (pl.col("sequenced") >= pl.col("taken")).fill_null(value=False)
    return days_of_sample.select(
        "SAMPLE_ID",
        "PATIENT_ID",
        day=pl.min_horizontal("taken", "sequenced"),
        sequencing_day=pl.when(is_after).then("sequenced"),
    )


def _date(since_first_specimen: pl.Expr) -> pl.Expr:
    return (FIRST_SPECIMEN + pl.duration(days=since_first_specimen)).cast(pl.String)


def _is_dead(text: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase().str.contains("deceased|dead")


def _is_alive(text: pl.Expr) -> pl.Expr:
    return text.str.to_lowercase().str.contains("living|alive|last contact")


def is_vital(column: str) -> pl.Expr:
    """Whether a text says that a patient is alive or dead."""
    return (_is_dead(pl.col(column)) | _is_alive(pl.col(column))).fill_null(value=False)


def _vital_status() -> pl.Expr:
    """Return dead or alive by OS_STATUS (`1:DECEASED`), else VITAL_STATUS, else the last status event."""
    text = pl.coalesce("OS_STATUS", "VITAL_STATUS", "status")
    return pl.when(_is_dead(text)).then(pl.lit("dead")).when(_is_alive(text)).then(pl.lit("alive"))
