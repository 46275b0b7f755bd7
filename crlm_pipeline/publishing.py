"""Puts a built file in the place of the published one, in one step and on the disk."""

import os
from pathlib import Path


def publish(built: Path, target: Path) -> None:
    """Put a closed warehouse in the place of `target` in one step; those who have the old one open keep reading it."""
    built.chmod(0o600)
    flush(built)
    # A writer that died left a log of its changes to the old file; it must not be replayed into the new one.
    target.with_name(f"{target.name}.wal").unlink(missing_ok=True)
    built.replace(target)
    flush(target.parent)


def flush(path: Path) -> None:
    """Wait until the file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
