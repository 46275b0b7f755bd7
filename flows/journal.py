"""What became of every unattended run, beside the warehouse: `FILE.journal.jsonl`, a line for each run that ended.

`audit.run` knows the published run alone; what failed published nothing, so that only the journal knows of it.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from crlm_pipeline.owner_only import owner_only

AlertKind = Literal["failure", "rejected_share", "missing_drop", "rejected_drop", "data_quality", "verdict_shift"]
Outcome = Literal["published", "nothing_new", "failed"]
_SUFFIX: Final = ".journal.jsonl"


class Alert(BaseModel):
    """Something that a person must know: its kind, and a sentence that holds nothing of a patient."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: AlertKind
    text: str


class Entry(BaseModel):
    """A run that ended: counts, seconds by stage and words for the operator, nothing of a patient; times are UTC.

    `stage`: where a failed run was; `problem`: what to mend, in the words of the error; both unknown otherwise.
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


def journal_file(warehouse: Path) -> Path:
    """Return the journal of a warehouse."""
    return warehouse.with_name(warehouse.name + _SUFFIX)


def record(warehouse: Path, entry: Entry) -> None:
    """Add an entry and wait until it is on the disk; the caller holds the warehouse."""
    with owner_only(), journal_file(warehouse).open("a", encoding="utf-8") as journal:
        journal.write(f"{entry.model_dump_json()}\n")
        journal.flush()
        os.fsync(journal.fileno())


def entries(warehouse: Path) -> list[Entry]:
    """Return all entries, the oldest first; none where there is no journal. A last line cut short is passed over."""
    file = journal_file(warehouse)
    if not file.is_file():
        return []
    whole_lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    return [Entry.model_validate_json(line) for line in whole_lines]
