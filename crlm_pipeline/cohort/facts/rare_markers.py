"""Fusions, polymerase variants, mutational burden and DPD activity (clinical 2.1, 2.4; semantics, "Facts").

A fusion is excluded only when every gene of its family was negative, a polymerase variant only when both genes were.
The extract carries no pathogenicity: `mutated` of POLE or POLD1 is taken as the laboratory reported it.
"""

from enum import IntFlag
from typing import Final

import polars as pl

from crlm_pipeline.cohort.facts.evidence import Support, first_of, has, has_all, shows, union


class Rare(IntFlag):
    """What a result of the rarer markers shows."""

    NTRK_FUSION = 1 << 0
    NTRK1_NEGATIVE = 1 << 1
    NTRK2_NEGATIVE = 1 << 2
    NTRK3_NEGATIVE = 1 << 3
    RET_FUSION = 1 << 4
    RET_NEGATIVE = 1 << 5
    POLYMERASE_VARIANT = 1 << 6
    POLE_NEGATIVE = 1 << 7
    POLD1_NEGATIVE = 1 << 8
    TMB_HIGH = 1 << 9
    TMB_LOW = 1 << 10
    DPD_NORMAL = 1 << 11
    DPD_PARTIAL = 1 << 12
    DPD_COMPLETE = 1 << 13

    NTRK_NEGATIVE = NTRK1_NEGATIVE | NTRK2_NEGATIVE | NTRK3_NEGATIVE
    POLYMERASE_NEGATIVE = POLE_NEGATIVE | POLD1_NEGATIVE
    DPD = DPD_NORMAL | DPD_PARTIAL | DPD_COMPLETE


_SHOWN: Final = (
    (("ntrk1", "ntrk2", "ntrk3"), "fusion", Rare.NTRK_FUSION),
    (("ntrk1",), "not_detected", Rare.NTRK1_NEGATIVE),
    (("ntrk2",), "not_detected", Rare.NTRK2_NEGATIVE),
    (("ntrk3",), "not_detected", Rare.NTRK3_NEGATIVE),
    (("ret",), "fusion", Rare.RET_FUSION),
    (("ret",), "not_detected", Rare.RET_NEGATIVE),
    (("pole",), "not_detected", Rare.POLE_NEGATIVE),
    (("pold1",), "not_detected", Rare.POLD1_NEGATIVE),
    (("tmb",), "high", Rare.TMB_HIGH),
    (("tmb",), "low", Rare.TMB_LOW),
    (("dpyd",), "dpd_normal", Rare.DPD_NORMAL),
    (("dpyd",), "dpd_partial", Rare.DPD_PARTIAL),
    (("dpyd",), "dpd_complete", Rare.DPD_COMPLETE),
)


def evidence() -> pl.Expr:
    """Return what a biomarker row shows of the rarer markers."""
    polymerase = pl.col("analyte").is_in(["pole", "pold1"]) & (pl.col("result") == "mutated")
    return union(
        [
            shows(polymerase & (pl.col("variant") != "silent"), Rare.POLYMERASE_VARIANT),
            *(
                shows(pl.col("analyte").is_in(list(analytes)) & (pl.col("result") == result), bit)
                for analytes, result, bit in _SHOWN
            ),
        ]
    )


def has_ntrk_fusion() -> pl.Expr:
    """Whether an NTRK fusion was found; excluded when all three genes were negative."""
    return first_of((has("rare", Rare.NTRK_FUSION), True), (has_all("rare", Rare.NTRK_NEGATIVE), False))


def has_ret_fusion() -> pl.Expr:
    """Whether a RET fusion was found."""
    return first_of((has("rare", Rare.RET_FUSION), True), (has("rare", Rare.RET_NEGATIVE), False))


def has_pole_variant() -> pl.Expr:
    """Whether a POLE or POLD1 variant was reported; excluded when both genes were negative."""
    return first_of((has("rare", Rare.POLYMERASE_VARIANT), True), (has_all("rare", Rare.POLYMERASE_NEGATIVE), False))


def is_tmb_high() -> pl.Expr:
    """Whether the mutational burden was reported high."""
    return first_of((has("rare", Rare.TMB_HIGH), True), (has("rare", Rare.TMB_LOW), False))


def dpd(contraindications: pl.Expr) -> pl.Expr:
    """Return the worse of the assays and the recorded contraindications."""
    return first_of(
        (has("rare", Rare.DPD_COMPLETE) | contraindications.list.contains("dpd_complete"), "complete"),
        (has("rare", Rare.DPD_PARTIAL) | contraindications.list.contains("dpd_partial"), "partial"),
        (has("rare", Rare.DPD_NORMAL), "normal"),
    )


SUPPORT: Final = (
    Support("has_ntrk_fusion", "true", "rare", Rare.NTRK_FUSION),
    Support("has_ntrk_fusion", "false", "rare", Rare.NTRK_NEGATIVE),
    Support("has_ret_fusion", "true", "rare", Rare.RET_FUSION),
    Support("has_ret_fusion", "false", "rare", Rare.RET_NEGATIVE),
    Support("has_pole_variant", "true", "rare", Rare.POLYMERASE_VARIANT),
    Support("has_pole_variant", "false", "rare", Rare.POLYMERASE_NEGATIVE),
    Support("is_tmb_high", "true", "rare", Rare.TMB_HIGH),
    Support("is_tmb_high", "false", "rare", Rare.TMB_LOW),
    Support("dpd", "complete", "rare", Rare.DPD_COMPLETE),
    Support("dpd", "partial", "rare", Rare.DPD_PARTIAL),
    Support("dpd", "normal", "rare", Rare.DPD_NORMAL),
)
