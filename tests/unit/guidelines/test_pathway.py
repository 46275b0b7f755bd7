"""A pathway for each metastatic patient, under each series that applies where the patient is treated."""

import polars as pl

from crlm_pipeline.guidelines.pathway import patient_pathways
from crlm_pipeline.guidelines.verdicts import not_in_force
from schemas.cohort import Decision
from schemas.column import describe

PATIENTS = pl.DataFrame(
    {
        "patient_id": ["dutch", "german", "early"],
        "country": ["NL", "DE", "NL"],
        "is_metastatic": [True, True, False],
    }
)
NO_DECISIONS = pl.DataFrame(schema=describe(Decision).polars_schema)


def test_a_patient_without_a_decision_has_a_row_per_series_that_applies_in_the_country() -> None:
    found = patient_pathways(
        PATIENTS, NO_DECISIONS, not_in_force(NO_DECISIONS, "esmo"), {"esmo": (), "netherlands": ("NL",)}
    )
    rows = found.sort("patient_id", "guideline").select("patient_id", "guideline", "basis").rows()
    assert rows == [("dutch", "esmo", "none"), ("dutch", "netherlands", "none"), ("german", "esmo", "none")]
