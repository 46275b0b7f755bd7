"""The steps as Prefect tasks: few and coarse, results never persisted, parameters are paths, settings and counts.

Prefect keeps the message of an error in its records, so that a step lets out none that could hold a value.
"""

from typing import Any, Final

from prefect import Task, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from crlm_pipeline.errors import CrlmError
from flows.annotating import annotate
from flows.cluster import on_cluster
from flows.defects import without_values
from flows.job import Counts, Job
from flows.steps import STEPS, Step

RETRY_SECONDS: Final = 10


def _is_worth_retrying(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether a network share may come back; what the user must mend does not mend itself."""
    return not isinstance(state.result(raise_on_failure=False), CrlmError)


def as_task(step: Step) -> Task[[Job], Counts]:
    """Return the step as a task of the same name."""

    def do(job: Job) -> Counts:
        return without_values(step.do)(job, get_run_logger().info)

    decorated: Task[[Job], Counts] = task(
        name=step.name,
        retries=step.retries,
        retry_delay_seconds=RETRY_SECONDS,
        retry_condition_fn=_is_worth_retrying,
        cache_policy=NO_CACHE,
        persist_result=False,
    )(do)
    return decorated


INGEST, ANNOTATE, REPORT = map(as_task, STEPS)


def annotated(job: Job) -> Counts:
    """Annotate in a flow: as one task or, on a cluster, as one task per bucket of the lake."""
    if job.scheduler is None:
        return ANNOTATE(job)
    return without_values(annotate)(job, get_run_logger().info, on_cluster)
