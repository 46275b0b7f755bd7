"""RAS: the six codons of KRAS and NRAS (clinical 3.6). Extended wild type needs all six of both; any hotspot is mutant.

A mutated row without a protein change is mutant, allele unknown. A variant elsewhere says nothing of the six codons;
what its assay examined decides. Silent variants show nothing of themselves.
"""

from enum import IntFlag
from typing import Final

import polars as pl

from crlm_pipeline.cohort.facts.evidence import Support, first_of, has, has_all, shows, union

CODONS: Final = (12, 13, 59, 61, 117, 146)
_ALL_CODONS: Final = 0b111111
_REGIONS: Final = {
    **{str(codon): 1 << place for place, codon in enumerate(CODONS)},
    "exon2": 0b000011,
    "exon3": 0b001100,
    "exon4": 0b110000,
    "all": _ALL_CODONS,
}
_NRAS_SHIFT: Final = 12


class Ras(IntFlag):
    """What a result of KRAS or NRAS shows. The six lowest bits of each gene: that codon was examined, no hotspot."""

    KRAS_CODONS = _ALL_CODONS
    KRAS_NEGATIVE = 1 << 6
    KRAS_HOTSPOT = 1 << 7
    KRAS_ALLELE_KNOWN = 1 << 8
    KRAS_ALLELE_UNKNOWN = 1 << 9
    KRAS_G12C = 1 << 10
    KRAS_G12D = 1 << 11
    NRAS_CODONS = _ALL_CODONS << _NRAS_SHIFT
    NRAS_NEGATIVE = 1 << 18
    NRAS_HOTSPOT = 1 << 19

    HOTSPOT = KRAS_HOTSPOT | NRAS_HOTSPOT
    NEGATIVE = KRAS_CODONS | KRAS_NEGATIVE | NRAS_CODONS | NRAS_NEGATIVE
    ALL_CODONS = KRAS_CODONS | NRAS_CODONS
    KRAS = KRAS_CODONS | KRAS_NEGATIVE | KRAS_HOTSPOT


def evidence() -> pl.Expr:
    """Return what a biomarker row shows of RAS; reads analyte, result, region_tested and the variant columns."""
    return union([_gene("kras", 0), _gene("nras", _NRAS_SHIFT), _kras_alleles()])


def _is_mutated(gene: str) -> pl.Expr:
    return (pl.col("analyte") == gene) & (pl.col("result") == "mutated")


def _is_hotspot() -> pl.Expr:
    touches = pl.any_horizontal((pl.col("first_codon") <= codon) & (codon <= pl.col("last_codon")) for codon in CODONS)
    return (pl.col("variant") == "unknown") | ((pl.col("variant") == "change") & touches).fill_null(value=False)


def _gene(gene: str, shift: int) -> pl.Expr:
    hotspot = _is_mutated(gene) & _is_hotspot()
    examined = ((pl.col("analyte") == gene) & (pl.col("result") == "not_detected")) | (
        _is_mutated(gene) & ~_is_hotspot()
    )
    codons = union(
        shows(examined & pl.col("region_tested").list.contains(name), bits << shift) for name, bits in _REGIONS.items()
    )
    negative = (examined & (pl.col("result") == "not_detected")) | (codons != 0)
    return union([codons, shows(negative, Ras.KRAS_NEGATIVE << shift), shows(hotspot, Ras.KRAS_HOTSPOT << shift)])


def _kras_alleles() -> pl.Expr:
    mutated = _is_mutated("kras")
    known = mutated & (pl.col("variant") == "change") & _is_hotspot()
    at_gly12 = known & (pl.col("first_codon") == CODONS[0]) & (pl.col("last_codon") == CODONS[0])
    return union(
        [
            shows(known, Ras.KRAS_ALLELE_KNOWN),
            shows(mutated & (pl.col("variant") == "unknown"), Ras.KRAS_ALLELE_UNKNOWN),
            shows(at_gly12 & (pl.col("alternative") == "C"), Ras.KRAS_G12C),
            shows(at_gly12 & (pl.col("alternative") == "D"), Ras.KRAS_G12D),
        ]
    )


def status(word: str = "ras") -> pl.Expr:
    """Return the extended RAS status that a word shows."""
    return first_of(
        (has(word, Ras.HOTSPOT), "mutant"),
        (has_all(word, Ras.ALL_CODONS), "wild_type"),
        (has(word, Ras.NEGATIVE), "partial_wild_type"),
    )


def gene_status(gene: str) -> pl.Expr:
    """Return the status of `kras` or `nras` alone, counting its six codons."""
    shift = 0 if gene == "kras" else _NRAS_SHIFT
    return first_of(
        (has("ras", Ras.KRAS_HOTSPOT << shift), "mutant"),
        (has_all("ras", Ras.KRAS_CODONS << shift), "wild_type"),
        (has("ras", (Ras.KRAS_CODONS | Ras.KRAS_NEGATIVE) << shift), "partial_wild_type"),
    )


def allele(bit: Ras) -> pl.Expr:
    """Whether this KRAS allele was found; unknown while a mutant's allele is, or codon 12 was not examined."""
    codon_12 = Ras(_REGIONS["12"])
    return first_of(
        (has("ras", bit), True),
        (has("ras", Ras.KRAS_ALLELE_UNKNOWN), None),
        (has("ras", Ras.KRAS_ALLELE_KNOWN | codon_12), False),
    )


SUPPORT: Final = (
    Support("ras", "mutant", "ras", Ras.HOTSPOT),
    Support("ras", "wild_type", "ras", Ras.NEGATIVE),
    Support("ras", "partial_wild_type", "ras", Ras.NEGATIVE),
    Support("ras_plasma", "mutant", "ras_plasma", Ras.HOTSPOT),
    Support("ras_plasma", "wild_type", "ras_plasma", Ras.NEGATIVE),
    Support("ras_plasma", "partial_wild_type", "ras_plasma", Ras.NEGATIVE),
    Support("kras_g12c", "true", "ras", Ras.KRAS_G12C),
    Support("kras_g12c", "false", "ras", Ras.KRAS),
    Support("kras_g12d", "true", "ras", Ras.KRAS_G12D),
    Support("kras_g12d", "false", "ras", Ras.KRAS),
)
