"""Finds a second solution for what is not shown: whoever adds and subtracts cannot tell it from the truth.

A witness against a count being worked out is a set of whole numbers that keeps every sum and every mark, and in which
that count is another one. Only a witness clears a count: where none was found, it is taken to be exposed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import block_array, csr_array
from scipy.sparse.csgraph import connected_components

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Cells = NDArray[np.intp]
Pieces = NDArray[np.int32]

# Cells that are moved in one linear programme: many small sums together, yet few enough for the solver to be quick.
_TOGETHER: Final = 2_000
# A direction and its opposite: what moves in neither stays where it is.
_WAYS: Final = 2
# Branches of a search for whole numbers; not seconds, which another machine would count differently.
_BRANCHES: Final = 500
# Sums count a part once, hardly ever twice: numbers as near to whole ones as this keep their sums when rounded.
_NEAR: Final = 1e-5


@dataclass(frozen=True, slots=True)
class Unknowns:
    """The counts that are not shown: the truth, the sums between them, and the bounds in which they must lie."""

    truth: Numbers
    sums: csr_array
    low: Numbers
    high: Numbers

    def part(self, cells: Cells) -> "Unknowns":
        """Return some of the cells with the sums they stand in; they must hang together with no other."""
        chosen = csr_array(self.sums[:, cells])
        chosen = csr_array(chosen[np.flatnonzero(np.diff(chosen.indptr))])
        return Unknowns(self.truth[cells], chosen, self.low[cells], self.high[cells])

    def pieces(self) -> Pieces:
        """Return for each cell the number of the piece of the system that it hangs together with."""
        met: Any = abs(self.sums)
        _, piece = connected_components(block_array([[None, met.T], [met, None]]), directed=False)
        return np.asarray(piece)[: self.truth.size]

    def told(self) -> Mask:
        """Return the cells whose bounds leave a single value."""
        is_told: Mask = self.low == self.high
        return is_told

    def tightened(self) -> "Unknowns":
        """Return the same with the bounds that each sum leaves its parts, from the bounds of the others in it."""
        terms = self.sums.tocoo()
        within = np.asarray(self.sums @ self.truth)[terms.row]
        unknowns = self
        while True:
            tighter = unknowns._tightened_once(terms, within)
            if np.array_equal(tighter.low, unknowns.low) and np.array_equal(tighter.high, unknowns.high):
                return tighter
            unknowns = tighter

    def _tightened_once(self, terms: Any, within: Numbers) -> "Unknowns":
        times, is_part = abs(terms.data), terms.data > 0
        least = times * np.where(is_part, self.low[terms.col], -self.high[terms.col])
        most = times * np.where(is_part, self.high[terms.col], -self.low[terms.col])
        others_least = _summed(terms.row, least) - least
        others_most = _summed(terms.row, most) - most
        least, most = within - others_most, within - others_least
        low, high = self.low.copy(), self.high.copy()
        np.maximum.at(low, terms.col, -(np.where(is_part, -least, most) // times))
        np.minimum.at(high, terms.col, np.where(is_part, most, -least) // times)
        return replace(self, low=low, high=high)


def _summed(groups: NDArray[np.int32], numbers: Numbers) -> Numbers:
    """Return for each number the sum of those of its group."""
    sums = np.zeros(groups.max(initial=0) + 1, dtype=np.int64)
    np.add.at(sums, groups, numbers)
    return sums[groups]


def without_witness(unknowns: Unknowns, doubtful: Mask) -> Mask:
    """Return which doubtful cells were the same in every solution that was found."""
    left = doubtful.copy()
    for cells in _batches(unknowns, doubtful):
        left[cells] = _not_moved(unknowns.part(cells), left[cells])
    return left


def _batches(unknowns: Unknowns, doubtful: Mask) -> Iterator[Cells]:
    """Yield the cells of the pieces that hold a doubtful one, some pieces at a time."""
    piece = unknowns.pieces()
    size = np.bincount(piece)
    size[np.setdiff1d(piece, piece[doubtful])] = 0
    batch = (np.cumsum(size) - size) // _TOGETHER
    for number in np.unique(batch[piece[doubtful]]):
        yield np.flatnonzero((batch[piece] == number) & (size[piece] > 0))


def _not_moved(part: Unknowns, doubtful: Mask) -> Mask:
    """Return the doubtful cells that moved neither together with others nor alone."""
    piece = part.pieces()
    left, in_fractions = _not_moved_together(part, piece, doubtful)
    for cell in np.flatnonzero(in_fractions):
        if left[cell]:
            cells = np.flatnonzero(piece == piece[cell])
            left[cells] &= ~_moved_for(part.part(cells), cells == cell)
    return left


def _not_moved_together(part: Unknowns, piece: Pieces, doubtful: Mask) -> tuple[Mask, Mask]:
    """Drive what is doubtful in a piece up or down at random, then the other way, as long as some of it moves.

    Returns what never moved, and what of it has yet to be tried alone: that whose piece moved in fractions. Any other
    is the same in every solution, since a sum of it and others, with random weights, can be neither smaller nor larger.
    """
    left, in_fractions = doubtful.copy(), np.zeros_like(doubtful)
    generator = np.random.default_rng(0)  # fixed: the same counts always give the same report
    direction = np.zeros(left.size)
    idle = np.zeros(piece.max(initial=0) + 1, dtype=np.int64)  # programmes in a row that moved nothing of a piece
    while (driven := left & (idle[piece] < _WAYS)).any():
        weights = generator.choice([-1.0, 1.0], size=left.size) * generator.uniform(0.5, 1.0, size=left.size)
        direction = np.where(idle[piece] == 0, weights, -direction) * driven
        cells = np.flatnonzero(np.isin(piece, piece[driven]))
        found = part.truth.astype(float)
        found[cells] = _farthest(part.part(cells), direction[cells])
        broken = piece[np.abs(found - np.rint(found)) > _NEAR]
        strayed = driven & (np.abs(found - part.truth) > _NEAR)
        moved = strayed & ~np.isin(piece, broken)
        left &= ~moved
        idle += 1
        idle[piece[moved]] = 0
        in_fractions = left & (idle[piece] > 0) & (in_fractions | np.isin(piece, piece[strayed]))
    return left, in_fractions


def _moved_for(piece: Unknowns, cell: Mask) -> Mask:
    """Return what differs from the truth in whole solutions with the least and with the most of one cell."""
    moved = np.zeros(piece.truth.size, dtype=bool)
    for direction in (1.0, -1.0):
        found = _farthest(piece, np.where(cell, direction, 0.0))
        if (np.abs(found - piece.truth)[cell] < 1 - _NEAR).all():
            continue  # nothing whole lies beyond what even fractions reach
        if (np.abs(found - np.rint(found)) > _NEAR).any():
            found = _farthest(piece, np.where(cell, direction, 0.0), whole=True)
        moved |= np.rint(found) != piece.truth
    return moved


def _farthest(unknowns: Unknowns, direction: NDArray[np.float64], *, whole: bool = False) -> NDArray[np.float64]:
    """Return a solution, in fractions unless `whole`, as far against a direction as can be; the truth without any."""
    total = unknowns.sums @ unknowns.truth
    found = milp(
        direction,
        integrality=np.full(direction.size, whole, dtype=np.int8),
        bounds=Bounds(unknowns.low, unknowns.high),
        constraints=LinearConstraint(unknowns.sums, total, total),
        options={"node_limit": _BRANCHES},
    )
    return unknowns.truth.astype(float) if found.x is None else np.asarray(found.x)
