"""Files and folders that hold patients' data: only their owner may read what is made within."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def owner_only() -> Iterator[None]:
    """Let whatever is created meanwhile be the owner's alone, however lax the process is otherwise."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
