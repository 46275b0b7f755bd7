"""Protein changes: HGVS and its everyday aliases, read into residue, codons touched and one normal form.

The grammar is that of mutalyzer-hgvs-parser. Before it stand the spellings that registries and MAF files use: `G12C`,
`p.(Gly12Cys)`, `p.12_12G>GAG`, `p.GLED451del`, `p.X12_splice`. One residue in the place of another, which most variants
are, is read here as the grammar reads it, which takes a millisecond for each and is slow to import.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, cast

import polars as pl

Kind = Literal[
    "substitution", "deletion", "insertion", "duplication", "deletion_insertion", "frame_shift", "silent", "elsewhere"
]

THREE_LETTERS: Final = {
    "A": "Ala", "R": "Arg", "N": "Asn", "D": "Asp", "C": "Cys", "Q": "Gln", "E": "Glu", "G": "Gly", "H": "His",
    "I": "Ile", "L": "Leu", "K": "Lys", "M": "Met", "F": "Phe", "P": "Pro", "S": "Ser", "T": "Thr", "W": "Trp",
    "Y": "Tyr", "V": "Val", "U": "Sec", "X": "Xaa", "*": "Ter",
}  # fmt: skip
_ONE_LETTER: Final = {three: one for one, three in THREE_LETTERS.items()}
_RESIDUE: Final = re.compile("|".join(map(re.escape, (*_ONE_LETTER, *THREE_LETTERS))))

_SUBSTITUTION: Final = re.compile(rf"({_RESIDUE.pattern})([1-9][0-9]*)({_RESIDUE.pattern})")

_ACCESSION: Final = re.compile(r"^[A-Za-z0-9_.]+:(?=p\.)")
_REPLACED: Final = re.compile(r"^(\d+)(?:_(\d+))?([A-Z*]+)>([A-Z*]+)$")
_RUN: Final = re.compile(r"^([A-Z*]{2,})(\d+)(del|dup|fs)")
_FRAME_SHIFT_END: Final = re.compile(r"(?<=\d)(?:[A-Z*]|[A-Z][a-z]{2})?fs.*$")
_SPLICE: Final = re.compile(r"^[A-Z*]?\d+_splice$")
_LONGEST: Final = 1000  # signs; a longer text is no description of a variant
_LAST_CODON: Final = 40_000  # the longest human protein, titin, has some 36,000
_KINDS: Final[dict[str, Kind]] = {
    "substitution": "substitution",
    "deletion": "deletion",
    "insertion": "insertion",
    "duplication": "duplication",
    "deletion_insertion": "deletion_insertion",
    "frame_shift": "frame_shift",
    "equal": "silent",
}


@dataclass(frozen=True, slots=True)
class ProteinChange:
    """A protein change. Residues are one-letter codes, `*` is a stop; `first` and `last` are codons, both inclusive.

    `elsewhere` (`p.?`, a splice site) is protein-changing at an unstated place and touches no codon. `reference` and
    `last_reference` are the residues at `first` and `last` where they are stated.
    """

    kind: Kind
    first: int | None = None
    last: int | None = None
    reference: str | None = None
    last_reference: str | None = None
    alternative: str = ""

    @property
    def codons(self) -> tuple[int, ...]:
        """Codons touched: those replaced, deleted or duplicated, and both neighbours of an insertion."""
        return () if self.first is None or self.last is None else tuple(range(self.first, self.last + 1))

    @property
    def is_silent(self) -> bool:
        """Whether the protein stays as it was."""
        return self.kind == "silent"

    @property
    def normal(self) -> str:
        """The one spelling: three letters, without brackets (`p.Gly12Cys`, `p.Ala11_Gly12dup`, `p.?`)."""
        if self.first is None:
            return "p.=" if self.is_silent else "p.?"
        place = _place(self.reference, self.first)
        if self.last is not None and self.last != self.first:
            place = f"{place}_{_place(self.last_reference, self.last)}"
        alternative = three_letters(self.alternative)
        endings: dict[Kind, str] = {
            "substitution": alternative,
            "deletion": "del",
            "insertion": f"ins{alternative}",
            "duplication": "dup",
            "deletion_insertion": f"delins{alternative}",
            "frame_shift": "fs",
            "silent": "=",
        }
        return f"p.{place}{endings[self.kind]}"


def _place(residue: str | None, codon: int) -> str:
    return f"{three_letters(residue or '')}{codon}"


def three_letters(residues: str) -> str:
    """Return one-letter residues as three-letter codes in a row."""
    return "".join(THREE_LETTERS[residue] for residue in residues)


def _one_letters(residues: str) -> str:
    return "".join(_ONE_LETTER.get(found, found) for found in _RESIDUE.findall(residues))


@lru_cache(maxsize=100_000)
def parse(text: str) -> ProteinChange | None:
    """Read one protein change; None when it cannot be read (the variant is then of unknown place, not absent)."""
    change = _read(text) if len(text) <= _LONGEST else None
    return change if change and (change.last or 0) <= _LAST_CODON else None


def _read(text: str) -> ProteinChange | None:
    description = _ACCESSION.sub("", text.strip()).removeprefix("p.").replace(" ", "")
    bare = description.removeprefix("(").removesuffix(")")
    if _SPLICE.match(bare):
        return ProteinChange("elsewhere")
    if replaced := _REPLACED.match(bare):
        return _from_replacement(replaced)
    if substituted := _SUBSTITUTION.fullmatch(bare):
        return _from_substitution(substituted)
    return by_grammar(_FRAME_SHIFT_END.sub("fs", _spread_run(bare.removeprefix("-"))))


def by_grammar(description: str) -> ProteinChange | None:
    """Read a protein change, without `p.` and brackets, by the grammar of HGVS; None when it does not fit in it."""
    from lark.exceptions import LarkError  # noqa: PLC0415  # slow to import, and seldom needed
    from mutalyzer_hgvs_parser import to_model  # noqa: PLC0415
    from mutalyzer_hgvs_parser.exceptions import UnexpectedCharacter, UnexpectedEnd  # noqa: PLC0415

    try:
        variants = cast("list[dict[str, Any]]", to_model(description, "p_variants"))
    except (UnexpectedCharacter, UnexpectedEnd, LarkError, KeyError):
        return None
    if description == "=":
        return ProteinChange("silent")
    return _from_model(variants[0]) if len(variants) == 1 else None


def _spread_run(description: str) -> str:
    """Return `GLED451del` (residues from codon 451 on) as HGVS writes it, `G451_D454del`."""
    run = _RUN.match(description)
    if not run:
        return description
    residues, codon, ending = run[1], int(run[2]), run[3]
    if ending == "fs":
        return f"{residues[0]}{codon}fs"
    return f"{residues[0]}{codon}_{residues[-1]}{codon + len(residues) - 1}{ending}"


def _from_replacement(match: re.Match[str]) -> ProteinChange | None:
    """Read `12_12G>GAG`: residues of a range of codons and what stands there instead."""
    first, reference, alternative = int(match[1]), match[3], match[4]
    last = int(match[2] or first)
    if not set(reference + alternative) <= THREE_LETTERS.keys():
        return None
    kind: Kind = "silent" if reference == alternative else "deletion_insertion"
    if len(reference) == len(alternative) == 1 and kind != "silent":
        kind = "substitution"
    shown = "" if kind == "silent" else alternative
    return ProteinChange(kind, first, last, reference[0], reference[-1], shown)


def _from_substitution(match: re.Match[str]) -> ProteinChange:
    """Read `G12C` or `Gly12Cys`."""
    codon = int(match[2])
    reference, alternative = (_ONE_LETTER.get(residue, residue) for residue in (match[1], match[3]))
    if alternative == reference:
        return ProteinChange("silent", codon, codon, reference, reference)
    return ProteinChange("substitution", codon, codon, reference, reference, alternative)


def _from_model(variant: dict[str, Any]) -> ProteinChange | None:
    location = variant["location"]
    if location.get("uncertain") and "type" not in variant:
        return ProteinChange("elsewhere")
    kind = _KINDS.get(variant.get("type", ""))
    start, end = (location["start"], location["end"]) if location["type"] == "range" else (location, location)
    first, last = start.get("position"), end.get("position")
    if kind is None or not first or not last or last < first:
        return None
    reference, last_reference = (_one_letters(point.get("amino_acid", "")) or None for point in (start, end))
    alternative = _one_letters("".join(part.get("sequence", "") for part in variant.get("inserted", [])))
    if kind == "substitution" and (not alternative or reference is None):
        return None
    if kind == "substitution" and alternative == reference:
        kind = "silent"
    if kind in ("silent", "frame_shift", "deletion", "duplication"):
        alternative = ""
    return ProteinChange(kind, first, last, reference, last_reference, alternative)


def parse_all(texts: Iterable[str | None]) -> pl.DataFrame:
    """Read each distinct protein change once, to be joined on `hgvs_p`.

    One row per distinct non-null text: `hgvs_p` as delivered, `normal`, `kind`, `codons` (List(Int32); empty for
    `p.?`), `reference`, `alternative` (one letter), `is_silent`; all but the first are null when it is unreadable.
    """
    distinct = sorted({text for text in texts if text is not None})
    changes = [parse(text) for text in distinct]
    return pl.DataFrame(
        {
            "hgvs_p": distinct,
            "normal": [change and change.normal for change in changes],
            "kind": [change and change.kind for change in changes],
            "codons": [None if change is None else list(change.codons) for change in changes],
            "reference": [change and change.reference for change in changes],
            "alternative": [change and (change.alternative or None) for change in changes],
            "is_silent": [None if change is None else change.is_silent for change in changes],
        },
        schema={
            "hgvs_p": pl.String,
            "normal": pl.String,
            "kind": pl.String,
            "codons": pl.List(pl.Int32),
            "reference": pl.String,
            "alternative": pl.String,
            "is_silent": pl.Boolean,
        },
    )
