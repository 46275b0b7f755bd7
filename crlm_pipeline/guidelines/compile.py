"""Clauses compiled to Polars: every clause one bit of a `true` and an `open` word per decision, by Kleene's tables.

Bits are gathered in groups of eight (one byte each), which Polars does fastest, and widened to 64-bit words once. Bit
order is the order of precedence, so the first true rule is the lowest bit.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from operator import ge, gt, le, lt
from typing import Final

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.clauses import Clause, Condition
from crlm_pipeline.guidelines.model import UNKNOWN, Range, fact_columns
from crlm_pipeline.guidelines.truth import Reading, Truth
from schemas import vocabulary as v

_COMPARISONS = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
_GROUP = 8
WORD = 64

Words = np.ndarray[tuple[int, int], np.dtype[np.uint64]]


class CompiledClauses:
    """Clauses ready for a frame of decisions."""

    def __init__(self, clauses: Sequence[Clause]) -> None:
        """Take the clauses in the order of precedence."""
        self.clauses = tuple(clauses)

    @cached_property
    def facts(self) -> tuple[str, ...]:
        """The facts that can leave a clause open, sorted."""
        return tuple(sorted({fact for clause in self.clauses for fact in clause.askable}))

    @cached_property
    def askable(self) -> tuple[frozenset[str], ...]:
        """The facts that leave each clause open while unknown."""
        return tuple(clause.askable for clause in self.clauses)

    @property
    def word_count(self) -> int:
        """How many 64-bit words hold one bit per clause."""
        return -(-len(self.clauses) // WORD)

    @cached_property
    def expressions(self) -> tuple[pl.Expr, ...]:
        """One nullable Boolean per clause; null is unknown."""
        return tuple(_clause_expression(clause) for clause in self.clauses)

    def evaluate(self, frame: pl.DataFrame) -> tuple[Words, Words]:
        """Return the true and the open bits: two arrays, decisions by words."""
        selected = [
            word
            for number in range(self.word_count)
            for word in self._word(number, self.expressions[number * WORD : (number + 1) * WORD])
        ]
        bits = frame.lazy().select(selected).collect()
        arrays = [bits.get_column(name).to_numpy() for name in bits.columns]
        shape = (frame.height, self.word_count)
        if not arrays:
            return np.zeros(shape, np.uint64), np.zeros(shape, np.uint64)
        return np.stack(arrays[0::2], axis=1), np.stack(arrays[1::2], axis=1)

    def _word(self, number: int, expressions: Sequence[pl.Expr]) -> tuple[pl.Expr, pl.Expr]:
        true = [expression.fill_null(value=False) for expression in expressions]
        unknown = [expression.is_null() for expression in expressions]
        return _packed(true).alias(f"true_{number}"), _packed(unknown).alias(f"open_{number}")

    def uses(self, fact: str) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        """Return the words with the bits of the clauses that the fact can leave open."""
        return self.mask(index for index, clause in enumerate(self.clauses) if fact in clause.askable)

    def mask(self, indices: Iterable[int]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        """Return words with the bits of the given clause numbers set."""
        words = np.zeros(self.word_count, np.uint64)
        for index in indices:
            words[index // WORD] |= np.uint64(1) << np.uint64(index % WORD)
        return words

    def truths(self, true: Words, unknown: Words) -> list[tuple[Truth, ...]]:
        """Return the truth of each clause, per row of the words."""
        codes = 2 * self._unpacked(unknown) + self._unpacked(true)
        return [tuple(map(_TRUTHS.__getitem__, row)) for row in codes.tolist()]

    def _unpacked(self, words: Words) -> np.ndarray[tuple[int, int], np.dtype[np.int8]]:
        places = np.arange(len(self.clauses))
        return ((words[:, places // WORD] >> (places % WORD).astype(np.uint64)) & np.uint64(1)).astype(np.int8)


# By two bits, unknown and true; what is true is not unknown.
_TRUTHS: Final[tuple[Truth, ...]] = (False, True, None, True)


def any_clause(expressions: Sequence[pl.Expr], frame: pl.DataFrame) -> pl.Series:
    """Return whether one of the clauses holds, per row; null is unknown."""
    # A clause without conditions is a literal: with_columns gives it the height of the frame, select would not.
    return frame.with_columns(is_met=pl.any_horizontal(expressions)).get_column("is_met")


def is_open(fact: str, reading: Reading = Reading.LADDER) -> pl.Expr:
    """Return whether the fact is unknown to a condition that reads it so."""
    column = pl.col(fact)
    values = _undecided(fact)
    return column.is_null() | column.is_in(values) if values and reading is Reading.LADDER else column.is_null()


def _undecided(fact: str) -> list[str]:
    column = fact_columns()[fact]
    return [value for value in v.UNDECIDED if not column.is_list and value in (column.values or ())]


def _clause_expression(clause: Clause) -> pl.Expr:
    if not clause.conditions:
        return pl.lit(value=True)
    return pl.all_horizontal(map(_condition_expression, clause.conditions))


def _condition_expression(condition: Condition) -> pl.Expr:
    if condition.reading is Reading.SAFETY:
        return _safety_expression(condition)
    met = _meets(condition)
    undecided = _undecided(condition.fact)
    decided = pl.when(pl.col(condition.fact).is_in(undecided)).then(None).otherwise(met) if undecided else met
    return decided.fill_null(value=False) if condition.reading is Reading.KNOWN else decided


def _safety_expression(condition: Condition) -> pl.Expr:
    """As `truth._holds_for_safety`: the condition may ask for unknown and sees the undecided values it names."""
    column, test = pl.col(condition.fact), condition.test
    if isinstance(test, Range):
        return _meets(condition)
    asks_unknown = UNKNOWN in test
    unseen = [value for value in _undecided(condition.fact) if value not in test]
    answer = _meets(condition)
    if unseen:
        answer = pl.when(column.is_in(unseen)).then(False if asks_unknown else None).otherwise(answer)
    return answer.fill_null(value=True) if asks_unknown else answer


def _meets(condition: Condition) -> pl.Expr:
    column, test = pl.col(condition.fact), condition.test
    if isinstance(test, Range):
        bounds: list[pl.Expr] = [
            compare(column, bound)
            for name, compare in _COMPARISONS.items()
            if (bound := getattr(test, name)) is not None
        ]
        return pl.all_horizontal(bounds)
    values = [value for value in test if value != UNKNOWN]
    if fact_columns()[condition.fact].is_list:
        return column.list.eval(pl.element().is_in(values)).list.any()
    return column.is_in(values)


def _packed(bits: Sequence[pl.Expr]) -> pl.Expr:
    groups = [bits[start : start + _GROUP] for start in range(0, len(bits), _GROUP)]
    word = pl.lit(0, pl.UInt64)
    for place, group in enumerate(groups):
        byte = pl.lit(0, pl.UInt8)
        for offset, bit in enumerate(group):
            byte = byte | pl.when(bit).then(pl.lit(1 << offset, pl.UInt8)).otherwise(pl.lit(0, pl.UInt8))
        word = word | (byte.cast(pl.UInt64) * pl.lit(1 << (_GROUP * place), pl.UInt64))
    return word
