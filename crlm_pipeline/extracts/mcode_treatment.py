"""mCODE: drugs and local treatments.

A request is an intention. It stands for a drug that was given only where the delivery holds no administration and no
statement of that drug for the patient: many systems document drugs taken at home by nothing else.
"""

from typing import Final

import polars as pl

from crlm_pipeline.extracts.mcode import RECORD, resolved

REQUEST: Final = "Request"


def drugs(treatments: pl.DataFrame, medications: pl.DataFrame) -> pl.DataFrame:
    """Return the treatments with the drug that they name or refer to; `medication` is the id of what they refer to."""
    known = resolved(treatments, "medication", medications)
    referred = medications.select(medication="id", referred_drug="drug", referred_atc="atc").unique("medication")
    joined = known.join(referred, on="medication", how="left", maintain_order="left")
    return joined.with_columns(drug=pl.coalesce("drug", "referred_drug"), atc=pl.coalesce("atc", "referred_atc"))


def given(named: pl.DataFrame) -> pl.DataFrame:
    """Return the treatments that make exposures: administrations, statements, and requests that stand for them."""
    by_status = named.filter(pl.col("is_given") == "true")
    documented = by_status.filter(pl.col("kind") != REQUEST).with_columns(_name())
    requests = by_status.filter(pl.col("kind") == REQUEST).with_columns(_name())
    requests = requests.join(documented, on=["patient", "name"], how="anti", nulls_equal=True)
    coded = documented.drop_nulls("atc")
    return pl.concat([documented, requests.join(coded, on=["patient", "atc"], how="anti")]).drop("name")


def _name() -> pl.Expr:
    return pl.col("drug").str.to_lowercase().alias("name")


def exposures(given_drugs: pl.DataFrame) -> pl.DataFrame:
    """Return one row per drug and period."""
    return given_drugs.sort(RECORD).select(
        *RECORD, "drug", "atc", "intent", "stop_reason", "dose_mg",
        patient_id="patient", start_date="start", end_date="end",
    )  # fmt: skip


def local_treatments(procedures: pl.DataFrame) -> pl.DataFrame:
    """Return one row per local treatment of the liver that was done."""
    done = procedures.filter(pl.col("is_done") == "true").drop_nulls("procedure")
    return done.select(*RECORD, "procedure", patient_id="patient", procedure_date="day")
