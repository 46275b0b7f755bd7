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
# What the rules ask of an exposure.
_ASKED: Final = (
    *("order", "patient_id", "patient", "inn", "start_date", "end_date"),
    *("is_curative", "line_registered", "is_registered_usable"),
)
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
    patients = _patients(systemic)
    progressions = pl.concat(
        [progressed.select("patient_id", day="outcome_date"), stopped.select("patient_id", day="progression_date")]
    )
    return Events(
        _moments(progressions, patients), _moments(removed.select("patient_id", day="procedure_date"), patients)
    )


def _patients(systemic: pl.DataFrame) -> pl.DataFrame:
    return systemic.select("patient_id", "patient").filter(pl.col("patient").is_first_distinct())


def _moments(dated: pl.DataFrame, patients: pl.DataFrame) -> Integers:
    of_treated = dated.join(patients, on="patient_id")
    return np.sort(moment(_integers(of_treated["patient"]), _integers(of_treated["day"])))


def _integers(values: pl.Series) -> Integers:
    return values.to_physical().cast(pl.Int64).to_numpy()


def number(ordered: pl.DataFrame, events: Events, rules: Rules) -> Numbers:
    """Number the lines of exposures that stand in the one order (`exposures.ORDER`)."""
    day = _integers(ordered.select(pl.struct("patient", "start_date").rle_id()).to_series())
    ends = Ends(day, _integers(ordered["inn"]), _integers(ordered["end_date"].to_physical().fill_null(ONGOING)))
    numbers, carried = split(_days_of_start(ordered, ends), ends, events, _drugs(), rules)
    return Numbers(
        number=pl.Series("number", numbers[day], dtype=pl.Int32),
        carried=pl.DataFrame(carried._asdict() | {"inn": substances()["inn"][carried.drug]})
        .join(_patients(ordered).cast({"patient": pl.Int64}), on="patient")
        .select("patient_id", pl.col("number").cast(pl.Int32), "inn"),
    )


def _days_of_start(ordered: pl.DataFrame, ends: Ends) -> Days:
    """Return one row per patient and day: the drugs that start, their last end, and the first purpose stated."""
    drugs = _drugs()
    first = np.flatnonzero(np.diff(ends.day, prepend=-1))
    return Days(
        patient=_integers(ordered["patient"])[first],
        start=_integers(ordered["start_date"])[first],
        drugs=np.bitwise_or.reduceat(drugs.own[ends.drug], first),
        families=np.bitwise_or.reduceat(drugs.families[ends.drug], first),
        classes=np.bitwise_or.reduceat(drugs.classes[ends.drug], first),
        last_end=np.maximum.reduceat(ends.end, first),
        purpose=_first_stated(_integers(ordered["is_curative"].cast(pl.Int8).fill_null(UNSTATED)), ends.day, first),
    )


def _first_stated(purpose: Integers, day: Integers, first: Integers) -> Integers:
    """Return the first purpose stated among the rows of each day; `first`: the first row of each."""
    row = np.where(purpose == UNSTATED, len(purpose), np.arange(len(purpose)))
    stated = np.minimum.reduceat(row, first)
    return np.append(purpose, UNSTATED)[stated]


@cache
def _drugs() -> Drugs:
    """Return the substances by their number, the bit of each and the bits of all that share its family or class."""
    known = substances()
    assert known.height <= _BITS, "every substance has a bit of its own"
    bits = known.with_columns(own=pl.Series([1 << place for place in range(known.height)], dtype=pl.UInt64))
    shared = pl.col("own").bitwise_or()
    families, classes = bits.select(families=shared.over("family"), classes=shared.over("drug_class"))
    awaited = bits.filter("is_awaited")["own"].to_numpy()
    return Drugs(bits["own"].to_numpy(), families.to_numpy(), classes.to_numpy(), np.bitwise_or.reduce(awaited))


def place(systemic: pl.DataFrame, events: Events, windows: Windows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the exposures by line, with `line`, `course` and `line_source`, and the drugs carried into a line.

    `systemic`: in the one order, with `is_curative` and `is_registered_usable`. Courses around surgery are line 0,
    numbered by `course`; a gap alone opens a further one. Lines are numbered upward by `line_id`, each in the one
    order. `carried`: patient_id, line, course, inn.
    """
    parts, carried = zip(
        *(_placed(systemic, events, windows, is_curative=is_curative) for is_curative in (True, False)), strict=True
    )
    line = ("patient", "line", "course")
    placed = systemic.join(pl.concat(parts), on="order", how="left").sort(*line, "order")
    return placed.with_columns(line_id=pl.struct(line).rle_id()), pl.concat(carried)


def _placed(
    systemic: pl.DataFrame, events: Events, windows: Windows, *, is_curative: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    part = systemic.select(_ASKED).filter(pl.col("is_curative") == is_curative)
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
    return numbered.select("order", "line", "course", "line_source", "line_derived"), carried
