"""The precision pathway of each metastatic patient: that of the next decision, else of the latest."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from crlm_pipeline.guidelines.outcome import TEST_FIRST

_BEYOND_ALL_DAYS: Final = 1 << 24
_PROVISIONAL = pl.col("pathway_missing").list.len() > 0


def patient_pathways(
    patients: pl.DataFrame,
    decisions: pl.DataFrame,
    verdicts: pl.DataFrame,
    applies_in: Mapping[str, Sequence[str]],
) -> pl.DataFrame:
    """Return a row per metastatic patient and recommendation series that applies in the patient's country.

    `verdicts`: the kept verdicts of recommendation series with `pathway`, `pathway_missing` and `best_option`;
    `applies_in`: the countries of each series, none meaning everywhere. A patient without a decision has basis `none`
    and the reason.
    """
    basis = basis_of_patients(decisions)
    judged = verdicts.join(basis, on="decision_id").with_columns(
        certainty=pl.when(pl.col("pathway").is_null())
        .then(None)
        .when(_PROVISIONAL)
        .then(pl.lit("provisional"))
        .otherwise(pl.lit("definite")),
        treatment=pl.when(pl.col("pathway") == TEST_FIRST).then(None).otherwise(pl.col("best_option")),
        missing_facts=pl.col("pathway_missing"),
        reason=_reason(),
    )
    columns = [
        "patient_id",
        "guideline",
        "edition_id",
        "basis",
        "decision_id",
        "pathway",
        "certainty",
        "treatment",
        "missing_facts",
        "reason",
    ]
    return pl.concat([judged.select(columns), _without_decision(patients, decisions, applies_in).select(columns)])


def basis_of_patients(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the decision that stands for each patient, the open one, else the latest by date: decision_id, basis."""
    is_next = pl.col("decision_id").str.ends_with("/next")
    return (
        decisions.select("patient_id", "decision_id", "decision_date", is_next=is_next)
        # Two sorts by one column each, the second of numbers, take less than one by both with the patient before them.
        .sort("decision_id")
        .sort(pl.col("decision_date").to_physical() + pl.col("is_next") * _BEYOND_ALL_DAYS, maintain_order=True)
        .unique("patient_id", keep="last")
        .select("decision_id", basis=pl.when("is_next").then(pl.lit("next")).otherwise(pl.lit("latest")))
    )


def _reason() -> pl.Expr:
    return (
        pl.when(pl.col("edition_id").is_null())
        .then(pl.col("reason"))
        .when(pl.col("pathway").is_null())
        .then(pl.lit("No rule of this edition applies to the situation."))
        .when(pl.col("pathway") == TEST_FIRST)
        .then(
            pl.lit("The pathway depends on facts not known: ") + pl.col("pathway_missing").list.join(", ") + pl.lit(".")
        )
        .otherwise(pl.lit("The rules in force that day lead to this pathway."))
    )


def _without_decision(
    patients: pl.DataFrame, decisions: pl.DataFrame, applies_in: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    series = pl.DataFrame(
        {"guideline": list(applies_in), "countries": [list(countries) for countries in applies_in.values()]},
        schema={"guideline": pl.String, "countries": pl.List(pl.String)},
    )
    applies = (pl.col("countries").list.len() == 0) | pl.col("countries").list.contains(pl.col("country"))
    undecided = patients.filter(pl.col("is_metastatic")).join(
        decisions.select("patient_id"), on="patient_id", how="anti"
    )
    return (
        undecided.join(series, how="cross")
        .filter(applies)
        .select(
            "patient_id",
            "guideline",
            edition_id=pl.lit(None, pl.String),
            basis=pl.lit("none"),
            decision_id=pl.lit(None, pl.String),
            pathway=pl.lit(None, pl.String),
            certainty=pl.lit(None, pl.String),
            treatment=pl.lit(None, pl.String),
            missing_facts=pl.lit([], dtype=pl.List(pl.String)),
            reason=pl.lit("There is no decision to judge: the patient died before one, or none is on record."),
        )
    )
