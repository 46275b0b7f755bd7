"""Three-valued truth of conditions, one decision at a time: true, false, or unknown (None), by Kleene's tables.

This is the plain evaluator: it explains decisions to readers and is the oracle that the vectorised one is held against.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from crlm_pipeline.guidelines.model import UNKNOWN, Conditions, Range, Rule, Scalar
from schemas import vocabulary as v

Truth = bool | None
Facts = Mapping[str, Any]


class Reading(Enum):
    """How a condition reads an unknown fact."""

    LADDER = "ladder"  # unknown makes the condition unknown; undecided values are as good as unknown
    KNOWN = "known"  # unknown makes it false
    SAFETY = "safety"  # the condition may ask for unknown, and sees the undecided values it names


def both(truths: Iterable[Truth]) -> Truth:
    """Return whether all hold: false wins over unknown, unknown over true."""
    result: Truth = True
    for truth in truths:
        if truth is False:
            return False
        if truth is None:
            result = None
    return result


def either(truths: Iterable[Truth]) -> Truth:
    """Return whether one holds: true wins over unknown, unknown over false."""
    result: Truth = False
    for truth in truths:
        if truth is True:
            return True
        if truth is None:
            result = None
    return result


def holds(test: Range | tuple[Scalar, ...], value: Any, reading: Reading) -> Truth:
    """Return whether one fact meets one test under the given reading."""
    if reading is Reading.SAFETY:
        return _holds_for_safety(test, value)
    if is_unknown(value):
        return None if reading is Reading.LADDER else False
    return _meets(test, value)


def is_unknown(value: Any) -> bool:
    """Whether a fact of this value is unknown to a ladder; undecided values are."""
    return value is None or value in v.UNDECIDED


def _holds_for_safety(test: Range | tuple[Scalar, ...], value: Any) -> Truth:
    if isinstance(test, Range):
        return None if value is None else test.holds(value)
    if value is None:
        return True if UNKNOWN in test else None
    if value in v.UNDECIDED and value not in test:
        # A conflict is not `unknown`; to a rule that asks for neither it leaves the matter open.
        return False if UNKNOWN in test else None
    return _meets(test, value)


def _meets(test: Range | tuple[Scalar, ...], value: Any) -> bool:
    if isinstance(test, Range):
        return test.holds(value)
    if isinstance(value, (list, tuple)):
        return any(item in test for item in value)
    return value in test


def conjunction(conditions: Conditions, facts: Facts, reading: Reading) -> Truth:
    """Return whether every condition holds."""
    return both(holds(test, facts.get(name), reading) for name, test in conditions.items())


def rule_truth(rule: Rule, facts: Facts) -> Truth:
    """Return whether the rule applies: all of `when` and `known`, and one of `any` if it states alternatives."""
    reading = Reading.LADDER if is_read_as_ladder(rule) else Reading.SAFETY
    known: Conditions = getattr(rule, "known", {})
    parts = [conjunction(rule.when, facts, reading), conjunction(known, facts, Reading.KNOWN)]
    if rule.any:
        parts.append(either(conjunction(alternative, facts, reading) for alternative in rule.any))
    return both(parts)


def is_read_as_ladder(rule: Rule) -> bool:
    """Whether unknown facts leave the rule open (ladder rules and label wordings) or may be asked for."""
    return not hasattr(rule, "given") and not hasattr(rule, "by")
