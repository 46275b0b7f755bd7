"""The drop zone: a folder for each source, in which deliveries arrive; what is done with lies apart from it.

A drop is a file or a folder directly in a source's folder. Once it is complete it is taken: moved to
`ZONE/_taken/<source>/NAME/`, where its sender can change it no more. What became of it is where it lies afterwards:
`ZONE/_processed/<run_id>/<source>/NAME/`, and so `_rejected` and `_quarantined`, beside a `NAME.why.txt`. Everything is
renamed within one file system, so that a night that is killed leaves each drop in one place or in the other.
"""

import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from crlm_pipeline.errors import SourceError
from crlm_pipeline.owner_only import owner_only
from crlm_pipeline.printable import printable
from crlm_pipeline.publishing import flush

TAKEN: Final = "_taken"
PROCESSED: Final = "_processed"
REJECTED: Final = "_rejected"
QUARANTINED: Final = "_quarantined"

MARKER: Final = "_COMPLETE"
MARKER_ENDING: Final = ".complete"
MANIFEST: Final = "manifest.sha256"
MANIFEST_ENDING: Final = ".sha256"
WHY: Final = ".why.txt"
_UNFINISHED: Final = (".part", ".tmp", ".filepart")
# A transfer that broke off may be taken up again for so long; the rest of a drop is waited for no longer.
GIVEN_UP_AFTER_SECONDS: Final = 24 * 3600

_LINE: Final = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")


@dataclass(frozen=True, slots=True)
class Drop:
    """A delivery: the source that it is from, and its file or folder; once it is taken, always a folder."""

    source: str
    path: Path

    @property
    def name(self) -> str:
        """Source and name, for people."""
        return printable(f"{self.source}/{self.path.name}")


@dataclass(frozen=True, slots=True)
class Refused:
    """A drop that is not taken in: where it is put (`REJECTED`, `QUARANTINED`), and why, without a patient's value."""

    drop: Drop
    outcome: str
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a look into the zone found; nothing was moved.

    `complete`: in the order in which they are to be taken; `arriving`: how many are not complete yet; `troubles`: what
    stands in the way of a look, in words.
    """

    complete: tuple[Drop, ...]
    refused: tuple[Refused, ...]
    arriving: tuple[Drop, ...]
    troubles: tuple[str, ...]


class _BadDropError(Exception):
    """A drop that can never be taken in; its text says why."""


def look(zone: Path, now: datetime, settle_seconds: float) -> Found:
    """Look what lies in the zone. Raises `SourceError` when there is no such folder, or it cannot be read.

    `now`: UTC without a zone. What earlier nights have taken and not put away is not looked at (`taken`).
    """
    complete: list[Drop] = []
    refused: list[Refused] = []
    arriving: list[Drop] = []
    troubles: list[str] = []
    for folder in _source_folders(zone):
        if folder.is_symlink():
            troubles.append(f"{printable(folder.name)}: is a link and is not followed. Make it a folder of the zone.")
            continue
        try:
            drops = [Drop(folder.name, path) for path in _entries(folder) if _is_drop(path)]
        except OSError as error:
            troubles.append(f"{printable(folder.name)}: the folder cannot be read ({error.strerror}).")
            continue
        for drop in drops:
            try:
                found = complete if _is_complete(drop.path, now, settle_seconds) else arriving
                found.append(drop)
            except _BadDropError as error:
                refused.append(Refused(drop, REJECTED, str(error)))
            except OSError as error:
                troubles.append(f"{drop.name}: cannot be read ({error.strerror}).")
    return Found(tuple(sorted(complete, key=_age)), tuple(refused), tuple(arriving), tuple(troubles))


def take(zone: Path, drop: Drop) -> Drop:
    """Move a drop to where its sender can change it no more, as a folder in which marker and manifest are hidden.

    Raises `SourceError` when it cannot be moved, or one of the same name was taken and is not put away yet.
    """
    target = zone / TAKEN / drop.source / drop.path.name
    marker, manifest = _beside(drop.path, MARKER_ENDING), _beside(drop.path, MANIFEST_ENDING)
    if target.exists():
        raise SourceError("one of this name is not put away yet.", "It is taken when that is done.", drop.name)
    try:
        # Before the drop itself: a marker left behind would call a later drop of this name complete.
        if marker.is_file():
            marker.unlink()
        with owner_only():
            target.parent.mkdir(parents=True, exist_ok=True)
            if not drop.path.is_dir():
                target.mkdir()
        if drop.path.is_dir():
            drop.path.rename(target)
        else:
            if manifest.is_file():
                manifest.rename(target / f".{MANIFEST}")
            drop.path.rename(target / drop.path.name)
        _hide_signs(target)
        flush(target)
        flush(target.parent)
        flush(drop.path.parent)
    except OSError as error:
        raise _immovable(drop, error) from None
    return Drop(drop.source, target)


def taken(zone: Path) -> tuple[list[Drop], list[Refused]]:
    """Return what was taken and is not put away, the oldest first, and what of it cannot be taken in.

    A night that was killed, or failed, may have left some.
    """
    drops: list[Drop] = []
    refused: list[Refused] = []
    for source in _folders(zone / TAKEN):
        for folder in _folders(source):
            drop = Drop(source.name, folder)
            try:
                # What its sender may have changed until it was taken.
                is_empty = not dict(_files(folder))
            except _BadDropError as error:
                refused.append(Refused(drop, REJECTED, str(error)))
                continue
            if is_empty:
                # Nothing but its folder was made when the night was killed: the drop still lies in the zone.
                shutil.rmtree(folder)
                continue
            _hide_signs(folder)
            drops.append(drop)
    return sorted(drops, key=_age), refused


def count_taken(zone: Path) -> int:
    """Return how many drops were taken and are not put away; changes nothing."""
    return sum(1 for source in _folders(zone / TAKEN) for _ in _folders(source))


def put_away(zone: Path, run_id: str, drop: Drop, outcome: str, why: str | None = None) -> None:
    """Move a drop to its outcome's folder for the run, with a file that says why if it was refused.

    Raises `SourceError` when it cannot be moved.
    """
    folder = zone / outcome / run_id / drop.source
    try:
        with owner_only():
            folder.mkdir(parents=True, exist_ok=True)
            if why:
                (folder / f"{drop.path.name}{WHY}").write_text(f"{why}\n", encoding="utf-8")
        marker, manifest = _beside(drop.path, MARKER_ENDING), _beside(drop.path, MANIFEST_ENDING)
        if marker.is_file():
            marker.unlink()
        drop.path.rename(folder / drop.path.name)
        if manifest.is_file():
            manifest.rename(folder / manifest.name)
        for changed in (drop.path.parent, folder, folder.parent, folder.parent.parent, zone):
            flush(changed)
    except OSError as error:
        raise _immovable(drop, error) from None


def _immovable(drop: Drop, error: OSError) -> SourceError:
    problem = f"cannot be moved ({error.strerror})."
    return SourceError(problem, "Let crlm write to it, on one file system with the zone.", drop.name)


def has_processed(zone: Path) -> bool:
    """Whether any drop was processed before, as the folders tell."""
    return any(_folders(zone / PROCESSED))


def _source_folders(zone: Path) -> list[Path]:
    try:
        return [entry for entry in _entries(zone) if not entry.name.startswith("_") and entry.is_dir()]
    except OSError as error:
        problem = f"the drop zone cannot be read ({error.strerror})."
        raise SourceError(problem, "Make the folder, or correct drops.zone.", str(zone)) from None


def _folders(parent: Path) -> list[Path]:
    return [entry for entry in _entries(parent) if entry.is_dir()] if parent.is_dir() else []


def _entries(folder: Path) -> list[Path]:
    """Return what a folder holds, but for hidden entries."""
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _is_drop(path: Path) -> bool:
    is_sign = path.name.endswith((MARKER_ENDING, MANIFEST_ENDING)) and not path.is_dir()
    return not (path.name.startswith("_") or is_sign or path.suffix in _UNFINISHED)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _is_complete(path: Path, now: datetime, settle_seconds: float) -> bool:
    """Whether nothing is to come any more. Raises `_BadDropError` for what can never be taken in."""
    files = dict(_files(path))
    # Hidden files and folders too: a transfer may write to a hidden file first.
    quiet = now.replace(tzinfo=UTC).timestamp() - max(map(_changed, (path, *path.rglob("*"))))
    is_marked = _beside(path, MARKER_ENDING).exists() or (path / MARKER).exists()
    missing = sorted(name for name in files if name.endswith(_UNFINISHED))
    wrong: list[str] = []
    manifest = path / MANIFEST if path.is_dir() else _beside(path, MANIFEST_ENDING)
    if manifest.is_file():
        listed, wrong = _listed(manifest)
        missing += sorted(listed.keys() - files.keys())
        if not missing:
            wrong += _differing(listed, files)
    # A file that is still written has a wrong sum as well, so that nothing is refused before it has settled.
    if missing and (is_marked or quiet >= GIVEN_UP_AFTER_SECONDS):
        raise _BadDropError(f"{printable(missing[0])}: is not there, or not whole. Deliver all of it anew.")
    if wrong and (is_marked or quiet >= settle_seconds):
        raise _BadDropError(f"{printable(wrong[0])} Deliver all of it anew.")
    is_settled = is_marked or manifest.is_file() or quiet >= settle_seconds
    return is_settled and bool(files) and not missing and not wrong


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files of a drop by their names within it, but for hidden ones, marker and manifest."""
    if path.is_symlink():
        raise _BadDropError("is a link, which is not followed. Deliver the file itself.")
    if path.is_file():
        yield path.name, path
        return
    if not path.is_dir():
        raise _BadDropError("is neither a file nor a folder.")
    for entry in sorted(path.rglob("*")):
        name = entry.relative_to(path).as_posix()
        if entry.is_symlink():
            raise _BadDropError(f"{printable(name)}: is a link, which is not followed. Deliver the file itself.")
        if not (entry.is_dir() or entry.is_file()):
            raise _BadDropError(f"{printable(name)}: is neither a file nor a folder.")
        is_hidden = any(part.startswith(".") for part in entry.relative_to(path).parts)
        if entry.is_file() and not is_hidden and name not in (MARKER, MANIFEST):
            yield name, entry


def _changed(path: Path) -> float:
    """Return when an entry came to be what it is here; the time of its content may be its sender's, long ago."""
    return path.lstat().st_ctime


def _age(drop: Drop) -> tuple[float, str, str]:
    """Return what drops are ordered by: the newest content of each, as a later one may correct an earlier one."""
    newest = max((file.stat().st_mtime for _, file in _files(drop.path)), default=0.0)
    return newest, drop.source, drop.path.name


def _listed(manifest: Path) -> tuple[dict[str, str], list[str]]:
    """Return the sums of a manifest by file, and what is wrong with its lines."""
    sums: dict[str, str] = {}
    wrong = []
    lines = manifest.read_bytes().decode("utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        if match := _LINE.fullmatch(line):
            sums[match[2].removeprefix("./")] = match[1].lower()
        elif line.strip():
            wrong.append(f"{printable(manifest.name)}, line {number}: is not as sha256sum writes it.")
    return sums, wrong


def _differing(listed: dict[str, str], files: dict[str, Path]) -> list[str]:
    unlisted = [f"{printable(name)}: is not in the manifest." for name in sorted(files.keys() - listed.keys())]
    changed = [
        f"{printable(name)}: its content is not what the manifest says."
        for name in sorted(files.keys() & listed.keys())
        if _sha256(files[name]) != listed[name]
    ]
    return unlisted + changed


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hide_signs(folder: Path) -> None:
    """Hide marker and manifest from the readers: they would take them for files of which nothing was used."""
    for name in (MARKER, MANIFEST):
        if (folder / name).is_file():
            (folder / name).rename(folder / f".{name}")
