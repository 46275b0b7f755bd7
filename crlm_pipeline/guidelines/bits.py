"""Sets of small numbers as bits of one whole number: clauses, options and rules by their places."""

from collections.abc import Iterable, Iterator


def flagged(flags: Iterable[object]) -> int:
    """Return the places of the flags that are true."""
    return sum(1 << place for place, flag in enumerate(flags) if flag)


def places(bits: int) -> Iterator[int]:
    """Yield the places of the bits that are set, lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
