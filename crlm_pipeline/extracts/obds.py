"""oBDS-RKI XML: the lists of records of a delivery, and what its codes mean.

Only what has a place in the contract is kept. Codes: the schema 3.0.0.8a and its code lists. A date says how exact it
is: E the day, T the month (day estimated), M the year (month estimated), V not even the year.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl
from lxml import etree

from crlm_pipeline.extracts import markup
from crlm_pipeline.extracts.record_table import RecordTable
from crlm_pipeline.extracts.source import Sheet

ROOTS: Final = ("oBDS_RKI", "OBDS_RKI")  # by the schema, and as its own sample writes it
_PRECISION: Final = "_Genauigkeit"
_LONGEST_DAYS: Final = 36_525  # a century; beyond it a duration is no duration
_DAY_LENGTH: Final = {"E": 10, "T": 7, "M": 4}

PATIENT: Final = {
    "Geschlecht": "Patienten_Stammdaten/Geschlecht",
    "Geburtsdatum": "Patienten_Stammdaten/Geburtsdatum",
    "Verstorben": "Patienten_Stammdaten/Vitalstatus/Verstorben",
    "Datum_Vitalstatus": "Patienten_Stammdaten/Vitalstatus/Datum_Vitalstatus",
}
TUMOUR: Final = {
    "Diagnosedatum": "Primaerdiagnose/Diagnosedatum",
    "ICD": "Primaerdiagnose/Primaertumor_ICD/Code",
    "Topographie": "Primaerdiagnose/Primaertumor_Topographie_ICD_O/Code",
    "Morphologie": "Primaerdiagnose/Histologie/Morphologie_ICD_O/Code",
    "LK_befallen": "Primaerdiagnose/Histologie/LK_befallen",
    **{f"{kind}{part}": f"Primaerdiagnose/{kind}TNM/{part}" for kind in "cp" for part in "TNM"},
    "RASMutation": "Primaerdiagnose/Modul_Darm/RASMutation",
    "Lokalisation": "Primaerdiagnose/Menge_FM/Fernmetastase/Lokalisation",
}
COURSE: Final = {
    "Datum_Beginn_SYST": "Datum_Beginn_SYST", "Anzahl_Tage_SYST_Dauer": "Anzahl_Tage_SYST_Dauer",
    "Intention": "Intention", "Stellung_OP": "Stellung_OP", "Protokoll": "Protokoll/Bezeichnung",
    "Protokollschluessel": "Protokoll/Protokollschluessel/Code",
}  # fmt: skip
SUBSTANCE: Final = {"Substanz": "Bezeichnung", "ATC": "ATC/Code"}
RADIATION: Final = {
    "Datum_Beginn_Bestrahlung": "Datum_Beginn_Bestrahlung",
    "Metabolisch_Typ": "Applikationsart/Metabolisch/Metabolisch_Typ",
}
SURGERY: Final = {"Datum_OP": "Datum_OP", "OPS": "Menge_OPS/OPS/Code"}
FOLLOW_UP: Final = {
    "Datum_Folgeereignis": "Datum_Folgeereignis",
    "Gesamtbeurteilung_Tumorstatus": "Gesamtbeurteilung_Tumorstatus",
    "Lokalisation": "Menge_FM/Fernmetastase/Lokalisation",
}
_DATES: Final = (
    "Geburtsdatum", "Datum_Vitalstatus", "Diagnosedatum", "Datum_Beginn_SYST", "Datum_Beginn_Bestrahlung", "Datum_OP",
    "Datum_Folgeereignis",
)  # fmt: skip
_LISTS: Final[Mapping[str, Mapping[str, str]]] = {
    "Patient": PATIENT,
    "Tumor": TUMOUR,
    "SYST": {**COURSE, **SUBSTANCE},
    "Bestrahlung": RADIATION,
    "OP": SURGERY,
    "Folgeereignis": FOLLOW_UP,
}
_WITHIN_TUMOUR: Final = {
    "Bestrahlung": "Menge_ST/ST/Menge_Bestrahlung/Bestrahlung",
    "OP": "Menge_OP/OP",
    "Folgeereignis": "Menge_Folgeereignis/Folgeereignis",
}


def read_lists(sheet: Sheet) -> dict[str, Sheet]:
    """Return the lists of a delivery by name: Patient, Tumor, SYST (one record per substance), Bestrahlung, OP, ...

    Each record names its `Patient_ID` and, below the patient, its `Tumor_ID`; each date has a column beside it that
    says how exact it is; places of metastases and codes of operations are separated by `;`.
    """
    tables = {name: RecordTable(_columns(paths)) for name, paths in _LISTS.items()}
    register: str | None = None
    for patient in markup.records(sheet.file.content, sheet.file.name, "Patient"):
        register = register or _register(patient)
        who = {"Patient_ID": patient.get("Patient_ID"), "Register_ID": register}
        tables["Patient"].add({**who, **_cells(patient, PATIENT)})
        for tumour in patient.iterfind(_anywhere("Menge_Tumor/Tumor")):
            _add_tumour(tables, tumour, {**who, "Tumor_ID": tumour.get("Tumor_ID")})
    return {name: _list(sheet, name, table.frame()) for name, table in tables.items()}


def _add_tumour(tables: dict[str, RecordTable], tumour: etree._Element, who: dict[str, str | None]) -> None:
    tables["Tumor"].add({**who, **_cells(tumour, TUMOUR)})
    for name, path in _WITHIN_TUMOUR.items():
        for element in tumour.iterfind(_anywhere(path)):
            tables[name].add({**who, **_cells(element, _LISTS[name])})
    for course in tumour.iterfind(_anywhere("Menge_SYST/SYST")):
        given = {**who, **_cells(course, COURSE)}
        substances = [_cells(each, SUBSTANCE) for each in course.iterfind(_anywhere("Menge_Substanz/Substanz"))]
        for substance in substances or [{}]:
            tables["SYST"].add({**given, **substance})


def _columns(paths: Mapping[str, str]) -> list[str]:
    dates = [name + _PRECISION for name in paths if name in _DATES]
    return ["Register_ID", "Patient_ID", "Tumor_ID", *paths, *dates]


def _cells(element: etree._Element, paths: Mapping[str, str]) -> dict[str, str | None]:
    return dict(_read(element, paths))


def _read(element: etree._Element, paths: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    for name, path in paths.items():
        found = element.findall(_anywhere(path))
        yield name, ";".join(text.strip() for each in found if (text := each.text))
        if name in _DATES and found:
            yield name + _PRECISION, found[0].get("Datumsgenauigkeit")


def _anywhere(path: str) -> str:
    """Return a path whose steps are in any namespace or none."""
    return "/".join(f"{{*}}{step}" for step in path.split("/"))


def _register(patient: etree._Element) -> str | None:
    delivering = patient.getroottree().find(_anywhere("Lieferregister"))
    return delivering.get("Register_ID") if delivering is not None else None


def _list(sheet: Sheet, name: str, records: pl.DataFrame) -> Sheet:
    return Sheet(sheet.file, name, tuple(records.columns[1:]), kind="xml", delivered=records)


def day(column: str, days_later: str | None = None) -> pl.Expr:
    """Return a date as far as it is exact (`2023-05-17`, `2023-05`, `2023`); unknown where not even the year is.

    With `days_later` it is the date so many days on, no more exact than the one it counts from.
    """
    length = pl.col(column + _PRECISION).replace_strict(_DAY_LENGTH, default=None, return_dtype=pl.UInt32)
    text = pl.col(column)
    if days_later:
        days = pl.col(days_later).cast(pl.Int32, strict=False)
        days = pl.when(days.is_between(0, _LONGEST_DAYS)).then(days)
        text = (text.str.to_date("%Y-%m-%d", strict=False) + pl.duration(days=days)).cast(pl.String)
    return pl.when(length.is_not_null()).then(text.str.slice(0, length))
