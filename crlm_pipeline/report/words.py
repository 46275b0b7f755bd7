"""The report's words: names for the values of the vocabularies, and numbers as text."""

from functools import cache
from typing import Final

import polars as pl

_NARROW_SPACE: Final = "\u202f"
NOT_SHOWN: Final = "not shown"
_TWO_FIGURES: Final = 10

_WORDS: Final = {
    # verdicts and their classes
    "concordant": "Concordant",
    "concordant_preferred": "Concordant, preferred option",
    "concordant_alternative": "Concordant, alternative option",
    "discordant": "Discordant",
    "discordant_not_given": "Discordant, recommended treatment not given",
    "discordant_not_recommended": "Discordant, treatment advised against",
    "contraindicated": "Contraindicated",
    "not_evaluable": "Not evaluable, a fact is missing",
    "no_rule": "No rule applies",
    "out_of_scope": "Out of scope, with a recorded reason",
    "not_in_force": "No edition in force yet",
    "open": "Open, nothing given yet",
    "on_label": "On label",
    "off_label": "Off label",
    "cannot_be_checked": "Cannot be checked",
    "finding": "Finding",
    # biomarkers
    "side": "Side of the primary",
    "msi": "MSI / MMR",
    "ras": "RAS",
    "kras": "KRAS",
    "nras": "NRAS",
    "kras_g12c": "KRAS G12C",
    "kras_g12d": "KRAS G12D",
    "braf": "BRAF",
    "her2": "HER2",
    "extended_ras": "Extended RAS",
    "her2_ish": "HER2 by ISH",
    "dpyd": "DPYD",
    "kras_allele": "KRAS allele",
    "ntrk": "NTRK fusion",
    "ret": "RET fusion",
    "pole": "POLE / POLD1",
    "mlh1_methylation": "MLH1 methylation",
    "mss": "MSS / pMMR",
    "msi_h": "MSI-H / dMMR",
    "conflict": "Results conflict",
    "v600e": "V600E",
    "class_2": "Class 2",
    "class_3": "Class 3",
    "wild_type": "Wild type",
    "mutant": "Mutated",
    "partial_wild_type": "Wild type as far as examined",
    "true": "Found",
    "false": "Not found",
    # pathways and tests
    "anti_egfr_chemotherapy": "Chemotherapy with anti-EGFR",
    "anti_egfr_alone": "Anti-EGFR alone",
    "anti_vegf_chemotherapy": "Chemotherapy with anti-VEGF",
    "braf_targeted": "BRAF-targeted",
    "kras_g12c_targeted": "KRAS-G12C-targeted",
    "her2_targeted": "HER2-targeted",
    "ntrk_targeted": "NTRK-targeted",
    "ret_targeted": "RET-targeted",
    "flr_augmentation": "Augmentation of the liver remnant",
    "test_first": "Test first",
    "nothing_yet": "Nothing yet",
    "nothing": "Nothing given",
    "other": "Another treatment",
    "not_judged": "Not judged",
    "in_time": "In time",
    "late": "Late",
    "missing": "Missing",
    # reasons
    "patient_choice": "The patient's choice",
    "access": "No access to the drug",
    "urgent": "Urgency",
    "trial": "Treated in a trial",
    "under_18": "Younger than 18",
    "other_tumour": "Another kind of tumour",
    "reassessed": "Assessed again before any treatment",
    "died": "Died before treatment",
    "not_stated": "Reason not stated",
    # series
    "esmo": "ESMO",
    "asco": "ASCO",
    "nccn": "NCCN",
    "netherlands": "Netherlands",
    "evidence": "Evidence digest",
    "crlm_editorial": "CRLM editorial",
    "fda": "FDA labels",
    "ema": "EMA labels",
    # survival
    "local_treatment": "Resected or ablated",
    "no_local_treatment": "Neither resected nor ablated",
    # settings
    "systemic": "Systemic treatment",
    "local": "Local treatment of the liver",
    "mdt": "MDT meetings",
}


def words(value: str | None) -> str:
    """Return a vocabulary value as a reader would say it."""
    if value is None:
        return "All"
    plain = value.replace("_", " ")
    return _WORDS.get(value, plain[:1].upper() + plain[1:])


@cache
def in_words(column: str) -> pl.Expr:
    """Return a text column with every vocabulary value as a reader would say it."""
    return pl.col(column).replace_strict(_WORDS, default=_plain(pl.col(column))).fill_null("All").alias(column)


def _plain(column: pl.Expr) -> pl.Expr:
    text = column.str.replace_all("_", " ")
    return text.str.slice(0, 1).str.to_uppercase() + text.str.slice(1)


def percent(value: float | None) -> str:
    """Return a percentage without decimals, or with one below 10."""
    if value is None:
        return NOT_SHOWN
    text = f"{value:.0f}" if value >= _TWO_FIGURES or value == 0 else f"{value:.1f}"
    return f"{text}{_NARROW_SPACE}%"


def series_word(source: str) -> str:
    """Return where a published figure comes from; `GK` and `seed` are the knowledge base's own shorthand."""
    return source.replace("seed item", "CRLM editorial 2023, item").replace("GK", "general knowledge")


@cache
def percent_and_interval() -> pl.Expr:
    """Return `percent`, `ci_low` and `ci_high` of a table as one text; a dash where they are not shown."""
    parts = [pl.col(name).round(1).cast(pl.String) for name in ("percent", "ci_low", "ci_high")]
    return pl.format("{} ({}\u2013{})", *parts).fill_null("\u2013").alias("percent_text")


def listed(items: list[str]) -> str:
    """Return items as a phrase: "a", "a and b", "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
