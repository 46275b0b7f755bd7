"""Prefect flow: a whole run, from the sources to the report."""

from prefect import flow

from flows.defects import without_values
from flows.job import Job
from flows.run import holding
from flows.tasks import INGEST, REPORT, annotated


@flow(name="crlm-cohort", persist_result=False)
@without_values
def cohort(job: Job) -> None:
    """Ingest, annotate and report while holding the warehouse."""
    with holding(job.warehouse):
        INGEST(job)
        annotated(job)
        REPORT(job)
