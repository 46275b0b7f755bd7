"""What became of every unattended run, beside the warehouse: `FILE.journal.jsonl`, a line for each run that ended.

`audit.run` knows the published run alone; what failed published nothing, so that only the journal knows of it.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from crlm_pipeline.owner_only import owner_only

AlertKind = Literal["failure", "rejected_share", "missing_drop", "rejected_drop", "data_quality", "verdict_shift"]
Outcome = Literal["published", "nothing_new", "failed"]
_SUFFIX: Final = ".journal.jsonl"
_LINE_END: Final = "\n"


# What stays wrong until a run finds it mended; the other kinds tell of one run.
LASTING: Final = ("failure", "missing_drop", "rejected_share")


class Alert(BaseModel):
    """Something that a person must know: its kind, and a sentence that holds nothing of a patient.

    `about`: what it concerns where there may be several of the kind, such as the source that is late; one that is told
    again about the same is the same alert, whatever its words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: AlertKind
    text: str
    about: str = ""

    @property
    def key(self) -> tuple[AlertKind, str]:
        """What makes it the same alert in another run."""
        return self.kind, self.about

    @property
    def name(self) -> str:
        """What it is called where it is told."""
        name = self.kind.replace("_", " ").capitalize()
        return f"{name} ({self.about})" if self.about else name


@dataclass(frozen=True, slots=True)
class Lasting:
    """An alert that no run has found mended yet, in the words of the last one, and the end of the first that told."""

    alert: Alert
    since: datetime


class Entry(BaseModel):
    """A run that ended: counts, seconds by stage and words for the operator, nothing of a patient; times are UTC.

    `stage`: where a failed run was; `problem`: what to mend, in the words of the error; both unknown otherwise.
    `addresses_reached`, `addresses_missed`: to how many addresses its alerts were delivered, and to how many not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_id: str
    name: str
    started_at: datetime
    ended_at: datetime
    outcome: Outcome
    exit_code: int = 0
    stage: str | None = None
    problem: str | None = None
    counts: dict[str, int] = {}
    seconds: dict[str, float] = {}
    alerts: tuple[Alert, ...] = ()
    addresses_reached: int = 0
    addresses_missed: int = 0


def utc(time: datetime) -> str:
    """Return a time of the journal as it is told."""
    return f"{time:%Y-%m-%d %H:%M} UTC"


def journal_file(warehouse: Path) -> Path:
    """Return the journal of a warehouse."""
    return warehouse.with_name(warehouse.name + _SUFFIX)


def record(warehouse: Path, entry: Entry) -> None:
    """Add an entry and wait until it is on the disk; the caller holds the warehouse."""
    with owner_only(), journal_file(warehouse).open("ab+") as journal:
        # A run that died while it wrote left half a line, to which nothing may be added.
        is_whole = journal.tell() == 0 or (journal.seek(-1, os.SEEK_END) and journal.read() == b"\n")
        journal.write(f"{'' if is_whole else _LINE_END}{entry.model_dump_json()}{_LINE_END}".encode())
        journal.flush()
        os.fsync(journal.fileno())


def entries(warehouse: Path) -> list[Entry]:
    """Return all entries, the oldest first; none where there is no journal.

    A line that was cut short, or that another version wrote in another form, is passed over.
    """
    file = journal_file(warehouse)
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8", errors="replace").split(_LINE_END)
    return [entry for entry in map(_entry, lines) if entry]


def _entry(line: str) -> Entry | None:
    try:
        return Entry.model_validate_json(line)
    except ValidationError:
        return None


def forget(warehouse: Path, before: datetime) -> None:
    """Write the journal anew without the entries of runs that ended earlier; the caller holds the warehouse."""
    kept = [entry for entry in entries(warehouse) if entry.ended_at >= before]
    file = journal_file(warehouse)
    half_written = file.with_name(f"{file.name}.half-written")
    with owner_only(), half_written.open("w", encoding="utf-8") as journal:
        journal.writelines(f"{entry.model_dump_json()}{_LINE_END}" for entry in kept)
        journal.flush()
        os.fsync(journal.fileno())
    half_written.replace(file)


def lasting(told: Iterable[Entry]) -> list[Lasting]:
    """Return what is still wrong after these runs, the oldest of which comes first.

    Only a published run mends a failure or a rejected share; any run that did not fail has looked for what is missing.
    """
    wrong: dict[tuple[AlertKind, str], Lasting] = {}
    for entry in told:
        alerts = {alert.key: alert for alert in entry.alerts if alert.kind in LASTING}
        is_mended = {"failure": entry.outcome == "published", "rejected_share": entry.outcome == "published"}
        has_looked = entry.outcome != "failed"
        left = {key: one for key, one in wrong.items() if not is_mended.get(key[0], has_looked)}
        since = {key: one.since for key, one in wrong.items()}
        wrong = left | {key: Lasting(alert, since.get(key, entry.ended_at)) for key, alert in alerts.items()}
    return list(wrong.values())
