"""mCODE on FHIR R4 as a bulk export: one NDJSON file per type of resource (`Patient.ndjson`, `Condition.ndjson`)."""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import polars as pl

from crlm_pipeline import resources as knowledge

Resource = dict[str, Any]
_Row = dict[str, str | None]

_LOINC: Final = "http://loinc.org"
_SNOMED: Final = "http://snomed.info/sct"
_ICD_10: Final = "http://hl7.org/fhir/sid/icd-10-cm"
_ICD_O_3: Final = "http://terminology.hl7.org/CodeSystem/icd-o-3"
_AJCC: Final = "http://cancerstaging.org"
_ATC: Final = "http://www.whocc.no/atc"
_HGNC: Final = "http://www.genenames.org/geneId"
_ONTOLOGY: Final = "http://www.sequenceontology.org"
_INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_UNKNOWN_COUNTRY: Final = "ZZ"
_PROFILE: Final = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-"
_CATEGORIES: Final = (
    ("t_category", "21899-0", "p"), ("n_category", "21900-6", "p"), ("m_category", "21907-1", "c"),
)  # fmt: skip
_METASTASES: Final = {
    "liver": "C78.7", "lung": "C78.0", "peritoneum": "C78.6", "distant_nodes": "C77.1", "bone": "C79.5",
    "brain": "C79.3", "ovary": "C79.6", "other": "C79.7",
}  # fmt: skip
_SPECIMENS: Final = {"liver": "10200004", "other_metastasis": "39607008", "primary": "71854001"}
_FLUIDS: Final = {"plasma": "119361006", "blood": "119297000"}
_METHODS: Final = {
    "pcr": "PCR", "ngs": "Next generation sequencing", "sanger": "Sanger sequencing", "ddpcr": "Digital PCR",
    "ihc": "Immunohistochemistry", "ish": "In situ hybridization",
}  # fmt: skip
_PROCEDURES: Final = {
    "resection": "Hepatectomy", "rfa": "Radiofrequency ablation", "mwa": "Microwave ablation",
    "ire": "Irreversible electroporation", "cryoablation": "Cryoablation", "laser": "Laser ablation",
    "hifu": "High intensity focused ultrasound", "ethanol": "Percutaneous ethanol injection",
    "sbrt": "Stereotactic body radiation therapy", "proton": "Proton beam radiation therapy",
    "sirt": "Selective internal radiation therapy", "hai": "Hepatic artery infusion",
    "pve": "Portal vein embolization", "lvd": "Liver venous deprivation",
    "alpps": "Associating liver partition and portal vein ligation (ALPPS)", "two_stage": "Two-stage hepatectomy",
    "transplantation": "Transplantation of liver",
}  # fmt: skip
_PRESENCE: Final = {
    "mutated": "LA9633-4", "fusion": "LA9633-4", "amplified": "LA9633-4", "not_detected": "LA9634-2",
    "not_amplified": "LA9634-2", "failed": "LA18198-4", "indeterminate": "LA11884-6",
}  # fmt: skip
_CHANGES: Final = {"fusion": "SO:0001565", "amplified": "SO:0001742", "not_amplified": "SO:0001742"}
_MSI: Final = {"msi_h": "LA26203-2", "msi_l": "LA26202-4", "mss": "LA14122-8", "indeterminate": "LA11884-6"}
_DPD: Final = {"dpd_normal": "LA25391-6", "dpd_partial": "LA10317-8", "dpd_complete": "LA9657-3"}
_REPAIR: Final = ("mlh1", "pms2", "msh2", "msh6")


def write(folder: Path, tables: Mapping[str, pl.DataFrame]) -> None:
    """Write the resources of the tables, one file per type; what mCODE has no place for is left out."""
    written = sorted(made(tables), key=_type)
    for type_, of_type in groupby(written, key=_type):
        lines = [json.dumps(resource, ensure_ascii=False) for resource in of_type]
        (folder / f"{type_}.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _type(resource: Resource) -> str:
    return str(resource["resourceType"])


def made(tables: Mapping[str, pl.DataFrame]) -> Iterator[Resource]:
    """Yield the resources of the tables."""
    yield from _people(_rows(tables, "patient"))
    for row in _rows(tables, "tumour"):
        yield from _tumour(row)
    yield from _metastases(_rows(tables, "assessment"))
    for number, row in enumerate(_rows(tables, "assessment")):
        yield from _work_up(f"W{number}", row)
    yield from _specimens(_rows(tables, "biomarker"))
    for number, row in enumerate(_rows(tables, "biomarker")):
        yield from _assay(f"B{number}", row)
    for number, row in enumerate(_rows(tables, "drug_exposure")):
        yield _drug(f"D{number}", row)
    for number, row in enumerate(_rows(tables, "procedure")):
        yield _procedure(f"L{number}", row)
    for number, row in enumerate(_rows(tables, "outcome")):
        yield _outcome(f"O{number}", row)


def bundle(resources: Iterator[Resource]) -> Resource:
    """Return the resources as one Bundle whose entries refer to one another by full URL."""
    listed = list(resources)
    urls = {f"{_type(each)}/{each['id']}": f"urn:uuid:{_type(each)}-{each['id']}" for each in listed}
    entries = [{"fullUrl": urls[f"{_type(each)}/{each['id']}"], "resource": _with_urls(each, urls)} for each in listed]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _with_urls(element: Any, urls: Mapping[str, str]) -> Any:
    if isinstance(element, dict):
        return {
            name: urls.get(value, value) if name == "reference" else _with_urls(value, urls)
            for name, value in element.items()
        }
    return [_with_urls(each, urls) for each in element] if isinstance(element, list) else element


def _rows(tables: Mapping[str, pl.DataFrame], name: str) -> list[_Row]:
    return tables[name].to_dicts()


def _known(values: Mapping[str, Any]) -> Resource:
    return {name: value for name, value in values.items() if value is not None and value != []}


def _concept(system: str, code: str, text: str | None = None) -> Resource:
    return _known({"coding": [{"system": system, "code": code}], "text": text})


def _reference(type_: str, id_: str | None) -> Resource:
    return {"reference": f"{type_}/{id_}"}


def _resource(type_: str, id_: str, row: _Row, **elements: Any) -> Resource:
    subject = _reference("Patient", row["patient_id"])
    return _known({"resourceType": type_, "id": id_, "subject": subject, **elements})


def _people(rows: list[_Row]) -> Iterator[Resource]:
    for centre in sorted({str(row["centre_id"]) for row in rows}):
        yield {"resourceType": "Organization", "id": centre, "name": f"Centre {centre}"}
    for row in rows:
        is_dead = row["vital_status"] == "dead"
        yield _known(
            {
                "resourceType": "Patient",
                "id": row["patient_id"],
                "gender": row["sex"],
                "birthDate": row["birth_year"],
                "deceasedDateTime": row["death_date"],
                "deceasedBoolean": is_dead if row["vital_status"] and not row["death_date"] else None,
                "address": [] if row["country"] == _UNKNOWN_COUNTRY else [{"country": row["country"]}],
                "managingOrganization": _reference("Organization", row["centre_id"]),
            }
        )
        if row["last_contact_date"] and not row["death_date"]:
            day = row["last_contact_date"]
            yield _resource("Encounter", f"{row['patient_id']}-E", row, status="finished", period={"start": day})


def _confirmed() -> Resource:
    return _concept("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed")


def _tumour(row: _Row) -> Iterator[Resource]:
    id_, site = f"{row['patient_id']}-T{row['tumour_id']}", str(row["topography"])
    histology = {
        "url": f"{_PROFILE}histology-morphology-behavior",
        "valueCodeableConcept": _concept(_ICD_O_3, str(row["morphology"])),
    }
    yield _resource(
        "Condition", id_, row,
        meta={"profile": [f"{_PROFILE}primary-cancer-condition"]},
        extension=[histology] if row["morphology"] else None,
        verificationStatus=_confirmed(),
        code=_concept(_ICD_10, site.removesuffix(".9") if site[:3] in ("C19", "C20") else site),
        bodySite=[_concept(_ICD_O_3, site)],
        onsetDateTime=row["diagnosis_date"],
    )  # fmt: skip
    about = {"status": "final", "focus": [_reference("Condition", id_)], "effectiveDateTime": row["diagnosis_date"]}
    for column, code, prefix in _CATEGORIES:
        if row[column]:
            value = _concept(_AJCC, f"{prefix}{row[column]}")
            yield _resource(
                "Observation",
                f"{id_}-{column[0]}",
                row,
                code=_concept(_LOINC, code),
                valueCodeableConcept=value,
                **about,
            )
    if row["nodes_positive"]:
        count = {"value": int(row["nodes_positive"])}
        yield _resource(
            "Observation", f"{id_}-nodes", row, code=_concept(_LOINC, "21893-3"), valueQuantity=count, **about
        )
    if row["resection_date"]:
        code = "4558008" if site.startswith("C20") else "43075005"
        yield _resource(
            "Procedure", f"{id_}-R", row, status="completed", code=_concept(_SNOMED, code),
            reasonReference=[_reference("Condition", id_)], performedDateTime=row["resection_date"],
        )  # fmt: skip


def _metastases(rows: list[_Row]) -> Iterator[Resource]:
    """Yield a condition per patient and organ, found on the first day that names it."""
    found: dict[tuple[str, str], tuple[_Row, str | None]] = {}
    for row in sorted(rows, key=lambda row: str(row["assessment_date"])):
        first_of_patient = not any(patient == row["patient_id"] for patient, _ in found)
        for site in (row["mets_sites"] or ("liver" if row["mets_diagnosis_date"] else "")).split(";"):
            day = row["mets_diagnosis_date"] if site == "liver" else None
            day = day or (row["first_metastasis_date"] if first_of_patient else None) or row["assessment_date"]
            if site:
                found.setdefault((str(row["patient_id"]), site), (row, day))
    for (patient, site), (row, day) in found.items():
        yield _resource(
            "Condition", f"{patient}-{site.replace('_', '-')}", row,
            meta={"profile": [f"{_PROFILE}secondary-cancer-condition"]},
            verificationStatus=_confirmed(),
            code=_concept(_ICD_10, _METASTASES[site]),
            onsetDateTime=day,
        )  # fmt: skip


def _work_up(id_: str, row: _Row) -> Iterator[Resource]:
    about = {"status": "final", "effectiveDateTime": row["assessment_date"]}
    if row["cea_ng_ml"]:
        cea = {"value": float(row["cea_ng_ml"]), "unit": "ng/mL", "code": "ng/mL"}
        yield _resource("Observation", f"{id_}-cea", row, code=_concept(_LOINC, "2039-6"), valueQuantity=cea, **about)
    if row["ecog"]:
        ecog = int(row["ecog"])
        yield _resource("Observation", f"{id_}-ecog", row, code=_concept(_LOINC, "89247-1"), valueInteger=ecog, **about)
    if row["crlm_max_mm"]:
        size = {"value": float(row["crlm_max_mm"]), "unit": "mm", "code": "mm"}
        longest = {"code": _concept(_LOINC, "33728-7"), "valueQuantity": size}
        yield _resource(
            "Observation", f"{id_}-size", row, code=_concept(_LOINC, "21889-1"), component=[longest],
            bodySite=_concept(_SNOMED, "10200004"), **about,
        )  # fmt: skip


def _specimens(rows: list[_Row]) -> Iterator[Resource]:
    for row in {row["specimen_id"]: row for row in reversed(rows)}.values():
        site = row["specimen_site"] or ""
        collection = _known(
            {
                "collectedDateTime": row["sample_date"],
                "bodySite": _concept(_SNOMED, _SPECIMENS[site]) if site in _SPECIMENS else None,
            }
        )
        type_ = _concept(_SNOMED, _FLUIDS[site]) if site in _FLUIDS else None
        yield _resource("Specimen", str(row["specimen_id"]), row, type=type_, collection=collection)


def _assay(id_: str, row: _Row) -> Iterator[Resource]:
    missing = {"not_done": "not-performed", "refused": "asked-declined", "pending": "temp-unknown"}
    about = {
        "status": "final",
        "specimen": _reference("Specimen", row["specimen_id"]),
        "effectiveDateTime": row["sample_date"],
        "issued": f"{row['report_date']}T12:00:00Z" if row["report_date"] else None,
        "method": {"text": _METHODS[row["method"]]} if row["method"] else None,
    }
    found = _found(row)
    if row["missing_reason"]:
        reason = missing.get(row["missing_reason"], "unknown")
        found = {
            "code": found["code"],
            "component": found.get("component"),
            "dataAbsentReason": _concept(_ABSENT, reason),
        }
    yield _resource("Observation", id_, row, **about, **found)
    if row["region_tested"]:
        yield _resource("Observation", f"{id_}-region", row, **about, **_region(row))


def _region(row: _Row) -> Resource:
    tested = (row["region_tested"] or "").replace("all", "12;13;59;61;117;146")
    is_exons = tested.startswith("exon")
    described = ("exons " if is_exons else "codons ") + tested.replace("exon", "").replace(";", ", ")
    return {
        "code": _concept(_LOINC, "53041-0"),
        "component": [_gene(row), {"code": _concept(_LOINC, "81293-3"), "valueString": described}],
    }


def _found(row: _Row) -> Resource:
    """Return the code, value and components of an assay."""
    analyte, result, method = str(row["analyte"]), str(row["result"]), row["method"]
    if analyte == "msi":
        return {"code": _concept(_LOINC, "81695-9"), "valueCodeableConcept": _concept(_LOINC, _MSI.get(result, result))}
    if analyte == "tmb":
        high = _concept(_INTERPRETATION, "H" if result == "high" else "L")
        value = {"value": float(row["value"])} if row["value"] else None
        return {"code": _concept(_LOINC, "94076-7"), "valueQuantity": value, "interpretation": [high]}
    if analyte == "dpyd":
        value = _concept(_LOINC, _DPD.get(result, result))
        return {"code": {"text": "DPYD phenotype"}, "valueCodeableConcept": value}
    if analyte in _REPAIR:
        code = {"text": f"{analyte.upper()} protein expression"}
        return {"code": code, "valueCodeableConcept": {"text": result.capitalize()}}
    if analyte == "erbb2" and method in ("ihc", "ish"):
        return _her2(row)
    return _variant(row)


def _her2(row: _Row) -> Resource:
    result = str(row["result"])
    if row["method"] == "ihc":
        score = result.removeprefix("ihc_")
        said = f"{score}+" if score in ("1", "2", "3") else score
        return {"code": _concept(_LOINC, "72383-3"), "valueString": said}
    positive = _concept(_INTERPRETATION, "POS" if result == "amplified" else "NEG")
    ratio = {"value": float(row["ish_ratio"])} if row["ish_ratio"] else None
    return {"code": _concept(_LOINC, "49683-6"), "valueQuantity": ratio, "interpretation": [positive]}


def _gene(row: _Row) -> Resource:
    analyte = str(row["analyte"])
    numbers = {
        known["value"]: known["code"]
        for known in knowledge.reference("fhir_codes")
        if (known["use"], known["system"]) == ("gene", "hgnc")
    }
    value = _concept(_HGNC, f"HGNC:{numbers[analyte]}") if analyte in numbers else {"text": analyte.upper()}
    return {"code": _concept(_LOINC, "48018-6"), "valueCodeableConcept": value}


def _variant(row: _Row) -> Resource:
    result = str(row["result"])
    components = [_gene(row)]
    for column, code in (("hgvs_p", "48005-3"), ("hgvs_c", "48004-6")):
        if row[column]:
            components.append({"code": _concept(_LOINC, code), "valueCodeableConcept": {"text": row[column]}})
    if row["vaf_percent"]:
        share = {"value": float(row["vaf_percent"]), "unit": "%", "code": "%"}
        components.append({"code": _concept(_LOINC, "81258-6"), "valueQuantity": share})
    if row["copy_number"]:
        copies = {"value": float(row["copy_number"])}
        components.append({"code": _concept(_LOINC, "82155-3"), "valueQuantity": copies})
    if result in _CHANGES:
        change = _concept(_ONTOLOGY, _CHANGES[result])
        components.append({"code": _concept(_LOINC, "48019-4"), "valueCodeableConcept": change})
    return {
        "code": _concept(_LOINC, "69548-6"),
        "valueCodeableConcept": _concept(_LOINC, _PRESENCE.get(result, result)),
        "component": components,
    }


def _drug(id_: str, row: _Row) -> Resource:
    extensions = [
        {"url": f"{_PROFILE}{name}", "valueCodeableConcept": _concept(_SNOMED, code)}
        for use, column, name in (
            ("intent", "intent", "procedure-intent"), ("stop_reason", "stop_reason", "treatment-termination-reason")
        )
        if (code := _snomed(use, row[column]))
    ]  # fmt: skip
    coding = [{"system": _ATC, "code": row["atc"]}] if row["atc"] else None
    dose = {"dose": {"value": float(row["dose_mg"]), "unit": "mg", "code": "mg"}} if row["dose_mg"] else None
    return _resource(
        "MedicationAdministration", id_, row,
        extension=extensions,
        status="completed" if row["end_date"] else "in-progress",
        medicationCodeableConcept=_known({"coding": coding, "text": row["drug"]}),
        effectivePeriod=_known({"start": row["start_date"], "end": row["end_date"]}),
        dosage=dose,
    )  # fmt: skip


def _snomed(use: str, value: str | None) -> str | None:
    rows = knowledge.reference("fhir_codes")
    return next(
        (row["code"] for row in rows if (row["use"], row["system"], row["value"]) == (use, "snomed", value)), None
    )


def _procedure(id_: str, row: _Row) -> Resource:
    return _resource(
        "Procedure", id_, row, status="completed", code={"text": _PROCEDURES[str(row["procedure"])]},
        bodySite=[_concept(_SNOMED, "10200004")], performedDateTime=row["procedure_date"],
    )  # fmt: skip


def _outcome(id_: str, row: _Row) -> Resource:
    return _resource(
        "Observation", id_, row, status="final", code=_concept(_LOINC, "97509-4"),
        effectiveDateTime=row["outcome_date"],
        valueCodeableConcept=_concept(_SNOMED, str(_snomed("disease_status", row["outcome"]))),
    )  # fmt: skip
