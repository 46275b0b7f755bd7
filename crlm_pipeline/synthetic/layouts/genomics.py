"""Variants of the synthetic registry as a sequencing laboratory writes them: MAF rows on GRCh37.

A laboratory that sequences reports each gene of its panel. So a specimen is in its files only if every gene that was
sequenced gave a result, and every variant its protein change: without one, a variant has no place in the genome.
"""

from functools import cache
from itertools import product
from typing import Final

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.extracts import codons, hgvs

BUILD: Final = "GRCh37"
PANEL_GENES: Final = ("KRAS", "NRAS", "BRAF")
_MAF: Final = (
    "Hugo_Symbol", "NCBI_Build", "Chromosome", "Start_Position", "End_Position", "Variant_Classification",
    "Variant_Type", "Reference_Allele", "Tumor_Seq_Allele2", "Tumor_Sample_Barcode", "t_ref_count", "t_alt_count",
    "HGVSp_Short",
)  # fmt: skip
_DEPTH: Final = 1_000
_TYPES: Final = {1: "SNP", 2: "DNP", 3: "TNP"}
_ELSEWHERE: Final = {  # where no protein change is derived; places of public catalogues of variants
    ("BRAF", "G466V"): ("7", 140481411, "C", "A"),
    ("BRAF", "G469A"): ("7", 140481402, "C", "G"),
    ("BRAF", "D594G"): ("7", 140453154, "T", "C"),
    ("BRAF", "K601E"): ("7", 140453134, "T", "C"),
    ("POLE", "P286R"): ("12", 133253184, "G", "C"),
}

Place = tuple[str, int, str, str]


def sequenced(biomarkers: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of KRAS, NRAS, BRAF and POLE by next-generation sequencing, of specimens with full results."""
    genes = pl.col("analyte").is_in([gene.lower() for gene in (*PANEL_GENES, "POLE")])
    rows = biomarkers.filter(genes, pl.col("method") == "ngs")
    is_full = (pl.col("result") == "not_detected") | ((pl.col("result") == "mutated") & pl.col("hgvs_p").is_not_null())
    is_whole = pl.col("analyte").filter(pl.col("analyte") != "pole").n_unique() == len(PANEL_GENES)
    return rows.filter((is_full.all() & is_whole).over("specimen_id"))


def maf(rows: pl.DataFrame, barcode: str) -> pl.DataFrame:
    """Return the MAF rows of the mutated among `rows`; `barcode` is the column that names the sample."""
    mutated = rows.filter(pl.col("result") == "mutated")
    changes = [_maf_row(row, barcode) for row in mutated.iter_rows(named=True)]
    return pl.DataFrame(changes, dict.fromkeys(_MAF, pl.String), orient="row")


def _maf_row(row: dict[str, str], barcode: str) -> dict[str, str]:
    gene, change = row["analyte"].upper(), hgvs.parse(row["hgvs_p"])
    if change is None or change.first is None:
        message = "The synthetic registry writes only substitutions of one residue."
        raise ValueError(message)
    short = f"{change.reference}{change.first}{change.alternative}"
    chromosome, start, reference, alternative = place(gene, short)
    altered = round(float(row["vaf_percent"]) * _DEPTH / 100)
    cells = (
        gene, BUILD, chromosome, start, start + len(reference) - 1, "Missense_Mutation", _TYPES[len(reference)],
        reference, alternative, row[barcode], _DEPTH - altered, altered, f"p.{short}",
    )  # fmt: skip
    return dict(zip(_MAF, map(str, cells), strict=True))


@cache
def place(gene: str, change: str) -> Place:
    """Return chromosome, first position and forward-strand alleles of a substitution, with the fewest bases changed.

    Raises `KeyError` for one that is neither listed nor derived from a place (`codons`).
    """
    if (gene, change) in _ELSEWHERE:
        return _ELSEWHERE[gene, change]
    first, codon, exon = _codon(gene, int(change[1:-1]))
    candidates = ("".join(bases) for bases in product("ACGT", repeat=3))
    wanted = hgvs.parse(change)
    for other in sorted(candidates, key=lambda bases: _changed(codon, bases)):
        position, old, new = _forward(first, codon, other)
        if old and (told := codons.protein_change(gene, BUILD, position, old, new)) and hgvs.parse(told) == wanted:
            return exon["chromosome"], position, old, new
    raise KeyError(change)


def _changed(codon: str, other: str) -> int:
    return sum(a != b for a, b in zip(codon, other, strict=True))


def _codon(gene: str, number: int) -> tuple[int, str, dict[str, str]]:
    """Return the genomic position of a codon's first base, its coding bases, and its exon; `KeyError` if in none."""
    base = 3 * number - 2
    for exon in resources.reference("coding_sequence"):
        is_exon = (exon["gene"], exon["build"], exon["region"]) == (gene, BUILD, "exon")
        if is_exon and int(exon["coding_first"]) <= base and base + 2 <= int(exon["coding_last"]):
            offset = base - int(exon["coding_first"])
            return int(exon["genomic_first"]) - offset, exon["sequence"][offset : offset + 3], exon
    raise KeyError(number)


def _forward(first: int, codon: str, other: str) -> tuple[int, str, str]:
    """Return the lowest position and both alleles of the bases that differ; all genes lie on the minus strand."""
    differing = [at for at in range(3) if codon[at] != other[at]]
    if not differing:
        return first, "", ""
    low, high = differing[0], differing[-1] + 1
    complement = str.maketrans("ACGT", "TGCA")
    old, new = (bases[low:high].translate(complement)[::-1] for bases in (codon, other))
    return first - high + 1, old, new
