"""Tells one line of therapy from the next: one pass over the days on which a patient starts a systemic drug.

A line is opened by a restart after a gap, by an added drug, or by a changed purpose; nothing else advances it. A
dropped drug, an allowed swap and a de-escalation never do (clinical 3.11.5, 3.11.6). Days are integers.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from crlm_pipeline.settings import Windows

ONGOING: Final = 2**31 - 1


class Drug(NamedTuple):
    """A substance as the rules see it; `is_awaited` = an antibody that may wait for a test before it joins."""

    inn: str
    drug_class: str
    family: str
    is_awaited: bool


@dataclass(frozen=True, slots=True)
class Combination:
    """Drugs that start on one day; its sets are kept, as the same few combinations make up a whole registry."""

    drugs: tuple[Drug, ...]
    families: frozenset[str]
    classes: frozenset[str]

    @classmethod
    def of(cls, drugs: Sequence[Drug]) -> "Combination":
        """Combine drugs, one entry for each period that starts that day."""
        return cls(tuple(drugs), frozenset(d.family for d in drugs), frozenset(d.drug_class for d in drugs))


class Day(NamedTuple):
    """What starts on a day: the end of each drug, `ONGOING` while none is known, and a purpose if any is stated."""

    start: int
    combination: Combination
    ends: Sequence[int]
    is_curative: bool | None


@dataclass(frozen=True, slots=True)
class Events:
    """Sorted days of a patient on which progression was recorded, and on which the disease was removed."""

    progressions: Sequence[int] = ()
    removals: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """The windows, and whether a gap alone opens a course (around surgery), or only with a relapse (lines)."""

    windows: Windows
    every_gap: bool


@dataclass(slots=True)
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
        self.families |= day.combination.families
        self.classes |= day.combination.classes
        self.days.append(day)
        if self.is_curative is None:
            self.is_curative = day.is_curative

    def ends(self) -> dict[Drug, int]:
        """Return the last end of each drug, `ONGOING` where one is not known."""
        ends = dict(self.carried)
        for day in self.days:
            for drug, end in zip(day.combination.drugs, day.ends, strict=True):
                ends[drug] = max(ends.get(drug, end), end)
        return ends


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
    if day.combination.families <= line.families:
        return False
    added = [drug for drug in day.combination.drugs if drug.family not in line.families]
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
