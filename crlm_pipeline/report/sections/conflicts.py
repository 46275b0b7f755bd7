"""Where guidelines contradict each other: both sides stand, and the reader is told."""

from typing import Final

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.disclosure import plain
from crlm_pipeline.report.fragments import Section
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.tables import table

_HEADINGS: Final = {
    "topic": "Topic",
    "side_a": "One side",
    "source_a": "Source",
    "side_b": "The other side",
    "source_b": "Its source",
    "note": "Note",
}


def section(registry: Registry, centre: str | None) -> Section | None:
    """Return the known conflicts between sources, on the registry's page only."""
    if centre is not None:
        return None
    rows = [{name: row[name] for name in _HEADINGS} for row in resources.reference("guideline_conflicts")]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(_HEADINGS, pl.String))
    shown = table(plain("conflicts", frame), _HEADINGS, "Known conflicts.", text=tuple(_HEADINGS)[1:])
    sentence = f"{registry.headline_name} is one voice of several: a decision may follow one guideline and not another."
    return Section("conflicts", "Where guidelines contradict each other", sentence, (shown,))
