"""KRAS, NRAS and BRAF codon 600: the protein change of a variant that is known only by its genomic position.

The coding sequences and exon positions stand in `data/reference/coding_sequence.csv`. A variant inside one of these
genes that changes none of the codons written there gives `p.?`: protein-changing elsewhere. A variant whose place is in
doubt (unknown build, a reference allele that is not the gene's) gives None: the allele is unknown, never negative.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from crlm_pipeline import resources
from crlm_pipeline.extracts.hgvs import Kind, ProteinChange

HOTSPOT_CODONS: Final = (12, 13, 59, 61, 117, 146)  # KRAS and NRAS; clinical 3.6
DERIVED_GENES: Final = ("KRAS", "NRAS", "BRAF")
ELSEWHERE: Final = "p.?"
_LONGEST_ALLELE: Final = 10_000  # bases; a longer event is no small variant
_ONLY_CODONS: Final = {"BRAF": frozenset([600])}

_BUILDS: Final = {
    **dict.fromkeys(("37", "grch37", "hg19"), "GRCh37"),
    **dict.fromkeys(("38", "grch38", "hg38"), "GRCh38"),
}
_COMPLEMENT: Final = str.maketrans("ACGT", "TGCA")
_BASES: Final = "TCAG"
_RESIDUES: Final = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
_CODE: Final = dict(zip((a + b + c for a in _BASES for b in _BASES for c in _BASES), _RESIDUES, strict=True))


@dataclass(frozen=True, slots=True)
class Exon:
    """Coding bases on the minus strand: `coding_first` lies at `genomic_first`, the highest position."""

    coding_first: int
    coding_last: int
    genomic_first: int
    genomic_last: int

    def coding(self, position: int) -> int:
        """Return the coding base at a genomic position."""
        return self.coding_first + self.genomic_first - position


@dataclass(frozen=True, slots=True)
class CodingSequence:
    """The exons of a gene that are written down, their bases in one piece, and the span of the gene (low, high)."""

    exons: tuple[Exon, ...]
    bases: str
    span: tuple[int, int]

    @property
    def first_base(self) -> int:
        """Coding number of the first base written."""
        return self.exons[0].coding_first


@dataclass(frozen=True, slots=True)
class _Edit:
    """Replaced genomic bases `low` … `high` (`high` = `low` - 1: an insertion before `low`), forward strand."""

    low: int
    high: int
    removed: str
    inserted: str


@cache
def _sequence(gene: str, build: str) -> CodingSequence | None:
    rows = [row for row in resources.reference("coding_sequence") if (row["gene"], row["build"]) == (gene, build)]
    exons = [row for row in rows if row["region"] == "exon"]
    if not exons:
        return None
    whole = next(row for row in rows if row["region"] == "gene")
    numbers = ("coding_first", "coding_last", "genomic_first", "genomic_last")
    return CodingSequence(
        exons=tuple(Exon(*(int(row[name]) for name in numbers)) for row in exons),
        bases="".join(row["sequence"] for row in exons),
        span=(int(whole["genomic_last"]), int(whole["genomic_first"])),
    )


def normal_build(build: str | None) -> str | None:
    """Return `GRCh37` or `GRCh38` for any of their names, else None."""
    return _BUILDS.get((build or "").strip().lower())


def protein_change(gene: str, build: str | None, start: int, reference: str, alternative: str) -> str | None:
    """Return the HGVS protein change of a MAF row (1-based start, forward-strand alleles, `-` = none).

    `p.Gly12=` when silent, `p.?` when it changes no codon that is asked for, None when its place is in doubt.
    """
    sequence = _sequence(gene, normal_build(build) or "")
    edit = _edit(start, reference, alternative)
    if sequence is None or edit is None or not sequence.span[0] <= edit.low <= edit.high + 1 <= sequence.span[1]:
        return None
    exon = next((exon for exon in sequence.exons if _is_within(edit, exon)), None)
    if exon is None:
        return None if _overlaps_hotspot(edit, sequence, gene) else ELSEWHERE
    first = exon.coding(edit.high)
    last = exon.coding(edit.low)
    offset = first - sequence.first_base
    removed, inserted = (_reverse_complement(allele) for allele in (edit.removed, edit.inserted))
    if sequence.bases[offset : offset + len(removed)] != removed:
        return None
    wanted = _ONLY_CODONS.get(gene)
    if wanted and wanted.isdisjoint(_codons(min(first, last), max(first, last))):
        return ELSEWHERE
    changed = sequence.bases[:offset] + inserted + sequence.bases[offset + len(removed) :]
    return _describe(sequence, changed, min(first, last)).normal


def _edit(start: int, reference: str, alternative: str) -> _Edit | None:
    """Trim what both alleles share, so that padded alleles mean what bare ones do; None for what is no allele."""
    old, new = (allele.strip().upper().replace("-", "") for allele in (reference, alternative))
    if not set(old + new) <= set("ACGT") or old == new or max(len(old), len(new)) > _LONGEST_ALLELE:
        return None
    low = start if old else start + 1
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    while old and new and old[0] == new[0]:
        old, new, low = old[1:], new[1:], low + 1
    return _Edit(low, low + len(old) - 1, old, new)


def _is_within(edit: _Edit, exon: Exon) -> bool:
    """Whether the replaced bases, or both neighbours of an insertion, lie in the exon."""
    low, high = min(edit.low, edit.high), max(edit.low, edit.high)
    return exon.genomic_last <= low and high <= exon.genomic_first


def _overlaps_hotspot(edit: _Edit, sequence: CodingSequence, gene: str) -> bool:
    hotspots = _ONLY_CODONS.get(gene, frozenset(HOTSPOT_CODONS))
    for exon in sequence.exons:
        low, high = max(edit.low, exon.genomic_last), min(edit.high, exon.genomic_first)
        if low <= high and not hotspots.isdisjoint(_codons(exon.coding(high), exon.coding(low))):
            return True
    return False


def _codons(first_base: int, last_base: int) -> range:
    return range((first_base + 2) // 3, (last_base + 2) // 3 + 1)


def _reverse_complement(bases: str) -> str:
    return bases.translate(_COMPLEMENT)[::-1]


def _translate(bases: str) -> str:
    return "".join(_CODE[bases[i : i + 3]] for i in range(0, len(bases) - 2, 3))


def _describe(sequence: CodingSequence, changed: str, first_base: int) -> ProteinChange:
    """Say how the translation of the changed bases differs, as far to the C-terminus as the change can be placed."""
    partial = (1 - sequence.first_base) % 3
    first_codon = (sequence.first_base + partial + 2) // 3
    old, new = _translate(sequence.bases[partial:]), _translate(changed[partial:])
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    if (len(changed) - len(sequence.bases)) % 3:
        at = min(same, len(old) - 1)
        return ProteinChange("frame_shift", first_codon + at, first_codon + at, old[at], old[at])
    if old == new:
        at = (first_base + 2) // 3
        return ProteinChange("silent", at, at, old[at - first_codon], old[at - first_codon])
    most = min(len(old), len(new)) - same
    tail = next((i for i in range(most) if old[-1 - i] != new[-1 - i]), most)
    removed, inserted = old[same : len(old) - tail], new[same : len(new) - tail]
    return _name(old, first_codon, same, removed, inserted)


def _name(old: str, first_codon: int, at: int, removed: str, inserted: str) -> ProteinChange:
    first, last = first_codon + at, first_codon + at + len(removed) - 1
    if len(removed) == len(inserted) == 1:
        return ProteinChange("substitution", first, last, removed, removed, inserted)
    if removed:
        kind: Kind = "deletion_insertion" if inserted else "deletion"
        return ProteinChange(kind, first, last, removed[0], removed[-1], inserted)
    if old[:at].endswith(inserted):
        begin = at - len(inserted)
        return ProteinChange("duplication", first_codon + begin, last, inserted[0], inserted[-1])
    if at in (0, len(old)):
        return ProteinChange("elsewhere")  # a neighbour lies outside the known part, far from every hotspot
    return ProteinChange("insertion", last, first, old[at - 1], old[at], inserted)
