"""oBDS-RKI XML: one delivery of a state's cancer registry to the national one (schema 3.0.0.8a).

Every date is that of its month, RAS is one answer for both genes, and a course lists its substances. Operations are
codes (OPS); of local treatment only radioembolisation is told as such.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl
from lxml import etree

Row = Mapping[str, str | None]
Rows = Mapping[str, Sequence[Row]]

_NAMESPACE: Final = "http://www.basisdatensatz.de/oBDS/XML"
_SEX: Final = {"male": "M", "female": "W", "other": "D"}
_SITES: Final = {
    "liver": "HEP", "lung": "PUL", "peritoneum": "PER", "distant_nodes": "LYM", "bone": "OSS", "brain": "BRA",
    "ovary": "GEN", "other": "OTH",
}  # fmt: skip
_ICD: Final = {"C19.9": "C19", "C20.9": "C20"}
_INTENTS: Final = {
    "palliative": ("P", "O"), "adjuvant": ("K", "A"), "perioperative": ("K", "N"), "conversion": ("K", "N"),
    "curative": ("K", "O"), None: ("X", "S"),
}  # fmt: skip
_OUTCOMES: Final = {"complete_response": "V", "partial_response": "T", "stable_disease": "K", "progression": "P"}
_RELAPSE: Final = "Y"
_COLON_RESECTION, _RECTUM_RESECTION, _LIVER_RESECTION, _LIVER_DESTRUCTION = "5-455", "5-484", "5-502", "5-501"
_ON_THE_LIVER: Final = {"resection": _LIVER_RESECTION, "rfa": _LIVER_DESTRUCTION, "mwa": _LIVER_DESTRUCTION}


def write(folder: Path, tables: Mapping[str, pl.DataFrame]) -> None:
    """Write `obds_rki.xml`; the centres of the patients become one registry."""
    root = etree.Element(
        f"{{{_NAMESPACE}}}oBDS_RKI",
        {"Schema_Version": "3.0.0.8a_RKI"},
        nsmap={None: _NAMESPACE},  # type: ignore[dict-item]  # None is the default namespace
    )
    _add(root, "Lieferregister", Register_ID="09")
    _add(root, "Lieferdatum", "2026-07-01", Datumsgenauigkeit="E")
    patients = _add(root, "Menge_Patient")
    rows = {name: frame.rows_by_key("patient_id", named=True, include_key=True) for name, frame in tables.items()}
    for patient in tables["patient"].iter_rows(named=True):
        of_patient = {name: by_patient.get(patient["patient_id"], []) for name, by_patient in rows.items()}
        _add_patient(patients, patient, of_patient)
    content = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    (folder / "obds_rki.xml").write_bytes(content)


def _add_patient(parent: etree._Element, row: Row, rows: Rows) -> None:
    patient = _add(parent, "Patient", Patient_ID=row["patient_id"] or "")
    person = _add(patient, "Patienten_Stammdaten")
    _add(person, "Geschlecht", _SEX.get(row["sex"] or "", "U"))
    _add_date(person, "Geburtsdatum", row["birth_year"])
    status = _add(person, "Vitalstatus")
    _add(status, "Verstorben", "J" if row["vital_status"] == "dead" else "N")
    _add_date(status, "Datum_Vitalstatus", row["death_date"] or row["last_contact_date"])
    tumours = _add(patient, "Menge_Tumor")
    for number, tumour in enumerate(rows["tumour"]):
        # What a patient's other tables hold stands at the first primary: the data set keeps it by tumour.
        own = rows if number == 0 else dict.fromkeys(rows, ())
        _add_tumour(tumours, tumour, own)


def _add_tumour(parent: etree._Element, row: Row, rows: Rows) -> None:
    tumour = _add(parent, "Tumor", Tumor_ID=f"{row['patient_id']}-{row['tumour_id']}")
    first = min(rows["assessment"], key=lambda each: each["assessment_date"] or "", default=None)
    is_early = first is not None and _month(first["first_metastasis_date"]) <= _month(row["diagnosis_date"])
    _add_diagnosis(tumour, row, first if is_early else None, rows["biomarker"])
    _add_operations(tumour, row, rows["procedure"])
    _add_radiation(tumour, rows["procedure"])
    _add_courses(tumour, rows["drug_exposure"])
    _add_follow_up(tumour, None if is_early else first, rows["outcome"])


def _add_diagnosis(tumour: etree._Element, row: Row, work_up: Row | None, biomarkers: Sequence[Row]) -> None:
    diagnosis = _add(tumour, "Primaerdiagnose")
    topography = row["topography"] or ""
    _add_date(diagnosis, "Diagnosedatum", row["diagnosis_date"])
    _add(diagnosis, "Inzidenzort", "09162")
    _add_code(diagnosis, "Primaertumor_ICD", _ICD.get(topography, topography), "10 2023 GM")
    _add_code(diagnosis, "Primaertumor_Topographie_ICD_O", topography, "33")
    _add(diagnosis, "Diagnosesicherung", "7")
    categories = {letter: row[f"{letter.lower()}_category"] for letter in "TNM"}
    if any(categories.values()):
        stage = _add(diagnosis, "pTNM" if row["resection_date"] else "cTNM")
        for letter, text in categories.items():
            _add_known(stage, letter, text[1:] if text else None)
    if row["morphology"]:
        histology = _add(diagnosis, "Histologie")
        _add_code(histology, "Morphologie_ICD_O", row["morphology"], "33")
        _add(histology, "Grading", "X")
        _add_known(histology, "LK_befallen", row["nodes_positive"])
    if work_up:
        _add_metastases(diagnosis, work_up)
    _add(_add(diagnosis, "Modul_Darm"), "RASMutation", _ras(biomarkers))
    _add(diagnosis, "Seitenlokalisation", "T")
    _add(diagnosis, "DCN", "N")


def _ras(biomarkers: Sequence[Row]) -> str:
    """Return M where KRAS or NRAS is mutated, W where one is not, U where there is no result, N where no test."""
    results = {row["result"] for row in biomarkers if row["analyte"] in ("kras", "nras")}
    if not results:
        return "N"
    return next((code for result, code in (("mutated", "M"), ("not_detected", "W")) if result in results), "U")


def _add_metastases(parent: etree._Element, work_up: Row) -> None:
    sites = (work_up["mets_sites"] or ("liver" if work_up["mets_diagnosis_date"] else "")).split(";")
    if sites != [""]:
        places = _add(parent, "Menge_FM")
        for site in sites:
            _add(_add(places, "Fernmetastase"), "Lokalisation", _SITES[site])


def _add_operations(tumour: etree._Element, row: Row, procedures: Sequence[Row]) -> None:
    primary = _RECTUM_RESECTION if row["topography"] == "C20.9" else _COLON_RESECTION
    done: list[tuple[str | None, str]] = [(row["resection_date"], primary)] if row["resection_date"] else []
    done += [(each["procedure_date"], code) for each in procedures if (code := _ON_THE_LIVER.get(_kind(each)))]
    if not done:
        return
    operations = _add(tumour, "Menge_OP")
    for day, code in done:
        operation = _add(operations, "OP")
        _add_date(operation, "Datum_OP", day)
        _add(operation, "Intention", "K")
        _add_code(_add(operation, "Menge_OPS"), "OPS", code, "2023")


def _add_radiation(tumour: etree._Element, procedures: Sequence[Row]) -> None:
    radiation = [each for each in procedures if _kind(each) in ("sirt", "sbrt", "proton")]
    if not radiation:
        return
    courses = _add(tumour, "Menge_ST")
    for each in radiation:
        one = _add(_add(_add(courses, "ST"), "Menge_Bestrahlung"), "Bestrahlung")
        _add_date(one, "Datum_Beginn_Bestrahlung", each["procedure_date"])
        kind = _add(one, "Applikationsart")
        if _kind(each) == "sirt":
            _add(_add(kind, "Metabolisch"), "Metabolisch_Typ", "SIRT")
        else:
            _add(kind, "Sonstige")


def _kind(procedure: Row) -> str:
    return procedure["procedure"] or ""


def _add_courses(tumour: etree._Element, exposures: Sequence[Row]) -> None:
    """Add the drugs that were given over the same period for the same purpose as one course."""
    courses: dict[tuple[str | None, str | None, str | None], list[Row]] = {}
    for row in exposures:
        courses.setdefault((row["start_date"], row["end_date"], row["intent"]), []).append(row)
    if not courses:
        return
    given = _add(tumour, "Menge_SYST")
    for (start, end, intent), drugs in courses.items():
        course = _add(given, "SYST")
        _add_date(course, "Datum_Beginn_SYST", start)
        for name, code in zip(("Intention", "Stellung_OP"), _INTENTS[intent], strict=True):
            _add(course, name, code)
        _add(course, "Therapieart", "CH")
        substances = _add(course, "Menge_Substanz")
        for drug in drugs:
            substance = _add(substances, "Substanz")
            if drug["atc"]:
                _add_code(substance, "ATC", drug["atc"], "2023")
            else:
                _add(substance, "Bezeichnung", (drug["drug"] or "").capitalize())
        if start and end:
            _add(course, "Anzahl_Tage_SYST_Dauer", str((_day(end) - _day(start)).days))


def _add_follow_up(tumour: etree._Element, relapse: Row | None, outcomes: Sequence[Row]) -> None:
    """Add the metastases that came after the diagnosis and the responses, in the order of their days."""
    events = [(relapse["first_metastasis_date"] or relapse["assessment_date"], _RELAPSE, relapse)] if relapse else []
    told: list[tuple[str | None, str, Row | None]] = sorted(
        [*events, *((row["outcome_date"], _OUTCOMES[row["outcome"] or ""], None) for row in outcomes)],
        key=lambda event: event[0] or "",
    )
    if not told:
        return
    listed = _add(tumour, "Menge_Folgeereignis")
    for day, status, work_up in told:
        event = _add(listed, "Folgeereignis")
        _add_date(event, "Datum_Folgeereignis", day)
        _add(event, "Gesamtbeurteilung_Tumorstatus", status)
        if work_up:
            _add_metastases(event, work_up)


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{_NAMESPACE}}}{name}", attributes)
    element.text = text
    return element


def _add_known(parent: etree._Element, name: str, text: str | None) -> None:
    if text:
        _add(parent, name, text)


def _add_code(parent: etree._Element, name: str, code: str, version: str) -> None:
    element = _add(parent, name)
    _add(element, "Code", code)
    _add(element, "Version", version)


def _add_date(parent: etree._Element, name: str, text: str | None) -> None:
    """Add a date as the registries send them: T = the day is estimated, M = the month too, V = not even the year."""
    match len(text or ""):
        case 0:
            _add(parent, name, "1900-06-15", Datumsgenauigkeit="V")
        case 4:
            _add(parent, name, f"{text}-06-15", Datumsgenauigkeit="M")
        case _:
            _add(parent, name, f"{_month(text)}-15", Datumsgenauigkeit="T")


def _month(text: str | None) -> str:
    return (text or "")[:7]


def _day(text: str) -> date:
    return date.fromisoformat(f"{text}-01-01"[:10])
