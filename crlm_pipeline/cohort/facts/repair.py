"""Mismatch repair: microsatellite instability and the four repair proteins, merged (clinical 3.7).

Results that disagree are a conflict, never settled by recency; a protein both lost and retained is one too.
"""

from enum import IntFlag
from typing import Final

import polars as pl

from crlm_pipeline.cohort.facts.evidence import Support, first_of, has, has_all, shows, union

PROTEINS: Final = ("mlh1", "pms2", "msh2", "msh6")
_RETAINED_SHIFT: Final = 4


class Repair(IntFlag):
    """What a result shows of mismatch repair."""

    MLH1_LOST = 1 << 0
    PMS2_LOST = 1 << 1
    MSH2_LOST = 1 << 2
    MSH6_LOST = 1 << 3
    MLH1_RETAINED = 1 << 4
    PMS2_RETAINED = 1 << 5
    MSH2_RETAINED = 1 << 6
    MSH6_RETAINED = 1 << 7
    MSI_H = 1 << 8
    MSS = 1 << 9

    LOST = MLH1_LOST | PMS2_LOST | MSH2_LOST | MSH6_LOST
    RETAINED = MLH1_RETAINED | PMS2_RETAINED | MSH2_RETAINED | MSH6_RETAINED
    TWO_PROTEIN_SCREEN = PMS2_RETAINED | MSH6_RETAINED
    ANY = LOST | RETAINED | MSI_H | MSS


def evidence() -> pl.Expr:
    """Return what a biomarker row shows of mismatch repair; low instability counts as stable."""
    instability = pl.col("analyte") == "msi"
    return union(
        [
            shows(instability & (pl.col("result") == "msi_h"), Repair.MSI_H),
            shows(instability & pl.col("result").is_in(["mss", "msi_l"]), Repair.MSS),
            *(_protein(name, place) for place, name in enumerate(PROTEINS)),
        ]
    )


def _protein(name: str, place: int) -> pl.Expr:
    stained = pl.col("analyte") == name
    return shows(stained & (pl.col("result") == "lost"), 1 << place) | shows(
        stained & (pl.col("result") == "retained"), 1 << (place + _RETAINED_SHIFT)
    )


def _is_contradictory(place: int) -> pl.Expr:
    return has_all("repair", (1 << place) | (1 << (place + _RETAINED_SHIFT)))


def status() -> pl.Expr:
    """Return the merged status that the word `repair` shows: fewer proteins than the two-protein screen are unknown."""
    deficient = has("repair", Repair.LOST)
    proficient = ~deficient & has_all("repair", Repair.TWO_PROTEIN_SCREEN)
    unstable = deficient | has("repair", Repair.MSI_H)
    stable = proficient | has("repair", Repair.MSS)
    contradictory = pl.any_horizontal(_is_contradictory(place) for place in range(len(PROTEINS)))
    return first_of(
        (contradictory | (unstable & stable), "conflict"),
        (unstable, "msi_h"),
        (stable, "mss"),
    )


def is_mlh1_lost() -> pl.Expr:
    """Whether MLH1 staining was lost; unknown when it was both lost and retained, or not stained."""
    return first_of(
        (_is_contradictory(0), None),
        (has("repair", Repair.MLH1_LOST), True),
        (has("repair", Repair.MLH1_RETAINED), False),
    )


SUPPORT: Final = (
    Support("msi", "msi_h", "repair", Repair.MSI_H | Repair.LOST),
    Support("msi", "mss", "repair", Repair.MSS | Repair.RETAINED),
    Support("msi", "conflict", "repair", Repair.ANY),
    Support("is_mlh1_lost", "true", "repair", Repair.MLH1_LOST),
    Support("is_mlh1_lost", "false", "repair", Repair.MLH1_RETAINED),
)
