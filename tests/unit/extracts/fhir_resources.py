"""Builds FHIR resources of a patient and reads them; each has what is usual, and any element given by name."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from crlm_pipeline.extracts.tables import Extract
from tests.unit.extracts.files import read

Resource = dict[str, Any]
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
ICD, ICD_O = "http://hl7.org/fhir/sid/icd-10-cm", "http://terminology.hl7.org/CodeSystem/icd-o-3"
MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-"
PERSON: Resource = {"resourceType": "Patient", "id": "p1"}


def coded(system: str, code: str, display: str | None = None) -> Resource:
    coding = {"system": system, "code": code}
    return {"coding": [coding | ({"display": display} if display else {})]}


def resource(type_: str, id_: str = "x", patient: str = "Patient/p1", **elements: Any) -> Resource:
    return {"resourceType": type_, "id": id_, "subject": {"reference": patient}, **elements}


def tumour(id_: str = "t1", icd: str = "C18.7", /, **elements: Any) -> Resource:
    return resource("Condition", id_, **{"code": coded(ICD, icd), "onsetDateTime": "2020-02-01", **elements})


def metastasis(id_: str = "m1", code: str = "C78.7", day: str | None = "2020-03-01", **elements: Any) -> Resource:
    return resource("Condition", id_, code=coded(ICD, code), **({"onsetDateTime": day} if day else {}), **elements)


def observed(loinc: str, id_: str = "o1", /, **elements: Any) -> Resource:
    about = {"status": "final", "effectiveDateTime": "2020-03-05", "code": coded(LOINC, loinc)}
    return resource("Observation", id_, **{**about, **elements})


def variant(gene: str, answer: str = "LA9633-4", *components: Resource, **elements: Any) -> Resource:
    named = {"code": coded(LOINC, "48018-6"), "valueCodeableConcept": {"text": gene}}
    value = coded(LOINC, answer)
    return observed("69548-6", **{"valueCodeableConcept": value, "component": [named, *components], **elements})


def component(code: str, **value: Any) -> Resource:
    return {"code": coded(LOINC, code), **value}


def drug(type_: str = "MedicationAdministration", id_: str = "d1", **elements: Any) -> Resource:
    given = {"status": "completed", "medicationCodeableConcept": {"text": "oxaliplatin"}}
    return resource(type_, id_, **{**given, "effectiveDateTime": "2020-04-01", **elements})


def done(id_: str = "l1", **elements: Any) -> Resource:
    return resource("Procedure", id_, **{"status": "completed", "performedDateTime": "2020-05-01", **elements})


def ndjson(*resources: Resource) -> str:
    return "\n".join(json.dumps(each) for each in resources)


def taken(folder: Path, *resources: Resource) -> Extract:
    """The resources, beside a patient, as one NDJSON file."""
    return read(folder, {"all.ndjson": ndjson(PERSON, *resources)})


def rows(extract: Extract, name: str) -> list[dict[str, Any]]:
    """The rows of a table over all files, without what is unknown."""
    frames = [part.frame for part in extract.tables if part.table_name == name]
    table = pl.concat(frames, how="diagonal").to_dicts() if frames else []
    return [{column: value for column, value in row.items() if value is not None} for row in table]


def only(extract: Extract, name: str) -> dict[str, Any]:
    (row,) = rows(extract, name)
    return row


def noticed(extract: Extract) -> set[str]:
    everyday = {"no_colorectal_tumour", "centre_not_named"}
    return {notice.check_name for notice in extract.notices} - everyday


def unmapped(extract: Extract) -> int:
    return sum(file.unmapped_count for file in extract.files)


def request(id_: str = "r1", **elements: Any) -> Resource:
    ordered = {"intent": "order", "status": "active", "authoredOn": "2020-04-02T00:00:00Z"}
    return {k: v for k, v in drug("MedicationRequest", id_).items() if k != "effectiveDateTime"} | ordered | elements
