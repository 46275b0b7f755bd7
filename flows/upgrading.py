"""A published warehouse written anew by this version, from its own record of what was delivered."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from crlm_pipeline.backups import replaced_file, set_aside
from crlm_pipeline.migrations import check_conserved
from crlm_pipeline.warehouse import Warehouse
from flows.counts import in_words, shown
from flows.job import Job, Tell, half_made_file, in_silence, ingested_file
from flows.run import holding
from flows.steps import STEPS, Step
from schemas.audit import Run, VerdictShift

MOVED: Final = ("series", "setting", "verdict", "before", "now", "moved by")

_INGEST, _ANNOTATE, _REPORT = STEPS


def upgrade(job: Job, now: datetime, tell: Tell = in_silence) -> Path:
    """Read what is on record, judge it, publish and report it; return where the replaced file is kept.

    Nothing is published unless every delivery, deletion and row on record is conserved. Raises `SourceError` where an
    older version kept no record, and as a run does.
    """
    with holding(job.warehouse):
        kept = _upgraded(job, _recorded_lake(job.warehouse), now, tell)
        _do(_REPORT, job, tell)
    return kept


@contextmanager
def tried(job: Job, now: datetime, tell: Tell = in_silence) -> Iterator[Path]:
    """Yield what an upgrade would publish, without a report, and remove it afterwards.

    It is done in a folder of its own, so that the published warehouse is only read.
    """
    prefix = trial_prefix(job.warehouse)
    with holding(job.warehouse), TemporaryDirectory(prefix=prefix, dir=job.warehouse.parent) as name:
        folder = Path(name)
        trial = set_aside(job.warehouse, folder / job.warehouse.name)
        lake = folder / "lake" if _recorded_lake(trial) else None
        _upgraded(replace(job, warehouse=trial), lake, now, tell)
        yield trial


def moved(upgraded: Path) -> list[tuple[str, ...]] | None:
    """Return which verdicts the upgrade gives more or less often, and by what, as rows of `MOVED`; small counts hidden.

    A verdict that is not here is given as often as before. None where the file before could not be compared.
    """
    with Warehouse.open_readonly(upgraded) as warehouse:
        if not warehouse.count(VerdictShift):
            return None
        rows = warehouse.query("verdict_shift/moved").iter_rows(named=True)
        return [
            (row["guideline"], row["setting"], row["verdict"], *_before_and_now(row), row["moved_by"]) for row in rows
        ]


def _before_and_now(row: Mapping[str, Any]) -> Iterator[str]:
    return map(in_words, shown({"before": row["n_before"], "now": row["n"]}).values())


def trial_prefix(warehouse: Path) -> str:
    """Return how the name of the folder begins in which an upgrade is tried."""
    return f".{warehouse.name}-upgrade-"


def _upgraded(job: Job, lake: Path | None, now: datetime, tell: Tell) -> Path:
    addition = replace(job, sources=(), is_addition=True, lake=lake)
    _do(_INGEST, addition, tell)
    check_conserved(job.warehouse, ingested_file(job.warehouse), half_made_file(job.warehouse))
    kept = set_aside(job.warehouse, replaced_file(job.warehouse, now))
    _do(_ANNOTATE, addition, tell)
    return kept


def _recorded_lake(warehouse: Path) -> Path | None:
    """Return the folder in which the published warehouse keeps the rows of patients."""
    with Warehouse.open_of_any_layout(warehouse) as published:
        lake = published.read(Run)["lake"].item()
    return Path(lake).parent if lake else None


def _do(step: Step, job: Job, tell: Tell) -> None:
    tell(step.name)
    step.do(job, tell)
