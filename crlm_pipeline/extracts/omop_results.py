"""Biomarkers of an OMOP delivery: the result that a coded value, a number or a text states of an analyte.

The model has no place for the report of a result, the codons examined or the allele fraction. Codons and exons are read
where the source text of the assay names them (`KRAS exons 2, 3, 4`, `NRAS codons 12, 13`).
"""

from typing import Final

import polars as pl

from crlm_pipeline.extracts.omop import PLACE, Delivery
from crlm_pipeline.extracts.omop_concepts import ANALYTE, TARGET, VARIANT, Concepts, text_value
from schemas import vocabulary

RATIO: Final = "biomarker.ish_ratio"
COPIES: Final = "biomarker.copy_number"
TARGETS: Final = (ANALYTE, RATIO, COPIES)
_SITE: Final = "biomarker.specimen_site"
_PROTEINS: Final = ("mlh1", "pms2", "msh2", "msh6")
_BY_WORD: Final = ("msi", "tmb", "dpyd", "ugt1a1")  # positive and negative say nothing of these
_AMPLIFICATION: Final = {"positive": "amplified", "negative": "not_amplified"}
_STAINING: Final = {"positive": "retained", "negative": "lost"}
_FUSION: Final = {"positive": "fusion", "negative": "not_detected"}
_MUTATION: Final = {"positive": "mutated", "negative": "not_detected"}
_METHOD: Final = r"(?i)\b(ddpcr|pcr|ngs|sanger|ihc|f?ish)\b"
_FUSION_WORDS: Final = r"(?i)fusion|rearrang"
# A protein change is the whole value, perhaps behind the gene; among other words it may be one that was not found.
_SAID_CHANGE: Final = r"^(?:[A-Z0-9]+[ :]+)?(p\.\S+[^=\s]|[ACDEFGHIKLMNPQRSTVWY]\d+[ACDEFGHIKLMNPQRSTVWY*])$"
_ASKED_CHANGE: Final = r"\b(p\.\(?[A-Z][A-Za-z]*\d+[A-Z][A-Za-z]*\)?|[A-Z]\d+[A-Z])(?:\b|$| )"
_CODONS: Final = r"(?i)\bcodons? ((?:\d+(?:, ?|;|/|\+| and )?)+)"
_EXONS: Final = r"(?i)\bexons? ((?:\d+(?:, ?|;|/|\+| and )?)+)"


def biomarkers(found: pl.DataFrame, delivery: Delivery, concepts: Concepts) -> pl.DataFrame:
    """Return one row per finding about an analyte, with its place.

    A result of unknown meaning stays as delivered, and validation rejects the row; none at all is `indeterminate`. An
    assay for one change that was not found says nothing of the gene, and makes no row. The specimen is the one that the
    finding modifies, else the only one that the person gave that day, else the day.
    """
    rows = found.filter(pl.col(TARGET).is_in(list(TARGETS))).rename({"value": "analyte"})
    rows = rows.with_columns(method=_method(), word=_word(), coded=_coded())
    rows = rows.with_columns(hgvs_p=_protein_change()).filter(~_is_one_change_not_found())
    rows = _with_specimen(rows.with_columns(result=_result()), _specimens(delivery, concepts))
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
        missing_reason=pl.when(is_missing & ~_is_measured()).then(pl.lit("not_recorded")),
        ish_ratio=pl.when(pl.col(TARGET) == RATIO).then("number"),
        copy_number=pl.when(pl.col(TARGET) == COPIES).then("number"),
        value=pl.when(pl.col("analyte") == "tmb").then("number"),
    )


def _method() -> pl.Expr:
    """Return the method of the concept, else the one that the source text of the assay names."""
    named = pl.col("source_text").str.extract(_METHOD).str.to_lowercase().replace({"fish": "ish"})
    return pl.when(pl.col("detail").is_in(list(vocabulary.METHOD))).then("detail").otherwise(named)


def _word() -> pl.Expr:
    """Return the contract's word that the value is, written in any way (`MSI-H`, `Not detected`)."""
    word = pl.col("said").str.to_lowercase().str.replace_all(r"[ -]+", "_")
    return pl.when(word.is_in(list(vocabulary.RESULT))).then(word)


def _coded() -> pl.Expr:
    """Return the coded value, without grades of staining for anything but HER2 (a bare 0 is one)."""
    is_grade = pl.col("coded").str.starts_with("ihc_") & (pl.col("analyte") != "erbb2")
    return pl.when(~is_grade).then("coded")


def _protein_change() -> pl.Expr:
    """Return the protein change that the concept, the value or the text of the assay names; null for proteins."""
    is_variant = ~pl.col("analyte").is_in([*_PROTEINS, *_BY_WORD])
    named = pl.when(pl.col("detail").str.starts_with("p.")).then("detail")
    asked = pl.col("source_text").str.extract(_ASKED_CHANGE)
    return pl.when(is_variant).then(pl.coalesce(named, pl.col("said").str.extract(_SAID_CHANGE), asked))


def _is_one_change_not_found() -> pl.Expr:
    is_negative = (pl.col("coded") == "negative") | (pl.col("word") == "not_detected")
    return pl.col("hgvs_p").is_not_null() & is_negative.fill_null(value=False)


def _result() -> pl.Expr:
    """Return the result: a word of the contract, a coded value, a protein change or a grade; else as delivered.

    What positive means depends on the assay: of a protein, of copies, of a fusion or of a mutation. Of HER2 without a
    method it means nothing, and of a repair protein without staining it may be either.
    """
    analyte, method, coded = pl.col("analyte"), pl.col("method"), pl.col("coded")
    grade = pl.format("ihc_{}", pl.col("number").str.replace(r"\.0+$", ""))
    is_gene = ~analyte.is_in([*_PROTEINS, *_BY_WORD, "erbb2"]) | (pl.col("detail") == VARIANT).fill_null(value=False)
    is_grade = (analyte == "erbb2") & (method == "ihc") & grade.is_in(list(vocabulary.RESULT))
    is_shown = pl.col("hgvs_p").is_not_null() & (pl.col("said").str.contains(_SAID_CHANGE) | (coded == "positive"))
    meant = (
        pl.when((analyte == "erbb2") & (method == "ish"))
        .then(coded.replace(_AMPLIFICATION))
        .when(analyte.is_in(list(_PROTEINS)) & (method == "ihc"))
        .then(coded.replace(_STAINING))
        .when(is_gene & pl.col("source_text").str.contains(_FUSION_WORDS))
        .then(coded.replace(_FUSION))
        .when(is_gene)
        .then(coded.replace(_MUTATION))
        .otherwise(coded)
    )
    return pl.coalesce(
        "word",
        pl.when(is_shown).then(pl.lit("mutated")),
        meant,
        pl.when(is_grade).then(grade),
        pl.when(~_is_measured()).then(pl.coalesce("said", "number")),
    )


def _is_measured() -> pl.Expr:
    """Whether the value is a number that has a column of its own."""
    has_column = pl.col(TARGET).is_in([RATIO, COPIES]) | (pl.col("analyte") == "tmb")
    return has_column & pl.col("number").is_not_null()


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
