"""What codes of FHIR resources mean, by use (`data/reference/fhir_codes.csv`): LOINC, SNOMED CT, ICD-10, words."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from crlm_pipeline import resources
from crlm_pipeline.extracts.fhir import parts, text

_SYSTEMS: Final = {
    "http://loinc.org": "loinc",
    "http://snomed.info/sct": "snomed",
    "http://hl7.org/fhir/us/mcode/CodeSystem/snomed-requested-cs": "snomed-requested",
    "http://hl7.org/fhir/sid/icd-10": "icd-10",
    "http://hl7.org/fhir/sid/icd-10-cm": "icd-10",
    "http://fhir.de/CodeSystem/bfarm/icd-10-gm": "icd-10",
    "urn:oid:2.16.840.1.113883.6.90": "icd-10",
    "urn:oid:2.16.840.1.113883.6.3": "icd-10",
    "http://terminology.hl7.org/CodeSystem/icd-o-3": "icd-o-3",
    "urn:oid:2.16.840.1.113883.6.43.1": "icd-o-3",
    "http://www.whocc.no/atc": "atc",
    "http://fhir.de/CodeSystem/bfarm/atc": "atc",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm",
    "http://www.genenames.org/geneId": "hgnc",
    "http://www.genenames.org": "hgnc",
    "http://www.sequenceontology.org": "so",
    "http://sequenceontology.org": "so",
    "http://terminology.hl7.org/CodeSystem/v2-0487": "v2-0487",
    "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation": "v3-interpretation",
    "http://terminology.hl7.org/CodeSystem/data-absent-reason": "data-absent-reason",
}
_ICD: Final = re.compile(r"^([A-Z]\d\d)\.?(\d?)")


class Coding(NamedTuple):
    """A code with the short name of its system (empty: a system in no list) and its display."""

    system: str
    code: str
    display: str


def codings(concepts: Any) -> Iterator[Coding]:
    """Yield the codings of concepts that have a code or a display; an ICD-10 code has a dot and at most four signs."""
    for coding in parts(concepts, "coding"):
        system = _SYSTEMS.get(text(coding, "system") or "", "")
        code = _normal(system, text(coding, "code") or "")
        if code or text(coding, "display"):
            yield Coding(system, code, text(coding, "display") or "")


def _normal(system: str, code: str) -> str:
    if system == "hgnc":
        return code.upper().removeprefix("HGNC:")
    icd = _ICD.match(code.upper()) if system == "icd-10" else None
    if icd:
        return f"{icd[1]}.{icd[2]}" if icd[2] else icd[1]
    return code


def meaning(use: str, concepts: Any) -> str | None:
    """Return what a code of the concepts means for a use, else what their text or a display means as a word."""
    if not concepts:
        return None
    known = _table(use)
    found = next((known[c.system, c.code] for c in codings(concepts) if (c.system, c.code) in known), None)
    if found is not None:
        return found
    return next((known["text", word] for word in map(str.lower, words(concepts)) if ("text", word) in known), None)


def meaning_of_word(use: str, word: str) -> str | None:
    """Return what a word or number means for a use."""
    known = _table(use)
    return known.get(("text", word.strip().lower())) or known.get(("number", word.strip()))


def meaning_within(use: str, concepts: Any) -> str | None:
    """Return what the first listed phrase within the text or a display of the concepts means for a use."""
    spoken = " | ".join(words(concepts)).lower()
    if not spoken:
        return None
    return next((value for (_, phrase), value in _table(use).items() if phrase in spoken), None)


def words(concepts: Any) -> list[str]:
    """Return the texts of concepts, then the displays of their codes."""
    texts = [value for value in parts(concepts, "text") if isinstance(value, str)]
    return [*texts, *(coding.display for coding in codings(concepts) if coding.display)]


def as_delivered(concepts: Any) -> str | None:
    """Return the first code of the concepts, else their text: what is kept of an answer that is in no list."""
    found = next((coding.code or coding.display for coding in codings(concepts)), None)
    return found or next(iter(words(concepts)), None)


def code_of(system: str, concepts: Any) -> str | None:
    """Return the first code of a system."""
    return next((coding.code for coding in codings(concepts) if coding.system == system and coding.code), None)


@cache
def _table(use: str) -> dict[tuple[str, str], str]:
    rows = resources.reference("fhir_codes")
    return {(row["system"], row["code"]): row["value"] for row in rows if row["use"] == use}
