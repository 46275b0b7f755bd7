"""Whether a published warehouse still is what its run recorded: content, balance of rows, files of its lake."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crlm_pipeline.lake import Lake
from crlm_pipeline.warehouse import Warehouse
from schemas.audit import Run


@dataclass(frozen=True, slots=True)
class Verified:
    """Something that was recomputed; `problem` is None where it is as recorded."""

    what: str
    problem: str | None


def verify(published: Warehouse) -> Iterator[Verified]:
    """Recompute the content hash, the balance of every row from extract to mart, and the hash of every file of a lake.

    Tells no value of a patient. Takes about as long as reading every row once.
    """
    run = published.read(Run).row(0, named=True)
    if run["lake"]:
        yield Verified("files of the lake", _damaged(Lake.open(Path(run["lake"]))))
    is_equal = published.content_hash() == run["content_hash"]
    yield Verified("content hash", None if is_equal else "the rows are not those that the run recorded")
    imbalance = published.query("run/imbalance")
    yield Verified("balance of rows", "; ".join(imbalance["balance"]) or None)


def _damaged(lake: Lake) -> str | None:
    """Return which files are not those of the manifest; one that is gone was told when the lake was opened."""
    names = [name for name, recorded in lake.manifest().items() if sha256(lake.folder / name) != recorded["sha256"]]
    return f"{', '.join(names)}: not as the manifest says" if names else None


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
