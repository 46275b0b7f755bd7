"""mCODE: what the records of a delivery tell together, once their references are resolved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from crlm_pipeline.extracts import mcode_assays as assays
from crlm_pipeline.extracts import mcode_disease as disease
from crlm_pipeline.extracts import mcode_treatment as treatment
from crlm_pipeline.extracts.mcode import RECORD, Delivery, resolved

_NO_CONTACT: Final = ("cancelled", "entered-in-error", "planned")
# Which column of a list names the condition that a record is about.
_ABOUT: Final = {"Observation": "focus", "Treatment": "conditions", "Procedure": "conditions"}


@dataclass(frozen=True, slots=True)
class Facts:
    """Records of all files, each with its `sheet` and `source_row`; `lists` are those that concern no other cancer.

    `elsewhere`: by list, the records of a cancer outside colon and rectum. The other fields are parts of the lists.
    """

    lists: Mapping[str, pl.DataFrame]
    elsewhere: Mapping[str, pl.DataFrame]
    contacts: pl.DataFrame
    colorectal: pl.DataFrame
    other_cancers: pl.DataFrame
    staged: pl.DataFrame
    resected: pl.DataFrame
    tumours: pl.DataFrame
    spread: pl.DataFrame
    measured: pl.DataFrame
    measured_in_time: pl.DataFrame
    assays: pl.DataFrame
    regions: pl.DataFrame
    named_drugs: pl.DataFrame
    given_drugs: pl.DataFrame


def derive(delivery: Delivery) -> Facts:
    """Resolve the references to patients and tell the records of colorectal cancer from the others."""
    own, elsewhere = _lists(delivery)
    conditions, observations = own["Condition"], own["Observation"]
    colorectal = disease.primaries(conditions)
    spread = disease.metastases(conditions)
    staged = disease.staging(observations, colorectal)
    resected = disease.resections(own["Procedure"], colorectal)
    tumours = disease.tumours(colorectal, staged, resected)
    measured = disease.measurements(observations, _places(spread, own["BodyStructure"]))
    named = treatment.drugs(own["Treatment"], own["Medication"])
    return Facts(
        lists=own,
        elsewhere=elsewhere,
        contacts=_contacts(own),
        colorectal=colorectal,
        other_cancers=disease.other_cancers(conditions, colorectal),
        staged=staged,
        resected=resected,
        tumours=tumours,
        spread=spread,
        measured=measured,
        measured_in_time=disease.within_metastatic(measured, spread, tumours),
        assays=assays.placed(assays.assays(observations), own["Specimen"], own["DiagnosticReport"]),
        regions=assays.regions(observations, own["Specimen"], own["DiagnosticReport"]),
        named_drugs=named,
        given_drugs=treatment.given(named),
    )


def _lists(delivery: Delivery) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """Return the lists without records of cancers elsewhere, and those records."""
    patients = delivery.lists["Patient"]
    own = {name: resolved(records, "patient", patients) for name, records in delivery.lists.items()}
    for name in ("Patient", "Encounter"):
        own[name] = resolved(own[name], "centre", own["Organization"])
    others = disease.other_cancers(own["Condition"], disease.primaries(own["Condition"]))
    elsewhere = {name: disease.of_other_cancer(own[name], column, others) for name, column in _ABOUT.items()}
    kept = {name: own[name].join(records, on=list(RECORD), how="anti") for name, records in elsewhere.items()}
    return {**own, **kept}, elsewhere


def _places(spread: pl.DataFrame, structures: pl.DataFrame) -> pl.DataFrame:
    columns = ["id", "alias", "organ"]
    return pl.concat([spread.select(columns), structures.select(columns)])


def _contacts(own: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the encounters of the patients of the delivery that took place."""
    took_place = own["Encounter"].filter(~pl.col("status").is_in(_NO_CONTACT))
    return took_place.join(own["Patient"], left_on="patient", right_on="id", how="semi")
