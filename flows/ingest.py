"""Prefect flow: reads the sources into `FILE.next`."""

from prefect import flow

from flows.defects import without_values
from flows.job import Job
from flows.run import holding
from flows.tasks import INGEST


@flow(name="crlm-ingest", persist_result=False)
@without_values
def ingest(job: Job) -> None:
    """Reads the sources into `FILE.next`."""
    with holding(job.warehouse):
        INGEST(job)
