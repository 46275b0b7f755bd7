"""Tells one line of therapy from the next: one pass over a patient's systemic drugs in the order of their start.

A line is opened by a restart after a gap, by an added drug, or by a changed purpose; nothing else advances it. A
dropped drug, an allowed swap and a de-escalation never do (clinical 3.11.5, 3.11.6). Days are integers.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from crlm_pipeline.settings import Windows

ONGOING: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Drug:
    """A substance as the rules see it, one object each; `is_awaited` = an antibody that may wait for a test to join."""

    inn: str
    drug_class: str
    family: str
    is_awaited: bool


class Dose(NamedTuple):
    """A period of a drug; `end` is `ONGOING` while no end is known, `is_curative` null while no purpose is stated."""

    start: int
    end: int
    drug: Drug
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
    """A line while it is being gathered. `carried`: drugs of the line before that go on into this one."""

    start: int
    last_end: int
    carried: tuple[Drug, ...] = ()
    is_curative: bool | None = None
    families: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    ends: dict[Drug, int] = field(default_factory=dict)

    def take(self, dose: Dose) -> None:
        """Add a period of a drug to the line."""
        self.last_end = max(self.last_end, dose.end)
        self.families.add(dose.drug.family)
        self.classes.add(dose.drug.drug_class)
        self.ends[dose.drug] = max(self.ends.get(dose.drug, dose.end), dose.end)
        if self.is_curative is None:
            self.is_curative = dose.is_curative


def split(doses: Sequence[Dose], events: Events, rules: Rules) -> tuple[list[int], list[Line]]:
    """Return the number of each dose's line, from 1, and the lines; `doses` of one patient, sorted by start.

    Drugs of one day stand or fall together: a new drug takes those given with it into its line.
    """
    lines: list[Line] = []
    numbers: list[int] = []
    for day, group in groupby(doses, key=attrgetter("start")):
        today = list(group)
        if not lines:
            lines.append(Line(day, last_end=day))
        elif _opens(lines[-1], today, events, rules):
            lines.append(_next_line(lines[-1], day, rules.windows))
        for dose in today:
            lines[-1].take(dose)
        numbers += [len(lines)] * len(today)
    return numbers, lines


def _opens(line: Line, today: Sequence[Dose], events: Events, rules: Rules) -> bool:
    return (
        _is_restart(line, today[0].start, events, rules)
        or _is_added(line, today, events, rules.windows)
        or _is_other_purpose(line, today)
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


def _is_added(line: Line, today: Sequence[Dose], events: Events, windows: Windows) -> bool:
    """A drug that is no swap opens a line after its window; a new class also at progression (clinical 3.11.3 to .6)."""
    added = [dose.drug for dose in today if dose.drug.family not in line.families]
    if not added:
        return False
    day = today[0].start
    window = windows.antibody if all(drug.is_awaited for drug in added) else windows.regimen
    if day - line.start > window:
        return True
    is_new_class = any(drug.drug_class not in line.classes for drug in added)
    return is_new_class and _any_within(events.progressions, after=line.start, until=day)


def _is_other_purpose(line: Line, today: Sequence[Dose]) -> bool:
    """Treatment around surgery and treatment of metastatic disease are never one course."""
    stated = [dose.is_curative for dose in today if dose.is_curative is not None]
    return bool(stated) and line.is_curative is not None and stated[0] is not line.is_curative


def _next_line(line: Line, day: int, windows: Windows) -> Line:
    """Open a line; a drug recorded to go on beyond the joining window belongs to the new regimen too.

    A drug without an end is not carried: an end that was never recorded would put every earlier drug into the regimen.
    """
    carried = {drug: end for drug, end in line.ends.items() if day + windows.regimen < end < ONGOING}
    return Line(
        start=day,
        last_end=max(carried.values(), default=day),
        carried=tuple(carried),
        families={drug.family for drug in carried},
        classes={drug.drug_class for drug in carried},
        ends=carried,
    )


def _any_within(days: Sequence[int], *, after: int, until: int) -> bool:
    """Whether a day lies in (after, until]."""
    return bisect_right(days, until) > bisect_right(days, after)
