"""Gives each systemic exposure its line and course: the registry's number where it can be used, else by the rules."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

import numpy as np
import polars as pl

from crlm_pipeline.cohort.drugs import substances
from crlm_pipeline.cohort.line_rules import (
    ONGOING,
    UNSTATED,
    Days,
    Drugs,
    Ends,
    Events,
    Integers,
    Rules,
    moment,
    split,
)
from crlm_pipeline.settings import Windows

_BITS: Final = 64
_REMOVALS: Final = ("resection", "transplantation")


@dataclass(frozen=True, slots=True)
class History:
    """What else the lines ask of a patient: the typed extract tables procedure, assessment and outcome."""

    procedures: pl.DataFrame
    assessments: pl.DataFrame
    outcomes: pl.DataFrame

    def until(self, as_of: date) -> "History":
        """Return the history without the rows dated after `as_of`."""
        return History(
            procedures=self.procedures.filter(pl.col("procedure_date") <= as_of),
            assessments=self.assessments.filter(pl.col("assessment_date") <= as_of),
            outcomes=self.outcomes.filter(pl.col("outcome_date") <= as_of),
        )


@dataclass(frozen=True, slots=True)
class Numbers:
    """`number`: which line of its patient a row is in, from 1. `carried`: patient_id, number, inn of carried drugs."""

    number: pl.Series
    carried: pl.DataFrame


def events_of(systemic: pl.DataFrame, history: History) -> Events:
    """Return the progressions (outcomes, drugs stopped for it) and removals of disease of the patients treated."""
    progressed = history.outcomes.filter(pl.col("outcome") == "progression")
    stopped = systemic.filter(pl.col("progression_date").is_not_null())
    removed = history.procedures.filter(pl.col("procedure").is_in(_REMOVALS))
    patients = systemic.select("patient_id", "patient").unique()
    progressions = pl.concat(
        [progressed.select("patient_id", day="outcome_date"), stopped.select("patient_id", day="progression_date")]
    )
    return Events(
        _moments(progressions, patients), _moments(removed.select("patient_id", day="procedure_date"), patients)
    )


def _moments(dated: pl.DataFrame, patients: pl.DataFrame) -> Integers:
    of_treated = dated.join(patients, on="patient_id")
    return np.sort(moment(_integers(of_treated["patient"]), _integers(of_treated["day"])))


def _integers(values: pl.Series) -> Integers:
    return values.to_physical().cast(pl.Int64).to_numpy()


def number(ordered: pl.DataFrame, events: Events, rules: Rules) -> Numbers:
    """Number the lines of exposures that stand in the one order (`exposures.ORDER`)."""
    given = (
        ordered.select("patient_id", "patient", "start_date", "is_curative", "inn", end=_end())
        .join(_bits(), on="inn", how="left", maintain_order="left")
        .with_columns(day=pl.struct("patient", "start_date").rle_id())
    )
    last = given.group_by("day", "drug").agg(pl.col("end").max())
    days = _days_of_start(given)
    ends = Ends(_integers(last["day"]), _integers(last["drug"]), _integers(last["end"]))
    numbers, carried = split(days, ends, events, _drugs(), rules)
    return Numbers(
        number=pl.Series("number", numbers[_integers(given["day"])], dtype=pl.Int32),
        carried=pl.DataFrame(carried._asdict())
        .join(given.select(pl.col("patient").cast(pl.Int64), "patient_id").unique(), on="patient")
        .join(_bits(), on="drug")
        .select("patient_id", pl.col("number").cast(pl.Int32), "inn"),
    )


def _end() -> pl.Expr:
    return pl.col("end_date").to_physical().cast(pl.Int64).fill_null(ONGOING)


def _days_of_start(given: pl.DataFrame) -> Days:
    """Return one row per patient and day: the drugs that start, their last end, and the first purpose stated."""
    days = given.group_by("day", maintain_order=True).agg(
        pl.col("patient", "start_date").first(),
        pl.col("bit", "family_bits", "class_bits").bitwise_or(),
        pl.col("end").max(),
        pl.col("is_curative").drop_nulls().first().cast(pl.Int64).fill_null(UNSTATED),
    )
    return Days(
        patient=_integers(days["patient"]),
        start=_integers(days["start_date"]),
        drugs=days["bit"].to_numpy(),
        families=days["family_bits"].to_numpy(),
        classes=days["class_bits"].to_numpy(),
        last_end=_integers(days["end"]),
        purpose=_integers(days["is_curative"]),
    )


@cache
def _bits() -> pl.DataFrame:
    """Return the substances with their number, their bit, and the bits of all that share their family or class."""
    known = substances()
    assert known.height <= _BITS, "every substance has a bit of its own"
    bits = known.with_columns(
        drug=pl.Series(range(known.height), dtype=pl.Int64),
        bit=pl.Series([1 << place for place in range(known.height)], dtype=pl.UInt64),
    )
    shared = pl.col("bit").bitwise_or()
    return bits.with_columns(family_bits=shared.over("family"), class_bits=shared.over("drug_class")).select(
        "inn", "drug", "bit", "family_bits", "class_bits", "is_awaited"
    )


@cache
def _drugs() -> Drugs:
    bits = _bits()
    awaited = bits.filter("is_awaited")["bit"].to_numpy()
    return Drugs(bits["family_bits"].to_numpy(), bits["class_bits"].to_numpy(), np.bitwise_or.reduce(awaited))


def place(systemic: pl.DataFrame, events: Events, windows: Windows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the exposures with `line`, `course` and `line_source`, and the drugs carried into a line.

    `systemic`: in the one order, with `is_curative` and `is_registered_usable`. Courses around surgery are line 0,
    numbered by `course`; a gap alone opens a further one. `carried`: patient_id, line, course, inn.
    """
    parts, carried = zip(
        *(_placed(systemic, events, windows, is_curative=is_curative) for is_curative in (True, False)), strict=True
    )
    return pl.concat(parts), pl.concat(carried)


def _placed(
    systemic: pl.DataFrame, events: Events, windows: Windows, *, is_curative: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    part = systemic.filter(pl.col("is_curative") == is_curative)
    numbers = number(part, events, Rules(windows, every_gap=is_curative))
    zero, one, counted = pl.lit(0, dtype=pl.Int32), pl.lit(1, dtype=pl.Int32), pl.col("number")
    line, course = (zero, counted) if is_curative else (counted, one)
    numbered = part.with_columns(numbers.number).with_columns(
        pl.when(pl.col("is_registered_usable") & ~pl.col("is_curative"))
        .then(pl.col("line_registered").cast(pl.Int32))
        .otherwise(line)
        .alias("line"),
        course.alias("course"),
        pl.when(pl.col("is_registered_usable") & ~pl.col("is_curative"))
        .then(pl.lit("registered"))
        .otherwise(pl.lit("derived"))
        .alias("line_source"),
        line.alias("line_derived"),
    )
    # The registry's own lines say what belongs to them: nothing is carried into one.
    derived = numbered.filter(pl.col("line_source") == "derived").select("patient_id").unique()
    carried = numbers.carried.join(derived, on="patient_id", how="semi").select(
        "patient_id", line.alias("line"), course.alias("course"), "inn"
    )
    return numbered.drop("number"), carried
