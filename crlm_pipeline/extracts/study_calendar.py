"""The pseudo-calendar of a cBioPortal study: the day of a patient's first specimen is 2000-01-01.

Timelines count days from birth or another day that the study does not tell. Other events stand by their difference from
the first specimen. Where the source gives survival since that day it wins: 2000-01-01 + round(months x 30.4375).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Self

import polars as pl

from crlm_pipeline.extracts import maf
from crlm_pipeline.extracts.text import SOURCE_ROW

FIRST_SPECIMEN: Final = pl.date(2000, 1, 1)
DAYS_PER_MONTH: Final = 30.4375
DAYS_PER_YEAR: Final = 365.25
_SINCE_SPECIMEN: Final = re.compile(r"since\b.*\b(sequencing|specimen|sample|biopsy)", re.IGNORECASE)
_EVENT_COLUMNS: Final = (
    "PATIENT_ID", "START_DATE", "STOP_DATE", "EVENT_TYPE", "SAMPLE_ID", "STATUS", "AGENT", "TREATMENT_TYPE",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StudyCalendar:
    """Where the events of a study stand.

    `specimens`: SAMPLE_ID, PATIENT_ID, day. `first_days`: PATIENT_ID, first_day. `statuses`: PATIENT_ID, source day and
    status of the last contact. `kind` is relative as soon as any date is placed on the pseudo-calendar.
    """

    kind: Literal["real", "relative"]
    is_survival_since_specimen: bool
    specimens: pl.DataFrame
    first_days: pl.DataFrame
    statuses: pl.DataFrame

    @classmethod
    def of(cls, timelines: Sequence[pl.DataFrame], survival_since: Sequence[str]) -> Self:
        """Build the calendar of the timelines (known cells) and the descriptions of the survival time."""
        since_specimen = any(_SINCE_SPECIMEN.search(text) for text in survival_since)
        schema = dict.fromkeys(_EVENT_COLUMNS, pl.String)
        events = pl.concat(
            [
                pl.DataFrame(schema=schema),
                *(maf.with_columns(t, _EVENT_COLUMNS).select(_EVENT_COLUMNS) for t in timelines),
            ]
        ).with_columns(day=_days("START_DATE"))
        specimens = events.filter(pl.col("SAMPLE_ID").is_not_null(), pl.col("day").is_not_null())
        specimens = specimens.group_by("SAMPLE_ID", "PATIENT_ID", maintain_order=True).agg(pl.col("day").min())
        statuses = events.filter(pl.col("EVENT_TYPE").str.to_uppercase() == "STATUS", pl.col("day").is_not_null())
        return cls(
            kind="relative" if timelines or since_specimen else "real",
            is_survival_since_specimen=since_specimen,
            specimens=specimens,
            first_days=specimens.group_by("PATIENT_ID", maintain_order=True).agg(first_day=pl.col("day").min()),
            statuses=statuses.sort("day", maintain_order=True)
            .unique("PATIENT_ID", keep="last", maintain_order=True)
            .select("PATIENT_ID", status_day="day", status="STATUS"),
        )

    def dated(self, samples: pl.DataFrame) -> pl.DataFrame:
        """Add `sample_date`; a patient's only sample is the first, whatever the timelines leave out."""
        days = self.specimens.select("SAMPLE_ID", "day")
        dated = samples.join(days, on="SAMPLE_ID", how="left", maintain_order="left")
        dated = dated.join(self.first_days, on="PATIENT_ID", how="left", maintain_order="left")
        is_only = (pl.len().over("PATIENT_ID") == 1) & pl.lit(self.kind == "relative")
        since_first = pl.coalesce(pl.col("day") - pl.col("first_day"), pl.when(is_only).then(pl.lit(0)))
        return dated.with_columns(sample_date=_date(since_first)).drop("day", "first_day")

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
        months = pl.col("OS_MONTHS").cast(pl.Float64, strict=False)
        survival = (months * DAYS_PER_MONTH).round(mode="half_away_from_zero").cast(pl.Int64)
        by_status = pl.col("status_day") - pl.col("first_day")
        return pl.coalesce(survival, by_status) if self.is_survival_since_specimen else by_status

    def birth_year(self) -> pl.Expr:
        """Return the pseudo-year of birth from the age at sequencing; null on a real calendar or without that age."""
        age = pl.coalesce("AGE_AT_SEQUENCING", "AGE_AT_SEQ_REPORT").cast(pl.Float64, strict=False)
        birth = FIRST_SPECIMEN - pl.duration(days=(age * DAYS_PER_YEAR).round().cast(pl.Int64))
        return pl.when(pl.lit(self.kind == "relative")).then(birth.dt.year().cast(pl.String))

    def exposures(self, events: pl.DataFrame) -> pl.DataFrame:
        """Return the drugs of treatment events of patients whose first specimen has a day; radiation is no drug."""
        treated = maf.with_columns(events, _EVENT_COLUMNS).filter(
            pl.col("EVENT_TYPE").str.to_uppercase() == "TREATMENT",
            pl.col("AGENT").is_not_null(),
            ~pl.col("TREATMENT_TYPE").str.to_lowercase().str.contains("radiation").fill_null(value=False),
        )
        placed = treated.join(self.first_days, on="PATIENT_ID", maintain_order="left")
        return placed.select(
            SOURCE_ROW,
            patient_id="PATIENT_ID",
            drug="AGENT",
            start_date=_date(_days("START_DATE") - pl.col("first_day")),
            end_date=_date(_days("STOP_DATE") - pl.col("first_day")),
        )

    def completing(self, events: pl.DataFrame, samples: pl.DataFrame) -> pl.Series:
        """Return the rows of events that date a sample; the status of a patient counts where survival is not given."""
        named = maf.with_columns(events, _EVENT_COLUMNS)
        dates_sample = pl.col("SAMPLE_ID").is_in(samples["SAMPLE_ID"].implode()).fill_null(value=False)
        is_status = (pl.col("EVENT_TYPE").str.to_uppercase() == "STATUS") & pl.lit(not self.is_survival_since_specimen)
        return named.filter(dates_sample | is_status)[SOURCE_ROW]


def _days(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64, strict=False).round().cast(pl.Int64)


def _date(days: pl.Expr) -> pl.Expr:
    return (FIRST_SPECIMEN + pl.duration(days=days)).cast(pl.String)


def _vital_status() -> pl.Expr:
    """Return dead or alive by OS_STATUS (`1:DECEASED`), else VITAL_STATUS, else the last status event."""
    text = pl.coalesce("OS_STATUS", "VITAL_STATUS", "status").str.to_lowercase()
    return (
        pl.when(text.str.contains("deceased|dead"))
        .then(pl.lit("dead"))
        .when(text.str.contains("living|alive|last contact"))
        .then(pl.lit("alive"))
    )
