"""The values a fact may take, one standing for all that no test tells apart."""

from collections.abc import Iterable
from typing import Any

from crlm_pipeline.guidelines.model import Range, Scalar, fact_columns
from schemas import vocabulary as v

# Half a unit on either side of a bound tells `greater than` from `at least` for whole and decimal facts alike.
_STEP = 0.5


def possible_values(fact: str, tests: Iterable[Range | tuple[Scalar, ...]]) -> list[Any]:
    """Return known values of the fact, at least one for each way of answering all the tests together.

    Undecided values are not among them: they are ways of being unknown. A list-valued fact takes the empty list and
    each single element.
    """
    column = fact_columns()[fact]
    if column.is_list:
        return [[], *([value] for value in column.values or ())]
    if column.values is not None:
        return [value for value in column.values if value not in v.UNDECIDED]
    if str(column.dtype) == "Boolean":
        return [False, True]
    return _numbers(tests, is_whole=column.dtype.is_integer(), low=column.low, high=column.high)


def distinct_values(fact: str, tests: Iterable[Range | tuple[Scalar, ...]]) -> list[Any]:
    """Return one known value for each distinct way of answering the tests."""
    tests = list(tests)
    chosen: dict[tuple[bool, ...], Any] = {}
    for value in possible_values(fact, tests):
        chosen.setdefault(tuple(_answers(test, value) for test in tests), value)
    return list(chosen.values())


def _answers(test: Range | tuple[Scalar, ...], value: Any) -> bool:
    if isinstance(test, Range):
        return test.holds(value)
    return any(item in test for item in value) if isinstance(value, list) else value in test


def _numbers(
    tests: Iterable[Range | tuple[Scalar, ...]], *, is_whole: bool, low: float | None, high: float | None
) -> list[float]:
    bounds: set[float] = set()
    for test in tests:
        if isinstance(test, Range):
            bounds.update(bound for bound in (test.gt, test.gte, test.lt, test.lte) if bound is not None)
        else:
            bounds.update(float(value) for value in test if not isinstance(value, (str, bool)))
    step = 1.0 if is_whole else _STEP
    values = {bound + offset for bound in bounds for offset in (-step, 0.0, step)} or {0.0 if low is None else low}
    kept = sorted(x for x in values if (low is None or x >= low) and (high is None or x <= high))
    return [int(x) for x in kept] if is_whole else list(kept)
