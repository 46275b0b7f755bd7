"""Text that no spreadsheet takes for a formula: what every CSV that we write passes through."""

from typing import Final

import polars as pl

# A spreadsheet runs a cell that starts so, some after blanks, some in full width; an apostrophe in front makes it text.
_FORMULA: Final = r"^\s*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]|^[\t\r\n]"


def defused(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with an apostrophe before every text that could run; numbers stay, -5 among them."""
    text = pl.col(pl.String)
    is_live = text.str.contains(_FORMULA)
    return frame.with_columns(pl.when(is_live).then(pl.lit("'") + text).otherwise(text).name.keep())
