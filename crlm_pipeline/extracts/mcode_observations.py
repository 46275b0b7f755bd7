"""What of an mCODE observation has a place in the contract, as cells of text: staging, markers, variants, status.

`kind` says what was observed (by the code of the observation), `answer` what was found, in words of the contract; an
answer in no list stays as delivered, so that validation rejects it. `number` and `unit` are those of a quantity.
"""

import re
from typing import Any, Final

from crlm_pipeline.extracts import fhir, fhir_codes
from crlm_pipeline.extracts.mcode_resources import Cells, specimen

CELLS: Final = (
    "status", "kind", "code", "day", "issued", "answer", "number", "unit", "is_bounded", "missing_reason",
    "interpretation", "method", "organ", "focus", "specimen", "specimen_site", "collected", "genes", "hgvs_p", "hgvs_c",
    "vaf_percent", "copies", "region",
)  # fmt: skip
_ANSWERS: Final = {
    "variant": "presence", "msi": "msi", "her2_ihc": "ihc", "mlh1": "mmr", "pms2": "mmr", "msh2": "mmr", "msh6": "mmr",
    "dpyd": "dpyd", "ecog": "ecog", "disease_status": "disease_status",
}  # fmt: skip
_STAGED: Final = re.compile(r"(?<![A-Za-z])(?:yc|yp|[cpyra])?([TNM])(is|\d[a-d]?|X)(?![A-Za-z0-9])")
_FRACTION_UNITS: Final = (None, "1", "{fraction}", "{ratio}")
_CODONS: Final = re.compile(r"codons?\s+((?:\d+[\s,;/&]*(?:and\s+)?)+)", re.IGNORECASE)
_EXONS: Final = re.compile(r"exons?\s+((?:\d+[\s,;/&]*(?:and\s+)?)+)", re.IGNORECASE)
_HOTSPOTS: Final = ("12", "13", "59", "61", "117", "146")
_RAS_EXONS: Final = ("2", "3", "4")


def observation(resource: Any) -> Cells:
    """Return the cells of an observation; of one that is none of the contract only its code."""
    code = resource.get("code")
    kind = fhir_codes.meaning("observation", code) or fhir_codes.meaning_within("observation_words", code)
    told = {"code": fhir_codes.as_delivered(code), "focus": fhir.target(resource, "focus")}
    return {**told, "kind": kind, **_found(kind, resource)} if kind else told


def _found(kind: str, resource: Any) -> Cells:
    quantities = fhir.parts(resource, "valueQuantity")
    specimen_key = fhir.target(resource, "specimen")
    within = fhir.contained(resource, specimen_key)
    return {
        "status": fhir.text(resource, "status"),
        "day": fhir.day(resource, "effective"),
        "issued": fhir.without_time(fhir.text(resource, "issued")),
        "answer": _answer(kind, resource),
        "number": fhir.text(quantities, "value") or fhir.text(resource, "valueInteger"),
        "unit": _unit(quantities),
        "is_bounded": "true" if fhir.text(quantities, "comparator") else None,
        "missing_reason": fhir_codes.meaning("missing", resource.get("dataAbsentReason")),
        "interpretation": fhir_codes.meaning("interpretation", resource.get("interpretation")),
        "method": fhir_codes.meaning("method", resource.get("method")),
        "organ": fhir_codes.meaning("organ", resource.get("bodySite")),
        "specimen": specimen_key,
        **(specimen(within) if within else {}),
        **(_components(kind, resource) if "component" in resource else {}),
    }


def _answer(kind: str, resource: Any) -> str | None:
    value = fhir.parts(resource, "valueCodeableConcept")
    said = fhir.text(resource, "valueString") or fhir.text(resource, "valueInteger")
    said = said or fhir.text(resource, "valueQuantity", "value")
    if kind[:2] in ("t_", "n_", "m_"):
        return _category(kind[0].upper(), value, said)
    use = _ANSWERS.get(kind)
    if use is None:
        return None
    known = fhir_codes.meaning(use, value) or (fhir_codes.meaning_of_word(use, said) if said else None)
    return known or fhir_codes.as_delivered(value) or said


def _category(letter: str, value: list[Any], said: str | None) -> str | None:
    """Return a TNM category without its prefix (`T3` of `pT3`), None for one of another letter or unreadable."""
    coded = fhir_codes.meaning("tnm", value)
    codes = [coding.code for coding in fhir_codes.codings(value)]
    for text in (coded, *codes, *fhir_codes.words(value), said):
        found = _STAGED.search(text or "")
        if found and found[1] == letter:
            return found[1] + found[2]
    return None


def _unit(quantities: list[Any]) -> str | None:
    return fhir.text(quantities, "code") or fhir.text(quantities, "unit")


def _components(kind: str, resource: Any) -> Cells:
    """Return what the components say: gene, change, share of alleles, copies, what was examined, longest diameter."""
    by_meaning: dict[str, list[Any]] = {}
    for component in fhir.parts(resource, "component"):
        meaning = fhir_codes.meaning("component", component.get("code") if isinstance(component, dict) else None)
        by_meaning.setdefault(meaning or "", []).append(component)
    found: Cells = {
        "genes": _genes(by_meaning.get("gene", [])),
        "hgvs_p": _written(by_meaning.get("hgvs_p", [])),
        "hgvs_c": _written(by_meaning.get("hgvs_c", [])),
        "vaf_percent": _percent(by_meaning.get("vaf", [])),
        "copies": fhir.text(by_meaning.get("copies", []), "valueQuantity", "value"),
        "region": _region(by_meaning.get("region", [])),
    }
    longest = fhir.parts(by_meaning.get("longest", []), "valueQuantity")
    if kind == "tumour_size" and longest:
        found |= {"number": fhir.text(longest, "value"), "unit": _unit(longest)}
    change = fhir_codes.meaning("change", fhir.parts(by_meaning.get("change", []), "valueCodeableConcept"))
    if kind == "variant" and change:
        found["answer"] = _answer_with_change(_answer(kind, resource), change)
    return found


def _answer_with_change(answer: str | None, change: str) -> str | None:
    """Return the kind of change for one that is present; an amplification that is absent is `not_amplified`."""
    if answer == "mutated":
        return change
    return "not_amplified" if answer == "not_detected" and change == "amplified" else answer


def _genes(components: list[Any]) -> str | None:
    """Return the genes of the contract by their names there, any other by its symbol or number as delivered."""
    values = fhir.parts(components, "valueCodeableConcept")
    named = [fhir_codes.meaning("gene", value) or fhir_codes.as_delivered(value) for value in values]
    return ";".join(name for name in named if name) or None


def _written(components: list[Any]) -> str | None:
    """Return a change as it is written: a text, a display or a code."""
    values = fhir.parts(components, "valueCodeableConcept")
    said = fhir.text(components, "valueString")
    spelled = [*fhir_codes.words(values), *(c.code for c in fhir_codes.codings(values))]
    return next(iter(spelled), None) or said


def _percent(components: list[Any]) -> str | None:
    """Return a share of alleles in percent; without a unit it is a fraction (LOINC 81258-6 is one)."""
    quantities = fhir.parts(components, "valueQuantity")
    value = fhir.text(quantities, "value")
    try:
        is_fraction = _unit(quantities) in _FRACTION_UNITS and float(value or "nan") <= 1
    except ValueError:
        return value
    return f"{float(value or 'nan') * 100:.10g}" if is_fraction else value


def _region(components: list[Any]) -> str | None:
    """Return the codons or exons that a description names, as `12;13` or `exon2;exon3`."""
    described = fhir.text(components, "valueString") or ""
    codons = [n for found in _CODONS.findall(described) for n in re.findall(r"\d+", found) if n in _HOTSPOTS]
    exons = [n for found in _EXONS.findall(described) for n in re.findall(r"\d+", found) if n in _RAS_EXONS]
    return ";".join(codons or [f"exon{number}" for number in exons]) or None
