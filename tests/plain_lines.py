"""The rules that tell one line from the next, a patient at a time and in words: what the fast ones are held against."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

import polars as pl

from crlm_pipeline.cohort.drugs import substances
from crlm_pipeline.cohort.line_rules import ONGOING, Rules
from crlm_pipeline.settings import Windows


class Drug(NamedTuple):
    """A substance as the rules see it; `is_awaited` = an antibody that may wait for a test before it joins."""

    inn: str
    drug_class: str
    family: str
    is_awaited: bool


class Day(NamedTuple):
    """What starts on a day: drugs, the end of each, `ONGOING` while none is known, and a purpose if any is stated."""

    start: int
    drugs: Sequence[Drug]
    ends: Sequence[int]
    is_curative: bool | None


@dataclass(frozen=True)
class Events:
    """Sorted days of a patient on which progression was recorded, and on which the disease was removed."""

    progressions: Sequence[int] = ()
    removals: Sequence[int] = ()


@dataclass
class Line:
    """A line while it is being gathered; `carried`: drugs of the line before that go on into it, and their ends."""

    start: int
    last_end: int
    carried: dict[Drug, int] = field(default_factory=dict)
    families: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    is_curative: bool | None = None
    days: list[Day] = field(default_factory=list)

    def take(self, day: Day) -> None:
        """Add the drugs of a day to the line."""
        self.last_end = max(self.last_end, *day.ends)
        self.families |= {drug.family for drug in day.drugs}
        self.classes |= {drug.drug_class for drug in day.drugs}
        self.days.append(day)
        if self.is_curative is None:
            self.is_curative = day.is_curative

    def ends(self) -> dict[Drug, int]:
        """Return the last end of each drug, `ONGOING` where one is not known."""
        ends = dict(self.carried)
        for day in self.days:
            for drug, end in zip(day.drugs, day.ends, strict=True):
                ends[drug] = max(ends.get(drug, end), end)
        return ends


def numbered(
    ordered: pl.DataFrame, events: Mapping[str, Events], rules: Rules
) -> tuple[list[int], set[tuple[str, int, str]]]:
    """Return the number of each exposure's line, and what was carried: patient, number of the line, substance."""
    known = {row[0]: Drug(*row) for row in substances().iter_rows()}
    rows = ordered.select(
        "patient_id",
        pl.col("start_date").to_physical(),
        "inn",
        pl.col("end_date").to_physical().fill_null(ONGOING),
        "is_curative",
    ).rows()
    numbers: list[int] = []
    carried: set[tuple[str, int, str]] = set()
    for patient, of_patient in groupby(rows, key=lambda row: row[0]):
        starts = [list(of_day) for _, of_day in groupby(of_patient, key=lambda row: row[1])]
        days = [_day(known, of_day) for of_day in starts]
        found, lines = split(days, events.get(patient, Events()), rules)
        numbers += [number for number, of_day in zip(found, starts, strict=True) for _ in of_day]
        carried |= {(patient, number, drug.inn) for number, line in enumerate(lines, 1) for drug in line.carried}
    return numbers, carried


def _day(known: Mapping[str, Drug], rows: Sequence[tuple[str, int, str, int, bool | None]]) -> Day:
    purpose = next((is_curative for *_, is_curative in rows if is_curative is not None), None)
    return Day(rows[0][1], [known[inn] for _, _, inn, _, _ in rows], [end for _, _, _, end, _ in rows], purpose)


def split(days: Sequence[Day], events: Events, rules: Rules) -> tuple[list[int], list[Line]]:
    """Return the number of each day's line, from 1, and the lines; `days` of one patient, sorted.

    Drugs of one day stand or fall together: a new drug takes those given with it into its line.
    """
    lines: list[Line] = []
    numbers: list[int] = []
    for day in days:
        if not lines:
            lines.append(Line(day.start, last_end=day.start))
        elif _opens(lines[-1], day, events, rules):
            lines.append(_next_line(lines[-1], day.start, rules.windows))
        lines[-1].take(day)
        numbers.append(len(lines))
    return numbers, lines


def _opens(line: Line, day: Day, events: Events, rules: Rules) -> bool:
    return (
        _is_restart(line, day.start, events, rules)
        or _is_added(line, day, events, rules.windows)
        or _is_other_purpose(line, day)
    )


def _is_restart(line: Line, day: int, events: Events, rules: Rules) -> bool:
    """A restart after a gap opens a line if the disease had progressed or been removed (clinical 3.11.4, 3.11.6)."""
    if day - line.last_end <= rules.windows.gap:
        return False
    return (
        rules.every_gap
        or _any_within(events.progressions, after=line.start, until=day)
        or _any_within(events.removals, after=line.last_end - 1, until=day)
    )


def _is_added(line: Line, day: Day, events: Events, windows: Windows) -> bool:
    """A drug that is no swap opens a line after its window; a new class also at progression (clinical 3.11.3 to .6)."""
    if {drug.family for drug in day.drugs} <= line.families:
        return False
    added = [drug for drug in day.drugs if drug.family not in line.families]
    window = windows.antibody if all(drug.is_awaited for drug in added) else windows.regimen
    if day.start - line.start > window:
        return True
    is_new_class = any(drug.drug_class not in line.classes for drug in added)
    return is_new_class and _any_within(events.progressions, after=line.start, until=day.start)


def _is_other_purpose(line: Line, day: Day) -> bool:
    """Treatment around surgery and treatment of metastatic disease are never one course."""
    return day.is_curative is not None and line.is_curative is not None and day.is_curative is not line.is_curative


def _next_line(line: Line, day: int, windows: Windows) -> Line:
    """Open a line; a drug recorded to go on beyond the joining window belongs to the new regimen too.

    A drug without an end is not carried: an end that was never recorded would put every earlier drug into the regimen.
    """
    if line.last_end <= day + windows.regimen:
        return Line(day, last_end=day)
    carried = {drug: end for drug, end in line.ends().items() if day + windows.regimen < end < ONGOING}
    return Line(
        start=day,
        last_end=max(carried.values(), default=day),
        carried=carried,
        families={drug.family for drug in carried},
        classes={drug.drug_class for drug in carried},
    )


def _any_within(days: Sequence[int], *, after: int, until: int) -> bool:
    """Whether a day lies in (after, until]."""
    return bisect_right(days, until) > bisect_right(days, after)
