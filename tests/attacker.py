"""An attacker on the disclosure plan who has nothing but published files, paper for sums, and a solver of his own.

He knows which counts add up to which, for each sum whether its parts are all there, that a zero is always shown, that
"<5" is 1 to 4 and that any other hidden count is at least 1. He shares no code with what chooses the marks.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from crlm_pipeline.disclosure import Margin, Nested, Subset

Place = frozenset[tuple[str, str]]
Cell = tuple[str, Place]
# More than any count of a test; what is hidden has no upper end.
MOST = 100_000


def rows_of(path: Path) -> list[dict[str, str | None]]:
    """Return the rows of a published file; an empty cell is one that is not filled."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]


@dataclass
class Attacker:
    """What he has read: the text of every cell, and the sums between cells with the parts of each."""

    threshold: int
    texts: dict[Cell, str] = field(default_factory=dict)
    sums: dict[tuple[object, ...], tuple[Cell, set[Cell]]] = field(default_factory=dict)

    def read(self, unit: str, dimensions: Sequence[str], rows: Iterable[dict[str, str | None]], text: str) -> None:
        """Note the cells of a table; a cell that stands in two places must say the same in both."""
        for row in rows:
            cell = (unit, frozenset((name, value) for name in dimensions if (value := row.get(name))))
            said = row[text] or ""
            assert self.texts.setdefault(cell, said) == said, f"{sorted(cell[1])} is {self.texts[cell]} and {said}"

    def know(self, unit: str, relation: Margin | Subset) -> None:
        """Look for every sum of this kind among the cells of a unit."""
        for cell in [cell for cell in self.texts if cell[0] == unit]:
            values = dict(cell[1])
            if isinstance(relation, Margin):
                if all(name in values for name in relation.over):
                    total = frozenset((name, value) for name, value in cell[1] if name not in relation.over)
                    apart = tuple(values.get(name) for name in relation.apart)
                    self._add((relation.over, apart, unit, total), (unit, total), cell)
            elif relation.part.items() <= values.items():
                whole = frozenset({**values, **relation.whole}.items())
                # Subsets that lie apart are parts of one sum; each of the others has a sum of its own.
                self._add((unit, relation.apart or cell, whole), (unit, whole), cell)

    def compare(self, nested: Nested) -> None:
        """Look for the cells that are parts of another."""
        for cell in [cell for cell in self.texts if cell[0] == nested.unit]:
            by = {name: value for name, value in cell[1] if name in nested.by}
            if any(cell[1] == frozenset({**by, **part}.items()) for part in nested.parts):
                total = (nested.whole_unit, frozenset({**by, **nested.whole}.items()))
                self._add((str(nested), total), total, cell)

    def _add(self, name: tuple[object, ...], total: Cell, part: Cell) -> None:
        if total in self.texts and part != total:
            self.sums.setdefault(name, (total, set()))[1].add(part)

    def pinned(self, left_over: Callable[[Cell, set[Cell]], int]) -> list[Cell]:
        """Return the cells not shown that can have one value only; `left_over` is what a total has beyond its parts.

        Of what is left over he is told whether it is nothing; a remainder that is small must stay unknown as well.
        """
        system = _System(self.threshold)
        for cell, text in self.texts.items():
            system.note(cell, text)
        for name, (total, parts) in self.sums.items():
            remainder = left_over(total, parts)
            if remainder >= 0:
                system.equate(total, parts, ("rest", name) if remainder else None)
                system.secret |= {("rest", name)} if 0 < remainder < self.threshold else set()
        return system.pinned()


class _System:
    """Whole numbers within bounds, and the equations between them."""

    def __init__(self, threshold: int) -> None:
        self.threshold = threshold
        self.known: dict[object, int] = {}
        self.unknown: dict[object, int] = {}
        self.high: list[int] = []
        self.secret: set[object] = set()
        self.equations: list[tuple[dict[int, int], int]] = []

    def note(self, cell: object, text: str) -> None:
        if text.isdecimal():
            self.known[cell] = int(text)
        else:
            assert text in ("hidden", f"<{self.threshold}"), text
            self.variable(cell, self.threshold - 1 if text.startswith("<") else MOST)
            self.secret.add(cell)

    def variable(self, name: object, high: int) -> None:
        self.unknown[name] = len(self.high)
        self.high.append(high)

    def equate(self, total: Cell, parts: set[Cell], rest: object) -> None:
        if rest is not None:
            self.variable(rest, MOST)
        signs: dict[object, int] = {**dict.fromkeys(parts, 1), total: -1} | ({} if rest is None else {rest: 1})
        terms = {self.unknown[name]: sign for name, sign in signs.items() if name in self.unknown}
        constant = -sum(sign * self.known[name] for name, sign in signs.items() if name in self.known)
        if terms:
            self.equations.append((terms, constant))

    def pinned(self) -> list[object]:
        """Return the secret ones that have one value in every solution.

        Driving all of them together up and down tells most; the others are driven one by one, among all that hangs
        together with them.
        """
        names = {index: name for name, index in self.unknown.items()}
        everything = list(range(len(self.high)))
        values: dict[int, set[int]] = {self.unknown[name]: set() for name in self.secret}
        generator = np.random.default_rng(1)
        for _ in range(4):
            left = [index in values and len(values[index]) < 2 for index in everything]
            self._solve(everything, generator.choice([-1.0, 1.0], size=len(left)) * left, values)
        piece = self._pieces()
        for index in sorted(values):
            inside = [other for other in everything if piece[other] == piece[index]]
            for sign in (1, -1):
                if len(values[index]) < 2:
                    self._solve(inside, np.array([sign * float(other == index) for other in inside]), values)
        return [names[index] for index in sorted(values) if len(values[index]) < 2]

    def _solve(self, inside: list[int], goal: np.ndarray, values: dict[int, set[int]]) -> None:
        place = {index: position for position, index in enumerate(inside)}
        equations = [(terms, constant) for terms, constant in self.equations if terms.keys() <= place.keys()]
        entries = [(row, place[i], sign) for row, (terms, _) in enumerate(equations) for i, sign in terms.items()]
        constraints = []
        if entries:
            rows, columns, signs = zip(*entries, strict=True)
            constants = [constant for _, constant in equations]
            matrix = csr_array((signs, (rows, columns)), shape=(len(equations), len(inside)))
            constraints = [LinearConstraint(matrix, constants, constants)]
        bounds = Bounds(np.ones(len(inside)), np.array([self.high[index] for index in inside]))
        found = milp(goal, integrality=np.ones(len(inside)), bounds=bounds, constraints=constraints)
        assert found.success, f"what is published contradicts itself: {found.message}"
        for index in inside:
            if index in values:
                values[index].add(round(found.x[place[index]]))

    def _pieces(self) -> list[int]:
        """Return for each unknown a number that it shares with all it hangs together with."""
        leader = list(range(len(self.high)))

        def find(index: int) -> int:
            while leader[index] != index:
                leader[index] = leader[leader[index]]
                index = leader[index]
            return index

        for terms, _ in self.equations:
            first, *others = terms
            for other in others:
                leader[find(other)] = find(first)
        return [find(index) for index in range(len(self.high))]
