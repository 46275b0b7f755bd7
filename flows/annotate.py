"""Prefect flow: judges what was ingested and publishes the warehouse."""

from prefect import flow

from flows.job import Job
from flows.run import holding
from flows.tasks import annotated


@flow(name="crlm-annotate", persist_result=False)
def annotate(job: Job) -> None:
    """Judges what was ingested and publishes the warehouse."""
    with holding(job.warehouse):
        annotated(job)
