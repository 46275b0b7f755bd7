"""Chooses which counts to hide so that none of the small ones can be worked out from those that are shown.

The attacker is taken to know every sum between counts and the meaning of the marks: a zero is always shown, a small
count is 1 to threshold - 1, any other hidden count at least 1. What linear programming under these bounds leaves open
protects; a count left with a single possible value does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Marks = NDArray[np.int8]
Cells = NDArray[np.intp]

# A count that may differ by one whole unit has two possible values; the margin forgives the solver's rounding.
_WHOLE_UNIT: Final = 1 - 1e-6
# A witness need not stray further than the double of the truth; the bound keeps every programme finite.
_REACH: Final = 100
_PATIENCE: Final = 4


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts and the equations between them.

    `counts`: every cell's number. `detail`: the higher, the sooner a cell is hidden to protect another; negative: last.
    `is_public`: whether the report would print it; the others exist only as remainders of a sum. `equations`: one row
    per sum, +1 for each part and -1 for the total.
    """

    counts: Numbers
    detail: Numbers
    is_public: Mask
    equations: csr_array

    def __post_init__(self) -> None:
        assert not (self.equations @ self.counts).any(), "the parts of a total do not add up to it"

    def unknown(self, marks: Marks) -> Mask:
        """Return the cells that a reader does not see: not shown, or a remainder that is never printed."""
        is_hidden: Mask = marks != Mark.SHOWN
        return is_hidden | (~self.is_public & (self.counts > 0))

    def left_alone(self, cells: Cells, unknown: Mask) -> Numbers:
        """Return for each cell in how many of its sums it would be the only unknown, and so need a companion itself."""
        involved = abs(self.equations)
        is_clear = (np.asarray(involved @ unknown.astype(np.int64)) == 0).astype(np.int64)
        return np.asarray(involved.T @ is_clear)[cells].astype(np.int64)

    def told_by(self, cell: int, unknown: Mask) -> Mask | None:
        """Return the sums in which the cell is the only unknown; None if there are none, and all of them may tell."""
        involved = abs(self.equations)
        is_alone = np.asarray(involved @ unknown.astype(np.int64)) == 1
        telling = is_alone & (np.asarray(involved[:, [cell]].toarray()).ravel() > 0)
        return telling if telling.any() else None

    def beside(self, cells: Cells, among: Mask | None = None) -> Cells:
        """Return these cells and all that stand in a sum with one of them, of these sums if any are given."""
        chosen = np.zeros(self.counts.size, dtype=np.int64)
        chosen[cells] = 1
        involved = abs(self.equations)
        met = np.minimum(involved @ chosen, 1)
        touched = involved.T @ (met if among is None else met * among)
        return np.flatnonzero(np.asarray(touched) + chosen)


class Mark(IntEnum):
    """How a count is printed: as it is, as fewer than the threshold, or not at all."""

    SHOWN = 0
    SMALL = 1
    HIDDEN = 2


def choose_marks(sums: Sums, threshold: int) -> Marks:
    """Return the mark of every cell, so that no small count can be worked out.

    Every cell that is not shown, and every small remainder that is never printed, keeps at least two possible values.
    Ends, because each round takes something off the page or finds that nothing is left to take.
    """
    is_small = (sums.counts > 0) & (sums.counts < threshold)
    marks = np.where(is_small & sums.is_public, Mark.SMALL, Mark.SHOWN).astype(np.int8)
    safe = np.zeros_like(is_small)  # stays so: whatever is hidden later leaves an attacker with less
    while (exposed := _exposed(sums, marks, safe, threshold)).size:
        before = marks.copy()
        for cell in exposed:
            # What was just hidden beside a cell may protect it too; the next attack tells.
            if (marks == before)[sums.beside(np.array([cell]))].all():
                safe[cell] = not _take_off(sums, marks, cell, threshold)
    return marks


def _exposed(sums: Sums, marks: Marks, safe: Mask, threshold: int) -> Cells:
    """Return the cells that must stay unknown and may be worked out; notes in `safe` those seen to be out of reach."""
    is_small = (sums.counts > 0) & (sums.counts < threshold)
    unknown = sums.unknown(marks)
    doubtful = unknown & (sums.is_public | is_small) & ~safe
    if (alone := doubtful & _alone(sums, unknown)).any():
        return np.flatnonzero(alone)  # cheap to see; once these are mended the solver has less to do
    exposed = _pinned(sums, marks, unknown, doubtful, threshold)
    safe |= doubtful
    safe[exposed] = False
    return exposed


def _alone(sums: Sums, unknown: Mask) -> Mask:
    """Return the cells that are the only unknown of some sum."""
    involved = abs(sums.equations)
    single = np.asarray(involved @ unknown.astype(np.int64)) == 1
    return unknown & (np.asarray(involved.T @ single.astype(np.int64)) > 0)


def _pinned(sums: Sums, marks: Marks, unknown: Mask, doubtful: Mask, threshold: int) -> Cells:
    """Return the doubtful cells for which no solution was found that differs from the truth by a unit.

    Each programme drives all of them at random up or down. A few in a row that move none are taken to mean that none
    can move; a cell that could have is protected better than need be.
    """
    left = set(np.flatnonzero(doubtful[unknown]).tolist())
    attack = _Attack.on(sums, marks, unknown, threshold) if left else None
    generator = np.random.default_rng(0)  # fixed: the same counts always give the same report
    failures = 0
    while attack and left and failures < _PATIENCE:
        moved = attack.moved(sorted(left), generator.choice([-1.0, 1.0], size=len(left)))
        failures = 0 if left & moved else failures + 1
        left -= moved
    return np.flatnonzero(unknown)[sorted(left)]


@dataclass(frozen=True, slots=True)
class _Attack:
    """The linear programme of an attacker, over the unknown cells only."""

    truth: NDArray[np.float64]
    equations: Any
    bounds: Any

    @classmethod
    def on(cls, sums: Sums, marks: Marks, unknown: Mask, threshold: int) -> "_Attack":
        """State what is known of the unknown cells: the sums they stand in, and their marks."""
        truth = sums.counts[unknown].astype(float)
        equations = csr_array(sums.equations[:, np.flatnonzero(unknown)])
        equations = csr_array(equations[np.flatnonzero(np.diff(equations.indptr))])
        low = np.where(sums.is_public[unknown], 1, 0)  # a zero is always shown
        high = np.where(marks[unknown] == Mark.SMALL, threshold - 1, np.inf)
        bounds = np.column_stack([low, np.minimum(high, 2 * truth + _REACH)])
        return cls(truth, equations, bounds)

    def moved(self, cells: Sequence[int], direction: NDArray[np.float64]) -> set[int]:
        """Return the cells that differ from the truth by a unit where the programme drives `cells` apart from it."""
        objective = np.zeros(self.truth.size)
        objective[list(cells)] = direction
        found = linprog(objective, A_eq=self.equations, b_eq=self.equations @ self.truth, bounds=self.bounds)
        if found.x is None:
            return set()  # the solver gave up: nothing is shown to be safe
        return set(np.flatnonzero(np.abs(found.x - self.truth) >= _WHOLE_UNIT).tolist())


def _take_off(sums: Sums, marks: Marks, cell: int, threshold: int) -> bool:
    """Take one more thing off the page for an exposed cell; return whether there was any.

    In the sums that tell it, the cheapest count is hidden; where there is none but of negative detail, the small counts
    there are no longer marked as such before one of those is hidden. Where there is nothing at all, the sums of the
    cells beside it are tried. If all that it hangs together with is hidden, every solution may be doubled: it was never
    exposed.
    """
    can_hide = sums.is_public & (marks == Mark.SHOWN) & (sums.counts >= threshold)
    unknown = sums.unknown(marks)
    beside = sums.beside(np.array([cell]), sums.told_by(cell, unknown))
    while True:
        candidates, marked = beside[can_hide[beside]], beside[marks[beside] == Mark.SMALL]
        common = candidates[sums.detail[candidates] >= 0]
        if common.size or (candidates.size and not marked.size):
            marks[_cheapest(sums, common if common.size else candidates, unknown)] = Mark.HIDDEN
            return True
        if marked.size:
            marks[marked] = Mark.HIDDEN
            return True
        wider = sums.beside(beside)
        if wider.size == beside.size:
            return False
        beside = wider


def _cheapest(sums: Sums, candidates: Cells, unknown: Mask) -> int:
    """Return the cell of much detail that stands in few sums where it would need company itself, then the smallest."""
    alone = sums.left_alone(candidates, unknown)
    return int(candidates[np.lexsort((sums.counts[candidates], alone - sums.detail[candidates]))[0]])
