"""Biomarkers of an OMOP delivery: the result that a coded value, a number or a text states of an analyte.

The model has no place for the report of a result, the codons examined or the allele fraction. Codons and exons are read
where the source text of the assay names them (`KRAS exons 2, 3, 4`, `NRAS codons 12, 13`).
"""

from typing import Final

import polars as pl

from crlm_pipeline.extracts.omop import PLACE, Delivery
from crlm_pipeline.extracts.omop_concepts import ANALYTE, TARGET, Concepts, text_value
from schemas import vocabulary

RATIO: Final = "biomarker.ish_ratio"
COPIES: Final = "biomarker.copy_number"
TARGETS: Final = (ANALYTE, RATIO, COPIES)
_SITE: Final = "biomarker.specimen_site"
_PROTEINS: Final = ("mlh1", "pms2", "msh2", "msh6")
_BY_WORD: Final = ("msi", "tmb", "dpyd", "ugt1a1")  # positive and negative say nothing of these
_AMPLIFICATION: Final = {"positive": "amplified", "negative": "not_amplified"}
_STAINING: Final = {"positive": "retained", "negative": "lost"}
_MUTATION: Final = {"positive": "mutated", "negative": "not_detected"}
_CHANGE: Final = r"(p\.\(?[A-Z*][A-Za-z0-9_*>]*\)?)"
_SHORT_CHANGE: Final = r"\b([ACDEFGHIKLMNPQRSTVWY]\d+[ACDEFGHIKLMNPQRSTVWY])\b"
_CODONS: Final = r"(?i)\bcodons? ((?:\d+(?:, ?|;|/|\+| and )?)+)"
_EXONS: Final = r"(?i)\bexons? ((?:\d+(?:, ?|;|/|\+| and )?)+)"


def biomarkers(found: pl.DataFrame, delivery: Delivery, concepts: Concepts) -> pl.DataFrame:
    """Return one row per finding about an analyte, with its place.

    A result of unknown meaning stays as delivered, and validation rejects the row; none at all is `indeterminate`.
    The specimen is the one that the finding modifies, else the only one that the person gave that day, else the day.
    """
    rows = found.filter(pl.col(TARGET).is_in(list(TARGETS)))
    rows = rows.with_columns(
        analyte="value", method=pl.when(pl.col("detail").is_in(list(vocabulary.METHOD))).then("detail"), word=_word()
    )
    rows = rows.with_columns(hgvs_p=_protein_change())
    rows = rows.with_columns(result=_result())
    rows = _with_specimen(rows, _specimens(delivery, concepts))
    is_missing = pl.col("result").is_null()
    return rows.select(
        *PLACE,
        "person_id",
        "visit_occurrence_id",
        "analyte",
        "method",
        "hgvs_p",
        "specimen_site",
        specimen_id=pl.coalesce("specimen_id", "day", pl.lit("unknown")),
        sample_date="day",
        region_tested=pl.when(pl.col("analyte").is_in(["kras", "nras"])).then(_region()),
        result=pl.when(is_missing).then(pl.lit("indeterminate")).otherwise("result"),
        missing_reason=pl.when(is_missing).then(pl.lit("not_recorded")),
        ish_ratio=pl.when(pl.col(TARGET) == RATIO).then("number"),
        copy_number=pl.when(pl.col(TARGET) == COPIES).then("number"),
        value=pl.when(pl.col("analyte") == "tmb").then("number"),
    )


def _word() -> pl.Expr:
    """Return the contract's word that the value is, written in any way (`MSI-H`, `Not detected`)."""
    word = pl.col("said").str.to_lowercase().str.replace_all(r"[ -]+", "_")
    return pl.when(word.is_in(list(vocabulary.RESULT))).then(word)


def _protein_change() -> pl.Expr:
    """Return the protein change that the concept or the value names; `G12C` only of genes, not of other texts."""
    is_variant = ~pl.col("analyte").is_in([*_PROTEINS, *_BY_WORD])
    named = pl.when(pl.col("detail").str.starts_with("p.")).then("detail")
    said = pl.coalesce(pl.col("said").str.extract(_CHANGE), pl.col("said").str.extract(_SHORT_CHANGE))
    return pl.when(is_variant & ~pl.col("said").str.ends_with("=").fill_null(value=False)).then(
        pl.coalesce(named, said)
    )


def _result() -> pl.Expr:
    """Return the result: of a coded value, a word of the contract, a protein change, a number; else as delivered."""
    analyte, coded, is_stain = pl.col("analyte"), pl.col("coded"), pl.col("method") == "ihc"
    stain = pl.format("ihc_{}", pl.col("number").str.replace(r"\.0+$", ""))
    is_coded_gene = ~analyte.is_in([*_PROTEINS, *_BY_WORD]) & coded.is_in(["positive", "negative"])
    return (
        pl.when(pl.col("method") == "ish")
        .then(pl.coalesce("word", coded.replace(_AMPLIFICATION)))
        .when(analyte.is_in(list(_PROTEINS)))
        .then(pl.coalesce("word", coded.replace(_STAINING)))
        .when(analyte == "erbb2", is_stain)
        .then(pl.coalesce("word", coded, pl.when(stain.is_in(list(vocabulary.RESULT))).then(stain), "said"))
        .when(pl.col("hgvs_p").is_not_null() & (coded != "negative").fill_null(value=True))
        .then(pl.lit("mutated"))
        .when(is_coded_gene)
        .then(coded.replace(_MUTATION))
        .otherwise(pl.coalesce("word", "coded", "said"))
    )


def _region() -> pl.Expr:
    """Return the codons or exons that the source text of the assay names, as a list of the contract; else null."""
    text = pl.col("source_text")
    codons = text.str.extract(_CODONS).str.extract_all(r"\d+").list.join(";")
    exons = text.str.extract(_EXONS).str.extract_all(r"\d+").list.eval(pl.lit("exon") + pl.element()).list.join(";")
    listed = pl.coalesce(codons, exons)
    return pl.when(listed != "").then(listed)


def _with_specimen(rows: pl.DataFrame, specimens: pl.DataFrame) -> pl.DataFrame:
    """Add `specimen_site`, and `specimen_id` where the finding does not name it."""
    by_day = specimens.filter(pl.len().over("person_id", "day") == 1).rename({"specimen_id": "only"})
    found = rows.join(by_day.drop("specimen_site"), on=["person_id", "day"], how="left", maintain_order="left")
    named = found.with_columns(pl.coalesce("specimen_id", "only")).drop("only")
    by_id = specimens.drop("day").unique(["person_id", "specimen_id"], keep="first")
    return named.join(by_id, on=["person_id", "specimen_id"], how="left", maintain_order="left")


def _specimens(delivery: Delivery, concepts: Concepts) -> pl.DataFrame:
    """Return the specimens: `person_id`, `day`, `specimen_id`, `specimen_site`."""
    records = delivery.frames["specimen"]
    places = ("anatomic_site_concept_id", "specimen_concept_id")
    texts = [text_value(records[name], _SITE) for name in ("anatomic_site_source_value", "specimen_source_value")]
    return records.select(
        "person_id",
        "specimen_id",
        day="specimen_date",
        specimen_site=pl.coalesce(*(concepts.recoded(name, _SITE) for name in places), *texts),
    )


def used_specimens(delivery: Delivery, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the records of specimens that biomarker rows name."""
    return delivery.frames["specimen"].join(rows, on=["person_id", "specimen_id"], how="semi", maintain_order="left")
