"""mCODE on FHIR R4: the lists of records of a delivery, with all that has a place in the contract as text.

Every record has the number of its list among those of the delivery (`sheet`), its `id` (of a resource without one, the
last part of its full URL), an `alias` where its full URL ends differently, and the `patient` it refers to.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from crlm_pipeline.extracts import fhir, fhir_json, mcode_observations, mcode_resources
from crlm_pipeline.extracts.mcode_resources import Cells
from crlm_pipeline.extracts.record_table import RecordTable
from crlm_pipeline.extracts.source import Sheet
from crlm_pipeline.extracts.text import SOURCE_ROW

SHEET: Final = "sheet"
RECORD: Final = (SHEET, SOURCE_ROW)
_OTHER: Final = "Other"
_COMMON: Final = ("type", "id", "alias", "patient")
# Types that messages may name; what stands in the file is never repeated.
_NAMED: Final = (
    "AdverseEvent", "AllergyIntolerance", "Appointment", "Binary", "BodyStructure", "CarePlan", "CareTeam",
    "ClinicalImpression", "Communication", "Composition", "Condition", "Consent", "Coverage", "Device",
    "DiagnosticReport", "DocumentReference", "Encounter", "EpisodeOfCare", "FamilyMemberHistory", "Flag", "Goal",
    "Group", "ImagingStudy", "Immunization", "List", "Location", "Media", "Medication", "MedicationAdministration",
    "MedicationDispense", "MedicationRequest", "MedicationStatement", "MolecularSequence", "Observation",
    "OperationOutcome", "Organization", "Parameters", "Patient", "Practitioner", "PractitionerRole", "Procedure",
    "Provenance", "Questionnaire", "QuestionnaireResponse", "RelatedPerson", "ResearchStudy", "ResearchSubject",
    "RiskAssessment", "ServiceRequest", "Specimen", "Task",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _List:
    """A list of records: which types of resources make them, what of each is kept, and what of it refers to others."""

    types: tuple[str, ...]
    cells: Callable[[Any], Cells]
    columns: tuple[str, ...]


def _list(cells: Callable[[Any], Cells], *types: str, columns: tuple[str, ...] | None = None) -> _List:
    """Describe a list; without `columns` they are those of an empty resource."""
    return _List(types, cells, tuple(cells({})) if columns is None else columns)


_LISTS: Final[Mapping[str, _List]] = {
    "Patient": _list(mcode_resources.patient, "Patient"),
    "Condition": _list(mcode_resources.condition, "Condition"),
    "Observation": _list(mcode_observations.observation, "Observation", columns=mcode_observations.CELLS),
    "Treatment": _list(
        mcode_resources.medication, "MedicationAdministration", "MedicationRequest", "MedicationStatement"
    ),
    "Medication": _list(mcode_resources.drug, "Medication"),
    "Procedure": _list(mcode_resources.procedure, "Procedure"),
    "Specimen": _list(mcode_resources.specimen, "Specimen"),
    "DiagnosticReport": _list(mcode_resources.report, "DiagnosticReport"),
    "Encounter": _list(mcode_resources.encounter, "Encounter"),
    "BodyStructure": _list(mcode_resources.body_structure, "BodyStructure"),
    "Organization": _list(mcode_resources.only_named, "Organization"),
    _OTHER: _list(mcode_resources.only_named),
}
_LIST_OF_TYPE: Final = {type_: name for name, described in _LISTS.items() for type_ in described.types}


@dataclass(frozen=True, slots=True)
class Delivery:
    """The lists of all files: one sheet per file and list, and per list the records of all files."""

    sheets: tuple[Sheet, ...]
    lists: Mapping[str, pl.DataFrame]


def read_lists(sources: Iterable[Sheet]) -> Delivery:
    """Read every resource of the files once; `SourceError` for a file that is no JSON or cut off."""
    sheets: list[Sheet] = []
    frames: dict[str, list[pl.DataFrame]] = {name: [_numbered(_table(name).frame(), -1)] for name in _LISTS}
    for source in sources:
        for name, table in _tables(source).items():
            records = table.frame()
            frames[name].append(_numbered(records, len(sheets)))
            sheets.append(Sheet(source.file, name, tuple(records.columns[1:]), kind="json", delivered=records))
    return Delivery(tuple(sheets), {name: pl.concat(parts) for name, parts in frames.items()})


def _numbered(records: pl.DataFrame, number: int) -> pl.DataFrame:
    return records.with_columns(pl.lit(number, dtype=pl.Int32).alias(SHEET))


def _table(name: str) -> RecordTable:
    return RecordTable((*_COMMON, *_LISTS[name].columns))


def _tables(source: Sheet) -> dict[str, RecordTable]:
    """Return the lists of a file that have records."""
    tables: dict[str, RecordTable] = {}
    for entry in fhir_json.entries(source.file.content, source.file.name):
        type_ = fhir.text(entry.resource, "resourceType") or ""
        name = _LIST_OF_TYPE.get(type_, _OTHER)
        table = tables.setdefault(name, _table(name))
        table.add({**_common(entry, type_), **_LISTS[name].cells(entry.resource)})
    return tables


def _common(entry: fhir_json.Entry, type_: str) -> Cells:
    address = fhir.key(entry.full_url) if entry.full_url else None
    own = fhir.text(entry.resource, "id") or address
    subject = fhir.target(entry.resource, "subject") or fhir.target(entry.resource, "patient")
    return {
        "type": type_ if type_ in _NAMED else None,
        "id": own,
        "alias": address if address != own else None,
        "patient": subject,
    }


def resolved(records: pl.DataFrame, column: str, targets: pl.DataFrame) -> pl.DataFrame:
    """Return the records with references by full URL replaced by the id of the target; any other stays as it is."""
    aliases = targets.drop_nulls("alias").unique("alias", keep="first", maintain_order=True)
    if aliases.is_empty():
        return records
    found = aliases.select(pl.col("alias").alias(column), pl.col("id").alias("resolved"))
    joined = records.join(found, on=column, how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("resolved", column).alias(column)).drop("resolved")
