"""Whatever is given in whatever order: no exposure is lost, and the lines say nothing that their members do not."""

import random
from collections.abc import Sequence
from datetime import date

import polars as pl
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crlm_pipeline.cohort import line_numbers
from crlm_pipeline.cohort.drugs import substances
from crlm_pipeline.cohort.exposures import prepare
from crlm_pipeline.cohort.line_numbers import History, events_of
from crlm_pipeline.cohort.line_rules import Rules
from crlm_pipeline.cohort.lines import Lines
from crlm_pipeline.cohort.roles import LINE
from schemas.cohort import ExposureRole, LineOfTherapy
from schemas.extract import Assessment, DrugExposure, Outcome, Procedure
from tests.plain_lines import Events, numbered
from tests.therapy import LAST_DAY, WINDOWS, Row, day, frame, given, judged, lines_of, progression, resection

DRUGS = (
    "fluorouracil",
    "capecitabine",
    "oxaliplatin",
    "irinotecan",
    "bevacizumab",
    "cetuximab",
    "panitumumab",
    "pembrolizumab",
    "Lonsurf",
    "leucovorin",
    "nobody knows",
)
INTENTS = (None, None, "palliative", "conversion", "adjuvant", "perioperative")
DAYS = st.integers(0, 500)
LENGTHS = st.one_of(st.none(), st.integers(0, 200))


@st.composite
def exposures(draw: st.DrawFn, *, registered: bool = False) -> list[Row]:
    """Draw exposures of two patients; every row has its own number, whatever its place."""
    rows: list[Row] = []
    for number in range(draw(st.integers(0, 12))):
        start, length = draw(DAYS), draw(LENGTHS)
        cells = {
            "patient_id": draw(st.sampled_from(("p", "q"))),
            "intent": draw(st.sampled_from(INTENTS)),
            "stop_reason": draw(st.sampled_from((None, "progression"))),
            "line_registered": draw(st.integers(1, 3)) if registered else None,
            "centre_id": "home",
            "source_row": number,
        }
        end = None if length is None else start + length
        rows += given(draw(st.sampled_from(DRUGS)), start, end, **cells)
    return rows


@st.composite
def histories(draw: st.DrawFn) -> dict[str, list[Row]]:
    """Draw progressions, resections and judgements of operability of patient `p`."""
    return {
        "outcomes": [progression(at) for at in draw(st.lists(DAYS, max_size=3))],
        "procedures": [resection(at) for at in draw(st.lists(DAYS, max_size=2))],
        "assessments": [judged("upfront", at) for at in draw(st.lists(DAYS, max_size=1))],
    }


@settings(max_examples=30, deadline=None)
@drawn(exposures(), histories(), st.integers(0, 700))
def test_every_exposure_has_exactly_one_role(rows: list[Row], history: dict[str, list[Row]], as_of: int) -> None:
    lines = lines_of(rows, **history, as_of=as_of)
    assert sorted(lines.exposure_role["source_row"]) == [row["source_row"] for row in rows]
    has_line = pl.col("line").is_not_null()
    assert lines.exposure_role.filter(has_line == (pl.col("role") == "excluded")).height == 0
    ExposureRole.validate(lines.exposure_role)
    LineOfTherapy.validate(lines.line_of_therapy)


@settings(max_examples=30, deadline=None)
@drawn(exposures(), histories())
def test_derived_lines_and_courses_are_numbered_without_a_hole(rows: list[Row], history: dict[str, list[Row]]) -> None:
    found = lines_of(rows, **history).line_of_therapy
    for (_, is_line), group in found.group_by("patient_id", pl.col("line") > 0):
        numbers = group.sort("line", "course").select("line", "course").rows()
        counted = range(1, group.height + 1)
        assert numbers == ([(n, 1) for n in counted] if is_line else [(0, n) for n in counted])
        assert group.sort("line", "course")["start_date"].is_sorted()


@settings(max_examples=30, deadline=None)
@drawn(exposures(registered=True), histories(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    rows: list[Row], history: dict[str, list[Row]], chance: random.Random
) -> None:
    shuffled = chance.sample(rows, len(rows))
    assert_same(lines_of(rows, **history), lines_of(shuffled, **history))


def assert_same(one: Lines, other: Lines) -> None:
    for name in ("line_of_therapy", "exposure_role", "class_start", "progression"):
        assert_frame_equal(getattr(one, name), getattr(other, name))
    assert one.notices == other.notices


@settings(max_examples=30, deadline=None)
@drawn(exposures(), histories())
def test_the_regimen_is_the_first_drug_of_each_family_in_the_line(
    rows: list[Row], history: dict[str, list[Row]]
) -> None:
    lines = lines_of(rows, **history)
    families = dict(substances().select("inn", "family").iter_rows())
    for line in lines.line_of_therapy.iter_rows(named=True):
        members = _members(lines, line)
        key = line["regimen"].split("+")
        assert key == sorted(set(key))
        assert {families[inn] for inn in key} >= {families[inn] for inn in members["inn"]}
        assert len({families[inn] for inn in key}) == len(key)
        assert set(members.filter(role="regimen")["inn"]) <= set(key)
        carried = set(key) - set(members["inn"])
        assert all(_goes_on(lines, line, inn) for inn in carried)
        assert line["start_date"] == members["start_date"].min()
        joined_after = (line["facts_date"] - line["start_date"]).days
        assert 0 <= joined_after <= WINDOWS.antibody


def _members(lines: Lines, line: Row) -> pl.DataFrame:
    return lines.exposure_role.filter(*(pl.col(name) == line[name] for name in LINE))


def _goes_on(lines: Lines, line: Row, inn: str) -> bool:
    """Whether an earlier exposure to the drug is recorded to end after the joining window of the line."""
    earlier = lines.exposure_role.filter(patient_id=line["patient_id"], inn=inn).filter(
        pl.col("start_date") < line["start_date"]
    )
    last = earlier["end_date"].max()
    return last is not None and (last - line["start_date"]).days > WINDOWS.regimen


@settings(max_examples=30, deadline=None)
@drawn(exposures(), histories(), st.integers(1, 500))
def test_what_comes_after_the_as_of_date_changes_nothing(
    rows: Sequence[Row], history: dict[str, list[Row]], as_of: int
) -> None:
    def before(events: Sequence[Row], column: str) -> list[Row]:
        return [event for event in events if event[column] <= day(as_of)]

    known = {
        "outcomes": before(history["outcomes"], "outcome_date"),
        "procedures": before(history["procedures"], "procedure_date"),
        "assessments": before(history["assessments"], "assessment_date"),
    }
    whole = lines_of(rows, **history, as_of=as_of)
    cut = lines_of(before(rows, "start_date"), **known, as_of=as_of)
    assert_frame_equal(whole.line_of_therapy, cut.line_of_therapy)
    assert_frame_equal(whole.class_start, cut.class_start)


@st.composite
def treated(draw: st.DrawFn) -> list[Row]:
    """Draw drugs of five patients on few days, so that the limits of the windows and repeated days are met often."""
    rows: list[Row] = []
    near = st.sampled_from((0, 1, 28, 29, 30, 60, 61, 90, 91, 92, 118, 119, 150, 182))
    for number in range(draw(st.integers(0, 30))):
        start, length = draw(near) + draw(near), draw(st.one_of(st.none(), near))
        end = None if length is None else start + length
        patient, intent = draw(st.sampled_from("pqrst")), draw(st.sampled_from(INTENTS))
        stop = draw(st.sampled_from((None, None, "progression")))
        cells = {"patient_id": patient, "intent": intent, "stop_reason": stop, "source_row": number}
        rows += given(draw(st.sampled_from(DRUGS[:9])), start, end, **cells)
    return rows


@settings(max_examples=200, deadline=None)
@drawn(treated(), st.lists(st.integers(0, 400), max_size=4), st.lists(st.integers(0, 400), max_size=2), st.booleans())
def test_lines_of_all_patients_at_once_are_those_of_one_after_the_other(
    rows: list[Row], progressed: list[int], removed: list[int], every_gap: bool
) -> None:
    history = History(
        frame(Procedure, [resection(at) for at in removed]),
        frame(Assessment, []),
        frame(Outcome, [progression(at) for at in progressed]),
    )
    prepared = prepare(frame(DrugExposure, rows), day(LAST_DAY)).filter(pl.col("aside_role").is_null())
    ordered = prepared.with_columns(is_curative="is_stated_curative")
    rules = Rules(WINDOWS, every_gap=every_gap)
    fast = line_numbers.number(ordered, events_of(ordered, history), rules)
    numbers, carried = numbered(ordered, _events(ordered, progressed, removed), rules)
    assert fast.number.to_list() == numbers
    assert set(fast.carried.rows()) == carried
    assert fast.carried.height == len(carried)


def _events(ordered: pl.DataFrame, progressed: list[int], removed: list[int]) -> dict[str, Events]:
    """The events of each patient as days; the drawn outcomes and resections are those of patient `p`."""
    stopped = ordered.filter(pl.col("progression_date").is_not_null()).select("patient_id", "progression_date")
    first = (day(0) - date(1970, 1, 1)).days
    progressions = {"p": [first + at for at in progressed]}
    for patient, at in stopped.iter_rows():
        progressions.setdefault(patient, []).append((at - date(1970, 1, 1)).days)
    removals = {"p": sorted(first + at for at in removed)}
    return {patient: Events(sorted(progressions.get(patient, [])), removals.get(patient, [])) for patient in "pqrst"}
