"""Variants of a MAF file as biomarker rows, and negative rows where a gene was examined and nothing was found.

Each MAF row is judged alone. Genes whose variants are kept: KRAS, NRAS, HRAS, BRAF, PIK3CA, POLE, POLD1, ERBB2, RET and
NTRK1-3; of the last five a mutation says nothing of amplification or fusion, and no fact reads it as such. A variant of
a mismatch-repair gene is no staining, one of DPYD or UGT1A1 in a tumour no germline genotype: they make no row.
"""

import re
from typing import Final

import polars as pl

from crlm_pipeline.extracts import codons, hgvs
from crlm_pipeline.extracts.text import SOURCE_ROW

HEADER: Final = ("Hugo_Symbol", "Start_Position", "Tumor_Sample_Barcode")
GENES: Final = (
    "KRAS", "NRAS", "HRAS", "BRAF", "PIK3CA", "POLE", "POLD1", "ERBB2", "RET", "NTRK1", "NTRK2", "NTRK3",
)  # fmt: skip
NEGATIVE_GENES: Final = ("KRAS", "NRAS", "HRAS", "BRAF", "PIK3CA")
_POSITION: Final = re.compile("[0-9]{1,9}")  # the longest chromosome has some 249 million bases
_SILENT_CLASSES: Final = (
    "silent", "intron", "3'utr", "5'utr", "3'flank", "5'flank", "rna", "lincrna", "igr",
)  # fmt: skip
_ABSENT_STATUSES: Final = ("none", "loh", "wildtype", "redacted")
_PROTEIN_COLUMNS: Final = ("HGVSp", "HGVSp_Short", "Protein_Change", "Amino_Acid_Change")
_TEXT_COLUMNS: Final = (
    *HEADER, *_PROTEIN_COLUMNS, "HGVSc", "NCBI_Build", "Reference_Allele", "Tumor_Seq_Allele1", "Tumor_Seq_Allele2",
    "Variant_Classification", "Mutation_Status", "t_ref_count", "t_alt_count",
)  # fmt: skip
_PLACE: Final = ("Hugo_Symbol", "NCBI_Build", "Start_Position", "Reference_Allele", "alternative")


def known(frame: pl.DataFrame, missing: tuple[str, ...] = ("", "NA", "N/A", ".", "[Not Available]")) -> pl.DataFrame:
    """Return the records with trimmed cells, and a null for each way in which a source writes that it does not know."""
    cells = pl.exclude(SOURCE_ROW).str.strip_chars()
    return frame.with_columns(pl.when(~cells.is_in([*missing, '""'])).then(cells).name.keep())


def with_columns(frame: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """Return the records with these columns, unknown where the source has none."""
    return frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in names if name not in frame.columns)


def variants(records: pl.DataFrame) -> pl.DataFrame:
    """Return the protein-changing variants of genes of the contract.

    One row per MAF row that counts: `source_row`, `barcode`, `gene`, `analyte`, `hgvs_p` (as delivered, else derived,
    `p.?` elsewhere, null where the place is in doubt), `hgvs_c`, `vaf_percent`.
    """
    rows = with_columns(known(records), _TEXT_COLUMNS).filter(pl.col("Hugo_Symbol").is_in(list(GENES)))
    rows = rows.filter(
        _is_kept("Variant_Classification", _SILENT_CLASSES), _is_kept("Mutation_Status", _ABSENT_STATUSES)
    )
    rows = rows.with_columns(
        hgvs_p=pl.coalesce(_PROTEIN_COLUMNS),
        alternative=pl.when(pl.col("Tumor_Seq_Allele2") == pl.col("Reference_Allele"))
        .then("Tumor_Seq_Allele1")
        .otherwise("Tumor_Seq_Allele2"),
    )
    rows = rows.join(_derived(rows), on=_PLACE, how="left", nulls_equal=True, maintain_order="left")
    rows = rows.with_columns(hgvs_p=pl.coalesce("hgvs_p", "derived"))
    return rows.filter(~_is_silent(rows)).select(
        SOURCE_ROW,
        barcode="Tumor_Sample_Barcode",
        gene="Hugo_Symbol",
        analyte=pl.col("Hugo_Symbol").str.to_lowercase(),
        hgvs_p="hgvs_p",
        hgvs_c="HGVSc",
        vaf_percent=_vaf_percent(),
    )


def _is_kept(column: str, dropped: tuple[str, ...]) -> pl.Expr:
    return ~pl.col(column).str.to_lowercase().is_in(list(dropped)).fill_null(value=False)


def _derived(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the protein change of each distinct variant without one: derived from its place, or `p.?`."""
    places = rows.filter(pl.col("hgvs_p").is_null()).select(_PLACE).unique(maintain_order=True)
    changes = [_change(*place) for place in places.iter_rows()]
    return places.with_columns(pl.Series("derived", changes, dtype=pl.String))


def _change(
    gene: str, build: str | None, start: str | None, reference: str | None, alternative: str | None
) -> str | None:
    if gene not in codons.DERIVED_GENES:
        return codons.ELSEWHERE
    if not start or not _POSITION.fullmatch(start) or reference is None or alternative is None:
        return None
    return codons.protein_change(gene, build, int(start), reference, alternative)


def _is_silent(rows: pl.DataFrame) -> pl.Series:
    """Whether the protein change says that there is none; asked only where the source does not classify the variant."""
    asked = rows.select(pl.when(pl.col("Variant_Classification").is_null()).then("hgvs_p").alias("hgvs_p"))
    parsed = hgvs.parse_all(asked["hgvs_p"]).select("hgvs_p", "is_silent")
    return asked.join(parsed, on="hgvs_p", how="left", maintain_order="left")["is_silent"].fill_null(value=False)


def _vaf_percent() -> pl.Expr:
    alternative, reference = (pl.col(name).cast(pl.Float64, strict=False) for name in ("t_alt_count", "t_ref_count"))
    depth = alternative + reference
    return pl.when(depth > 0).then((100 * alternative / depth).round(2).cast(pl.String))


def negatives(examined: pl.DataFrame, found: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return the samples and genes of `examined` that `found` does not hold, as not detected; `key` is the sample."""
    return examined.join(found.select(key, "gene"), on=[key, "gene"], how="anti", maintain_order="left").with_columns(
        analyte=pl.col("gene").str.to_lowercase(), result=pl.lit("not_detected")
    )
