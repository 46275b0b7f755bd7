"""Chooses which counts to hide so that none of the small ones can be worked out from those that are shown.

The attacker is taken to know every sum between counts and the meaning of the marks: a zero is always shown, a small
count is 1 to threshold - 1, any other hidden count at least 1. A count is safe when whole numbers of which it is not
the true one fit all of that as well (see `witnesses`); a count left with a single possible value is not.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from crlm_pipeline.witnesses import Cells, Mask, Numbers, Unknowns, without_witness

Marks = NDArray[np.int8]

# A witness need not stray further than the double of the truth; the bound keeps every programme finite.
_REACH: Final = 100


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

    def merged(self) -> tuple["Sums", NDArray[np.int32]]:
        """Return the sums with counts that everybody knows to be equal as one, and for each cell the one it became.

        Zeros are always shown, so a total with a single part above zero is that part. What is equal is shown together
        or hidden together; the zeros are left out of the sums.
        """
        above_zero = csr_array(self.equations * (self.counts > 0))
        above_zero.eliminate_zeros()
        is_pair = np.diff(above_zero.indptr) == len(("total", "part"))
        pairs = above_zero[np.flatnonzero(is_pair)].indices.reshape(-1, 2)
        size = self.counts.size
        links = csr_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
        number, merged = connected_components(links, directed=False)
        joined = csr_array((np.ones(size, dtype=np.int64), (np.arange(size), merged)), shape=(size, number))
        equations = csr_array(above_zero @ joined)
        equations.eliminate_zeros()
        counts, detail = np.zeros(number, dtype=np.int64), np.full(number, np.iinfo(np.int64).max)
        counts[merged] = self.counts
        np.minimum.at(detail, merged, self.detail)
        is_public = np.bincount(merged, weights=self.is_public) > 0
        return Sums(counts, detail, is_public, equations[np.flatnonzero(np.diff(equations.indptr))]), merged


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
    sums, merged = sums.merged()
    page = _Page(sums, threshold)
    page.accompany(range(sums.equations.shape[0]))
    safe = np.zeros(sums.counts.size, dtype=bool)  # stays so: whatever is hidden later leaves an attacker with less
    while (exposed := page.exposed(safe)).size:
        before = page.marks.copy()
        for cell in exposed:
            beside = page.beside(np.array([cell]))
            # What was just hidden beside a cell may protect it too; the next attack tells.
            if np.array_equal(page.marks[beside], before[beside]):
                safe[cell] = not page.take_off_beside(cell)
    return page.marks[merged]


def _places(matrix: csr_array) -> list[Cells]:
    """Return the columns that each row of a sparse matrix fills."""
    columns = matrix.indices.astype(np.intp)
    return [columns[start:end] for start, end in pairwise(matrix.indptr.tolist())]


class _Page:
    """What is printed and what is not, while the marks are chosen."""

    def __init__(self, sums: Sums, threshold: int) -> None:
        """Mark what is small; nothing else is hidden yet."""
        is_small = (sums.counts > 0) & (sums.counts < threshold)
        self._sums = sums
        self._threshold = threshold
        self._cells_of = _places(sums.equations)
        self._sums_of = _places(csr_array(sums.equations.T))
        self.marks: Marks = np.where(is_small & sums.is_public, Mark.SMALL, Mark.SHOWN).astype(np.int8)
        # A reader does not see what is not shown, nor a remainder that is never printed.
        self._is_unknown: Mask = (self.marks != Mark.SHOWN) | (~sums.is_public & (sums.counts > 0))
        self._is_kept_secret: Mask = sums.is_public | is_small
        self._unknowns = np.asarray(abs(sums.equations) @ self._is_unknown.astype(np.int64))

    def beside(self, cells: Cells) -> Cells:
        """Return these cells and all that stand in a sum with one of them."""
        sums = np.unique(np.concatenate([self._sums_of[cell] for cell in cells]))
        return np.unique(np.concatenate([cells, *(self._cells_of[place] for place in sums)])).astype(np.intp)

    def accompany(self, sums: Iterable[int]) -> None:
        """Hide a second count in each of these sums, and in those that this leaves with one unknown, that has one."""
        waiting = deque(sums)
        while waiting:
            place = waiting.popleft()
            cells = self._cells_of[place]
            alone = cells[self._is_unknown[cells]]
            if alone.size == 1 and self._is_kept_secret[alone[0]]:
                candidates = cells[self._can_hide(cells)]
                if candidates.size:
                    waiting.extend(self._hide(self._cheapest(candidates)))

    def exposed(self, safe: Mask) -> Cells:
        """Return the cells that must stay unknown and may be worked out; notes in `safe` those that cannot be."""
        cells = np.flatnonzero(self._is_unknown)
        doubtful = self._is_kept_secret[cells] & ~safe[cells]
        attacked = self._attacked(cells).tightened()
        told = doubtful & attacked.told()
        if told.any():
            return cells[told]  # cheap to see; once these are mended the solver has less to do
        exposed = without_witness(attacked, doubtful)
        safe[cells[doubtful & ~exposed]] = True
        return cells[exposed]

    def _attacked(self, cells: Cells) -> Unknowns:
        """State what an attacker knows of the unknown cells."""
        sums = csr_array(self._sums.equations[:, cells])
        truth = self._sums.counts[cells]
        return Unknowns(
            truth,
            csr_array(sums[np.flatnonzero(np.diff(sums.indptr))]),
            low=np.ones(cells.size, dtype=np.int64),  # a zero is always shown, and a total without remainder known
            high=np.where(self.marks[cells] == Mark.SMALL, self._threshold - 1, 2 * truth + _REACH),
        )

    def take_off_beside(self, cell: int) -> bool:
        """Take one more thing off the page for an exposed cell; return whether there was any.

        In its sums, the cheapest count is hidden; where there is none but of negative detail, the small counts there
        are no longer marked as such before one of those is hidden. Where there is nothing at all, the sums of the cells
        beside it are tried. If all that it hangs together with is hidden, every solution may be doubled: it was never
        exposed.
        """
        beside = self.beside(np.array([cell]))
        while True:
            candidates, marked = beside[self._can_hide(beside)], beside[self.marks[beside] == Mark.SMALL]
            common = candidates[self._sums.detail[candidates] >= 0]
            if common.size or (candidates.size and not marked.size):
                self.accompany(self._hide(self._cheapest(common if common.size else candidates)))
                return True
            if marked.size:
                self.marks[marked] = Mark.HIDDEN
                return True
            wider = self.beside(beside)
            if wider.size == beside.size:
                return False
            beside = wider

    def _can_hide(self, cells: Cells) -> Mask:
        sums = self._sums
        is_whole: Mask = sums.is_public[cells] & (self.marks[cells] == Mark.SHOWN)
        return is_whole & (sums.counts[cells] >= self._threshold)

    def _cheapest(self, candidates: Cells) -> int:
        """Return the cell of much detail that stands in few sums where it would need company itself, the smallest."""
        alone = np.array([np.count_nonzero(self._unknowns[self._sums_of[cell]] == 0) for cell in candidates])
        order = np.lexsort((self._sums.counts[candidates], alone - self._sums.detail[candidates]))
        return int(candidates[order[0]])

    def _hide(self, cell: int) -> Cells:
        """Take a count off the page; return the sums it stands in."""
        self.marks[cell] = Mark.HIDDEN
        self._is_unknown[cell] = True
        self._unknowns[self._sums_of[cell]] += 1
        return self._sums_of[cell]
