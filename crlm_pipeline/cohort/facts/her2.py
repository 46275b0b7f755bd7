"""HER2 by four published schemes (clinical 3.9; semantics, "Facts").

A mutation of ERBB2, or its absence, says nothing of amplification. Best first: a positive assay, a doubtful one, a
negative one. A next-generation panel decides alone, in-situ hybridisation only together with staining.
"""

from enum import IntFlag
from typing import Final

import polars as pl

from crlm_pipeline.cohort.facts.evidence import Support, first_of, has, shows, union

GASTRIC_CUT_PERCENT: Final = 10
HERACLES_CUT_PERCENT: Final = 50
ISH_RATIO: Final = 2


class Her2(IntFlag):
    """What a result of ERBB2 shows; the suffix of a stain is the share of cells: wide >= 50 %, some > 10 %, few."""

    IHC_0_1 = 1 << 0
    IHC_2_WIDE = 1 << 1
    IHC_2_SOME = 1 << 2
    IHC_2_FEW = 1 << 3
    IHC_2_UNSTATED = 1 << 4
    IHC_3_WIDE = 1 << 5
    IHC_3_SOME = 1 << 6
    IHC_3_FEW = 1 << 7
    IHC_3_UNSTATED = 1 << 8
    ISH_AMPLIFIED = 1 << 9
    ISH_NOT_AMPLIFIED = 1 << 10
    ISH_WIDELY_AMPLIFIED = 1 << 11
    ISH_NOT_WIDELY_AMPLIFIED = 1 << 12
    NGS_AMPLIFIED = 1 << 13
    NGS_NOT_AMPLIFIED = 1 << 14

    IHC_2 = IHC_2_WIDE | IHC_2_SOME | IHC_2_FEW | IHC_2_UNSTATED
    IHC_3 = IHC_3_WIDE | IHC_3_SOME | IHC_3_FEW | IHC_3_UNSTATED
    IHC_3_POSITIVE = IHC_3_WIDE | IHC_3_SOME | IHC_3_UNSTATED
    IHC = IHC_0_1 | IHC_2 | IHC_3
    ISH = ISH_AMPLIFIED | ISH_NOT_AMPLIFIED
    ANY = (1 << 15) - 1


def evidence() -> pl.Expr:
    """Return what a biomarker row shows of HER2; reads result, method, percent_cells, ish_ratio, ish_percent_cells."""
    shown = union([_stain(), _hybridisation(), _panel()])
    return pl.when(pl.col("analyte") == "erbb2").then(shown).otherwise(pl.lit(0, pl.Int32))


def _stain() -> pl.Expr:
    cells = pl.col("percent_cells")
    two, three = pl.col("result") == "ihc_2", pl.col("result") == "ihc_3"
    wide, few = cells >= HERACLES_CUT_PERCENT, cells <= GASTRIC_CUT_PERCENT
    some = (cells > GASTRIC_CUT_PERCENT) & (cells < HERACLES_CUT_PERCENT)
    return union(
        [
            shows(pl.col("result").is_in(["ihc_0", "ihc_1"]), Her2.IHC_0_1),
            shows(two & wide, Her2.IHC_2_WIDE),
            shows(two & some, Her2.IHC_2_SOME),
            shows(two & few, Her2.IHC_2_FEW),
            shows(two & cells.is_null(), Her2.IHC_2_UNSTATED),
            shows(three & wide, Her2.IHC_3_WIDE),
            shows(three & some, Her2.IHC_3_SOME),
            shows(three & few, Her2.IHC_3_FEW),
            shows(three & cells.is_null(), Her2.IHC_3_UNSTATED),
        ]
    )


def _is_panel() -> pl.Expr:
    return (pl.col("method") == "ngs").fill_null(value=False)


def _hybridisation() -> pl.Expr:
    by_ratio = pl.col("ish_ratio") >= ISH_RATIO
    by_word = pl.when(~_is_panel() & pl.col("result").is_in(["amplified", "not_amplified"])).then(
        pl.col("result") == "amplified"
    )
    amplified = by_ratio.fill_null(value=False) | by_word.fill_null(value=False)
    examined = by_ratio.is_not_null() | by_word.is_not_null()
    in_wide_share = pl.col("ish_percent_cells") >= HERACLES_CUT_PERCENT
    return union(
        [
            shows(amplified, Her2.ISH_AMPLIFIED),
            shows(examined & ~amplified, Her2.ISH_NOT_AMPLIFIED),
            shows(amplified & in_wide_share, Her2.ISH_WIDELY_AMPLIFIED),
            shows(examined & (~amplified | ~in_wide_share), Her2.ISH_NOT_WIDELY_AMPLIFIED),
        ]
    )


def _panel() -> pl.Expr:
    return shows(_is_panel() & (pl.col("result") == "amplified"), Her2.NGS_AMPLIFIED) | shows(
        _is_panel() & (pl.col("result") == "not_amplified"), Her2.NGS_NOT_AMPLIFIED
    )


def mountaineer() -> pl.Expr:
    """3+; or 2+ and amplified by in-situ hybridisation; or amplified by a panel. 3+ in at most 10 % is negative."""
    amplified = has("her2", Her2.ISH_AMPLIFIED)
    return first_of(
        (has("her2", Her2.IHC_3_POSITIVE | Her2.NGS_AMPLIFIED), "positive"),
        (has("her2", Her2.IHC_2) & amplified, "positive"),
        (has("her2", Her2.IHC_2) & ~has("her2", Her2.ISH), "equivocal"),
        (has("her2", Her2.IHC | Her2.NGS_NOT_AMPLIFIED), "negative"),
    )


def heracles() -> pl.Expr:
    """3+ in half of the cells; or less 3+, or 2+ in half of them, with amplification in half of the cells."""
    amplified = has("her2", Her2.ISH_WIDELY_AMPLIFIED)
    hybridised = amplified | has("her2", Her2.ISH_NOT_WIDELY_AMPLIFIED)
    to_confirm = has("her2", Her2.IHC_3_SOME | Her2.IHC_2_WIDE)
    unstated_three = has("her2", Her2.IHC_3_UNSTATED)
    unstated_two = has("her2", Her2.IHC_2_UNSTATED) & (amplified | ~hybridised)
    return first_of(
        (has("her2", Her2.IHC_3_WIDE), "positive"),
        (to_confirm & amplified, "positive"),
        (to_confirm & ~hybridised, "equivocal"),
        (unstated_three | unstated_two, None),
        (has("her2", Her2.IHC), "negative"),
    )


def destiny() -> pl.Expr:
    """3+; or 2+ and amplified by in-situ hybridisation; each in more than 10 % of the cells where that is stated."""
    two = has("her2", Her2.IHC_2 & ~Her2.IHC_2_FEW)
    return first_of(
        (has("her2", Her2.IHC_3_POSITIVE), "positive"),
        (two & has("her2", Her2.ISH_AMPLIFIED), "positive"),
        (two & ~has("her2", Her2.ISH), "equivocal"),
        (has("her2", Her2.IHC), "negative"),
    )


def fda_agnostic() -> pl.Expr:
    """3+ only."""
    return first_of((has("her2", Her2.IHC_3_POSITIVE), "positive"), (has("her2", Her2.IHC), "negative"))


SUPPORT: Final = tuple(
    Support(fact, value, "her2", bits)
    for fact, bits in (
        ("her2", Her2.ANY),
        ("her2_heracles", Her2.ANY),
        ("her2_destiny", Her2.IHC | Her2.ISH),
        ("her2_fda_agnostic", Her2.IHC),
    )
    for value in ("positive", "negative", "equivocal")
)
