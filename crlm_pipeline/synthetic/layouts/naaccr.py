"""NAACCR XML: one gzipped file, as a central registry sends it on.

It holds one result per gene and tumour, metastases at diagnosis or the first recurrence, and of drugs only that there
was chemotherapy. NRAS and BRAF are items of diagnoses from 2021 on. Ids are eight digits, facilities ten characters.
"""

import gzip
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import polars as pl
from lxml import etree

Row = Mapping[str, str | None]
Items = Mapping[str, str | None]

_NAMESPACE: Final = "http://naaccr.org/naaccrxml"
_SEX: Final = {"male": "1", "female": "2", "other": "3"}
_STATUS: Final = {"alive": "1", "dead": "0"}
_COUNTRIES: Final = {"US": "USA", "CA": "CAN", "DE": "DEU", "NL": "NLD", "GB": "GBR", "FR": "FRA"}
_MARGINS: Final = {"r0": "0", "r1": "2", "r2": "3"}
_MSI: Final = {"mss": "0", "msi_l": "1", "msi_h": "2"}
_REPAIR: Final = ("mlh1", "pms2", "msh2", "msh6")
_ORGANS: Final = {
    "metsAtDxLiver": {"liver"}, "metsAtDxLung": {"lung"}, "metsAtDxDistantLn": {"distant_nodes"},
    "metsAtDxBone": {"bone"}, "metsAtDxBrain": {"brain"}, "metsAtDxOther": {"peritoneum", "ovary", "other"},
}  # fmt: skip
_RECURRENCES: Final = {
    "peritoneum": "51", "lung": "52", "liver": "54", "bone": "55", "brain": "56", "distant_nodes": "58",
}  # fmt: skip
_SEVERAL_ORGANS: Final = "62"
_ORGAN_UNKNOWN: Final = "40"
_UNKNOWN: Final = "9"
_SYNCHRONOUS: Final = timedelta(days=31)
_RAS_AND_BRAF_FROM: Final = "2021"


def write(folder: Path, tables: Mapping[str, pl.DataFrame], version: str = "250") -> None:
    """Write `registry.xml.gz`; `version` is that of the base dictionary."""
    root = etree.Element(
        "NaaccrData",
        {
            "baseDictionaryUri": f"{_NAMESPACE}/naaccr-dictionary-{version}.xml",
            "recordType": "I",
            "specificationVersion": "1.7",
        },
        nsmap={None: _NAMESPACE},  # type: ignore[dict-item]  # None is the default namespace
    )
    _add(root, {"registryId": "0000000099"})
    rows = {name: frame.rows_by_key("patient_id", named=True) for name, frame in tables.items() if name != "patient"}
    for patient in tables["patient"].iter_rows(named=True):
        of_patient = {name: by_patient.get(patient["patient_id"], []) for name, by_patient in rows.items()}
        _add_patient(root, patient, of_patient)
    content = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    (folder / "registry.xml.gz").write_bytes(gzip.compress(content, mtime=0))


def _add_patient(root: etree._Element, patient: Row, rows: Mapping[str, Sequence[Row]]) -> None:
    element = etree.SubElement(root, "Patient")
    last_day = patient["death_date"] or patient["last_contact_date"]
    _add(
        element,
        {
            "patientIdNumber": re.sub(r"\D", "", patient["patient_id"] or "").zfill(8),
            "sex": _SEX.get(patient["sex"] or "", _UNKNOWN),
            "dateOfBirth": patient["birth_year"],
            "vitalStatus": _STATUS.get(patient["vital_status"] or ""),
            "dateOfLastContact": _day(last_day),
        },
    )
    for number, tumour in enumerate(rows["tumour"]):
        # The assays and work-ups of a patient stand at the first primary: the format keeps them by tumour.
        own = rows if number == 0 else dict.fromkeys(rows, ())
        items = etree.SubElement(element, "Tumor")
        _add(items, _of_tumour(tumour, number, len(rows["tumour"])))
        _add(items, {"reportingFacility": (patient["centre_id"] or "").zfill(10)})
        _add(items, {"addrAtDxCountry": _COUNTRIES.get(patient["country"] or "", "ZZU")})
        _add(items, _of_metastases(tumour, own["assessment"]))
        _add(items, _of_genes(tumour, own["biomarker"]))
        _add(items, {"rxSummChemo": "01" if own["drug_exposure"] else "00"})


def _of_tumour(tumour: Row, number: int, tumours: int) -> Items:
    stage = "Path" if tumour["resection_date"] else "Clin"
    morphology = (tumour["morphology"] or "8000/3").split("/")
    nodes = tumour["nodes_positive"]
    prefix = stage[0].lower()
    categories = {letter: tumour[f"{letter.lower()}_category"] for letter in "TNM"}
    return {
        "tumorRecordNumber": f"{number + 1:02}",
        "sequenceNumberCentral": f"{number + 1 if tumours > 1 else 0:02}",
        "dateOfDiagnosis": _day(tumour["diagnosis_date"]),
        "primarySite": (tumour["topography"] or "").replace(".", ""),
        "histologicTypeIcdO3": morphology[0],
        "behaviorCodeIcdO3": morphology[1],
        **{f"ajccTnm{stage}{letter}": f"{prefix}{text}" for letter, text in categories.items() if text},
        "regionalNodesPositive": nodes.zfill(2) if nodes else "99",
        "rxDateMostDefinSurg": _day(tumour["resection_date"]),
        "rxSummSurgicalMargins": _MARGINS.get(tumour["resection_margin"] or "", _UNKNOWN),
    }


def _of_metastases(tumour: Row, assessments: Sequence[Row]) -> Items:
    """Return organs at diagnosis and CEA, or the first recurrence of metastases that came later."""
    first = min(assessments, key=lambda row: row["assessment_date"] or "", default=None)
    if first is None:
        return dict.fromkeys(_ORGANS, "0" if tumour["m_category"] == "M0" else _UNKNOWN)
    since = first["first_metastasis_date"] or first["assessment_date"]
    organs = set((first["mets_sites"] or "").split(";")) - {""}
    if not _is_synchronous(tumour["diagnosis_date"], since):
        return {
            **dict.fromkeys(_ORGANS, "0"),
            "recurrenceDate1st": _day(since),
            "recurrenceType1st": _recurrence(organs),
        }
    if not organs:
        organ_items = {
            **dict.fromkeys(_ORGANS, _UNKNOWN),
            **({"metsAtDxLiver": "1"} if first["mets_diagnosis_date"] else {}),
        }
    else:
        organ_items = {item: "1" if organs & meant else "0" for item, meant in _ORGANS.items()}
    return {**organ_items, "ceaPretreatmentLabValue": first["cea_ng_ml"] or "XXXX.9"}


def _recurrence(organs: set[str]) -> str:
    if len(organs) > 1:
        return _SEVERAL_ORGANS
    return _RECURRENCES.get(next(iter(organs), ""), _ORGAN_UNKNOWN)


def _is_synchronous(diagnosis: str | None, metastasis: str | None) -> bool:
    if not diagnosis or not metastasis:
        return True
    return _first_day(metastasis) <= _first_day(diagnosis) + _SYNCHRONOUS


def _first_day(text: str) -> date:
    return date.fromisoformat((text + "-01-01")[:10])


def _of_genes(tumour: Row, biomarkers: Sequence[Row]) -> Items:
    of_tissue = [row for row in biomarkers if row["specimen_site"] not in ("plasma", "blood")]
    first = {row["analyte"]: row for row in reversed(of_tissue)}
    items = {
        "kras": _gene(first.get("kras"), {"12": "1", "13": "1", "61": "1", "146": "2"}, elsewhere="3"),
        "microsatelliteInstability": _repair(first),
    }
    if (tumour["diagnosis_date"] or "") < _RAS_AND_BRAF_FROM:
        return items
    return {
        **items,
        "nrasMutationalAnalysis": _gene(first.get("nras"), {"12": "1", "13": "1", "61": "1"}, elsewhere="2"),
        "brafMutationalAnalysis": _gene(first.get("braf"), {"V600E": "1"}, elsewhere="2"),
    }


def _gene(row: Row | None, codes: Mapping[str, str], elsewhere: str) -> str:
    """Return the code of a gene: 0 not mutated, 4 mutated nobody knows where, 9 not documented."""
    if row is None or row["result"] not in ("mutated", "not_detected"):
        return _UNKNOWN
    if row["result"] == "not_detected":
        return "0"
    change = (row["hgvs_p"] or "").removeprefix("p.").replace("Val", "V").replace("Glu", "E").strip("()")
    codon = "".join(re.findall(r"\d+", change))
    return codes.get(change, codes.get(codon, elsewhere)) if codon else "4"


def _repair(first: Mapping[str | None, Row]) -> str:
    """Return the code of microsatellites or, without an assay of them, that of the repair proteins."""
    if "msi" in first:
        return _MSI.get(first["msi"]["result"] or "", _UNKNOWN)
    proteins = [first[protein]["result"] for protein in _REPAIR if protein in first]
    if "lost" in proteins:
        return "2"
    return "0" if proteins == ["retained"] * len(_REPAIR) else _UNKNOWN


def _day(text: str | None) -> str | None:
    return text.replace("-", "") if text else None


def _add(element: etree._Element, items: Items) -> None:
    for name, text in items.items():
        if text:
            etree.SubElement(element, "Item", naaccrId=name).text = text
