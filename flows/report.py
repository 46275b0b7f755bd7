"""Prefect flow: writes the report of the published warehouse."""

from prefect import flow

from flows.job import Job
from flows.tasks import REPORT


@flow(name="crlm-report", persist_result=False)
def report(job: Job) -> None:
    """Writes the report of the published warehouse."""
    REPORT(job)
