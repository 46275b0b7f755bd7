"""A run that was started by hand or by cron and is watched: it is logged, and leaves metrics of how it ended."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from crlm_pipeline.errors import CrlmError, WarehouseBusyError
from crlm_pipeline.provenance import new_run_id, now
from flows.configuration import Configuration
from flows.job import Job
from flows.journal import Entry
from flows.logs import LogFormat, Stage, log_end, log_to_stderr, problem_of


@contextmanager
def watched(job: Job, log_format: LogFormat | None, metrics_file: Path | None) -> Iterator[tuple[Job, list[Stage]]]:
    """Yield the job with the id of its run, and the list that its stages are to be added to; on leaving, tell the end.

    What is raised within goes on. A run that found the warehouse held leaves the metrics to the one that holds it.
    """
    if log_format:
        log_to_stderr(log_format)
    started_at, stages = now(), list[Stage]()
    run_id = new_run_id(started_at)
    entry = Entry(run_id=run_id, name="run", started_at=started_at, ended_at=started_at, outcome="published")
    try:
        yield replace(job, run_id=run_id), stages
    except WarehouseBusyError:
        raise
    except BaseException as error:
        with suppress(CrlmError):  # what the run failed of is to be told, not that its metrics cannot be written
            _leave(job.warehouse, _failed(entry, stages, error), stages, metrics_file)
        raise
    _leave(job.warehouse, entry, stages, metrics_file)


def _failed(entry: Entry, stages: Sequence[Stage], error: BaseException) -> Entry:
    told = {
        "outcome": "failed",
        "exit_code": error.exit_code if isinstance(error, CrlmError) else 1,
        "stage": stages[-1].name if stages else None,
        "problem": problem_of(error),
    }
    return entry.model_copy(update=told)


def _leave(warehouse: Path, entry: Entry, stages: Sequence[Stage], metrics_file: Path | None) -> None:
    entry = entry.model_copy(update={"ended_at": now(), "seconds": {one.name: one.seconds for one in stages}})
    log_end(entry)
    if metrics_file:
        from flows.metrics import write_metrics  # noqa: PLC0415  # slow to import
        from flows.status import status_of  # noqa: PLC0415

        status = status_of(Configuration(warehouse=warehouse))
        good_at = status.last_good_at if entry.outcome == "failed" else entry.ended_at
        write_metrics(metrics_file, replace(status, last=entry, last_good_at=good_at))
