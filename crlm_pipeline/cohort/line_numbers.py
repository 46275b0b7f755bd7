"""Gives each systemic exposure its line and course: the registry's number where it can be used, else by the rules."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from crlm_pipeline.cohort.drugs import substances
from crlm_pipeline.cohort.line_rules import ONGOING, Combination, Day, Drug, Events, Rules, split
from crlm_pipeline.settings import Windows

NONE_YET: Final = Events()

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


def events_by_patient(systemic: pl.DataFrame, history: History) -> dict[str, Events]:
    """Return the progressions (outcomes, drugs stopped for it) and removals of disease, of each patient with any."""
    progressions = pl.concat(
        [
            history.outcomes.filter(pl.col("outcome") == "progression").select("patient_id", day="outcome_date"),
            systemic.filter(pl.col("progression_date").is_not_null()).select("patient_id", day="progression_date"),
        ]
    )
    removals = history.procedures.filter(pl.col("procedure").is_in(_REMOVALS)).select(
        "patient_id", day="procedure_date"
    )
    progressed, removed = _days(progressions), _days(removals)
    return {
        patient: Events(progressed.get(patient, ()), removed.get(patient, ()))
        for patient in progressed.keys() | removed.keys()
    }


def _days(dated: pl.DataFrame) -> dict[str, list[int]]:
    by_patient = dated.group_by("patient_id").agg(pl.col("day").to_physical().unique().sort())
    return dict(zip(by_patient["patient_id"].to_list(), by_patient["day"].to_list(), strict=True))


def number(ordered: pl.DataFrame, events: Mapping[str, Events], rules: Rules) -> Numbers:
    """Number the lines of exposures that stand in the one order (`exposures.ORDER`)."""
    days = _days_of_start(ordered)
    numbers: list[int] = []
    carried: list[tuple[str, int, str]] = []
    for patient, of_patient in _by_patient(days):
        found, lines = split(of_patient, events.get(patient, NONE_YET), rules)
        numbers += found
        carried += [(patient, place, drug.inn) for place, line in enumerate(lines, start=1) for drug in line.carried]
    numbered = days.select("patient_id", "start_date", pl.Series("number", numbers, dtype=pl.Int32))
    row_numbers = ordered.select("patient_id", "start_date").join(
        numbered, on=["patient_id", "start_date"], how="left", maintain_order="left"
    )
    schema = {"patient_id": pl.String, "number": pl.Int32, "inn": pl.String}
    return Numbers(row_numbers["number"], pl.DataFrame(carried, schema=schema, orient="row"))


def _days_of_start(ordered: pl.DataFrame) -> pl.DataFrame:
    """Return one row per patient and day: the drugs that start, their ends, and the first purpose that is stated."""
    return ordered.group_by("patient_id", "start_date", maintain_order=True).agg(
        drugs=pl.col("inn").str.join("+"),
        ends=pl.col("end_date").to_physical().fill_null(ONGOING),
        is_curative=pl.col("is_curative").drop_nulls().first(),
    )


def _by_patient(days: pl.DataFrame) -> Iterator[tuple[str, list[Day]]]:
    """Yield each patient's days in turn, so that only one patient's are ever in memory."""
    known = {row[0]: Drug(*row) for row in substances().iter_rows()}
    combinations = {
        joined: Combination.of([known[inn] for inn in joined.split("+")]) for joined in days["drugs"].unique().to_list()
    }
    starts = days["start_date"].to_physical().to_list()
    drugs = [combinations[joined] for joined in days["drugs"].to_list()]
    ends, purposes = days["ends"].to_list(), days["is_curative"].to_list()
    runs = days["patient_id"].rle().struct.unnest()
    first = 0
    for patient, count in zip(runs["value"].to_list(), runs["len"].to_list(), strict=True):
        rows = slice(first, first + count)
        yield patient, list(map(Day, starts[rows], drugs[rows], ends[rows], purposes[rows]))
        first += count


def place(systemic: pl.DataFrame, events: Mapping[str, Events], windows: Windows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the exposures with `line`, `course` and `line_source`, and the drugs carried into a line.

    `systemic`: in the one order, with `is_curative` and `is_registered_usable`. Courses around surgery are line 0,
    numbered by `course`; a gap alone opens a further one. `carried`: patient_id, line, course, inn.
    """
    parts, carried = zip(
        *(_placed(systemic, events, windows, is_curative=is_curative) for is_curative in (True, False)), strict=True
    )
    return pl.concat(parts), pl.concat(carried)


def _placed(
    systemic: pl.DataFrame, events: Mapping[str, Events], windows: Windows, *, is_curative: bool
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
