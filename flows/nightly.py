"""One unattended night: look into the drop zone, take what is complete, judge it, report, put the drops away, tell.

No Prefect here: `perform` is how a step is done, in this process or as a task.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from polars.exceptions import PanicException
from pydantic import BaseModel

from crlm_pipeline.errors import CrlmError, SourceError
from crlm_pipeline.lake import remove_other_runs
from crlm_pipeline.owner_only import owner_only
from crlm_pipeline.provenance import new_run_id, now
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from flows.access import refuse_open_access
from flows.alerts import notify, published_alerts
from flows.annotating import lake_of
from flows.arrivals import arrived
from flows.configuration import Configuration, Configured
from flows.console import DEFECT
from flows.defects import kind_and_place
from flows.drops import PROCESSED, Drop, Refused, has_processed, look, put_away, take, taken
from flows.job import Counts, Job, Tell, in_silence, ingested_file
from flows.journal import Alert, Entry, Outcome, entries, record
from flows.logs import Stage, log_end, logging_too, stage
from flows.metrics import write_metrics
from flows.run import holding
from flows.sifting import job_over, sift
from flows.status import status_of
from flows.steps import STEPS, Step
from flows.tidying import keep
from schemas.audit import Run

# How a step of a job is done: here, or as a task of a Prefect flow.
Perform = Callable[[Step, Job, Tell], Counts]
Clock = Callable[[], datetime]

NAME: Final = "nightly"
_log: Final = logging.getLogger("crlm.nightly")
# A journal counts the drops of a source that were processed under this and its name.
OF_SOURCE: Final = "drops_processed."
KILLED: Final = 128 + 9
INGEST, ANNOTATE, REPORT = STEPS


def here(step: Step, job: Job, tell: Tell) -> Counts:
    """Do a step in this process."""
    return step.do(job, tell)


def night(configured: Configured, perform: Perform = here, clock: Clock = now, tell: Tell = in_silence) -> Entry:
    """Do one night while holding the warehouse, and return its journal entry, which is on the disk by then.

    Whatever goes wrong within is in the entry (`outcome`, `exit_code`, `problem`) and not raised, so that the caller
    can tell of it. Raises `WarehouseBusyError` when another run holds the warehouse, and `SourceError` when its folder
    cannot be made, as nothing can be recorded then.
    """
    told = configured.resolved()
    warehouse = told.warehouse
    with holding(warehouse):
        if killed := _killed(warehouse, clock()):
            _close(configured, killed)
        running = Night(new_run_id(clock()), clock(), warehouse)
        outcome: Outcome = "failed"
        problem, exit_code = None, 0
        try:
            refuse_open_access(configured)
            outcome = _story(told, running, perform, clock, logging_too(running.run_id, tell))
        except CrlmError as error:
            problem, exit_code = str(error), error.exit_code
        except OSError as error:
            problem, exit_code = f"the system refused ({error.strerror}). Make room, or mend it.", SourceError.exit_code
        except (Exception, PanicException) as error:
            problem, exit_code = f"a defect of crlm-pipeline ({kind_and_place(error)}). Please report it.", DEFECT
        entry = _close(configured, running.ended(clock(), outcome, problem, exit_code))
        _note_file(warehouse).unlink(missing_ok=True)
    return entry


def job_of(told: Configuration, run_id: str | None = None) -> Job:
    """Return what a server is told once as a job without sources."""
    judging = told.judging
    settings = Settings(
        as_of=judging.as_of,
        guidelines=tuple(judging.guideline),
        judge_by=judging.judge_by,
        side_policy=judging.side_policy,
        grace_days=judging.grace_days,
        funnel_overdispersion=judging.funnel_overdispersion,
    )
    return Job(
        sources=(),
        warehouse=told.warehouse,
        report=told.report,
        mappings=tuple(map(Path, told.mapping)),
        settings=settings,
        pseudonym_key=told.pseudonym_key,
        lake=told.lake,
        scheduler=told.scheduler,
        run_id=run_id,
    )


def _story(told: Configuration, running: "Night", perform: Perform, clock: Clock, tell: Tell) -> Outcome:
    zone, job = told.drops.zone, job_of(told, running.run_id)
    if zone is None:
        raise SourceError("there is no drop zone to look into.", "Name its folder.", "drops.zone")
    with running.stage("look", tell):
        _refuse_to_begin_anew(zone, job.warehouse)
        drops, refused = _taken(zone, told, running, clock())
    is_new = False
    try:
        if drops:
            drops = _ingested(job, drops, refused, running, perform, tell)
        if drops:
            running.counts |= arrived(ingested_file(job.warehouse))
            is_new = running.counts["files"] > 0
            if not is_new:
                _discard_ingested(job)
    finally:
        # Whatever becomes of the others: the next night must not stumble over these again.
        _put_refused_away(zone, running, refused)
    if is_new:
        with running.stage(ANNOTATE.name, tell) as now_in:
            now_in.counts = perform(ANNOTATE, job, tell)
    is_published = is_new or _is_left_unfinished(job.warehouse)
    if is_published:
        running.alerts += published_alerts(job.warehouse)
        with running.stage(REPORT.name, tell) as now_in:
            now_in.counts = perform(REPORT, job, tell)
    with running.stage("put away", tell):
        for drop in drops:
            put_away(zone, running.run_id, drop, PROCESSED)
            running.count("drops_processed", f"{OF_SOURCE}{drop.source}")
    with running.stage("keep", tell):
        keep(told, clock())
    return "published" if is_published else "nothing_new"


def _taken(zone: Path, told: Configuration, running: "Night", at: datetime) -> tuple[list[Drop], list[Refused]]:
    """Take what is complete, and return it with what earlier nights left; tell of what is late or stands in the way."""
    found = look(zone, at, told.drops.settle_seconds)
    troubles = list(found.troubles)
    for drop in found.complete:
        try:
            take(zone, drop)
        except SourceError as error:
            troubles.append(str(error))
    drops, refused = taken(zone)
    running.alerts += [Alert(kind="rejected_drop", text=trouble) for trouble in troubles]
    running.counts["drops_arriving"] = len(found.arriving)
    waiting = {drop.source for drop in (*drops, *found.arriving)}
    running.alerts += _late(told.drops.expected_days, waiting, entries(told.warehouse), at)
    return drops, [*found.refused, *refused]


def _late(expected: dict[str, int], waiting: set[str], journal: Sequence[Entry], at: datetime) -> Iterator[Alert]:
    """Yield an alert for each source that has nothing waiting, and of which nothing was processed for too long.

    A source that never delivered is expected from the first night on record.
    """
    for source, days in expected.items():
        delivered = [entry.started_at for entry in journal if entry.counts.get(f"{OF_SOURCE}{source}")]
        since = max(delivered, default=journal[0].started_at if journal else at)
        if source not in waiting and at - since > timedelta(days=days):
            yield Alert(kind="missing_drop", text=f"nothing arrived since {since:%Y-%m-%d}.", about=source)


def _refuse_to_begin_anew(zone: Path, warehouse: Path) -> None:
    """Raise `SourceError` when there was a registry and is none: a night would publish its own drops as the whole."""
    if not warehouse.exists() and (
        has_processed(zone) or any(one.outcome == "published" for one in entries(warehouse))
    ):
        problem = "the warehouse that earlier nights have published is gone."
        remedy = f"Restore it from a backup. To begin a new one, move the journal and {PROCESSED} of the zone away."
        raise SourceError(problem, remedy, str(warehouse))


def _ingested(
    job: Job, drops: list[Drop], refused: list[Refused], running: "Night", perform: Perform, tell: Tell
) -> list[Drop]:
    """Ingest all drops together or, if that cannot be, those that can; return them, and add the others to `refused`."""
    try:
        with running.stage(INGEST.name, tell) as now_in:
            now_in.counts = perform(INGEST, job_over(job, drops), tell)
    except (Exception, PanicException):
        with running.stage("sift", tell):
            good, unfit = sift(job, drops, running.run_id)
        if not unfit:
            raise  # no drop is to blame
        refused += unfit
        if good:
            with running.stage(INGEST.name, tell) as now_in:
                now_in.counts = perform(INGEST, job_over(job, good), tell)
        return good
    return drops


def _discard_ingested(job: Job) -> None:
    ingested_file(job.warehouse).unlink()
    if (lake := lake_of(job.warehouse)) and job.lake:
        remove_other_runs(job.lake, keep={lake.folder})


def _put_refused_away(zone: Path, running: "Night", refused: Sequence[Refused]) -> None:
    for one in refused:
        outcome = one.outcome.removeprefix("_")
        text = f"it was {outcome}: {one.why}"
        try:
            put_away(zone, running.run_id, one.drop, one.outcome, one.why)
        except SourceError as error:
            text += f" {error}"
        running.alerts.append(Alert(kind="rejected_drop", text=text, about=one.drop.name))
        running.count(f"drops_{outcome}")


def _is_left_unfinished(warehouse: Path) -> bool:
    """Whether the last night published and was ended before it was done: what comes after is still to be done."""
    journal = entries(warehouse)
    if not journal or journal[-1].outcome != "failed" or not warehouse.exists():
        return False
    with Warehouse.open_of_any_layout(warehouse) as published:
        run_id = published.read(Run)["run_id"].item()
    unfinished = {entry.run_id for entry in _failed_since_the_last_good_one(journal)}
    return run_id in unfinished


def _failed_since_the_last_good_one(journal: Sequence[Entry]) -> Iterator[Entry]:
    for entry in reversed(journal):
        if entry.outcome != "failed":
            return
        yield entry


def _close(configured: Configured, entry: Entry) -> Entry:
    """Tell people of the end of a run and put it on record; what stands in the way of one does not keep from others."""
    told = configured.resolved()
    entry = notify(configured, entry)
    try:
        record(told.warehouse, entry)
    except OSError as error:
        problem = f"the journal cannot be written ({error.strerror}). {entry.problem or 'Make room, or mend it.'}"
        failed = {"outcome": "failed", "exit_code": entry.exit_code or SourceError.exit_code, "problem": problem}
        entry = entry.model_copy(update=failed)
    log_end(entry)
    if told.watching.metrics_file:
        try:
            write_metrics(told.watching.metrics_file, status_of(told))
        except CrlmError as error:
            _log.error("%s", error)
    return entry


@dataclass(slots=True)
class Night:
    """What is known of a night so far: nothing of a patient. The note beside the warehouse says that it is running."""

    run_id: str
    started_at: datetime
    warehouse: Path
    at: str = ""
    counts: Counts = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str, tell: Tell) -> Iterator[Stage]:
        """Be in a stage, known by name to the next night as well."""
        self.at = name
        note = Note(run_id=self.run_id, started_at=self.started_at, pid=os.getpid(), stage=name)
        with owner_only():
            _note_file(self.warehouse).write_text(note.model_dump_json(), encoding="utf-8")
        tell(name)
        with stage(self.run_id, name) as now_in:
            self.stages.append(now_in)
            yield now_in

    def count(self, *names: str) -> None:
        """Count one more of each."""
        for name in names:
            self.counts[name] = self.counts.get(name, 0) + 1

    def ended(self, at: datetime, outcome: Outcome, problem: str | None, exit_code: int) -> Entry:
        """Return the entry of the night; a stage that was done twice has the seconds of both."""
        seconds: dict[str, float] = {}
        for one in self.stages:
            seconds[one.name] = round(seconds.get(one.name, 0.0) + one.seconds, 3)
        return Entry(
            run_id=self.run_id,
            name=NAME,
            started_at=self.started_at,
            ended_at=at,
            outcome=outcome,
            exit_code=exit_code,
            stage=self.at if outcome == "failed" else None,
            problem=problem,
            counts=self.counts,
            seconds=seconds,
            alerts=tuple(self.alerts),
        )


class Note(BaseModel):
    """Says, as long as its file lies beside the warehouse, that a night is running, or was killed."""

    run_id: str
    started_at: datetime
    pid: int
    stage: str


def _note_file(warehouse: Path) -> Path:
    return warehouse.with_name(f"{warehouse.name}.running")


def _killed(warehouse: Path, at: datetime) -> Entry | None:
    """Return the entry of a night that was killed and could not write it; the caller holds the warehouse."""
    file = _note_file(warehouse)
    if not file.is_file():
        return None
    try:
        note = Note.model_validate_json(file.read_text(encoding="utf-8"))
    except ValueError:  # killed while it wrote the note
        note = Note(run_id="unknown", started_at=at, pid=0, stage="look")
    if any(entry.run_id == note.run_id for entry in entries(warehouse)):
        return None
    problem = "the run was killed: by hand, for want of memory, or as the machine went down. This one goes on with it."
    return Entry(
        run_id=note.run_id,
        name=NAME,
        started_at=note.started_at,
        ended_at=at,
        outcome="failed",
        exit_code=KILLED,
        stage=note.stage,
        problem=problem,
    )
