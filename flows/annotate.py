"""Prefect flow: judges what was ingested and publishes the warehouse."""

from prefect import flow

from flows.defects import without_values
from flows.job import Counts, Job
from flows.run import holding
from flows.tasks import annotated


@flow(name="crlm-annotate", persist_result=False)
@without_values
def annotate(job: Job) -> None:
    """Judges what was ingested and publishes the warehouse."""
    with holding(job.warehouse):
        annotated(job)


@flow(name="crlm-judge", persist_result=False)
@without_values
def judge(job: Job) -> Counts:
    """Does the same for a flow that holds the warehouse already, with a task runner of its own."""
    return annotated(job)
