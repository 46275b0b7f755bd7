"""Where the real data are."""

import os
from pathlib import Path

import pytest


def real_data(folder: str) -> Path:
    """Return a folder of the real data; skips the test, saying so, where CRLM_REAL_DATA names none."""
    root = os.environ.get("CRLM_REAL_DATA")
    if not root:
        pytest.skip("CRLM_REAL_DATA is not set: the real data are not at hand")
    return Path(root) / folder
