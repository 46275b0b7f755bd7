"""The data behind every table and figure as CSV, after disclosure; a spreadsheet never takes a cell for a formula."""

from pathlib import Path

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.safe_cells import defused


def write_csv(data: SafeTable, path: Path) -> None:
    """Write a safe table; `n` is empty where it is hidden and `shown` says so."""
    assert isinstance(data, SafeTable), "only safe tables leave the warehouse"
    defused(data.frame.select(name for name in data.frame.columns if not name.endswith("_text"))).write_csv(path)
