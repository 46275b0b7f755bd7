"""How things stand with a warehouse: what is published, what waits, what is wrong. Reads; changes nothing."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from crlm_pipeline import provenance
from crlm_pipeline.errors import CrlmError, SourceError
from crlm_pipeline.locking import is_held
from crlm_pipeline.printable import printable
from crlm_pipeline.warehouse import Warehouse
from flows.configuration import Configuration, Drops
from flows.counts import in_words as words
from flows.counts import shown
from flows.drops import count_taken, look
from flows.job import half_made_file, ingested_file
from flows.journal import LASTING, Alert, Entry, entries, lasting, utc
from schemas.audit import Run

# A night and a half: a timer that is off, or a server that is down, can tell nobody itself.
LONGEST_SILENCE: Final = timedelta(hours=36)
# Ages beyond are told in days.
_HOURS_TOLD: Final = 72
# Signs that mean something in Markdown, or in the HTML within.
_SIGNS: Final = re.compile(r"[\\`*_{}\[\]<>()#+!|~&-]")


# The exit code of `crlm status`; codes below are those of commands that could not do what they were asked.
SOMETHING_IS_WRONG: Final = 6


@dataclass(frozen=True, slots=True)
class Published:
    """The published warehouse: its run, totals of `sql/run/summary.sql`, and the editions that judged a decision."""

    run_id: str
    started_at: datetime
    as_of: str
    package_version: str
    status: str
    content_hash: str
    byte_count: int
    counts: dict[str, int] = field(default_factory=dict)
    editions: int = 0
    editions_verified: int = 0
    editions_signed: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many drops wait: complete, for the next run to take; still arriving; taken, and not put away."""

    complete: int
    arriving: int
    taken: int


@dataclass(frozen=True, slots=True)
class Status:
    """How things stand `at` a time; times are UTC.

    `waiting`: unknown where there is no drop zone, or it cannot be read. `alerts`: those that last, and what the last
    published run and those after it had to tell of themselves. `wrong`: these and what else is wrong, in words; empty
    when all is well. Nothing in it is about a patient.
    """

    warehouse: Path
    at: datetime
    is_running: bool
    published: Published | None
    waiting: Waiting | None
    last: Entry | None
    last_good_at: datetime | None
    alerts: tuple[Alert, ...]
    wrong: tuple[str, ...]


def status_of(configuration: Configuration, now: datetime | None = None) -> Status:
    """Return how things stand with the warehouse of a configuration, whose paths are as they are to be opened.

    Raises `SourceError` for one who may not read what belongs to it.
    """
    warehouse, now = configuration.warehouse, now or provenance.now()
    try:
        told, is_running = entries(warehouse), is_held(warehouse)
    except PermissionError:
        raise SourceError("is another user's.", "Ask as the user who runs it.", str(warehouse)) from None
    published, damage = _published(warehouse)
    waiting, trouble = _waiting(configuration.drops, now)
    good = [entry.ended_at for entry in told if entry.outcome != "failed"]
    last_good_at = good[-1] if good else published.started_at if published and not told else None
    still, own = lasting(told), _since_published(told)
    wrong = [
        *damage,
        *trouble,
        *(f"{one.alert.name}, since {utc(one.since)}: {one.alert.text}" for one in still),
        *(f"{alert.name}: {alert.text}" for alert in own),
        *_wrong_with_the_last(told, now),
    ]
    if not wrong and not is_running:
        wrong += _left_behind(warehouse)
    alerts = (*(one.alert for one in still), *own)
    last = told[-1] if told else None
    return Status(warehouse, now, is_running, published, waiting, last, last_good_at, alerts, tuple(wrong))


def _published(warehouse: Path) -> tuple[Published | None, list[str]]:
    """Return what is published, and what is wrong with it."""
    if not warehouse.is_file():
        return None, ["nothing is published yet."]
    try:
        with Warehouse.open_readonly(warehouse) as opened:
            run = opened.read(Run).row(0, named=True)
            totals = opened.query("run/summary").row(0, named=True)
            editions = opened.query("report/editions")
    except CrlmError as error:
        return None, [str(error)]
    return (
        Published(
            run_id=run["run_id"],
            started_at=run["started_at"],
            as_of=str(run["as_of"]),
            package_version=run["package_version"],
            status=run["status"],
            content_hash=run["content_hash"],
            byte_count=warehouse.stat().st_size,
            counts={name: count for name, count in totals.items() if type(count) is int},
            editions=editions.height,
            editions_verified=editions.filter(state="verified").height,
            editions_signed=int(editions["is_signed"].sum()),
        ),
        [],
    )


def _waiting(drops: Drops, now: datetime) -> tuple[Waiting | None, list[str]]:
    """Return what waits in the drop zone, and what stands in the way of a look into it."""
    if drops.zone is None:
        return None, []
    try:
        found = look(drops.zone, now, drops.settle_seconds)
    except SourceError as error:
        return None, [str(error)]
    complete = len(found.complete) + len(found.refused)
    return Waiting(complete, len(found.arriving), count_taken(drops.zone)), list(found.troubles)


def _wrong_with_the_last(told: Sequence[Entry], now: datetime) -> Iterator[str]:
    for last in told[-1:]:
        if last.addresses_missed:
            every = last.addresses_reached + last.addresses_missed
            yield f"the last alerts did not reach {last.addresses_missed} of {every} addresses; the log says which."
        if now - last.ended_at > LONGEST_SILENCE:
            yield f"no run has ended since {utc(last.ended_at)}. See that the timer, or the server, is on."


def _since_published(told: Sequence[Entry]) -> list[Alert]:
    """Return what the last published run and those after it had to tell of themselves alone."""
    not_published = list(takewhile(lambda entry: entry.outcome != "published", reversed(told)))
    since = told[-len(not_published) - 1 :]
    return list(dict.fromkeys(alert for entry in since for alert in entry.alerts if alert.kind not in LASTING))


def _left_behind(warehouse: Path) -> Iterator[str]:
    if half_made_file(warehouse).is_file():
        yield f"{half_made_file(warehouse).name} was left by a run that was killed; the next run takes its place."
    if ingested_file(warehouse).is_file():
        yield f"{ingested_file(warehouse).name} is ingested and was not judged. Run it anew, or `crlm annotate`."


def as_json(status: Status) -> dict[str, Any]:
    """Return the status for machines; a count that may not be shown is null."""
    published, last = status.published, status.last
    return {
        "is_fine": not status.wrong,
        "warehouse": str(status.warehouse),
        "is_running": status.is_running,
        "last_good_at": status.last_good_at,
        "last": last and {"run_id": last.run_id, "ended_at": last.ended_at, "outcome": last.outcome},
        "waiting": status.waiting and asdict(status.waiting),
        "published": published and asdict(published) | {"counts": shown(published.counts)},
        "wrong": list(status.wrong),
    }


def in_words(status: Status) -> str:
    """Return the status as it is printed."""
    running = "; a run holds it now" if status.is_running else ""
    lines = [f"{status.warehouse}: {'something is wrong' if status.wrong else 'all is well'}{running}"]
    good = (
        f"{utc(status.last_good_at)}, {_age(status.at - status.last_good_at)} ago"
        if status.last_good_at
        else "none yet"
    )
    lines += [f"last good run  {good}", *_published_lines(status.published)]
    if status.waiting:
        waiting = asdict(status.waiting).items()
        lines.append(f"drops waiting  {', '.join(f'{count} {state}' for state, count in waiting)}")
    return "\n".join([*lines, *(f"wrong          {problem}" for problem in status.wrong)])


def _published_lines(published: Published | None) -> list[str]:
    if published is None:
        return []
    counts = {name: words(count) for name, count in shown(published.counts).items()}
    return [
        f"published      run {published.run_id} as of {published.as_of}, {published.status}, by version "
        f"{published.package_version}; content {published.content_hash[:16]}, {published.byte_count / 1e6:,.1f} MB",
        f"editions       {published.editions} judged, {published.editions_verified} of them verified and "
        f"{published.editions_signed} signed",
        f"rows           {counts['rows_read']} read = {counts['rows_accepted']} accepted + "
        f"{counts['rows_rejected']} rejected + {counts['rows_duplicate']} duplicate",
        f"patients       {counts['patients']}, with {counts['decisions']} decisions",
    ]


def _age(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours} hours" if hours < _HOURS_TOLD else f"{hours // 24} days"


def summary_markdown(entry: Entry) -> str:
    """Return what became of a run as Markdown, to be kept by an orchestrator: no count that may not be shown."""
    told = [f"Run {entry.run_id}: {entry.outcome.replace('_', ' ')}, exit code {entry.exit_code}."]
    if entry.problem:
        told += ["", f"**{_plain(entry.stage or 'Run')}**: {_plain(entry.problem)}"]
    told += [line for alert in entry.alerts for line in ("", f"**{_plain(alert.name)}**: {_plain(alert.text)}")]
    for heading, rows in (
        (("stage", "seconds"), [(name, f"{seconds:,.1f}") for name, seconds in entry.seconds.items()]),
        (("count", "n"), [(name, words(count)) for name, count in shown(entry.counts).items()]),
    ):
        if rows:
            told += ["", *(f"| {left} | {right} |" for left, right in (heading, ("---", "---:"), *rows))]
    return "\n".join(told)


def _plain(text: str) -> str:
    """Return text that Markdown shows as it stands; names of files may hold anything."""
    return _SIGNS.sub(r"\\\g<0>", printable(text))
