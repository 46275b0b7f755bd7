"""Timelines of a cBioPortal study: what happened to the patients of the synthetic registry, in days from diagnosis."""

from collections.abc import Mapping
from typing import Final

import polars as pl

_SURGERY: Final = {
    "resection": "Hepatectomy", "two_stage": "Two-stage hepatectomy", "alpps": "ALPPS hepatectomy",
    "rfa": "Radiofrequency ablation of liver", "mwa": "Microwave ablation of liver",
    "cryoablation": "Cryoablation of liver", "ire": "Irreversible electroporation of liver",
    "pve": "Portal vein embolization", "lvd": "Liver venous deprivation", "sirt": "Radioembolization of liver",
    "hai": "Hepatic artery infusion pump", "transplantation": "Liver transplantation",
}  # fmt: skip
_OUTCOMES: Final = {
    "complete_response": "Complete Response", "partial_response": "Partial Response",
    "stable_disease": "Stable Disease", "progression": "Progressive Disease",
}  # fmt: skip
_SETTINGS: Final = {"adjuvant": "Adjuvant", "perioperative": "Neoadjuvant"}
_INTENTS: Final = {"curative": "Curative", "palliative": "Palliative"}


def timelines(tables: Mapping[str, pl.DataFrame], samples: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the tables of events by name of their file; `samples` gives specimens and day 0 (`origin`)."""
    origins = samples.select("patient_id", "origin")
    sequenced = samples.drop_nulls("known")
    described = pl.format(
        "COLORECTAL CANCER (M{} | {})", "morphology", pl.col("topography").str.replace(".", "", literal=True)
    )
    parts = {
        "diagnosis": (tables["tumour"], "diagnosis_date", "Diagnosis",
                      {"SUBTYPE": pl.lit("Primary"), "DX_DESCRIPTION": described, "INDEX_CANCER": pl.lit("Yes")}),
        "specimen": (samples.drop("origin"), "taken", "SPECIMEN", {"SAMPLE_ID": pl.col("specimen_id")}),
        "sequencing": (sequenced.drop("origin"), "known", "SEQUENCING", {"SAMPLE_ID": pl.col("specimen_id")}),
        "treatment": (tables["drug_exposure"], "start_date", "TREATMENT", _treatment()),
        "surgery": (_surgery(tables), "procedure_date", "SURGERY", {"SUBTYPE": pl.col("words")}),
        "labtest": (tables["assessment"].drop_nulls("cea_ng_ml"), "assessment_date", "LAB_TEST", {
            "TEST": pl.lit("CEA"), "RESULT": pl.col("cea_ng_ml"), "UNITS": pl.lit("ng/mL")}),
        "performance_status": (tables["assessment"].drop_nulls("ecog"), "assessment_date", "PERFORMANCE_STATUS", {
            "SCORE_TYPE": pl.lit("ECOG"), "RESULT": pl.col("ecog")}),
        "status": (tables["outcome"], "outcome_date", "STATUS", {"STATUS": pl.col("outcome").replace(_OUTCOMES)}),
    }  # fmt: skip
    return {
        f"timeline_{name}": _events(rows.join(origins, on="patient_id", maintain_order="left"), start, kind, columns)
        for name, (rows, start, kind, columns) in parts.items()
    }


def _events(rows: pl.DataFrame, start: str, kind: str, columns: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """Return the rows whose day is known as events; only a course of treatment has an end."""
    end = _days("end_date") if "end_date" in rows.columns else pl.lit(None, dtype=pl.String)
    return rows.select(
        PATIENT_ID="patient_id", START_DATE=_days(start), STOP_DATE=end, EVENT_TYPE=pl.lit(kind), **columns
    ).drop_nulls("START_DATE")


def _days(column: str) -> pl.Expr:
    day = pl.col(column).cast(pl.String).str.to_date("%Y-%m-%d", strict=False)
    return (day - pl.col("origin")).dt.total_days().cast(pl.String)


def _treatment() -> dict[str, pl.Expr]:
    return {
        "TREATMENT_TYPE": pl.lit("Medical Therapy"),
        "AGENT": pl.col("drug"),
        "LINE_OF_TREATMENT": pl.col("line_registered"),
        "TREATMENT_SETTING": pl.col("intent").replace_strict(_SETTINGS, default=None, return_dtype=pl.String),
        "TREATMENT_INTENT": pl.col("intent").replace_strict(_INTENTS, default=None, return_dtype=pl.String),
    }


def _surgery(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return operations of the liver and of the primary by patient: `procedure_date` and `words`; radiation is none."""
    words = pl.col("procedure").replace_strict(_SURGERY, default=None, return_dtype=pl.String)
    liver = tables["procedure"].select("patient_id", "procedure_date", words=words).drop_nulls("words")
    primary = tables["tumour"].select(
        "patient_id", procedure_date="resection_date", words=pl.lit("Resection of primary")
    )
    return pl.concat([liver, primary.drop_nulls("procedure_date")]).sort("patient_id", maintain_order=True)
