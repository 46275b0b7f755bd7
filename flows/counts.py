"""Counts that leave the machine, in logs, alerts, metrics and summaries: none tells of fewer than a handful of people.

What counts files, rows or cells tells of nobody and is shown; whatever else is counted may be people. As in the report,
a zero is shown and a count below the threshold is not.
"""

from collections.abc import Mapping
from typing import Final

from crlm_pipeline.settings import Settings

_THRESHOLD: Final = Settings().disclosure_threshold
_OF_NOBODY: Final = ("rows_", "cells_", "files", "drops", "pages", "errors", "warnings")


def shown(counts: Mapping[str, int]) -> dict[str, int | None]:
    """Return the counts by name as they may be shown; None where one may not be."""
    return {
        name: count if count == 0 or count >= _THRESHOLD or name.startswith(_OF_NOBODY) else None
        for name, count in counts.items()
    }


def in_words(count: int | None) -> str:
    """Return a count as it is printed."""
    return f"<{_THRESHOLD}" if count is None else f"{count:,}"
