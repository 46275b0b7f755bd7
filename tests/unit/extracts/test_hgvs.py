"""Protein changes as registries spell them."""

import time
from itertools import product

import polars as pl
import pytest

from crlm_pipeline.extracts.hgvs import THREE_LETTERS, by_grammar, parse, parse_all


@pytest.mark.parametrize(
    "text",
    [
        "G12C",
        "p.G12C",
        "p.(G12C)",
        "p.Gly12Cys",
        "p.(Gly12Cys)",
        "Gly12Cys",
        " p.G12C ",
        "ENSP00000256078.4:p.Gly12Cys",
    ],
)
def test_every_spelling_of_g12c_is_one_change(text: str) -> None:
    change = parse(text)
    assert change is not None
    assert (change.kind, change.reference, change.codons, change.alternative) == ("substitution", "G", (12,), "C")
    assert change.normal == "p.Gly12Cys"


@pytest.mark.parametrize(
    ("text", "normal", "codons"),
    [
        ("p.Gly12_Gly13insAla", "p.Gly12_Gly13insAla", (12, 13)),
        ("p.G10_A11insG", "p.Gly10_Ala11insGly", (10, 11)),
        ("p.Gly12dup", "p.Gly12dup", (12,)),
        ("p.Gln61_Glu62delinsHisLys", "p.Gln61_Glu62delinsHisLys", (61, 62)),
        ("p.Thr58_Gln61del", "p.Thr58_Gln61del", (58, 59, 60, 61)),
        ("p.12_12G>GAG", "p.Gly12delinsGlyAlaGly", (12,)),
        ("p.GLED451del", "p.Gly451_Asp454del", (451, 452, 453, 454)),
        ("p.TK321fs", "p.Thr321fs", (321,)),
        ("p.Gly12fsTer5", "p.Gly12fs", (12,)),
        ("p.G12Vfs*5", "p.Gly12fs", (12,)),
        ("p.-123fs", "p.123fs", (123,)),
        ("p.Lys117*", "p.Lys117Ter", (117,)),
        ("p.K117Ter", "p.Lys117Ter", (117,)),
    ],
)
def test_ranges_insertions_and_frame_shifts_tell_the_codons_they_touch(
    text: str, normal: str, codons: tuple[int, ...]
) -> None:
    change = parse(text)
    assert change is not None
    assert (change.normal, change.codons, change.is_silent) == (normal, codons, False)


@pytest.mark.parametrize("text", ["p.A146A", "p.Ala146=", "p.(Ala146=)", "p.=", "p.(=)", "p.30_31LL>LL"])
def test_a_change_into_the_same_residue_is_silent(text: str) -> None:
    change = parse(text)
    assert change is not None
    assert change.is_silent


@pytest.mark.parametrize("text", ["p.?", "?", "p.X125_splice"])
def test_a_change_at_an_unstated_place_touches_no_codon_and_is_not_silent(text: str) -> None:
    change = parse(text)
    assert change is not None
    assert (change.normal, change.codons, change.is_silent) == ("p.?", (), False)


@pytest.mark.parametrize(
    "text", ["", "MUTATED", "wild type", "codon 12", "12", "c.34G>T", "p.G12", "p.[Gly12Cys;Gly13Asp]", "p.J12C", "p.0"]
)
def test_what_cannot_be_read_is_none_and_not_absent(text: str) -> None:
    assert parse(text) is None


def test_a_substitution_is_read_as_the_grammar_reads_it() -> None:
    residues = [*THREE_LETTERS, *THREE_LETTERS.values()]
    texts = [f"{reference}12{alternative}" for reference, alternative in product(residues, residues)]
    texts += [f"G{codon}D" for codon in ("0", "012", "1", "9", "39999", "٣")]
    assert {text: parse(text) for text in texts} == {text: by_grammar(text) for text in texts}


def test_the_normal_form_reads_as_itself() -> None:
    texts = ["G12C", "p.12_12G>GAG", "p.GLED451del", "p.A146A", "p.?", "p.TK321fs", "p.Gly12_Gly13insAla", "p.="]
    for text in texts:
        change = parse(text)
        assert change is not None
        again = parse(change.normal)
        assert again is not None
        assert again.normal == change.normal


def test_parse_all_has_a_row_for_each_distinct_text_and_nulls_for_the_unreadable() -> None:
    rows = parse_all(pl.Series(["p.G12C", None, "p.G12C", "MUTATED", "p.?"]))
    assert rows.select("hgvs_p", "normal", "codons", "is_silent").rows() == [
        ("MUTATED", None, None, None),
        ("p.?", "p.?", [], False),
        ("p.G12C", "p.Gly12Cys", [12], False),
    ]


def test_parse_all_of_nothing_is_empty() -> None:
    assert parse_all([None]).is_empty()


@pytest.mark.parametrize("text", ["G1_G40001del", "p.Gly40001Cys", "12_40001G>A", "G1_G99999999999del"])
def test_a_codon_beyond_the_longest_protein_is_unreadable(text: str) -> None:
    assert parse(text.replace("40001", "40000")) or "999" in text
    assert parse(text) is None


@pytest.mark.parametrize(
    "text", ["G" + "1" * 5_000 + "C", "A" * 100_000, "(" * 100_000, "G12" + "fs" * 50_000, " " * 100_000]
)
def test_a_text_without_end_is_unreadable_and_takes_no_time(text: str) -> None:
    began = time.monotonic()
    assert parse(text) is None
    assert time.monotonic() - began < 1
