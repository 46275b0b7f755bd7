"""Evidence: what one assay result shows, as a set of bits; what is known of a patient is the union of such sets.

Each family of markers has a word (an Int32 column) of its own. Sets make the order of results, repeats and several
specimens a matter of one bitwise or, which the database does for every patient and day at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_

import polars as pl


@dataclass(frozen=True, slots=True)
class Support:
    """Which bits of a word a fact of that value rests on; a boolean fact has value `true` or `false`."""

    fact: str
    value: str
    word: str
    mask: int


def shows(condition: pl.Expr, bits: int) -> pl.Expr:
    """Return these bits where the condition holds, else none: a condition that is unknown shows nothing."""
    return pl.when(condition).then(pl.lit(int(bits), pl.Int32)).otherwise(pl.lit(0, pl.Int32))


def union(parts: Iterable[pl.Expr]) -> pl.Expr:
    """Return the union of several sets of bits."""
    return reduce(or_, parts)


def has(word: str, bits: int) -> pl.Expr:
    """Whether the word holds any of the bits; the word is never null."""
    return (pl.col(word) & pl.lit(int(bits), pl.Int32)) != 0


def has_all(word: str, bits: int) -> pl.Expr:
    """Whether the word holds all of the bits; the word is never null."""
    return (pl.col(word) & pl.lit(int(bits), pl.Int32)) == int(bits)


def first_of(*cases: tuple[pl.Expr, str | bool | None]) -> pl.Expr:
    """Return the value of the first condition that holds (a value may be unknown), else unknown.

    The conditions are never null: they ask words, and no evidence is the empty set.
    """
    known = [value for _, value in cases if value is not None]
    rest: pl.Expr = pl.lit(None, pl.Boolean if isinstance(known[0], bool) else pl.String)
    for condition, value in reversed(cases):
        rest = pl.when(condition).then(pl.lit(value)).otherwise(rest)
    return rest
