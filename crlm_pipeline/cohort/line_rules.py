"""Tells one line of therapy from the next: the days on which a patient starts a systemic drug, one after the other.

A line is opened by a restart after a gap, by an added drug, or by a changed purpose; nothing else advances it. A
dropped drug, an allowed swap and a de-escalation never do (clinical 3.11.5, 3.11.6). Days are integers, drugs bits.

The rules are asked of the first day of every patient at once, then of every second day, and so on: a registry takes as
many steps as one patient has days at most.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from crlm_pipeline.settings import Windows

ONGOING: Final = 2**31 - 1
UNSTATED: Final = -1
_NEVER: Final = -(2**31)

Integers = NDArray[np.int64]
Bits = NDArray[np.uint64]
Truths = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Drugs:
    """The substances by number, each with its own bit, those of all that share its family, and its class.

    `awaited`: bits of the antibodies that may wait for a test before they join.
    """

    own: Bits
    families: Bits
    classes: Bits
    awaited: np.uint64


@dataclass(frozen=True, slots=True)
class Days:
    """What starts on a day of a patient: bits of the drugs, and of all that share their families and classes.

    `last_end`: of what starts, `ONGOING` while one is not known. `purpose`: 1 curative, 0 not, else `UNSTATED`.
    """

    patient: Integers
    start: Integers
    drugs: Bits
    families: Bits
    classes: Bits
    last_end: Integers
    purpose: Integers

    def at(self, rows: Integers) -> "Days":
        """Return these days."""
        return Days(*(getattr(self, field.name)[rows] for field in fields(self)))


class Ends(NamedTuple):
    """The end of each drug that is given; `day`: the place, among the days, of the one on which it starts."""

    day: Integers
    drug: Integers
    end: Integers


@dataclass(frozen=True, slots=True)
class Events:
    """Moments of recorded progression, and of removal of the disease, both sorted."""

    progressions: Integers
    removals: Integers


@dataclass(frozen=True, slots=True)
class Rules:
    """The windows, and whether a gap alone opens a course (around surgery), or only with a relapse (lines)."""

    windows: Windows
    every_gap: bool


class Carried(NamedTuple):
    """The drugs of the line before that go on into a line: patient, number of the line, and drug."""

    patient: Integers
    number: Integers
    drug: Integers


@dataclass(frozen=True, slots=True)
class _Lines:
    """The line that each patient is on; `ends`: the last end of each drug in it, a row for each patient."""

    number: Integers
    start: Integers
    last_end: Integers
    families: Bits
    classes: Bits
    purpose: Integers
    ends: Integers

    @classmethod
    def none_yet(cls, n_patients: int, n_drugs: int) -> Self:
        """Return the state before the first day."""
        none = np.zeros(n_patients, dtype=np.int64)
        no_bits = np.zeros(n_patients, dtype=np.uint64)
        ends = np.full((n_patients, n_drugs), _NEVER, dtype=np.int64)
        return cls(none, none.copy(), none.copy(), no_bits, no_bits.copy(), none.copy(), ends)

    def first(self, count: int) -> "_Lines":
        """Return the lines of the first patients, to read and to change."""
        return _Lines(*(getattr(self, field.name)[:count] for field in fields(self)))


def moment(patient: Integers, day: Integers) -> Integers:
    """Return one number for a patient and a day that sorts as both do."""
    return patient * 2**32 + day


def split(days: Days, ends: Ends, events: Events, drugs: Drugs, rules: Rules) -> tuple[Integers, Carried]:
    """Return the number of each day's line, from 1, and what was carried; `days` sorted by patient and start.

    Drugs of one day stand or fall together: a new drug takes those given with it into its line.
    """
    place, step = _places(days.patient)
    lines = _Lines.none_yet(int(place.max(initial=-1)) + 1, len(drugs.families))
    numbers = np.zeros(len(step), dtype=np.int64)
    carried = [Carried(*np.zeros((3, 0), dtype=np.int64))]
    for rows, entries in zip(_days_by_step(place, step), _by_step(step[ends.day]), strict=True):
        line, day = lines.first(len(rows)), days.at(rows)
        is_opened = _opens(line, day, events, drugs, rules) if line.number.any() else line.number == 0
        opened = np.flatnonzero(is_opened)
        carried.append(_open(line, day, opened, drugs, rules.windows))
        _take(line, day)
        _extend(line, place[ends.day[entries]], ends.drug[entries], ends.end[entries])
        numbers[rows] = line.number
    return numbers, Carried(*map(np.concatenate, zip(*carried, strict=True)))


def _places(patient: Integers) -> tuple[Integers, Integers]:
    """Return, for each day, the place of its patient and which day of the patient it is, from 0.

    Patients with the most days come first, so that those who have a further day are always the first few.
    """
    first = np.flatnonzero(np.diff(patient, prepend=-1))
    count = np.diff(first, append=len(patient))
    place = np.empty(len(count), dtype=np.int64)
    place[np.argsort(-count, kind="stable")] = np.arange(len(count))
    return np.repeat(place, count), np.arange(len(patient)) - np.repeat(first, count)


def _days_by_step(place: Integers, step: Integers) -> Iterator[Integers]:
    """Yield the first days of all patients by their place, then the second days of those who have one, and so on."""
    first = np.flatnonzero(step == 0)
    first = first[np.argsort(place[first])]
    for number, patients in enumerate(np.bincount(step)):
        yield first[:patients] + number


def _by_step(step: Integers) -> list[Integers]:
    """Return the rows of each step."""
    rows, beyond = np.argsort(step, kind="stable"), np.cumsum(np.bincount(step))
    return [rows[first:last] for first, last in pairwise([0, *beyond.tolist()])]


def _opens(line: _Lines, day: Days, events: Events, drugs: Drugs, rules: Rules) -> Truths:
    return (
        _is_restart(line, day, events, rules)
        | _is_added(line, day, events, drugs, rules.windows)
        | _is_other_purpose(line, day)
    )


def _is_restart(line: _Lines, day: Days, events: Events, rules: Rules) -> Truths:
    """A restart after a gap opens a line if the disease had progressed or been removed (clinical 3.11.4, 3.11.6)."""
    is_after_gap = day.start - line.last_end > rules.windows.gap
    if rules.every_gap:
        return is_after_gap
    return is_after_gap & (
        _any_within(events.progressions, day, after=line.start)
        | _any_within(events.removals, day, after=line.last_end - 1)
    )


def _is_added(line: _Lines, day: Days, events: Events, drugs: Drugs, windows: Windows) -> Truths:
    """A drug that is no swap opens a line after its window; a new class also at progression (clinical 3.11.3 to .6)."""
    added = day.drugs & ~line.families
    window = np.where(added & ~drugs.awaited, windows.regimen, windows.antibody)
    is_new_class = (added & ~line.classes) != 0
    is_late = day.start - line.start > window
    is_added: Truths = (added != 0) & (
        is_late | (is_new_class & _any_within(events.progressions, day, after=line.start))
    )
    return is_added


def _is_other_purpose(line: _Lines, day: Days) -> Truths:
    """Treatment around surgery and treatment of metastatic disease are never one course."""
    is_other: Truths = (day.purpose != UNSTATED) & (line.purpose != UNSTATED) & (day.purpose != line.purpose)
    return is_other


def _open(line: _Lines, day: Days, at: Integers, drugs: Drugs, windows: Windows) -> Carried:
    """Open a line; a drug recorded to go on beyond the joining window belongs to the new regimen too.

    A drug without an end is not carried: an end that was never recorded would put every earlier drug into the regimen.
    """
    line.start[at] = line.last_end[at] = day.start[at]
    line.families[at] = line.classes[at] = 0
    line.purpose[at] = UNSTATED
    further = at[line.number[at] > 0]
    line.number[at] += 1
    ends = line.ends[further]
    goes_on = (ends > (day.start[further] + windows.regimen)[:, None]) & (ends < ONGOING)
    line.ends[further] = np.where(goes_on, ends, _NEVER)
    row, drug = np.nonzero(goes_on)
    into = further[row]
    np.maximum.at(line.last_end, into, ends[row, drug])
    np.bitwise_or.at(line.families, into, drugs.families[drug])
    np.bitwise_or.at(line.classes, into, drugs.classes[drug])
    return Carried(day.patient[into], line.number[into], drug)


def _take(line: _Lines, day: Days) -> None:
    """Add the drugs of a day to the line."""
    line.last_end[:] = np.maximum(line.last_end, day.last_end)
    line.families[:] |= day.families
    line.classes[:] |= day.classes
    line.purpose[:] = np.where(line.purpose == UNSTATED, day.purpose, line.purpose)


def _extend(line: _Lines, patient: Integers, drug: Integers, end: Integers) -> None:
    """Note the ends of drugs of a day, of which one may have several."""
    # By one index each: numpy takes the greatest of them many times faster than by two.
    np.maximum.at(line.ends.reshape(-1), patient * line.ends.shape[1] + drug, end)


def _any_within(moments: Integers, day: Days, *, after: Integers) -> Truths:
    """Whether one of the patient's moments lies after that day, and by the day in question."""
    by_then = np.searchsorted(moments, moment(day.patient, day.start), side="right")
    is_any: Truths = by_then > np.searchsorted(moments, moment(day.patient, after), side="right")
    return is_any
