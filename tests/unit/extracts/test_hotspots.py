"""The published hotspot positions are those by which variants are read."""

import pytest

from crlm_pipeline.extracts.codons import HOTSPOT_CODONS
from crlm_pipeline.resources import reference

RAS = [row for row in reference("hotspots") if row["meaning"] == "RAS hotspot"]


def exon_holding(gene: str, build: str, coding: int) -> dict[str, str]:
    return next(
        row
        for row in reference("coding_sequence")
        if (row["gene"], row["build"], row["region"]) == (gene, build, "exon")
        and int(row["coding_first"]) <= coding <= int(row["coding_last"])
    )


def test_every_ras_codon_has_its_place_in_both_builds() -> None:
    places = {(row["gene"], int(row["codon"]), row["build"]) for row in RAS}
    assert places == {
        (gene, codon, build) for gene in ("KRAS", "NRAS") for codon in HOTSPOT_CODONS for build in ("GRCh37", "GRCh38")
    }


@pytest.mark.parametrize("row", RAS, ids=lambda row: f"{row['gene']}-{row['codon']}-{row['build']}")
def test_the_codon_ends_where_the_coding_sequence_says(row: dict[str, str]) -> None:
    first = 3 * int(row["codon"]) - 2
    exon = exon_holding(row["gene"], row["build"], first)
    # Both genes lie on the minus strand: the first base of the codon is the highest position.
    assert int(row["genomic_high"]) == int(exon["genomic_first"]) - (first - int(exon["coding_first"]))
    assert int(row["genomic_high"]) - int(row["genomic_low"]) == 2
