"""Rights of files and folders, checked before an unattended run begins: who else could read, change or replace them."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from crlm_pipeline.errors import UsageError
from flows.configuration import Configured
from flows.journal import journal_file

_CODE: Final = Path(__file__).parent
_READ: Final = stat.S_IRWXG | stat.S_IRWXO
_ANY: Final = stat.S_IROTH | stat.S_IWOTH
_WRITTEN_BY_ANY: Final = stat.S_IWOTH
_WRITTEN_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def refuse_open_access(configured: Configured) -> None:
    """Raise `UsageError` with the first file or folder whose rights are too wide, and the command that mends it."""
    if problem := next(open_access(configured), None):
        raise UsageError(problem)


def open_access(configured: Configured) -> Iterator[str]:
    """Yield a sentence for each file or folder that others can read or change; what is not there is passed over.

    Whoever may write the code or the settings decides what the run does; whoever may write the folder of the warehouse
    can put another file in its place; whoever may read the warehouse reads patients.
    """
    told = {setting.name: setting.value for setting in configured.settings()}
    warehouse: Path = told["warehouse"]
    yield from _found("the code", _CODE, _WRITTEN_BY_ANY, "o-w")
    yield from _found("the settings", configured.file, _WRITTEN_BY_OTHERS, "go-w")
    yield from _found("the addresses of alerts", told["watching.notify_file"], _READ, "go=")
    yield from _found("the key of the pseudonyms", told["pseudonym_key"], _READ, "go=")
    yield from _found("the folder of the warehouse", warehouse.absolute().parent, _WRITTEN_BY_ANY, "o-w")
    for file in (warehouse, journal_file(warehouse)):
        yield from _found("what only its owner may read", file, _READ, "go=")
    for folder in (told["lake"], told["keeping.backups"]):
        yield from _found("what only its owner may read", folder, _READ, "go=")
    zone: Path | None = told["drops.zone"]
    for folder in (zone, *(sorted(zone.iterdir()) if zone and zone.is_dir() else ())):
        yield from _found("where deliveries arrive", folder, _ANY, "o-rw")


def _found(what: str, path: Path | None, forbidden: int, mend: str) -> Iterator[str]:
    if path is None or not path.exists():
        return
    mode = path.stat().st_mode
    if not (mode & forbidden & _who_reach(path)):
        return
    # In a folder with the sticky bit, such as /tmp, nobody replaces what is another's.
    is_harmless = path.is_dir() and mode & stat.S_ISVTX and forbidden == _WRITTEN_BY_ANY
    if not is_harmless:
        right = "write" if forbidden in {_WRITTEN_BY_ANY, _WRITTEN_BY_OTHERS} else "read"
        yield f"{path}: {what}: others may {right} it. Take their rights away: chmod {mend} {path}"


def _who_reach(path: Path) -> int:
    """Return the rights of those who can come as far as the path: all the folders above it let them through."""
    above = [folder.stat().st_mode for folder in path.absolute().parents]
    reach = stat.S_IRWXU
    if all(mode & (stat.S_IXGRP | stat.S_IXOTH) for mode in above):
        reach |= stat.S_IRWXG
    if all(mode & stat.S_IXOTH for mode in above):
        reach |= stat.S_IRWXO
    return reach
