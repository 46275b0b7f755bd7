"""Where a result comes from: the version that made it and the run. (The hash is `Warehouse.content_hash`.)"""

import secrets
from datetime import datetime
from importlib.metadata import version
from typing import Final

DISTRIBUTION: Final = "crlm-pipeline"


def package_version() -> str:
    """Return the installed version of crlm-pipeline."""
    return version(DISTRIBUTION)


def new_run_id(started_at: datetime) -> str:
    """Return an id that sorts by time and that no other run has, e.g. `20260630T041500-1f6c09ab`."""
    return f"{started_at:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
