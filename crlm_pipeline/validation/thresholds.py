"""How much may fail before a check has failed: data with author, date and reason (`check_thresholds.csv`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from crlm_pipeline.errors import KnowledgeError
from crlm_pipeline.resources import reference
from crlm_pipeline.validation.faults import Place
from crlm_pipeline.validation.register import Registered, register

_FILE: Final = "check_thresholds.csv"
# A lost value is one too many, an odd one may well be right.
_DEFAULTS: Final = {"error": 0.0, "warning": 1.0}


@dataclass(frozen=True, slots=True)
class Threshold:
    """The largest share of rows that may fail a check; who set it, when and why is unknown for a default."""

    max_share: float
    author: str | None = None
    set_on: date | None = None
    reason: str | None = None


def default_threshold(severity: str) -> Threshold:
    """Return the threshold of a check that none was set for."""
    return Threshold(_DEFAULTS[severity])


def thresholds() -> dict[Place, Threshold]:
    """Return the thresholds that were set, by check, table and column; see `read_thresholds`."""
    return read_thresholds(reference("check_thresholds"), register())


def read_thresholds(rows: Sequence[dict[str, str]], checks: Sequence[Registered]) -> dict[Place, Threshold]:
    """Return thresholds by check, table and column.

    Raises `KnowledgeError` for a check that is not registered, one named twice, a share outside 0 to 1, a date that is
    none, and where author or reason is missing.
    """
    known = {check.place for check in checks}
    found: dict[Place, Threshold] = {}
    for number, row in enumerate(rows, 1):
        place = (row["check_name"], row["table_name"], row["column_name"] or None)
        if place not in known:
            raise _refused(number, "expected a check, table and column of validation.")
        if place in found:
            raise _refused(number, "expected each check once.")
        if not row["author"] or not row["reason"]:
            raise _refused(number, "expected an author and a reason.")
        found[place] = Threshold(_share(row, number), row["author"], _day(row, number), row["reason"])
    return found


def _share(row: dict[str, str], number: int) -> float:
    try:
        share = float(row["max_share"])
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise _refused(number, "max_share: expected a number from 0 to 1.")
    return share


def _day(row: dict[str, str], number: int) -> date:
    try:
        return date.fromisoformat(row["date"])
    except ValueError:
        raise _refused(number, "date: expected a date such as 2026-11-25.") from None


def _refused(number: int, expected: str) -> KnowledgeError:
    return KnowledgeError(f"{_FILE}, row {number}: {expected}")
