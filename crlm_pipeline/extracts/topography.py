"""Sites of the primary: ICD-O-3 with its dot, and site names in words (`data/reference/site_text.csv`)."""

from typing import Final

import polars as pl

from crlm_pipeline import resources

SITE_UNKNOWN: Final = "C26.0"  # intestinal tract, not otherwise specified
COLORECTAL: Final = r"^C(18\.\d|19\.9|20\.9|26\.0)$"  # clinical 3.5, dotted; C26.0 is of unknown side
_CODE: Final = r"^[Cc](\d{2})\.?(\d?)$"


def dotted(column: str) -> pl.Expr:
    """Return an ICD-O-3 topography with dot: `C187` as `C18.7`, `C20` as `C20.9`; any other text as delivered."""
    text = pl.col(column).str.strip_chars()
    last = text.str.extract(_CODE, 2)
    code = pl.concat_str(
        pl.lit("C"), text.str.extract(_CODE, 1), pl.lit("."), pl.when(last == "").then(pl.lit("9")).otherwise(last)
    )
    return pl.when(text.str.contains(_CODE)).then(code).otherwise(text).alias(column)


def from_site_text(column: str) -> pl.Expr:
    """Return the ICD-O-3 topography of a site in words; null when the text is unknown or in no list."""
    words = {row["text"]: row["topography"] for row in resources.reference("site_text")}
    normal = pl.col(column).str.to_lowercase().str.replace_all("_", " ").str.strip_chars()
    return normal.replace_strict(words, default=None, return_dtype=pl.String)
