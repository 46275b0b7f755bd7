"""A patient's treatment in days for tests: day 0 is 2020-01-01, and a builder fills what a test does not state."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from crlm_pipeline.cohort.lines import History, Lines, derive
from crlm_pipeline.settings import Windows
from schemas.column import Table, describe
from schemas.extract import Assessment, DrugExposure, Outcome, Procedure

Row = Mapping[str, Any]

WINDOWS = Windows()
LAST_DAY = 5000


def day(number: int) -> date:
    """Return the date of a day."""
    return date(2020, 1, 1) + timedelta(days=number)


def given(drugs: str, start: int, end: int | None, **cells: Any) -> list[Row]:
    """Return one exposure for each drug of `a + b`."""
    period = {"start_date": day(start), "end_date": None if end is None else day(end)}
    return [{"drug": drug.strip(), **period, **cells} for drug in drugs.split(" + ")]


def progression(at: int) -> Row:
    """Return an outcome."""
    return {"outcome": "progression", "outcome_date": day(at)}


def response(at: int) -> Row:
    """Return an outcome."""
    return {"outcome": "partial_response", "outcome_date": day(at)}


def resection(at: int) -> Row:
    """Return a resection of the liver."""
    return {"procedure": "resection", "procedure_date": day(at)}


def judged(resectability: str | None, at: int) -> Row:
    """Return an assessment."""
    return {"resectability": resectability, "assessment_date": day(at)}


def frame(model: type[Table], rows: Sequence[Row]) -> pl.DataFrame:
    """Return typed rows; of patient `p` and numbered unless they say otherwise."""
    table = describe(model)
    filled = [
        {"patient_id": "p", "source_file_id": "f", "source_row": number, **row} for number, row in enumerate(rows, 1)
    ]
    cells = {name: [row.get(name) for row in filled] for name in table.polars_schema}
    return pl.DataFrame(cells, schema=table.polars_schema)


def lines_of(
    exposures: Sequence[Row],
    *,
    procedures: Sequence[Row] = (),
    assessments: Sequence[Row] = (),
    outcomes: Sequence[Row] = (),
    as_of: int = LAST_DAY,
) -> Lines:
    """Derive the lines of these rows."""
    history = History(frame(Procedure, procedures), frame(Assessment, assessments), frame(Outcome, outcomes))
    return derive(frame(DrugExposure, exposures), history, WINDOWS, day(as_of))


def regimens(lines: Lines) -> dict[str, str]:
    """Return the regimen of each line, named `1`, `0`, or `0-2` for a further course; in order of line and course."""
    return {
        str(line) if course == 1 else f"{line}-{course}": regimen
        for line, course, regimen in lines.line_of_therapy.select("line", "course", "regimen").iter_rows()
    }


def line(lines: Lines, number: int, course: int = 1) -> dict[str, Any]:
    """Return one line."""
    wanted = (pl.col("line") == number) & (pl.col("course") == course)
    return lines.line_of_therapy.row(by_predicate=wanted, named=True)


def roles(lines: Lines) -> list[tuple[str, str]]:
    """Return drug and role of every exposure, in the order of their start."""
    return lines.exposure_role.select("drug", "role").rows()
