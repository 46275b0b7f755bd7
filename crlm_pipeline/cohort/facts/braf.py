"""BRAF by class (clinical 3.8). Of several rows: v600e over class_2 over class_3 over other; wild type only alone.

Mutated without a protein change is unknown, but counts as tested; known to lie elsewhere and in no list is `other`.
"""

from enum import IntFlag
from typing import Final

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.cohort.facts.evidence import Support, first_of, has, shows, union


class Braf(IntFlag):
    """What a result of BRAF shows."""

    V600E = 1 << 0
    CLASS_2 = 1 << 1
    CLASS_3 = 1 << 2
    OTHER = 1 << 3
    UNSPECIFIED = 1 << 4
    NEGATIVE = 1 << 5

    TESTED = V600E | CLASS_2 | CLASS_3 | OTHER | UNSPECIFIED | NEGATIVE


_BY_VALUE: Final = {
    "v600e": Braf.V600E,
    "class_2": Braf.CLASS_2,
    "class_3": Braf.CLASS_3,
    "other": Braf.OTHER,
    "wild_type": Braf.NEGATIVE,
}


def evidence() -> pl.Expr:
    """Return what a biomarker row shows of BRAF; reads analyte, result and the variant columns."""
    mutated = pl.col("result") == "mutated"
    listed = union(_listed(mutated, row) for row in resources.reference("braf_classes"))
    shown = union(
        [
            listed,
            shows(mutated & (pl.col("variant") == "elsewhere"), Braf.OTHER),
            shows(mutated & (pl.col("variant") == "change") & (listed == 0), Braf.OTHER),
            shows(mutated & (pl.col("variant") == "unknown"), Braf.UNSPECIFIED),
            shows(pl.col("result") == "not_detected", Braf.NEGATIVE),
        ]
    )
    return pl.when(pl.col("analyte") == "braf").then(shown).otherwise(pl.lit(0, pl.Int32))


def _listed(mutated: pl.Expr, row: dict[str, str]) -> pl.Expr:
    bit = _BY_VALUE[row["braf"]]
    if not row["codon"]:
        return shows(pl.col("result") == "fusion", bit)
    codon = int(row["codon"])
    substitution = mutated & (pl.col("first_codon") == codon) & (pl.col("last_codon") == codon)
    exact = pl.col("alternative") == row["alternative"] if row["alternative"] else pl.col("alternative").is_not_null()
    return shows(substitution & (pl.col("variant") == "change") & exact, bit)


def status() -> pl.Expr:
    """Return the BRAF status that the word `braf` shows."""
    return first_of(
        (has("braf", Braf.V600E), "v600e"),
        (has("braf", Braf.CLASS_2), "class_2"),
        (has("braf", Braf.CLASS_3), "class_3"),
        (has("braf", Braf.OTHER), "other"),
        (has("braf", Braf.UNSPECIFIED), None),
        (has("braf", Braf.NEGATIVE), "wild_type"),
    )


SUPPORT: Final = tuple(Support("braf", value, "braf", bit) for value, bit in _BY_VALUE.items())
