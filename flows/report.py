"""Prefect flow: writes the report of the published warehouse."""

from prefect import flow

from flows.defects import without_values
from flows.job import Job
from flows.tasks import REPORT


@flow(name="crlm-report", persist_result=False)
@without_values
def report(job: Job) -> None:
    """Writes the report of the published warehouse."""
    REPORT(job)
