"""What was given, in the terms in which editions name what they recommend: the pathways."""

from typing import Final

from crlm_pipeline.guidelines.patterns import SYSTEMIC, Tokens, classes

OTHER: Final = "other"

# The first class that a regimen holds names it; what targets a marker comes before what anybody may get.
_TARGETED: Final = (
    ("checkpoint_inhibitor", "immunotherapy"),
    ("braf_inhibitor", "braf_targeted"),
    ("kras_g12c_inhibitor", "kras_g12c_targeted"),
    ("anti_her2", "her2_targeted"),
    ("ntrk_inhibitor", "ntrk_targeted"),
    ("ret_inhibitor", "ret_targeted"),
)
_CYTOTOXIC: Final = ("fluoropyrimidine", "antifolate", "oxaliplatin", "irinotecan")
_LATER_LINE: Final = ("trifluridine_tipiracil", "multikinase_inhibitor")
_ABLATION: Final = frozenset({"rfa", "mwa", "ire", "cryoablation", "laser", "hifu", "ethanol"})
_AUGMENTATION: Final = frozenset({"pve", "lvd", "alpps", "two_stage"})
_PROCEDURES: Final = (
    (frozenset({"transplantation"}), "transplantation"),
    (_AUGMENTATION, "flr_augmentation"),
    (frozenset({"resection"}), "resection"),
    (_ABLATION, "ablation"),
    (frozenset({"proton"}), "proton"),
    (frozenset({"sbrt"}), "stereotactic_radiotherapy"),
    (frozenset({"sirt"}), "radioembolisation"),
    (frozenset({"hai"}), "hepatic_artery_infusion"),
    (frozenset({SYSTEMIC}), "chemotherapy"),
)


def treatment_class(treatment: Tokens, setting: str, *, is_perioperative: bool) -> str:
    """Return the pathway that a treatment belongs to, or `other`.

    `is_perioperative`: chemotherapy alone is then named as such.
    """
    if setting == "local":
        return _of_procedures(treatment)
    held = {name for name, drugs in classes().items() if treatment & drugs}
    targeted = next((pathway for name, pathway in _TARGETED if name in held), None)
    return targeted or _untargeted(held, is_perioperative=is_perioperative)


def _of_procedures(procedures: Tokens) -> str:
    if "resection" in procedures and procedures & _ABLATION and not procedures & _AUGMENTATION:
        return "resection_with_ablation"
    return next((pathway for named, pathway in _PROCEDURES if procedures & named), OTHER)


def _untargeted(held: set[str], *, is_perioperative: bool) -> str:
    has_chemotherapy = not held.isdisjoint(_CYTOTOXIC)
    if "anti_egfr" in held:
        return "anti_egfr_chemotherapy" if has_chemotherapy else "anti_egfr_alone"
    if not held.isdisjoint(_LATER_LINE):
        return "later_line_standard"
    if not has_chemotherapy:
        return OTHER
    if "anti_vegf" in held:
        return "anti_vegf_chemotherapy"
    return "perioperative_chemotherapy" if is_perioperative else "chemotherapy"
