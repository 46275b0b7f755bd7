"""Counts that leave the machine, in logs, metrics, status and summaries: none tells of fewer than a handful of people.

What counts files, rows or cells tells of nobody and is shown; whatever else is counted may be people. As in the report,
a zero is shown and a count below the threshold is not, nor one that would give such a count away as what is left.
"""

from collections.abc import Mapping
from typing import Final

from crlm_pipeline.settings import Settings

_THRESHOLD: Final = Settings().disclosure_threshold
# What a count is among.
_AMONG: Final = {"metastatic_patients": "patients", "crlm_patients": "metastatic_patients"}
_OF_NOBODY: Final = ("rows_", "cells_", "files", "drops", "pages", "errors", "warnings", "shares_")


def shown(counts: Mapping[str, int]) -> dict[str, int | None]:
    """Return the counts by name as they may be shown; None where one may not be."""
    return {name: None if _is_hidden(name, counts) else count for name, count in counts.items()}


def _is_hidden(name: str, counts: Mapping[str, int]) -> bool:
    left = counts.get(_AMONG.get(name, name), counts[name]) - counts[name]
    return not name.startswith(_OF_NOBODY) and any(0 < count < _THRESHOLD for count in (counts[name], left))


def in_words(count: int | None) -> str:
    """Return a count as it is printed."""
    return f"<{_THRESHOLD}" if count is None else f"{count:,}"
