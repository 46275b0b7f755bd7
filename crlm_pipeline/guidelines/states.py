"""Bits of many decisions told apart: which rows are equal, and what of them still matters."""

from collections.abc import Sequence
from math import prod
from typing import Final

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.compile import Words, as_words

# Codes of so many combinations at most are told apart by a table of all of them: 8 MB.
_TABLE: Final = 1 << 20

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]


def distinct_rows(keys: pl.DataFrame) -> tuple[Numbers, pl.DataFrame]:
    """Return the number of each row's values and the distinct rows, in order of first appearance."""
    # Grouped once, which takes little more than half the time of finding the distinct rows and joining them back.
    groups = keys.with_row_index("row").group_by(keys.columns, maintain_order=True).agg("row")
    rows = groups.get_column("row")
    numbers = np.empty(keys.height, np.int64)
    numbers[rows.explode().to_numpy()] = np.repeat(np.arange(groups.height), rows.list.len().to_numpy())
    return numbers, groups.drop("row")


def distinct_codes(codes: Sequence[Numbers]) -> tuple[Numbers, list[Numbers]]:
    """Return the number of each row's codes and the distinct ones; a list for each kind of code, which count from 0.

    Few codes in all possible combinations are told apart by a table of these, far faster than by their values.
    """
    sizes = [int(each.max(initial=0)) + 1 for each in codes]
    together = np.ravel_multi_index(tuple(codes), tuple(sizes))
    if prod(sizes) <= _TABLE:
        is_met = np.zeros(prod(sizes), bool)
        is_met[together] = True
        met = np.flatnonzero(is_met)
        number_of = np.empty(len(is_met), np.int64)
        number_of[met] = np.arange(len(met))
        numbers = number_of[together]
    else:
        met, numbers = np.unique(together, return_inverse=True)
    return numbers, [*np.unravel_index(met, tuple(sizes))]


def any_of(words: Words, bits: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return the rows that have one of the bits."""
    rows: np.ndarray[tuple[int], np.dtype[np.bool_]] = ((words & as_words(bits, words.shape[1])) != 0).any(axis=1)
    return rows


def still_unknown(asking: Sequence[int], unsettled: Words, unknown: Words) -> Words:
    """Return the unknown facts that an open clause asks for; `asking` has the clauses of each fact."""
    left = np.zeros_like(unknown)
    for fact, clauses in enumerate(asking):
        bit = as_words(1 << fact, unknown.shape[1])
        left |= np.where(any_of(unsettled, clauses)[:, None], unknown & bit, np.uint64(0))
    return left


def columns_of(prefix: str, words: Words) -> dict[str, np.ndarray]:
    """Return words as columns `<prefix>_0`, ..."""
    return {f"{prefix}_{place}": words[:, place] for place in range(words.shape[1])}


def numbers_of(words: Words) -> list[int]:
    """Return the words of each row as one whole number."""
    size = words.shape[1] * words.itemsize
    taken = words.astype("<u8").tobytes("C")
    return [int.from_bytes(taken[size * row : size * (row + 1)], "little") for row in range(len(words))]
