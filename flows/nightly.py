"""One unattended night: look into the drop zone, take what is complete, judge it, report, put the drops away, tell.

No Prefect here: `perform` is how a step is done, in this process or as a task.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from flows.configuration import Configured
from flows.job import Counts, Job, Tell, in_silence
from flows.journal import Entry
from flows.steps import Step

# How a step of a job is done: here, or as a task of a Prefect flow.
Perform = Callable[[Step, Job, Tell], Counts]
Clock = Callable[[], datetime]


def here(step: Step, job: Job, tell: Tell) -> Counts:
    """Do a step in this process."""
    return step.do(job, tell)


def now() -> datetime:
    """Return the time, UTC, without a zone as everywhere in the warehouse."""
    return datetime.now(tz=UTC).replace(tzinfo=None)


def night(configured: Configured, perform: Perform = here, clock: Clock = now, tell: Tell = in_silence) -> Entry:
    """Do one night while holding the warehouse, and return its journal entry, which is on the disk by then.

    Whatever goes wrong within is in the entry (`outcome`, `exit_code`, `problem`) and not raised, so that the caller
    can tell of it. Raises `WarehouseBusyError` when another run holds the warehouse, as nothing may be recorded then.
    """
    raise NotImplementedError
