"""The right to write a warehouse: one run has it at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Final

from crlm_pipeline.errors import SourceError, WarehouseBusyError

_A_MOMENT: Final = 0.05


@contextmanager
def lock(target: Path) -> Iterator[None]:
    """Hold the right to write the warehouse `target`; the system gives it back even if the process is killed.

    Raises `WarehouseBusyError` at once when another run has it. The lock file stays: removing it would let two runs in.
    """
    try:
        descriptor = os.open(_lock_file(target), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        problem = f"its folder cannot be written to ({error.strerror})."
        raise SourceError(problem, "Create the folder or choose another place with --warehouse.", str(target)) from None
    if not _takes_in_a_moment(descriptor):
        os.close(descriptor)
        message = (
            f"{target}: another run holds the warehouse. Wait until it ends, or choose another file with --warehouse."
        )
        raise WarehouseBusyError(message)
    try:
        yield
    finally:
        os.close(descriptor)


def is_held(target: Path) -> bool:
    """Whether a run holds the right to write the warehouse `target`; one that starts just now is not kept from it."""
    try:
        descriptor = os.open(_lock_file(target), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _takes(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _takes_in_a_moment(descriptor: int) -> bool:
    """Take the right; once more after a moment, as `is_held` may have been looking."""
    if _takes(descriptor, fcntl.LOCK_EX):
        return True
    sleep(_A_MOMENT)
    return _takes(descriptor, fcntl.LOCK_EX)


def _takes(descriptor: int, right: int) -> bool:
    try:
        fcntl.flock(descriptor, right | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_file(target: Path) -> Path:
    return target.with_name(f"{target.name}.lock")
