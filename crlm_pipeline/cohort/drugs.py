"""Recognises the substance behind a drug as delivered: by ATC code, old or new, else by its name (clinical 3.12)."""

import re
from collections.abc import Iterator
from functools import cache
from operator import itemgetter
from typing import Final

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.errors import KnowledgeError

CYTOTOXIC: Final = ("antifolate", "fluoropyrimidine", "irinotecan", "oxaliplatin", "trifluridine_tipiracil")
MODULATOR: Final = "modulator"
OPHTHALMIC: Final = "ophthalmic"
MICROSPHERES: Final = "microspheres"

_EYE_ATC: Final = "S01L"
_SALT: Final = re.compile(
    r"\b(di)?(hydrochloride|hcl|sodium|calcium|mesylate|mesilate|tosylate|tosilate|fumarate|hemifumarate|sulfate"
    r"|sulphate|monohydrate|hydrate|trihydrate|anhydrous|dimethyl sulfoxide)\b"
)
_BIOSIMILAR_SUFFIX: Final = re.compile(r"-[a-z]{4}$")
_PARENTHESES: Final = re.compile(r"\([^)]*\)")
_STRENGTH: Final = re.compile(r"\s\d+([.,]\d+)?\s*(mg|g|mcg|ml|iu|i\.e\.)\b.*$")


def recognise(exposures: pl.DataFrame) -> pl.DataFrame:
    """Add `inn` and what `substances` says of it to drug exposures; rows and their order stay.

    A known ATC code wins over the name; an ATC code of the eye (S01L) never makes a cancer drug. All are null for a
    drug in no list.
    """
    distinct = exposures.select("drug", "atc").unique(maintain_order=True)
    found = pl.Series("inn", [_find(drug, atc) for drug, atc in distinct.iter_rows()], dtype=inns())
    known = distinct.with_columns(found).join(substances(), on="inn", how="left", maintain_order="left")
    return exposures.join(known, on=["drug", "atc"], how="left", nulls_equal=True, maintain_order="left")


@cache
def substances() -> pl.DataFrame:
    """Return one row per listed substance, sorted by `inn`; `KnowledgeError` if one is listed twice.

    Names are Enums in the order of the alphabet, which sort as text does; the number of an `inn` is its row here.
    `family`: name of the substances that may be swapped for one another (clinical 3.11.5), else the substance itself.
    `is_awaited`: an antibody that may join a regimen late, as it waits for a RAS result (clinical 3.11.3).
    """
    rows = sorted(resources.reference("drugs"), key=itemgetter("inn"))
    frame = pl.DataFrame(
        {
            "inn": [row["inn"] for row in rows],
            "drug_class": [row["drug_class"] for row in rows],
            "family": [row["swap_group"] or row["inn"] for row in rows],
            "is_awaited": [row["drug_class"] == "anti_egfr" or row["inn"] == "bevacizumab" for row in rows],
        }
    )
    if frame["inn"].is_duplicated().any():
        message = "data/reference/drugs.csv lists a substance twice; keep one row for each."
        raise KnowledgeError(message)
    return frame.with_columns(
        frame[name].cast(pl.Enum(frame[name].unique().sort())) for name in ("inn", "drug_class", "family")
    )


def inns() -> pl.DataType:
    """Return the type of `inn`."""
    return substances().schema["inn"]


def _find(drug: str, atc: str | None) -> str | None:
    code = (atc or "").strip().upper()
    if code in _codes():
        return _codes()[code]
    inn = next((_names()[name] for name in _spellings(drug) if name in _names()), None)
    if code.startswith(_EYE_ATC):
        return _eye_twin(inn)
    return inn


def _eye_twin(inn: str | None) -> str | None:
    if inn is None or inn in _eye_substances():
        return inn
    return next((eye for eye in sorted(_eye_substances()) if eye.startswith(f"{inn} ")), None)


def _spellings(drug: str) -> Iterator[str]:
    """Yield the name, least altered first, so that a listed name is never cut down to another one."""
    name = " ".join(re.sub(r"[®™_]", " ", drug.lower()).split())
    plain = " ".join(_PARENTHESES.sub(" ", name).split())
    weak = _STRENGTH.sub("", plain).strip()
    salt_free = " ".join(_SALT.sub(" ", weak).split())
    for spelling in (name, plain, weak, salt_free, _BIOSIMILAR_SUFFIX.sub("", salt_free)):
        yield spelling
        yield _squeezed(spelling)


def _squeezed(name: str) -> str:
    """Drop blanks, hyphens and signs: `TAS 102`, `TAS-102` and `tas102` are one name."""
    return re.sub(r"[\W_]", "", name)


@cache
def _codes() -> dict[str, str]:
    return {
        code: row["inn"]
        for row in resources.reference("drugs")
        for code in f"{row['atc']};{row['atc_old']}".split(";")
        if code
    }


@cache
def _names() -> dict[str, str]:
    """Return every listed name, as written and squeezed, with its substance; `KnowledgeError` if two share one."""
    names: dict[str, str] = {}
    for row in resources.reference("drugs"):
        listed = f"{row['inn']};{row['brands']};{row['aliases']}".lower().split(";")
        for name in {spelling for entry in listed if entry for spelling in (entry, _squeezed(entry))}:
            if names.setdefault(name, row["inn"]) != row["inn"]:
                message = f"data/reference/drugs.csv: {name!r} names {names[name]} and {row['inn']}; keep one."
                raise KnowledgeError(message)
    return names


@cache
def _eye_substances() -> frozenset[str]:
    return frozenset(row["inn"] for row in resources.reference("drugs") if row["drug_class"] == OPHTHALMIC)
