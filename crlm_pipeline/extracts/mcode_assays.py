"""mCODE: biomarkers, made of variants, tumour marker tests, regions studied, specimens and reports."""

from typing import Final

import polars as pl

from crlm_pipeline.extracts.mcode import RECORD, resolved
from crlm_pipeline.extracts.mcode_disease import NOT_MADE
from schemas import vocabulary as v

_ANALYTES: Final = {
    "msi": "msi", "her2_ihc": "erbb2", "her2_ratio": "erbb2", "her2_copies": "erbb2", "mlh1": "mlh1", "pms2": "pms2",
    "msh2": "msh2", "msh6": "msh6", "tmb": "tmb", "dpyd": "dpyd",
}  # fmt: skip
KINDS: Final = ("variant", *_ANALYTES)
_METHODS: Final = {
    "her2_ihc": "ihc", "mlh1": "ihc", "pms2": "ihc", "msh2": "ihc", "msh6": "ihc", "her2_ratio": "ish",
}  # fmt: skip
_AMPLIFIED: Final = {"positive": "amplified", "negative": "not_amplified"}
_BURDEN: Final = {"positive": "high", "high": "high", "negative": "low", "low": "low"}
_AMPLIFIED_FROM: Final = 2.0  # clinical 3.9
_HIGH_BURDEN_FROM: Final = 10.0  # mutations per megabase, clinical H-12


def assays(observations: pl.DataFrame) -> pl.DataFrame:
    """Return the assays that were made, with `analyte`; a variant has one row per gene (null: no gene named)."""
    made = observations.filter(pl.col("kind").is_in(KINDS), ~pl.col("status").is_in(NOT_MADE))
    gene = pl.when(pl.col("kind") == "variant").then(pl.col("genes").str.split(";"))
    other = pl.concat_list(pl.col("kind").replace_strict(_ANALYTES, default=None, return_dtype=pl.String))
    return made.with_columns(analyte=pl.when(pl.col("kind") == "variant").then(gene).otherwise(other)).explode(
        "analyte"
    )


def is_of_contract() -> pl.Expr:
    """Return whether an assay's analyte is one of the contract."""
    return pl.col("analyte").is_in(v.ANALYTE).fill_null(value=False)


def placed(assays_: pl.DataFrame, specimens: pl.DataFrame, reports: pl.DataFrame) -> pl.DataFrame:
    """Return the assays with their specimen and days: their own, else those of the report that lists them.

    Without a specimen the report, else the observation itself, stands for it. `report` is the id of the report.
    """
    listed = reports.select(
        pl.col("results").str.split(";").alias("id"), report="id", report_specimen="specimen", report_issued="issued"
    )
    listed = resolved(listed.explode("id"), "id", assays_).unique("id", keep="first", maintain_order=True)
    joined = assays_.join(listed, on="id", how="left", maintain_order="left")
    joined = joined.with_columns(specimen=pl.coalesce("specimen", "report_specimen"))
    joined = resolved(joined, "specimen", specimens)
    known = specimens.select(specimen="id", taken_from="specimen_site", taken_on="collected").unique("specimen")
    return joined.join(known, on="specimen", how="left", maintain_order="left").with_columns(
        specimen_id=pl.coalesce("specimen", "report", "id"),
        specimen_site=pl.coalesce("specimen_site", "taken_from"),
        sample_date=pl.coalesce("collected", "taken_on", "day"),
        report_date=pl.coalesce("issued", "report_issued"),
    )


def regions(observations: pl.DataFrame, specimens: pl.DataFrame, reports: pl.DataFrame) -> pl.DataFrame:
    """Return what was examined of each gene and specimen: `analyte`, `specimen_id`, `region`."""
    studied = observations.filter(pl.col("kind") == "region", ~pl.col("status").is_in(NOT_MADE))
    by_gene = studied.with_columns(pl.col("genes").str.split(";").alias("analyte")).explode("analyte")
    return placed(by_gene, specimens, reports)


def biomarkers(placed_assays: pl.DataFrame, studied: pl.DataFrame) -> pl.DataFrame:
    """Return one row per result; without one it is `indeterminate` with the reason, never negative."""
    where = ["patient", "specimen_id", "analyte"]
    examined = studied.drop_nulls("region").filter(pl.col("analyte").is_in(["kras", "nras"])).group_by(where).agg(
        pl.col("region").str.split(";").explode().unique(maintain_order=True).str.join(";").alias("examined")
    )  # fmt: skip
    rows = placed_assays.join(examined, on=where, how="left", maintain_order="left")
    result = _result()
    number, kind = pl.col("number"), pl.col("kind")
    return rows.with_columns(
        result=result.fill_null("indeterminate"),
        missing_reason=pl.when(result.is_null()).then(
            pl.coalesce(
                "missing_reason",
                pl.when(pl.col("status") == "registered").then(pl.lit("pending")),
                pl.when(number.is_null()).then(pl.lit("not_recorded")),
            )
        ),
    ).select(
        *RECORD, "specimen_id", "specimen_site", "sample_date", "report_date", "analyte", "result", "hgvs_p", "hgvs_c",
        "vaf_percent", "missing_reason",
        patient_id="patient",
        method=pl.coalesce("method", kind.replace_strict(_METHODS, default=None, return_dtype=pl.String)),
        region_tested=pl.coalesce("region", "examined"),
        ish_ratio=pl.when(kind == "her2_ratio").then(number),
        copy_number=pl.coalesce("copies", pl.when(kind == "her2_copies").then(number)),
        value=pl.when(kind == "tmb").then(number),
    )  # fmt: skip


def _result() -> pl.Expr:
    """Return the result in words of the contract, null where there is none; a ratio and a burden by their threshold."""
    number, kind = pl.col("number").cast(pl.Float64, strict=False), pl.col("kind")
    said = pl.col("interpretation")
    is_amplified = pl.when(number >= _AMPLIFIED_FROM).then(pl.lit("amplified")).otherwise(pl.lit("not_amplified"))
    is_high = pl.when(number >= _HIGH_BURDEN_FROM).then(pl.lit("high")).otherwise(pl.lit("low"))
    amplified = said.replace_strict(_AMPLIFIED, default=None, return_dtype=pl.String)
    burden = said.replace_strict(_BURDEN, default=None, return_dtype=pl.String)
    is_exact = number.is_not_null() & pl.col("is_bounded").is_null()
    return (
        pl.when(kind == "her2_ratio")
        .then(pl.coalesce(amplified, pl.when(is_exact).then(is_amplified)))
        .when(kind == "her2_copies")
        .then(amplified)
        .when(kind == "tmb")
        .then(pl.coalesce(burden, pl.when(is_exact).then(is_high)))
        .otherwise("answer")
    )
