"""The direct runner: the steps one after the other in this process, without Prefect."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from crlm_pipeline.errors import SourceError
from crlm_pipeline.locking import lock
from crlm_pipeline.owner_only import owner_only
from crlm_pipeline.provenance import new_run_id, now
from flows.job import Job, Tell, in_silence
from flows.logs import Stage, logging_too, stage
from flows.steps import STEPS, Step


def run(job: Job, steps: Sequence[Step] = STEPS, tell: Tell = in_silence, stages: list[Stage] | None = None) -> None:
    """Do the steps of a job while holding its warehouse; `tell` hears the name of each step, and how far it is.

    To `stages`, each stage is added as it begins.
    """
    run_id = job.run_id or new_run_id(now())
    job = replace(job, run_id=run_id)
    with holding(job.warehouse):
        for step in steps:
            tell(step.name)
            with stage(run_id, step.name) as doing:
                if stages is not None:
                    stages.append(doing)
                doing.counts = step.do(job, logging_too(run_id, tell))


@contextmanager
def holding(warehouse: Path) -> Iterator[None]:
    """Hold the right to write the warehouse; its folder is made if there is none.

    Raises `WarehouseBusyError` when another run holds it, `SourceError` when the folder cannot be made.
    """
    try:
        with owner_only():
            warehouse.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"its folder cannot be made ({error.strerror})."
        raise SourceError(problem, "Choose another place with --warehouse.", str(warehouse)) from None
    with lock(warehouse):
        yield
