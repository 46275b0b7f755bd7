"""Files and folders that hold patients' data: only their owner may read what is made within."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crlm_pipeline.errors import UsageError


@contextmanager
def owner_only() -> Iterator[None]:
    """Let whatever is created meanwhile be the owner's alone, however lax the process is otherwise."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def read_secret(file: Path, what: str) -> bytes:
    """Return the content of a file that only its owner may read; `what` it holds is said in the complaint.

    Raises `UsageError` when it is missing or readable by others.
    """
    try:
        mode, secret = file.stat().st_mode, file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {what} cannot be read ({error.strerror}).") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(f"{file}: others may read {what}. Take their rights away (chmod 600).")
    return secret
