"""Protein changes derived from genomic positions."""

from random import Random

import pytest

from crlm_pipeline.extracts.codons import ELSEWHERE, protein_change
from crlm_pipeline.extracts.hgvs import parse
from crlm_pipeline.resources import reference

RAS = (
    "MTEYKLVVVGAGGVGKSALTIQLIQNHFVDEYDPTIEDSYRKQVVIDGETCLLDILDTAGQEEYSAMRDQYMRTGEGFLCVFAINN{kras}"
    "DVPMVLVGNKCDLP{kras_tail}PFIETSAKTRQ"
)
PROTEINS = {
    "KRAS": RAS.format(kras="TKSFEDIHHYREQIKRVKDSE", kras_tail="SRTVDTKQAQDLARSYGI"),
    "NRAS": RAS.format(kras="SKSFADINLYREQIKRVKDSD", kras_tail="TRTVDTKQAHELAKSYGI"),
}
CODE = dict(
    zip(
        (a + b + c for a in "TCAG" for b in "TCAG" for c in "TCAG"),
        "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG",
        strict=True,
    )
)


@pytest.mark.parametrize("gene", ["KRAS", "NRAS"])
@pytest.mark.parametrize("build", ["GRCh37", "GRCh38"])
def test_the_coding_sequence_translates_to_the_protein(gene: str, build: str) -> None:
    exons = [
        row
        for row in reference("coding_sequence")
        if (row["gene"], row["build"], row["region"]) == (gene, build, "exon")
    ]
    bases = "".join(row["sequence"] for row in exons)
    assert "".join(CODE[bases[i : i + 3]] for i in range(0, len(bases), 3)) == PROTEINS[gene]


def test_every_exon_is_as_long_as_its_coordinates_say() -> None:
    exons = [row for row in reference("coding_sequence") if row["region"] == "exon"]
    for row in exons:
        length = len(row["sequence"])
        assert int(row["coding_last"]) - int(row["coding_first"]) + 1 == length
        assert int(row["genomic_first"]) - int(row["genomic_last"]) + 1 == length


@pytest.mark.parametrize(
    ("gene", "build", "start", "reference_allele", "alternative", "expected"),
    [
        ("KRAS", "GRCh37", 25398285, "C", "A", "p.Gly12Cys"),
        ("KRAS", "37", 25398284, "C", "T", "p.Gly12Asp"),
        ("KRAS", "hg19", 25398281, "C", "T", "p.Gly13Asp"),
        ("KRAS", "GRCh38", 25245351, "C", "A", "p.Gly12Cys"),
        ("KRAS", "hg38", 25225628, "C", "T", "p.Ala146Thr"),
        ("KRAS", "37", 25380283, "C", "T", "p.Ala59Thr"),
        ("KRAS", "37", 25378647, "T", "G", "p.Lys117Asn"),
        ("KRAS", "37", 25398262, "C", "G", "p.Leu19Phe"),
        ("NRAS", "37", 115256530, "G", "T", "p.Gln61Lys"),
        ("NRAS", "38", 114713908, "T", "C", "p.Gln61Arg"),
        ("BRAF", "37", 140453136, "A", "T", "p.Val600Glu"),
        ("BRAF", "38", 140753336, "A", "T", "p.Val600Glu"),
        ("BRAF", "37", 140453136, "AC", "TT", "p.Val600Lys"),
    ],
)
def test_a_substitution_gives_its_residues(
    gene: str, build: str, start: int, reference_allele: str, alternative: str, expected: str
) -> None:
    assert protein_change(gene, build, start, reference_allele, alternative) == expected


@pytest.mark.parametrize(
    ("start", "reference_allele", "alternative", "expected"),
    [
        (25398284, "CC", "AA", "p.Gly12Phe"),
        (25380277, "GA", "TT", "p.Gln61Lys"),
        (25398278, "ACGCC", "CCGCA", "p.Gly13_Val14delinsCysGly"),
        (25398283, "-", "CCAGCT", "p.Ala11_Gly12dup"),
        (25398287, "-", "CTC", "p.Gly10dup"),
        (25398282, "-", "TTT", "p.Gly12_Gly13insLys"),
        (25398280, "GCC", "-", "p.Gly13del"),
        (25398285, "C", "-", "p.Gly12fs"),
        (25378560, "T", "C", "p.Ala146="),
    ],
)
def test_longer_changes_are_named_as_hgvs_names_them(
    start: int, reference_allele: str, alternative: str, expected: str
) -> None:
    assert protein_change("KRAS", "GRCh37", start, reference_allele, alternative) == expected
    assert parse(expected) is not None


def test_alleles_padded_with_a_shared_base_mean_what_bare_ones_do() -> None:
    assert protein_change("KRAS", "37", 25398284, "CC", "CA") == protein_change("KRAS", "37", 25398285, "C", "A")
    assert protein_change("KRAS", "37", 25398283, "A", "ACCAGCT") == protein_change(
        "KRAS", "37", 25398283, "-", "CCAGCT"
    )


@pytest.mark.parametrize(
    ("gene", "start", "reference_allele", "alternative"),
    [
        ("KRAS", 25368412, "G", "A"),  # exon 5
        ("KRAS", 25398300 + 200, "A", "C"),  # before the coding exons
        ("NRAS", 115252188, "A", "G"),  # two bases behind exon 4
        ("BRAF", 140453154, "T", "C"),  # D594G
        ("BRAF", 140453138, "-", "GTA"),  # inside codon 599
    ],
)
def test_a_change_elsewhere_in_the_gene_is_protein_changing_elsewhere(
    gene: str, start: int, reference_allele: str, alternative: str
) -> None:
    assert protein_change(gene, "GRCh37", start, reference_allele, alternative) == ELSEWHERE


@pytest.mark.parametrize(
    ("gene", "build", "start", "reference_allele", "alternative"),
    [
        ("KRAS", None, 25398285, "C", "A"),  # unknown build
        ("KRAS", "hg18", 25398285, "C", "A"),
        ("KRAS", "GRCh37", 25245351, "C", "A"),  # a position of the other build
        ("KRAS", "GRCh37", 25398285, "G", "T"),  # alleles of the other strand
        ("KRAS", "GRCh37", 25398285, "C", "C"),
        ("KRAS", "GRCh37", 25398285, "C", "<DEL>"),
        ("TP53", "GRCh37", 7577538, "C", "T"),
    ],
)
def test_a_variant_whose_place_is_in_doubt_has_an_unknown_allele(
    gene: str, build: str | None, start: int, reference_allele: str, alternative: str
) -> None:
    assert protein_change(gene, build, start, reference_allele, alternative) is None


def test_a_deletion_that_runs_from_a_hotspot_out_of_the_exon_is_unknown_and_not_elsewhere() -> None:
    last_base_of_exon_4 = 25378548
    into_codon_146 = "A" * (25378560 - last_base_of_exon_4 + 3)
    assert protein_change("KRAS", "GRCh37", last_base_of_exon_4 - 2, into_codon_146, "-") is None
    assert protein_change("KRAS", "GRCh37", last_base_of_exon_4 - 2, "AAAA", "-") == ELSEWHERE


@pytest.mark.parametrize(
    ("gene", "build", "start", "reference", "alternative"),
    [
        ("KRAS", "GRCh37", 25398317, "CAA", "CAACAT"),  # before the first codon
        ("NRAS", "GRCh38", 114709569, "-", "CCGTCC"),  # behind the last one that is known
    ],
)
def test_an_insertion_at_the_edge_of_the_known_part_is_elsewhere(
    gene: str, build: str, start: int, reference: str, alternative: str
) -> None:
    assert protein_change(gene, build, start, reference, alternative) in (ELSEWHERE, None)


def test_an_allele_without_end_is_no_small_variant() -> None:
    assert protein_change("KRAS", "GRCh37", 25398284, "C", "C" + "A" * 9_999) is not None
    assert protein_change("KRAS", "GRCh37", 25398284, "C", "C" + "A" * 10_000) is None


def test_no_variant_breaks_the_derivation() -> None:
    random = Random(1)  # noqa: S311  # the same variants each time
    for number in range(3_000):
        start = 25398208 + random.randint(-5, 115) if number % 2 else 25378548 + random.randint(-5, 165)
        alternative = "".join(random.choices("ACGT", k=random.choice((0, 1, 3, 30)))) or "-"
        for removed in ("-", *"ACGT"):
            protein_change("KRAS", "GRCh37", start, removed, alternative)
