"""Backups of a published warehouse: a folder for each, named by its run, with a manifest by which it is verified."""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from crlm_pipeline.errors import SourceError
from crlm_pipeline.lake import Lake
from crlm_pipeline.owner_only import owner_only
from crlm_pipeline.provenance import is_run_id
from crlm_pipeline.publishing import flush, publish
from crlm_pipeline.verification import sha256, verify
from crlm_pipeline.warehouse import Warehouse
from schemas.audit import Deletion, Run
from schemas.layout import LAYOUT

HALF_MADE: Final = ".half-made-"
_MANIFEST: Final = "manifest.json"
_WAREHOUSE: Final = "warehouse.duckdb"
_LAKE: Final = "lake"
_CHUNK: Final = 1 << 20


class Manifest(BaseModel):
    """What a backup holds: the run, and the SHA-256 of every file by its name in the folder.

    `lake`: the folder that the rows of patients must lie in, as the warehouse names it; none: it holds them itself.
    `modified_ns`: when the published file was last written, by which it is known without being read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_id: str
    made_at: datetime
    package_version: str
    layout: int
    content_hash: str
    lake: Path | None
    modified_ns: int
    files: dict[str, str]


def back_up(published: Path, folder: Path, now: datetime) -> Path:
    """Copy a published warehouse, with its lake, to a folder of its own in `folder`, verify it, and return that folder.

    A backup of the same file is not made twice. The caller holds the warehouse. Raises `SourceError` when it is not
    what its run recorded or the disk refuses; then nothing is left of the copy.
    """
    with _refused_by_disk(folder, "Make room, or choose another folder with --to."), owner_only():
        folder.mkdir(parents=True, exist_ok=True)
        half_made = Path(mkdtemp(prefix=HALF_MADE, dir=folder))
        try:
            manifest = _copied(published, half_made, now)
            made = folder / manifest.run_id
            if made.is_dir() and _is_same(made, manifest):
                return made
            (half_made / _MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
            flush(half_made / _MANIFEST)
            _swap(half_made, made)
        finally:
            shutil.rmtree(half_made, ignore_errors=True)
    return made


def _copied(published: Path, half_made: Path, now: datetime) -> Manifest:
    copy, modified_ns = half_made / _WAREHOUSE, published.stat().st_mtime_ns
    files = {_WAREHOUSE: _copy(published, copy)}
    with Warehouse.open_of_any_layout(copy) as warehouse:
        run = warehouse.read(Run).row(0, named=True)
        _check(warehouse, published)
        layout = warehouse.layout
    lake = Lake.open(Path(run["lake"])) if run["lake"] else None
    if lake:
        for path in sorted(path for path in lake.folder.rglob("*") if path.is_file()):
            name = f"{_LAKE}/{path.relative_to(lake.folder)}"
            (half_made / name).parent.mkdir(parents=True, exist_ok=True)
            files[name] = _copy(path, half_made / name)
    return Manifest(
        run_id=run["run_id"],
        made_at=now,
        package_version=run["package_version"],
        layout=layout,
        content_hash=run["content_hash"],
        lake=lake.folder if lake else None,
        modified_ns=modified_ns,
        files=files,
    )


def _check(warehouse: Warehouse, told: Path) -> None:
    """Refuse a warehouse that is not what its run recorded; of an earlier layout that can be told no more."""
    if warehouse.layout == LAYOUT and (
        problems := [f"{it.what}: {it.problem}" for it in verify(warehouse) if it.problem]
    ):
        raise SourceError(f"is not what its run recorded ({'; '.join(problems)}).", _ANOTHER, str(told))


def backups(folder: Path) -> list[Path]:
    """Return the backups in a folder, the newest run first."""
    return sorted((path.parent for path in folder.glob(f"*/{_WAREHOUSE}") if is_run_id(path.parent.name)), reverse=True)


def is_backed_up(published: Path, folder: Path) -> bool:
    """Whether a backup of the published file was made; neither is read."""
    modified_ns = published.stat().st_mtime_ns
    return any(found.modified_ns == modified_ns for found in map(_recorded, backups(folder)) if found)


def restore(backup: Path, target: Path, now: datetime) -> Path | None:
    """Put a backup in the place of `target`, once it is verified; the caller holds the warehouse.

    Return where the replaced file is kept, None where there was none. Raises `SourceError` when the backup is damaged
    or the disk refuses; then what is published stays as it is.
    """
    manifest = _manifest(backup)
    restoring = restoring_file(target)
    with _refused_by_disk(target, "Make room, or choose another place with --warehouse."), owner_only():
        try:
            _copy_all(backup, manifest, restoring)
            with Warehouse.open_of_any_layout(restoring) as warehouse:
                _check(warehouse, backup)
            kept = set_aside(target, replaced_file(target, now)) if target.is_file() else None
            publish(restoring, target)
        finally:
            restoring.unlink(missing_ok=True)
    return kept


def _copy_all(backup: Path, manifest: Manifest, restoring: Path) -> None:
    """Copy the warehouse, and its lake to where it must lie; a lake that lies there and is not the same is replaced."""
    if manifest.lake and not _is_whole(manifest.lake, manifest):
        manifest.lake.parent.mkdir(parents=True, exist_ok=True)
        half_made = Path(mkdtemp(prefix=HALF_MADE, dir=manifest.lake.parent))
        try:
            for name, digest in manifest.files.items():
                if name != _WAREHOUSE:
                    copy = half_made / name.removeprefix(f"{_LAKE}/")
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    _copy(backup / name, copy, digest)
            _swap(half_made, manifest.lake)
        finally:
            shutil.rmtree(half_made, ignore_errors=True)
    _copy(backup / _WAREHOUSE, restoring, manifest.files[_WAREHOUSE])


def _is_whole(lake: Path, manifest: Manifest) -> bool:
    recorded = {lake / name.removeprefix(f"{_LAKE}/"): digest for name, digest in manifest.files.items()}
    del recorded[lake / _WAREHOUSE]
    return _are(recorded)


def _are(recorded: Mapping[Path, str]) -> bool:
    """Whether these files are there, each with its SHA-256."""
    return all(path.is_file() and sha256(path) == digest for path, digest in recorded.items())


def restoring_file(target: Path) -> Path:
    """Return the file beside the warehouse that a backup is copied to before it is verified."""
    return target.with_name(f"{target.name}.restoring")


def forgets_deletions(restored: Path, kept: Path | None) -> bool:
    """Whether the replaced file honoured deletions of patients that the restored one does not know."""
    if kept is None:
        return False
    with Warehouse.open_of_any_layout(restored) as now, Warehouse.open_of_any_layout(kept) as before:
        known = now.read(Deletion)
        return before.read(Deletion).join(known, on="patient_hash", how="anti").height > 0


def replaced_file(published: Path, now: datetime) -> Path:
    """Return where a published file is kept that another replaces: `FILE.replaced-<time>` beside it."""
    return published.with_name(f"{published.name}.replaced-{now:%Y%m%dT%H%M%S}")


def replaced_files(published: Path) -> list[Path]:
    """Return what was kept of a warehouse that was replaced, the newest first."""
    return sorted(published.parent.glob(f"{published.name}.replaced-*"), reverse=True)


def set_aside(published: Path, kept: Path) -> Path:
    """Keep a published file, which nothing ever writes to, under another name too; it is published still."""
    kept.unlink(missing_ok=True)
    try:
        os.link(published, kept)
    except OSError:  # a file system without links
        with owner_only():
            shutil.copyfile(published, kept)
    return kept


_ANOTHER: Final = "Use another backup, or run anew."


def _manifest(backup: Path) -> Manifest:
    if found := _recorded(backup):
        return found
    problem = "the folder is no backup: its manifest cannot be read."
    raise SourceError(problem, "Name a folder that `crlm backup` has written.", str(backup))


def _recorded(backup: Path) -> Manifest | None:
    try:
        return Manifest.model_validate_json((backup / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError):
        return None


def _is_same(made: Path, manifest: Manifest) -> bool:
    """Whether a backup with these files is there, and whole."""
    recorded = _recorded(made)
    return (
        recorded is not None
        and (recorded.files, recorded.modified_ns) == (manifest.files, manifest.modified_ns)
        and _are({made / name: digest for name, digest in manifest.files.items()})
    )


def _copy(source: Path, copy: Path, recorded: str | None = None) -> str:
    """Copy a file, wait until it is on the disk, and return its SHA-256, which must be the recorded one."""
    digest = hashlib.sha256()
    try:
        with source.open("rb") as old, copy.open("wb") as new:
            while chunk := old.read(_CHUNK):
                digest.update(chunk)
                new.write(chunk)
            new.flush()
            os.fsync(new.fileno())
    except FileNotFoundError:
        raise SourceError("the file is not there.", _ANOTHER, str(source)) from None
    if (recorded or digest.hexdigest()) != digest.hexdigest():
        raise SourceError("the backup is damaged: the file is not as its manifest says.", _ANOTHER, str(source))
    if sha256(copy) != digest.hexdigest():
        raise SourceError("the disk does not give back what was written.", "Choose another disk.", str(copy))
    return digest.hexdigest()


def _swap(made: Path, target: Path) -> None:
    """Put a folder in the place of another, which goes only then."""
    if target.is_dir():
        old = target.with_name(f"{HALF_MADE}{target.name}")
        target.rename(old)
        made.rename(target)
        shutil.rmtree(old)
    else:
        made.rename(target)
    flush(target.parent)


@contextmanager
def _refused_by_disk(place: Path, remedy: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"the copy cannot be written ({(error.strerror or '').lower()}).", remedy, str(place)
        ) from None
