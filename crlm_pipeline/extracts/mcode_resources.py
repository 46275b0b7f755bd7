"""What of an mCODE resource has a place in the contract, as cells of text; observations have a module of their own.

Resources are told by their type and codes, not by the profile they claim. Names, addresses and notes are never taken.
"""

from typing import Any, Final

from crlm_pipeline.extracts import fhir, fhir_codes

Cells = dict[str, str | None]

_NOT_GIVEN: Final = ("cancelled", "draft", "entered-in-error", "intended", "not-done", "not-taken")
_NOT_DONE: Final = ("entered-in-error", "not-done", "on-hold", "preparation")
_GOES_ON: Final = ("active", "in-progress", "on-hold")
_ENDED: Final = ("completed", "stopped")
_ORDERS: Final = ("filler-order", "instance-order", "order", "original-order", "reflex-order")
_MILLIGRAM: Final = "mg"


def only_named(_: Any) -> Cells:
    """Return nothing: of such a resource only its id matters."""
    return {}


def patient(resource: Any) -> Cells:
    """Return the person; the dead are told by a date or by yes, the living by no."""
    died = fhir.day(resource, "deceased")
    is_date = died not in (None, "true", "false")
    return {
        "gender": fhir.text(resource, "gender"),
        "birth_date": fhir.text(resource, "birthDate"),
        "is_deceased": "true" if is_date else fhir.text(resource, "deceasedBoolean"),
        "death_date": died if is_date else None,
        "centre": _organisation(resource, "managingOrganization"),
        "country": fhir.text(resource, "address", "country"),
    }


def encounter(resource: Any) -> Cells:
    """Return the last day of an encounter and the organisation that gave the care."""
    period = resource.get("period")
    return {
        "status": fhir.text(resource, "status"),
        "day": fhir.without_time(fhir.text(period, "end") or fhir.text(period, "start")),
        "centre": _organisation(resource, "serviceProvider"),
    }


def _organisation(resource: Any, name: str) -> str | None:
    found = fhir.target(resource, name)
    within = fhir.contained(resource, found)
    return fhir.text(within, "identifier", "value") if within else found


def condition(resource: Any) -> Cells:
    """Return a diagnosis: a cancer (`is_cancer`) by code, histology or profile, or a metastasis (`is_secondary`)."""
    code, site = resource.get("code"), resource.get("bodySite")
    profiles = fhir.profiles(resource)
    histology = fhir.parts(fhir.extensions(resource, "mcode-histology-morphology-behavior"), "valueCodeableConcept")
    diagnosis = fhir_codes.code_of("icd-10", code) or fhir_codes.meaning("diagnosis", code)
    organ = fhir_codes.meaning("metastasis", code)
    is_secondary = organ is not None or "mcode-secondary-cancer-condition" in profiles or _is_metastasis(diagnosis)
    is_cancer = (diagnosis or "").startswith("C") or bool(histology) or "mcode-primary-cancer-condition" in profiles
    return {
        "verification": fhir.text(resource, "verificationStatus", "coding", "code"),
        "is_cancer": "true" if is_cancer and not is_secondary else None,
        "is_secondary": "true" if is_secondary else None,
        "diagnosis": diagnosis,
        "site": fhir_codes.code_of("icd-o-3", site) or fhir_codes.meaning("topography", site),
        "site_text": next(iter(fhir_codes.words(site)), None),
        "organ": organ or fhir_codes.meaning("organ", site),
        "morphology": fhir_codes.code_of("icd-o-3", histology) or fhir_codes.meaning("morphology", histology),
        "day": _found(resource),
    }


def _is_metastasis(icd: str | None) -> bool:
    return (icd or "").startswith(("C77", "C78", "C79"))


def _found(resource: Any) -> str | None:
    """Return when the disease was found: its onset, else the day on which it was asserted, else recorded."""
    asserted = fhir.extensions(resource, "condition-assertedDate")
    return fhir.day(resource, "onset") or fhir.day(asserted, "value") or fhir.day(resource, "recordedDate")


def body_structure(resource: Any) -> Cells:
    """Return the organ of a tumour that observations point to."""
    return {"organ": fhir_codes.meaning("organ", resource.get("location"))}


def specimen(resource: Any) -> Cells:
    """Return where and when a specimen was taken; blood and plasma go before a site."""
    site = fhir.parts(resource, "collection", "bodySite")
    organ = fhir_codes.meaning("organ", site)
    taken_from = fhir_codes.meaning("specimen_type", resource.get("type"))
    if taken_from is None and organ:
        taken_from = "liver" if organ == "liver" else "other_metastasis"
    if taken_from is None and (fhir_codes.code_of("icd-o-3", site) or fhir_codes.meaning("topography", site)):
        taken_from = "primary"
    return {"specimen_site": taken_from, "collected": fhir.day(resource.get("collection"), "collected")}


def report(resource: Any) -> Cells:
    """Return a report with the keys of its results."""
    return {
        "issued": fhir.without_time(fhir.text(resource, "issued")),
        "specimen": fhir.target(resource, "specimen"),
        "results": _keys(resource, "result"),
    }


def _keys(resource: Any, name: str) -> str:
    """Return the keys of all references of a name, separated by `;`."""
    return ";".join(fhir.key(found) for each in fhir.parts(resource, name) if (found := fhir.text(each, "reference")))


def medication(resource: Any) -> Cells:
    """Return a drug that was given (administration, statement) or ordered (request), as far as the record says."""
    status, kind = fhir.text(resource, "status"), str(resource.get("resourceType")).removeprefix("Medication")
    refers_to = fhir.target(resource, "medicationReference")
    concepts = [resource.get("medicationCodeableConcept"), *fhir.parts(fhir.contained(resource, refers_to), "code")]
    is_ordered = fhir.text(resource, "intent") in _ORDERS and fhir.text(resource, "doNotPerform") != "true"
    start, end = _course_of_request(resource) if kind == "Request" else _course(resource)
    return {
        "kind": kind,
        "status": status,
        "is_given": "false" if status in _NOT_GIVEN or (kind == "Request" and not is_ordered) else "true",
        "medication": refers_to,
        **_drug(concepts),
        "start": start,
        "end": end,
        "intent": _extension_meaning(resource, "intent", "mcode-procedure-intent", "mcode-treatment-intent"),
        "stop_reason": _stop_reason(resource),
        "dose_mg": _milligrams(resource),
        "conditions": _keys(resource, "reasonReference"),
    }


def drug(resource: Any) -> Cells:
    """Return the drug that a Medication resource names."""
    return _drug([resource.get("code")])


def _drug(concepts: list[Any]) -> Cells:
    name = next(iter(fhir_codes.words(concepts)), None)
    rxnorm = fhir_codes.code_of("rxnorm", concepts)
    return {"drug": name or (f"RxNorm {rxnorm}" if rxnorm else None), "atc": fhir_codes.code_of("atc", concepts)}


def _course(resource: Any) -> tuple[str | None, str | None]:
    """Return first and last day; a drug given at a point in time ends that day, unless it is said to go on."""
    start = fhir.day(resource, "effective")
    if fhir.parts(resource, "effectivePeriod"):
        return start, fhir.without_time(fhir.text(resource, "effectivePeriod", "end"))
    return start, None if fhir.text(resource, "status") in _GOES_ON else start


def _course_of_request(resource: Any) -> tuple[str | None, str | None]:
    """Return the ordered period, else that of dispensing, else the day of the order; one that has ended has an end."""
    periods = [
        *fhir.parts(resource, "dosageInstruction", "timing", "repeat", "boundsPeriod"),
        *fhir.parts(resource, "dispenseRequest", "validityPeriod"),
    ]
    start = fhir.text(periods, "start") or fhir.text(resource, "dosageInstruction", "timing", "event")
    day = fhir.without_time(start or fhir.text(resource, "authoredOn"))
    end = fhir.without_time(fhir.text(periods, "end"))
    return day, end or (day if fhir.text(resource, "status") in _ENDED else None)


def _extension_meaning(resource: Any, use: str, *names: str) -> str | None:
    return fhir_codes.meaning(use, fhir.parts(fhir.extensions(resource, *names), "valueCodeableConcept"))


def _stop_reason(resource: Any) -> str | None:
    names = ("mcode-treatment-termination-reason", "mcode-termination-reason")
    said = _extension_meaning(resource, "stop_reason", *names)
    return said or fhir_codes.meaning("stop_reason", resource.get("statusReason"))


def _milligrams(resource: Any) -> str | None:
    doses = [
        *fhir.parts(resource, "dosage", "dose"),
        *fhir.parts(resource, "dosage", "doseAndRate", "doseQuantity"),
        *fhir.parts(resource, "dosageInstruction", "doseAndRate", "doseQuantity"),
    ]
    return next(
        (fhir.text(d, "value") for d in doses if _MILLIGRAM in (fhir.text(d, "code"), fhir.text(d, "unit"))), None
    )


def procedure(resource: Any) -> Cells:
    """Return a local treatment of the liver (`procedure`) or a resection of the primary, by codes and words."""
    sites = fhir.parts(resource, "bodySite")
    techniques = fhir.parts(
        fhir.extensions(resource, "mcode-radiotherapy-modality-and-technique"), "extension", "valueCodeableConcept"
    )
    concepts = [resource.get("code"), *techniques]
    removes_primary = fhir_codes.meaning("primary_resection", concepts)
    local = _local_treatment(concepts, sites)
    if local is None and removes_primary is None:
        removes_primary = fhir_codes.meaning_within("primary_resection_words", concepts)
    return {
        "status": fhir.text(resource, "status"),
        "is_done": "false" if fhir.text(resource, "status") in _NOT_DONE else "true",
        "procedure": local,
        "is_primary_resection": removes_primary,
        "conditions": _keys(resource, "reasonReference"),
        "day": fhir.day(resource, "performed"),
    }


def _local_treatment(concepts: list[Any], sites: list[Any]) -> str | None:
    """Return the treatment; one that other organs have too (`... at liver`) counts where the liver is named."""
    found = fhir_codes.meaning("procedure", concepts) or fhir_codes.meaning_within("procedure_words", concepts)
    treatment, _, organ = (found or "").partition(" at ")
    spoken = " ".join(fhir_codes.words([*concepts, *sites])).lower()
    is_liver = fhir_codes.meaning("organ", sites) == "liver" or "liver" in spoken or "hepatic" in spoken
    return treatment if treatment and (is_liver or not organ) else None
