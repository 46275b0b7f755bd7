"""What invented centres give: the regimen of a line, by what was known and available that day.

Most follow the guideline of the time and place; some do not, and a few give what they should not.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from crlm_pipeline.synthetic.chance import Bools, Chance, Days, Texts, day

BACKBONES: Final[dict[str, tuple[str, ...]]] = {
    "": (),
    "folfox": ("fluorouracil", "oxaliplatin"),
    "capox": ("capecitabine", "oxaliplatin"),
    "folfiri": ("fluorouracil", "irinotecan"),
    "folfoxiri": ("fluorouracil", "oxaliplatin", "irinotecan"),
    "capecitabine": ("capecitabine",),
    "fluorouracil": ("fluorouracil",),
    "irinotecan": ("irinotecan",),
}
PARTNERS: Final[tuple[str, ...]] = (
    "",
    "bevacizumab",
    "cetuximab",
    "panitumumab",
    "aflibercept",
    "ramucirumab",
    "pembrolizumab",
    "nivolumab",
    "nivolumab+ipilimumab",
    "encorafenib+cetuximab",
    "vemurafenib+cetuximab",
    "trifluridine/tipiracil",
    "trifluridine/tipiracil+bevacizumab",
    "regorafenib",
    "fruquintinib",
    "adagrasib+cetuximab",
    "sotorasib+panitumumab",
    "tucatinib+trastuzumab",
    "trastuzumab+pertuzumab",
    "trastuzumab deruxtecan",
    "larotrectinib",
    "selpercatinib",
)
ANTI_EGFR: Final = ("cetuximab", "panitumumab")
CHECKPOINT: Final = ("pembrolizumab", "nivolumab", "nivolumab+ipilimumab")
SIDE_KNOWN_SINCE: Final = day(2017, 3)

# First day on which a treatment could be had: in the United States, elsewhere. The far future: trial only.
FAR: Final = day(2100)
ACCESS: Final[dict[str, tuple[int, int]]] = {
    "checkpoint_first": (day(2020, 6, 29), day(2021, 1, 21)),
    "checkpoint_later": (day(2017, 5, 23), day(2021, 6, 24)),
    "double_checkpoint_first": (day(2025, 4, 8), day(2024, 12, 19)),
    "braf_first": (day(2024, 12, 20), FAR),
    "braf_later": (day(2020, 4, 8), day(2020, 6, 2)),
    "trifluridine_bevacizumab": (day(2023, 8, 2), day(2023, 7, 31)),
    "fruquintinib": (day(2023, 11, 8), day(2024, 7, 1)),
    "adagrasib": (day(2024, 6, 21), FAR),
    "sotorasib": (day(2025, 1, 17), FAR),
    "tucatinib": (day(2023, 1, 19), FAR),
    "deruxtecan": (day(2024, 4, 5), FAR),
    "larotrectinib": (day(2018, 11, 26), day(2019, 9, 19)),
    "selpercatinib": (day(2022, 9, 21), day(2024, 4, 29)),
}


@dataclass(frozen=True, slots=True)
class Situation:
    """What the team knows on the day of a line; `is_*` is false where it is not known."""

    day: Days
    is_american: Bools
    follows: Bools
    is_unsparing: Bools
    is_fit: Bools
    is_right: Bools
    is_msi_high: Bools
    is_ras_known: Bools
    is_ras_mutant: Bools
    is_v600e: Bools
    is_g12c: Bools
    is_her2: Bools
    fusion: Texts
    had: dict[str, Bools]

    def has_access(self, treatment: str) -> Bools:
        """Whether the treatment could be had that day in that country."""
        american, elsewhere = ACCESS[treatment]
        return self.day >= np.where(self.is_american, american, elsewhere)

    @property
    def is_wild(self) -> Bools:
        """Whether RAS is known to be wild-type."""
        return self.is_ras_known & ~self.is_ras_mutant


@dataclass(frozen=True, slots=True)
class Regimen:
    """A backbone and what accompanies it; both empty: best supportive care."""

    backbone: Texts
    partner: Texts

    def has(self, inn: str) -> Bools:
        """Whether the substance is part of the regimen."""
        backbones = [name for name, drugs in BACKBONES.items() if inn in drugs]
        partners = [name for name in PARTNERS if inn in name.split("+")]
        return np.isin(self.backbone, backbones) | np.isin(self.partner, partners)

    def where(self, mask: Bools, other: "Regimen") -> "Regimen":
        """Return this regimen, except the other one where the mask holds."""
        return Regimen(np.where(mask, other.backbone, self.backbone), np.where(mask, other.partner, self.partner))


def substances() -> list[str]:
    """Return every substance that a regimen may hold, sorted."""
    named = {inn for drugs in BACKBONES.values() for inn in drugs} | {i for name in PARTNERS for i in name.split("+")}
    return sorted(named - {""})


def choose(chance: Chance, line: int, situation: Situation) -> Regimen:
    """Return the regimen of a line of therapy."""
    if line == 1:
        usual = _first(chance, situation)
    elif line == 2:
        usual = _second(chance, situation)
    else:
        usual = _later(chance, situation)
    return _targeted(chance, line, situation, usual)


def _first(chance: Chance, s: Situation) -> Regimen:
    doublet = chance.pick({"folfox": 0.5, "capox": 0.22, "folfiri": 0.28})
    wants_triplet = s.is_fit & chance.happens(np.where(s.is_ras_mutant | s.is_v600e | s.is_right, 0.17, 0.05))
    single = chance.pick({"capecitabine": 0.65, "fluorouracil": 0.35})
    backbone = np.where(s.is_fit, np.where(wants_triplet, "folfoxiri", doublet), single)
    antibody = chance.pick({"bevacizumab": 0.78, "": 0.22})
    left = chance.pick({"cetuximab": 0.26, "panitumumab": 0.31, "bevacizumab": 0.33, "": 0.1})
    early_right = chance.pick({"cetuximab": 0.3, "panitumumab": 0.1, "bevacizumab": 0.45, "": 0.15})
    late_right = chance.pick({"cetuximab": 0.05, "panitumumab": 0.04, "bevacizumab": 0.76, "": 0.15})
    right = np.where(s.day < SIDE_KNOWN_SINCE, early_right, late_right)
    partner = np.where(s.is_wild & ~s.is_v600e, np.where(s.is_right, right, left), antibody)
    careless = chance.pick({"": 0.47, "bevacizumab": 0.4, "cetuximab": 0.09, "panitumumab": 0.04})
    careless = np.where(s.is_unsparing, "cetuximab", careless)
    partner = np.where(s.follows, partner, careless)
    is_bad_pair = np.isin(partner, ANTI_EGFR) & np.isin(backbone, ["capox", "folfoxiri"]) & chance.happens(0.9)
    return Regimen(np.where(is_bad_pair, "folfox", backbone), partner)


def _second(chance: Chance, s: Situation) -> Regimen:
    after_oxaliplatin = chance.pick({"folfiri": 0.88, "irinotecan": 0.12})
    after_irinotecan = chance.pick({"folfox": 0.7, "capox": 0.3})
    had_both = s.had["oxaliplatin"] & s.had["irinotecan"]
    rest = chance.pick({"capecitabine": 0.4, "folfiri": 0.6})
    backbone = np.where(s.had["oxaliplatin"], after_oxaliplatin, after_irinotecan)
    backbone = np.where(had_both, rest, backbone)
    vessels = chance.pick({"bevacizumab": 0.6, "aflibercept": 0.15, "ramucirumab": 0.04, "": 0.21})
    receptor = chance.pick({"cetuximab": 0.25, "panitumumab": 0.3, "bevacizumab": 0.3, "": 0.15})
    partner = np.where(s.is_wild & ~s.had["anti_egfr"] & ~s.is_v600e & s.follows, receptor, vessels)
    is_impossible = np.isin(partner, ["aflibercept", "ramucirumab"]) & (backbone != "folfiri")
    return Regimen(backbone, np.where(is_impossible, "bevacizumab", partner))


def _later(chance: Chance, s: Situation) -> Regimen:
    standard = chance.pick({"trifluridine/tipiracil": 0.6, "regorafenib": 0.4})
    newer = chance.pick({"trifluridine/tipiracil+bevacizumab": 0.7, "fruquintinib": 0.15, "regorafenib": 0.15})
    partner = np.where(s.has_access("trifluridine_bevacizumab") & s.follows, newer, standard)
    is_early_fruquintinib = (partner == "fruquintinib") & ~s.has_access("fruquintinib")
    partner = np.where(is_early_fruquintinib, "regorafenib", partner)
    receptor = chance.pick({"cetuximab": 0.6, "panitumumab": 0.4})
    is_receptor = s.is_wild & ~s.is_v600e & chance.happens(np.where(s.had["anti_egfr"], 0.1, 0.6))
    backbone = np.where(is_receptor & (receptor == "cetuximab") & chance.happens(0.6), "irinotecan", "")
    return Regimen(backbone, np.where(is_receptor, receptor, partner))


Call = tuple[Bools, str | Texts, str | Texts]


def _targeted(chance: Chance, line: int, s: Situation, usual: Regimen) -> Regimen:
    """Replace the usual regimen where a marker, access and the centre's habits call for a targeted one."""
    takes_up = s.follows & chance.happens(0.93)
    calls = _first_calls(chance, s) if line == 1 else _later_calls(chance, s)
    regimen = usual
    for is_called, backbone, partner in calls:
        regimen = regimen.where(
            is_called & takes_up,
            Regimen(
                np.broadcast_to(np.asarray(backbone), s.day.shape), np.broadcast_to(np.asarray(partner), s.day.shape)
            ),
        )
    return regimen


def _first_calls(chance: Chance, s: Situation) -> list[Call]:
    doubled = s.has_access("double_checkpoint_first") & chance.happens(0.35)
    return [
        (s.is_v600e & s.has_access("braf_first"), "folfox", "encorafenib+cetuximab"),
        (
            s.is_msi_high & s.has_access("checkpoint_first"),
            "",
            np.where(doubled, "nivolumab+ipilimumab", "pembrolizumab"),
        ),
    ]


def _later_calls(chance: Chance, s: Situation) -> list[Call]:
    exhausted = s.had["oxaliplatin"] & s.had["irinotecan"]
    conjugate = s.has_access("deruxtecan") & chance.happens(0.3)
    her2 = np.where(
        conjugate,
        "trastuzumab deruxtecan",
        np.where(s.has_access("tucatinib"), "tucatinib+trastuzumab", "trastuzumab+pertuzumab"),
    )
    has_sotorasib = s.has_access("sotorasib") & chance.happens(0.5)
    is_v600e = s.is_v600e & ~s.had["braf"]
    immune = chance.pick({"pembrolizumab": 0.65, "nivolumab": 0.1, "nivolumab+ipilimumab": 0.25})
    return [
        (s.is_her2 & s.is_wild & ~s.had["her2"] & exhausted & (s.day >= day(2019)), "", her2),
        (
            s.is_g12c & s.has_access("adagrasib") & ~s.had["g12c"] & exhausted,
            "",
            np.where(has_sotorasib, "sotorasib+panitumumab", "adagrasib+cetuximab"),
        ),
        (np.char.startswith(s.fusion, "ntrk") & s.has_access("larotrectinib"), "", "larotrectinib"),
        ((s.fusion == "ret") & s.has_access("selpercatinib"), "", "selpercatinib"),
        (
            is_v600e & (s.day >= day(2018, 3)) & s.is_american & chance.happens(0.4),
            "irinotecan",
            "vemurafenib+cetuximab",
        ),
        (is_v600e & s.has_access("braf_later"), "", "encorafenib+cetuximab"),
        (s.is_msi_high & ~s.had["checkpoint"] & s.has_access("checkpoint_later"), "", immune),
        # Immunotherapy without MSI-H is rare, and never recommended (editorial, items 39 to 42).
        (~s.is_msi_high & s.has_access("checkpoint_later") & chance.happens(0.006), "", "nivolumab"),
    ]
