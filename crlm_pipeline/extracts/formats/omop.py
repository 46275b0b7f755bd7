"""OMOP CDM 5.4: a folder of tables, CSV or Parquet, with or without the vocabulary.

Every person makes a row; what is recorded of persons without a colorectal tumour makes none, and is counted. Centre = a
care site (else `unknown`), country = that of a location (else `ZZ`). A measurement bears the day of its sample, never
that of its report. Codons, intent, resectability and meetings are not in the model (docs/formats/omop.md).
"""

from typing import Final

import polars as pl

from crlm_pipeline.extracts import omop, omop_disease, omop_results
from crlm_pipeline.extracts.format import Mapped, Reading
from crlm_pipeline.extracts.omop import PLACE, SHEET, Delivery
from crlm_pipeline.extracts.omop_concepts import PRIMARY, TARGET, Concepts
from crlm_pipeline.extracts.omop_disease import Disease, conditions, disease
from crlm_pipeline.extracts.omop_findings import findings
from crlm_pipeline.extracts.omop_notices import of_persons, of_records, of_vocabulary
from crlm_pipeline.extracts.omop_people import patients, visit_sites
from crlm_pipeline.extracts.omop_results import biomarkers, used_specimens
from crlm_pipeline.extracts.omop_treatment import PROCEDURE, exposures, outcomes, procedures, used_regimens
from crlm_pipeline.extracts.source import Group
from crlm_pipeline.extracts.text import SOURCE_ROW

NAME: Final = "omop"
_CONSULTED: Final = ("concept", "care_site", "location", "episode_event")
# Read whole: each of their records says something of its person.
_COMPLETING: Final = ("observation_period", "visit_occurrence", "death")


def recognises(group: Group) -> bool:
    """Whether a file of the folder is a table of persons of the model."""
    return any(omop.kind(sheet) == "person" for sheet in group.sheets)


def read(group: Group) -> Reading:
    """Make the tables of a delivery; `SourceError` when a file cannot be read or names a column twice."""
    delivery = Delivery.of(group)
    concepts = Concepts.of(delivery)
    people = patients(delivery, concepts)
    known = conditions(delivery, concepts)
    persons = known.filter(pl.col(TARGET) == PRIMARY).select("person_id").unique().drop_nulls()
    tables, completing = _rows(delivery, concepts, known, persons)
    mapped = _mapped(delivery, {"patient": people, **tables}, completing)
    notices = [*of_persons(delivery, people, persons), *of_vocabulary(delivery)]
    notices += of_records(delivery, mapped, persons)
    consulted = tuple(sheet for sheet, of in zip(delivery.sheets, delivery.kinds, strict=True) if of in _CONSULTED)
    return Reading("real", tuple(mapped), consulted, tuple(notices))


def _rows(
    delivery: Delivery, concepts: Concepts, known: pl.DataFrame, persons: pl.DataFrame
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Return the rows of persons with a colorectal tumour by table, and the records that completed others."""
    asked = (*omop_disease.TARGETS, *omop_results.TARGETS)
    found = _of(findings(delivery, concepts, asked), persons)
    operations = _of(procedures(delivery, concepts), persons)
    state = disease(_of(known, persons), found, operations)
    results = _of(biomarkers(found, delivery, concepts), persons)
    drugs = _of(exposures(delivery, concepts), persons)
    visits = visit_sites(delivery)
    tables = {
        "tumour": _tumour_table(state),
        "assessment": _own_centre(state.assessments, visits).rename({"day": "assessment_date"}),
        "biomarker": _own_centre(results, visits),
        "drug_exposure": _own_centre(drugs, visits),
        "procedure": _own_centre(
            operations.filter(pl.col(TARGET) == PROCEDURE).select(
                *PLACE, "person_id", "visit_occurrence_id", procedure_date="day", procedure="value"
            ),
            visits,
        ),
        "outcome": _of(outcomes(delivery, concepts), persons),
    }
    used = [delivery.frames[name] for name in _COMPLETING]
    used += [state.completing, used_specimens(delivery, results), used_regimens(delivery, concepts, drugs)]
    return {name: rows.rename({"person_id": "patient_id"}) for name, rows in tables.items()}, omop.places(*used)


def _of(rows: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    return rows.join(persons, on="person_id", how="semi", maintain_order="left")


def _tumour_table(state: Disease) -> pl.DataFrame:
    return state.tumours.with_columns(tumour_id="site").rename({"day": "diagnosis_date", "site": "topography"})


def _own_centre(rows: pl.DataFrame, visits: pl.DataFrame) -> pl.DataFrame:
    """Add the centre of the visit of each row; null when the visit names none."""
    centres = visits.select("visit_occurrence_id", centre_id="visit_centre")
    sited = rows.join(centres, on="visit_occurrence_id", how="left", maintain_order="left")
    return sited.drop("visit_occurrence_id")


def _mapped(delivery: Delivery, tables: dict[str, pl.DataFrame], completing: pl.DataFrame) -> list[Mapped]:
    mapped: list[Mapped] = []
    for number, (sheet, kind) in enumerate(zip(delivery.sheets, delivery.kinds, strict=True)):
        if kind in _CONSULTED:
            continue
        of_sheet = {name: rows.filter(pl.col(SHEET) == number).drop(SHEET) for name, rows in tables.items()}
        made = {name: rows for name, rows in of_sheet.items() if rows.height or (name, kind) == ("patient", "person")}
        mapped.append(Mapped(sheet, made, completing.filter(pl.col(SHEET) == number)[SOURCE_ROW]))
    return mapped
