"""Where a protein change lies, for the genes whose place decides: read once per distinct spelling."""

from typing import Final

import polars as pl

from crlm_pipeline.extracts.hgvs import parse_all

_PLACED_ANALYTES: Final = ("kras", "nras", "braf", "pole", "pold1")


def with_variants(biomarkers: pl.DataFrame) -> pl.DataFrame:
    """Add to biomarker rows what their protein change says. Grain: unchanged.

    `variant`: `change` (then `first_codon`, `last_codon`; `alternative` = the residue that a plain substitution puts
    there, one letter), `silent`, `elsewhere` (`p.?`: protein-changing, not where it would count), `unknown` (no change
    delivered, or unreadable).
    """
    spellings = biomarkers.filter(pl.col("analyte").is_in(_PLACED_ANALYTES))["hgvs_p"]
    read = parse_all(spellings.unique()).select(
        "hgvs_p",
        pl.col("codons").list.min().alias("first_codon"),
        pl.col("codons").list.max().alias("last_codon"),
        pl.when(pl.col("kind") == "substitution").then(pl.col("alternative")).alias("alternative"),
        pl.when(pl.col("is_silent"))
        .then(pl.lit("silent"))
        .when(pl.col("kind") == "elsewhere")
        .then(pl.lit("elsewhere"))
        .when(pl.col("kind").is_not_null())
        .then(pl.lit("change"))
        .otherwise(pl.lit("unknown"))
        .alias("variant"),
    )
    return biomarkers.join(read, on="hgvs_p", how="left", maintain_order="left").with_columns(
        pl.col("variant").fill_null("unknown")
    )
