"""mCODE on FHIR R4: Bundles and bulk NDJSON, one patient or a whole registry, over any number of files of a folder.

Every patient makes a row; a cancer outside colon and rectum makes none, nor does what is about it. Centre = the
managing organisation, else that of the first encounter, else `unknown`. Country = that of the patient's address, else
`ZZ`. Days are those on which something was found, done or given; a result is known from `issued`. A request for a drug
counts only where nothing else tells of that drug (docs/formats/mcode.md).
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.extracts import mcode_assays as assays
from crlm_pipeline.extracts import mcode_disease as disease
from crlm_pipeline.extracts import mcode_treatment as treatment
from crlm_pipeline.extracts.format import Mapped, Reading
from crlm_pipeline.extracts.mcode import RECORD, SHEET, Delivery, read_lists
from crlm_pipeline.extracts.mcode_facts import Facts, derive
from crlm_pipeline.extracts.mcode_notices import UNKNOWN_CENTRE, UNKNOWN_COUNTRY, of_delivery
from crlm_pipeline.extracts.source import Group
from crlm_pipeline.extracts.text import SOURCE_ROW

NAME: Final = "mcode"
_ALPHA_3: Final = {"USA": "US", "CAN": "CA"}
_NO_SEX: Final = "unknown"
_VITAL_STATUS: Final = {"true": "dead", "false": "alive"}


def recognises(group: Group) -> bool:
    """Whether a file is FHIR JSON."""
    return any(sheet.kind == "json" for sheet in group.sheets)


def read(group: Group) -> Reading:
    """Make the tables of all FHIR files of the group together, as their resources refer to one another."""
    sources = tuple(sheet for sheet in group.sheets if sheet.kind == "json")
    delivery = read_lists(sources)
    facts = derive(delivery)
    patients = _patients(facts)
    tables = {
        "patient": patients,
        "tumour": facts.tumours,
        "assessment": disease.assessments(facts.spread, facts.measured_in_time),
        "biomarker": assays.biomarkers(facts.assays.filter(assays.is_of_contract()), facts.regions),
        "drug_exposure": treatment.exposures(facts.given_drugs),
        "procedure": treatment.local_treatments(facts.lists["Procedure"]),
        "outcome": disease.outcomes(facts.lists["Observation"]),
    }
    completing = _completing(facts, patients)
    notices = of_delivery(delivery, facts, tables, completing)
    return Reading("real", tuple(_mapped(delivery, tables, completing)), sources, tuple(notices))


def _mapped(delivery: Delivery, tables: Mapping[str, pl.DataFrame], completing: pl.DataFrame) -> list[Mapped]:
    """Hand each row to the list of its record; a delivery without patients has a table of patients all the same."""
    parts = {name: frame.partition_by(SHEET, as_dict=True, include_key=False) for name, frame in tables.items()}
    used = completing.partition_by(SHEET, as_dict=True, include_key=False)
    mapped = []
    for number, sheet in enumerate(delivery.sheets):
        own = {name: frames[number,].sort(SOURCE_ROW) for name, frames in parts.items() if (number,) in frames}
        if not parts["patient"] and number == 0:
            own["patient"] = tables["patient"].drop(SHEET)
        completed = used[number,][SOURCE_ROW] if (number,) in used else None
        mapped.append(Mapped(sheet, own, completed))
    return mapped


def _patients(facts: Facts) -> pl.DataFrame:
    contacts = facts.contacts.group_by("patient").agg(
        pl.col("centre").sort_by("day", nulls_last=True).drop_nulls().first().alias("seen_at"),
        pl.col("day").max().alias("last_seen"),
    )
    country = pl.col("country").str.to_uppercase().replace(_ALPHA_3)
    countries = [row["alpha_2"] for row in resources.reference("countries")]
    patients = facts.lists["Patient"].join(
        contacts, left_on="id", right_on="patient", how="left", maintain_order="left"
    )
    return patients.select(
        *RECORD,
        patient_id="id",
        centre_id=pl.coalesce("centre", "seen_at", pl.lit(UNKNOWN_CENTRE)),
        country=pl.when(country.is_in(countries)).then(country).otherwise(pl.lit(UNKNOWN_COUNTRY)),
        birth_year=pl.col("birth_date").str.slice(0, 4),
        sex=pl.when(pl.col("gender") != _NO_SEX).then("gender"),
        vital_status=pl.col("is_deceased").replace(_VITAL_STATUS),
        last_contact_date=pl.coalesce("death_date", "last_seen"),
        death_date="death_date",
    )


def _completing(facts: Facts, patients: pl.DataFrame) -> pl.DataFrame:
    """Return the records that complete rows of others."""
    of_contract = facts.assays.filter(assays.is_of_contract())
    lists = facts.lists
    where = ["patient", "specimen_id", "analyte"]
    parts = [
        _referred(lists["Organization"], patients, "centre_id"),
        facts.contacts,
        facts.colorectal,
        facts.staged,
        facts.resected,
        facts.measured_in_time.drop_nulls("day"),
        facts.spread.drop_nulls("day"),
        facts.regions.join(of_contract, on=where, how="semi"),
        _referred(lists["Specimen"], of_contract, "specimen"),
        _referred(lists["DiagnosticReport"], of_contract, "report"),
        _referred(lists["Medication"], facts.given_drugs, "medication"),
        _referred(lists["BodyStructure"], facts.measured_in_time, "focus"),
    ]
    return pl.concat([part.select(RECORD) for part in parts]).unique(maintain_order=True)


def _referred(targets: pl.DataFrame, records: pl.DataFrame, column: str) -> pl.DataFrame:
    return targets.join(records, left_on="id", right_on=column, how="semi")
