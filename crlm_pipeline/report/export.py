"""The data behind every table and figure as CSV, after disclosure; a spreadsheet never takes a cell for a formula."""

from pathlib import Path
from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable

# A spreadsheet runs a cell that starts so; an apostrophe in front makes it text.
_FORMULA: Final = r"^[=+\-@\t\r\n]"


def write_csv(data: SafeTable, path: Path) -> None:
    """Write a safe table; `n` is empty where it is hidden and `shown` says so."""
    assert isinstance(data, SafeTable), "only safe tables leave the warehouse"
    kept = data.frame.select(name for name in data.frame.columns if not name.endswith("_text"))
    text = pl.col(pl.String)
    harmless = pl.when(text.str.contains(_FORMULA)).then(pl.lit("'") + text).otherwise(text).name.keep()
    kept.with_columns(harmless).write_csv(path)
