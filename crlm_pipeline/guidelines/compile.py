"""Clauses compiled to Polars: every clause one bit of a `true` and an `open` word per decision, by Kleene's tables.

Bits are gathered in groups of eight (one byte each), which Polars does fastest, and widened to 64-bit words once. Bit
order is the order of precedence, so the first true rule is the lowest bit.
"""

from collections.abc import Sequence
from functools import cached_property, reduce
from operator import ge, gt, le, lt, or_

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.bits import flagged
from crlm_pipeline.guidelines.clauses import Clause, Condition
from crlm_pipeline.guidelines.model import UNKNOWN, Range, fact_columns
from crlm_pipeline.guidelines.truth import Reading
from schemas import vocabulary as v

_COMPARISONS = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
_GROUP = 8
_NONE = pl.lit(0, pl.UInt8)
_BITS = tuple(pl.lit(1 << place, pl.UInt8) for place in range(_GROUP))
WORD = 64

Words = np.ndarray[tuple[int, int], np.dtype[np.uint64]]


class CompiledClauses:
    """Clauses ready for a frame of decisions."""

    def __init__(self, clauses: Sequence[Clause]) -> None:
        """Take the clauses in the order of precedence."""
        self.clauses = tuple(clauses)
        self.names: tuple[str, ...] = tuple(f"clause_{place}" for place in range(len(self.clauses)))

    @cached_property
    def facts(self) -> tuple[str, ...]:
        """The facts that can leave a clause open, sorted."""
        return tuple(sorted({fact for clause in self.clauses for fact in clause.askable}))

    @cached_property
    def asking(self) -> tuple[int, ...]:
        """Per fact, the bits of the clauses that it leaves open while unknown."""
        return tuple(flagged(fact in clause.askable for clause in self.clauses) for fact in self.facts)

    def asked(self, clauses: int) -> int:
        """Return the bits of the facts that some of the clauses ask for."""
        return flagged(clauses & asking for asking in self.asking)

    @property
    def word_count(self) -> int:
        """How many 64-bit words hold one bit per clause."""
        return -(-len(self.clauses) // WORD)

    @cached_property
    def expressions(self) -> tuple[pl.Expr, ...]:
        """One nullable Boolean per clause, under its name; null is unknown."""
        return tuple(
            _clause_expression(clause).alias(name) for clause, name in zip(self.clauses, self.names, strict=True)
        )

    @cached_property
    def words(self) -> tuple[pl.Expr, ...]:
        """The true and the open bits of the columns of `truths`."""
        truths = [pl.col(name) for name in self.names]
        return (*packed(truths, "true"), *packed([truth.is_null() for truth in truths], "open"))

    def truths(self, frame: pl.DataFrame) -> pl.LazyFrame:
        """Return the frame with the truth of each clause (`names`) as a nullable Boolean."""
        # A clause without conditions is a literal: with_columns gives it the height of the frame, select would not.
        return frame.lazy().with_columns(self.expressions)

    def evaluate(self, frame: pl.DataFrame) -> tuple[Words, Words]:
        """Return the true and the open bits: two arrays, decisions by words."""
        bits = self.truths(frame).select(self.words).collect()
        return words_of(bits, "true"), words_of(bits, "open")


def words_of(bits: pl.DataFrame, prefix: str) -> Words:
    """Return the words of a frame that `packed` named by the prefix: an array, rows by words."""
    names = [name for name in bits.columns if name.startswith(f"{prefix}_")]
    # Each word of all rows in one piece, since words are taken one by one.
    words = np.array([bits.get_column(name).to_numpy() for name in names], np.uint64)
    return words.reshape(len(names), bits.height).T


def as_words(bits: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Return bits as so many words."""
    return np.array([bits >> (WORD * place) & (1 << WORD) - 1 for place in range(count)], np.uint64)


def words_of_each(sets: Sequence[int], count: int) -> Words:
    """Return the bits of each set as so many words."""
    return np.array(
        [[bits >> (WORD * place) & (1 << WORD) - 1 for bits in sets] for place in range(count)], np.uint64
    ).T


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


def packed(bits: Sequence[pl.Expr], prefix: str) -> list[pl.Expr]:
    """Return the Booleans as words `<prefix>_0`, ...: the lowest bit for the first, null as not set."""
    return [
        _word(bits[start : start + WORD]).alias(f"{prefix}_{number}")
        for number, start in enumerate(range(0, len(bits), WORD))
    ]


def _word(bits: Sequence[pl.Expr]) -> pl.Expr:
    groups = [bits[start : start + _GROUP] for start in range(0, len(bits), _GROUP)]
    bytes_of_word = [
        reduce(or_, (pl.when(bit).then(value).otherwise(_NONE) for bit, value in zip(group, _BITS, strict=False)))
        for group in groups
    ]
    word = (byte.cast(pl.UInt64) * pl.lit(1 << (_GROUP * place), pl.UInt64) for place, byte in enumerate(bytes_of_word))
    return reduce(or_, word)
