"""Names of regimens where a source puts them in the place of a drug."""

import polars as pl

from crlm_pipeline import resources


def taken_apart(name: str) -> pl.Expr:
    """Return the drugs of a text as a list: split at each `+`, a known regimen (`mFOLFOX-6`) into its substances."""
    regimen = pl.col(name).str.to_lowercase().str.replace(r"^m?([a-z]+?)[- ]?\d*$", "${1}")
    substances = regimen.replace_strict(_regimens(), default=None, return_dtype=pl.String)
    return pl.coalesce(substances, name).str.split("+").list.eval(pl.element().str.strip_chars()).alias(name)


def _regimens() -> dict[str, str]:
    """Return the substances of each regimen that is a single combination, joined by +."""
    rows = resources.reference("regimens")
    known = {row["name"]: row["pattern"] for row in rows if row["kind"] == "regimen" and "|" not in row["pattern"]}
    return {**known, "xelox": known["capox"]}  # clinical 3.12: one regimen, two names
