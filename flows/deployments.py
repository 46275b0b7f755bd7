"""The flows that `prefect.yaml` deploys: what a standing server runs by the clock or on demand, each with a form.

They read the settings of the server (`flows.configuration`): no secret and nothing of a patient is a parameter.
What stands under `Args` is shown in the form.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Annotated

from polars.exceptions import PanicException
from prefect import flow, get_run_logger, tags
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from pydantic import Field

from crlm_pipeline.errors import CrlmError
from crlm_pipeline.guidelines.load import shipped_knowledge
from crlm_pipeline.provenance import now
from crlm_pipeline.report.pdf import EVERY, write_pdfs
from crlm_pipeline.resources import edition_files
from crlm_pipeline.settings import SidePolicy
from flows.alerts import notify
from flows.annotate import judge
from flows.beside import Every, beside, ends_of_periods, judged_anew
from flows.cluster import with_cluster
from flows.cohort import cohort
from flows.configuration import Configured
from flows.console import DEFECT
from flows.defects import without_values
from flows.job import Counts, Job, Tell
from flows.journal import Entry
from flows.logs import problem_of
from flows.nightly import job_of, night
from flows.reaping import process_tag
from flows.status import summary_markdown
from flows.steps import Step
from flows.tasks import REPORT, as_task

Edition = Annotated[str, Field(json_schema_extra={"enum": [file.stem for file in edition_files()]})]
Days = Annotated[int, Field(ge=0)]


def _with_time(name: str) -> Callable[[], str]:
    """Return what names a run after the time for which it was planned."""
    return lambda: f"{name} {flow_run.scheduled_start_time:%Y-%m-%d %H:%M}"


@flow(name="crlm-nightly", flow_run_name=_with_time("nightly"), persist_result=False)
@without_values
def nightly() -> State[None]:
    """Take what is complete in the drop zone, judge the registry, publish it, report and tell of what is wrong."""
    entry = night(Configured.read(), _in_flow, tell=get_run_logger().info)
    create_markdown_artifact(markdown=summary_markdown(entry), key="crlm-nightly")
    if entry.outcome == "failed":
        return Failed(message=entry.problem)
    return Completed(message=entry.outcome.replace("_", " "))


@flow(name="crlm-audit-report", flow_run_name=_with_time("audit report"), persist_result=False)
@without_values
def audit_report(pdf: bool = False) -> None:
    """Write the report of the published warehouse to a folder of its month, which no later night replaces.

    Args:
        pdf: Also write the page of each centre as PDF. Needs the extra `pdf`.
    """
    with _failure_told("audit report") as job:
        folder = job.warehouse.parent / "audit-reports" / f"{flow_run.scheduled_start_time:%Y-%m}"
        REPORT(replace(job, report=folder))
        if pdf:
            list(write_pdfs(folder, [EVERY]))


@flow(name="crlm-rejudge", flow_run_name=_with_time("rejudge"), persist_result=False)
@without_values
def rejudge() -> None:
    """Judge every decision of the published registry anew, take none from the file published before, and publish."""
    with _failure_told("rejudge") as job:
        _run(judged_anew(job))


@flow(name="crlm-what-if", flow_run_name="what-if {judge_by}", persist_result=False)
@without_values
def what_if(
    judge_by: Edition,
    as_of: date | None = None,
    grace_days: Days | None = None,
    side_policy: SidePolicy | None = None,
) -> None:
    """Judge every decision of the published registry by one edition, into files beside it: `what-if/EDITION/`.

    Args:
        judge_by: The edition that judges every decision, whatever was in force on its day.
        as_of: Day up to which facts count. None: as the server is set.
        grace_days: Days in which the older edition may count too. None: as the server is set.
        side_policy: How the transverse colon is sided. None: as the server is set.
    """
    job = job_of(Configured.read().resolved())
    settings = replace(
        job.settings,
        judge_by=shipped_knowledge().edition(judge_by).edition,
        as_of=as_of or job.settings.as_of,
        grace_days=job.settings.grace_days if grace_days is None else grace_days,
        side_policy=side_policy or job.settings.side_policy,
    )
    _run(beside(job, f"what-if/{judge_by}", settings))


@flow(name="crlm-backfill", flow_run_name="backfill {every} {first} to {last}", persist_result=False)
@without_values
def backfill(first: date, last: date, every: Every = "month") -> None:
    """Judge the registry as of the end of each period, into files beside the published ones: `backfill/DATE/`.

    Facts up to that day count, as they are known today: a correction that came later is in it.

    Args:
        first: The first day; periods that end before it are left out.
        last: The last day; periods that end after it are left out.
        every: How long a period is, by the calendar.
    """
    job = job_of(Configured.read().resolved())
    for day in ends_of_periods(first, last, every):
        _run(beside(job, f"backfill/{day}", replace(job.settings, as_of=day)))


@contextmanager
def _failure_told(name: str) -> Iterator[Job]:
    """Yield the job of the settings. Nobody waits for what runs by the clock: people are told when it fails."""
    configured, began = Configured.read(), now()
    try:
        yield job_of(configured.resolved())
    except (Exception, PanicException) as error:
        entry = Entry(
            run_id=str(flow_run.id),
            name=name,
            started_at=began,
            ended_at=now(),
            outcome="failed",
            exit_code=error.exit_code if isinstance(error, CrlmError) else DEFECT,
            stage=name,
            problem=problem_of(error),
        )
        notify(configured, entry)
        raise


def _in_flow(step: Step, job: Job, _tell: Tell) -> Counts:
    """Do a step as a task, or judge on the cluster of the settings."""
    if step.name == "annotate" and job.scheduler:
        on_cluster: Callable[[Job], Counts] = with_cluster(judge, job.scheduler)
        with tags(process_tag()):
            return on_cluster(job)
    return as_task(step)(job)


def _run(job: Job) -> None:
    with tags(process_tag()):
        with_cluster(cohort, job.scheduler)(job)
