"""The published registry judged once more: anew in its place, or by other settings into files beside it.

Nothing is delivered for it: the deliveries on record in the published warehouse are read again.
"""

from calendar import monthrange
from dataclasses import replace
from datetime import date
from typing import Final, Literal

from crlm_pipeline.errors import UsageError
from crlm_pipeline.settings import Settings
from flows.job import Job

Every = Literal["month", "quarter", "year"]
_MONTHS: Final[dict[Every, int]] = {"month": 1, "quarter": 3, "year": 12}


def judged_anew(job: Job) -> Job:
    """Return the job that judges every decision of the published warehouse anew, in its place."""
    return replace(job, sources=(), is_addition=True, is_judged_anew=True)


def beside(job: Job, name: str, settings: Settings) -> Job:
    """Return the job that judges the published registry by other settings into the folder `name` beside it.

    The folder holds `crlm.duckdb`, `report/` and, where the rows are kept in a lake, `lake/`.
    """
    folder = job.warehouse.parent / name
    return replace(
        job,
        sources=(),
        warehouse=folder / "crlm.duckdb",
        report=folder / "report",
        lake=folder / "lake" if job.lake else None,
        settings=settings,
        is_addition=True,
        builds_on=job.warehouse,
    )


def ends_of_periods(first: date, last: date, every: Every) -> tuple[date, ...]:
    """Return the last day of each calendar month, quarter or year that ends from `first` to `last`, both included.

    Raises `UsageError` where none does.
    """
    step = _MONTHS[every]
    months = ((year, month) for year in range(first.year, last.year + 1) for month in range(step, 13, step))
    ends = (date(year, month, monthrange(year, month)[1]) for year, month in months)
    found = tuple(end for end in ends if first <= end <= last)
    if not found:
        raise UsageError(f"No {every} ends from {first} to {last}. Choose a longer period.")
    return found
