"""NAACCR XML: the items that have a place in the contract, and what their codes mean.

Nothing else of a record is kept: names, addresses and numbers of insurance never leave the file. Codes: clinical 3.6 to
3.8 and 6.1 to 6.5, and the NAACCR data dictionary, version 25.
"""

from typing import Final

import polars as pl
from lxml import etree

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts import markup
from crlm_pipeline.extracts.record_table import RecordTable
from crlm_pipeline.extracts.source import Sheet
from crlm_pipeline.extracts.text import HEAD_BYTES

ROOT: Final = "NaaccrData"
VERSIONS: Final = ("210", "220", "230", "240", "250")
PATIENT_ITEMS: Final = (
    "patientIdNumber", "sex", "sexAssignedAtBirth", "dateOfBirth", "vitalStatus", "dateOfLastContact",
)  # fmt: skip
# Item of a tumour (1112-1117) to site of the contract. "Other" holds peritoneum and ovary, so neither is told apart.
METASTASIS_ITEMS: Final = {
    "metsAtDxLiver": "liver", "metsAtDxLung": "lung", "metsAtDxDistantLn": "distant_nodes", "metsAtDxBone": "bone",
    "metsAtDxBrain": "brain", "metsAtDxOther": "other",
}  # fmt: skip
GENE_ITEMS: Final = {
    "kras": "kras",
    "nras": "nrasMutationalAnalysis",
    "braf": "brafMutationalAnalysis",
    "msi": "microsatelliteInstability",
}
TUMOUR_ITEMS: Final = (
    "tumorRecordNumber", "sequenceNumberCentral", "reportingFacility", "addrAtDxCountry", "dateOfDiagnosis",
    "ageAtDiagnosis", "recurrenceDate1st", "recurrenceType1st",
    "primarySite", "histologicTypeIcdO3", "behaviorCodeIcdO3", "ajccTnmClinT", "ajccTnmClinN", "ajccTnmClinM",
    "ajccTnmPathT", "ajccTnmPathN", "ajccTnmPathM", "regionalNodesPositive", "rxDateMostDefinSurg",
    "rxSummSurgicalMargins", "ceaPretreatmentLabValue", *METASTASIS_ITEMS, *GENE_ITEMS.values(),
)  # fmt: skip
_KNOWN_ITEMS: Final = frozenset(["registryId", *PATIENT_ITEMS, *TUMOUR_ITEMS])
_UNKNOWN: Final = dict.fromkeys(("7", "8", "9"), "indeterminate")
# Code to result. 0 says neither which codons nor which genes were examined; 1 lumps codons 12, 13 and 61.
RESULTS: Final = {
    "kras": {"0": "not_detected", **dict.fromkeys(("1", "2", "3", "4"), "mutated"), **_UNKNOWN},
    "nras": {"0": "not_detected", **dict.fromkeys(("1", "2", "4"), "mutated"), **_UNKNOWN},
    "braf": {"0": "not_detected", **dict.fromkeys(("1", "2", "4"), "mutated"), **_UNKNOWN},
    "msi": {"0": "mss", "1": "msi_l", "2": "msi_h", "8": "indeterminate", "9": "indeterminate"},
}
PROTEIN_CHANGES: Final = {"braf": {"1": "p.Val600Glu"}}
ELSEWHERE: Final = {"kras": "3", "nras": "2"}  # mutated, but in none of the codons that the item names
EFFECTIVE_FROM: Final = {"nras": 2021, "braf": 2021}  # first year of diagnosis of the item
# Type of the first recurrence (1880) to the only organ of it; the other distant types do not tell their organs.
RECURRENCES: Final = {
    "51": "peritoneum", "52": "lung", "53": "other", "54": "liver", "55": "bone", "56": "brain", "57": "other",
    "58": "distant_nodes",
}  # fmt: skip
DISTANT_RECURRENCES: Final = ("40", *RECURRENCES, "59", "60", "62")
UNKNOWN_CENTRE: Final = "unknown"
NO_FACILITY: Final = ("0000000000", "0099999999")  # not reported by a facility; facility unknown
_CEA_ABOVE_SCALE: Final = {"XXXX.1": "10000"}  # 10,000 ng/mL or more
_OLDEST: Final = 120  # years; 999 is unknown
_VERSION: Final = r"naaccr-dictionary-(\d+)\.xml$"


def read_lists(sheet: Sheet) -> tuple[Sheet, Sheet]:
    """Return the patients and the tumours of a file, each with the known items and `source_row` from 1.

    A patient has `registryId` of the file; a tumour has `patientIdNumber`. Raises `SourceError` for another version.
    """
    content, file = sheet.file.content, sheet.file.name
    _refuse_version(content, file)
    patients = RecordTable(("registryId", *PATIENT_ITEMS))
    tumours = RecordTable(("patientIdNumber", *TUMOUR_ITEMS))
    registry: str | None = None
    for patient in markup.records(content, file, "Patient"):
        cells = _items(patient)
        registry = registry or _items(patient.getparent()).get("registryId")
        patients.add({**cells, "registryId": registry})
        for tumour in patient.iterchildren("{*}Tumor"):
            tumours.add({**_items(tumour), "patientIdNumber": cells.get("patientIdNumber")})
    return _list(sheet, "Patient", patients.frame()), _list(sheet, "Tumor", tumours.frame())


def _refuse_version(content: bytes, file: str) -> None:
    root = markup.root(content[:HEAD_BYTES], file)
    dictionary = root.attributes.get("baseDictionaryUri", "") if root else ""
    version = pl.Series([dictionary]).str.extract(_VERSION).item()
    if version not in VERSIONS:
        raise SourceError(
            f"The base dictionary is not of a NAACCR version that is known here ({', '.join(VERSIONS)}).",
            "Export the file as one of them.",
            file,
        )


def _items(element: etree._Element | None) -> dict[str, str | None]:
    """Return the known items directly below an element; other children have no `naaccrId`."""
    if element is None:
        return {}
    return {name: item.text for item in element if (name := item.get("naaccrId")) in _KNOWN_ITEMS}


def _list(sheet: Sheet, name: str, records: pl.DataFrame) -> Sheet:
    return Sheet(sheet.file, name, tuple(records.columns[1:]), kind="xml", delivered=records)


def is_present(item: str) -> pl.Expr:
    """Return whether an organ holds metastases (1; of other organs 2 = carcinomatosis); 8, 9 and blank are unknown."""
    answers = {"0": False, "1": True, "2": True} if item == "metsAtDxOther" else {"0": False, "1": True}
    return pl.col(item).replace_strict(answers, default=None, return_dtype=pl.Boolean)


def cea() -> pl.Expr:
    """Return CEA before treatment in ng/mL as text, unknown unless a number was reported."""
    value = pl.col("ceaPretreatmentLabValue").replace(_CEA_ABOVE_SCALE)
    return pl.when(value.str.contains(r"^\d+(\.\d+)?$")).then(value)


def facility(column: str = "reportingFacility") -> pl.Expr:
    """Return the facility that is named, unknown where the number says that there is none or that nobody knows."""
    return pl.when(~pl.col(column).is_in(list(NO_FACILITY))).then(column)


def day(column: str) -> pl.Expr:
    """Return `20230517` as `2023-05-17`, `202305` as `2023-05`; anything else as delivered."""
    whole = pl.col(column).str.replace(r"^(\d{4})(\d{2})(\d{2})$", "${1}-${2}-${3}")
    return whole.str.replace(r"^(\d{4})(\d{2})$", "${1}-${2}")


def year_of_birth() -> pl.Expr:
    """Return the year of diagnosis less the age (230) as text: the year of birth, or the one after it."""
    age = pl.col("ageAtDiagnosis").cast(pl.Int32, strict=False)
    year = pl.col("dateOfDiagnosis").str.slice(0, 4).cast(pl.Int32, strict=False)
    return pl.when(age <= _OLDEST).then(year - age).cast(pl.String)
