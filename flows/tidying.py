"""What is kept only for a time, or was left behind by runs that were killed, goes; and a backup is made at night.

Never what is published, nor what a later run needs to know a delivery, a row or a deletion again.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

from crlm_pipeline.backups import HALF_MADE, back_up, backups, is_backed_up, replaced_files, restoring_file
from crlm_pipeline.keeping import forget_raw_rows, raw_rows_before
from crlm_pipeline.provenance import is_run_id, run_stamp
from crlm_pipeline.warehouse import Warehouse
from flows.configuration import Configuration
from flows.drops import PROCESSED, QUARANTINED, REJECTED
from flows.job import half_made_file, ingested_file
from flows.journal import entries, forget, journal_file
from flows.upgrading import trial_prefix
from schemas.layout import LAYOUT

# `crlm ingest` and `crlm annotate` may be called apart; what was not annotated a day later never will be.
_UNANNOTATED: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that goes: what it is and why, in words without a patient's value, and how."""

    what: str
    remove: Callable[[], object]


def keep(configuration: Configuration, now: datetime) -> list[str]:
    """Tidy and, where a folder for backups is set, back up; return what was done. The caller holds the warehouse.

    Raises `SourceError` where the disk refuses or the warehouse is not what its run recorded.
    """
    # Rows go before the backup, so that it does not hold them either; backups are counted with the new one.
    warehouse, folder = configuration.warehouse, configuration.keeping.backups
    told = _done(_rows_and_files(configuration, now))
    if folder and warehouse.is_file() and not is_backed_up(warehouse, folder):
        told.append(f"{back_up(warehouse, folder, now)}: backup")
    return [*told, *_done(_copies(configuration))]


def removals(configuration: Configuration, now: datetime) -> Iterator[Removal]:
    """Yield what is to go by `keeping.*`; paths are as they are to be opened, the time is UTC."""
    return chain(_rows_and_files(configuration, now), _copies(configuration))


def _done(found: Iterator[Removal]) -> list[str]:
    told = []
    for one in found:
        one.remove()
        told.append(one.what)
    return told


def _rows_and_files(configuration: Configuration, now: datetime) -> Iterator[Removal]:
    warehouse, keeping = configuration.warehouse, configuration.keeping
    yield from _left_behind(configuration, now)
    if keeping.raw_days:
        before = now - timedelta(days=keeping.raw_days)
        yield from _raw_rows(warehouse, before, keeping.raw_days)
        yield from _put_away(configuration.drops.zone, before, keeping.raw_days)
    yield from _journal(warehouse, now - timedelta(days=keeping.journal_days), keeping.journal_days)


def _left_behind(configuration: Configuration, now: datetime) -> Iterator[Removal]:
    """Yield what ended runs, restores and trials left beside the warehouse, which the caller holds, and in its lake."""
    warehouse = configuration.warehouse
    folder, name = warehouse.parent, warehouse.name
    unannotated = ingested_file(warehouse)
    found = [
        *folder.glob(f"{half_made_file(warehouse).name}*"),
        *folder.glob(f".{name}.*-spill-*"),
        *folder.glob(f"{trial_prefix(warehouse)}*"),
        restoring_file(warehouse),
        *(configuration.lake.glob(f"{HALF_MADE}*") if configuration.lake else ()),
        *([unannotated] if unannotated.is_file() and _changed(unannotated) < now - _UNANNOTATED else []),
    ]
    for path in found:
        if path.exists():
            yield Removal(f"{path}: left behind", partial(_remove, path))


def _raw_rows(warehouse: Path, before: datetime, days: int) -> Iterator[Removal]:
    if not warehouse.is_file() or not _has_present_layout(warehouse):
        return
    found = raw_rows_before(warehouse, before)
    if found.rejected or found.replaced:
        what = f"{found.rejected} rejected and {found.replaced} replaced rows, older than {days} days"
        yield Removal(f"{warehouse}: {what}", partial(forget_raw_rows, warehouse, before, half_made_file(warehouse)))


def _has_present_layout(warehouse: Path) -> bool:
    """Whether its rows can be forgotten here; those of an older file go once a run has written it anew."""
    with Warehouse.open_of_any_layout(warehouse) as published:
        return published.layout == LAYOUT


def _put_away(zone: Path | None, before: datetime, days: int) -> Iterator[Removal]:
    """Yield the drops of each old run; their folder has the name of the run, which begins with its start."""
    outcomes = [zone / outcome for outcome in (PROCESSED, REJECTED, QUARANTINED)] if zone else []
    for outcome in outcomes:
        for folder in sorted(outcome.glob("*")):
            if is_run_id(folder.name) and folder.name < run_stamp(before):
                yield Removal(f"{folder}: drops put away more than {days} days ago", partial(shutil.rmtree, folder))


def _journal(warehouse: Path, before: datetime, days: int) -> Iterator[Removal]:
    if old := sum(entry.ended_at < before for entry in entries(warehouse)):
        what = f"{journal_file(warehouse)}: {old} runs, recorded more than {days} days ago"
        yield Removal(what, partial(forget, warehouse, before))


def _copies(configuration: Configuration) -> Iterator[Removal]:
    kept = configuration.keeping.warehouses
    yield from _beyond(replaced_files(configuration.warehouse), kept, "replaced files")
    if folder := configuration.keeping.backups:
        yield from _beyond(backups(folder), kept, "backups")
        for path in folder.glob(f"{HALF_MADE}*"):
            yield Removal(f"{path}: left behind", partial(_remove, path))


def _beyond(copies: Sequence[Path], kept: int, what: str) -> Iterator[Removal]:
    """Yield all but the newest copies, which come first."""
    for path in copies[kept:]:
        yield Removal(f"{path}: more than {kept} {what}", partial(_remove, path))


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).replace(tzinfo=None)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
