"""What the disease responded to before a decision: an earlier anti-EGFR antibody, and how long a response has held."""

from typing import Final

import polars as pl

from crlm_pipeline.cohort.lines import Lines, outcomes_of_lines
from crlm_pipeline.cohort.roles import LINE

_RESPONSES: Final = ("complete_response", "partial_response")


def had_anti_egfr_response(asked: pl.DataFrame, lines: Lines, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Return `had_anti_egfr_response` for every decision.

    True: a response was recorded in an earlier line, after its first anti-EGFR dose and by the decision. False: there
    was no such line, or each was assessed and none responded. Null: one was never assessed, and none is known to have
    responded. `asked`: decision_id, patient_id, decision_date, own_line, own_course.
    """
    antibody = lines.class_start.filter(pl.col("drug_class") == "anti_egfr").group_by(LINE)
    treated = antibody.agg(pl.col("start_date").min())
    is_own = (pl.col("line") == pl.col("own_line")) & (pl.col("course") == pl.col("own_course"))
    is_seen = (pl.col("outcome_date") > pl.col("start_date")) & (pl.col("outcome_date") <= pl.col("decision_date"))
    seen = pl.when(is_seen).then("outcome")
    earlier = (
        asked.join(treated, on="patient_id")
        .filter(~is_own.fill_null(value=False) & (pl.col("start_date") < pl.col("decision_date")))
        .join(outcomes_of_lines(outcomes, lines.line_of_therapy), on=LINE, how="left")
        .group_by("decision_id", "line", "course")
        .agg(
            is_response=seen.is_in(_RESPONSES).fill_null(value=False).any(),
            is_assessed=seen.is_not_null().any(),
        )
        .group_by("decision_id")
        .agg(
            had_anti_egfr_response=pl.when(pl.col("is_response").any())
            .then(pl.lit(value=True))
            .when(pl.col("is_assessed").all())
            .then(pl.lit(value=False)),
            is_treated=pl.lit(value=True).first(),
        )
    )
    return (
        asked.select("decision_id")
        .join(earlier, on="decision_id", how="left")
        .select(
            "decision_id",
            pl.when(pl.col("is_treated").fill_null(value=False))
            .then("had_anti_egfr_response")
            .otherwise(pl.lit(value=False))
            .alias("had_anti_egfr_response"),
        )
    )


def response_days(asked: pl.DataFrame, lines: Lines, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Return the decisions with a response since the last progression, and the days since the first such response."""
    progressed = pl.concat(
        [
            outcomes.filter(pl.col("outcome") == "progression").select("patient_id", day="outcome_date"),
            lines.progression.select("patient_id", day="progression_date"),
        ]
    )
    is_before = pl.col("day") <= pl.col("decision_date")
    last = asked.join(progressed, on="patient_id").filter(is_before).group_by("decision_id").agg(pl.col("day").max())
    responded = outcomes.filter(pl.col("outcome").is_in(_RESPONSES)).select("patient_id", "outcome_date")
    return (
        asked.join(responded, on="patient_id")
        .join(last, on="decision_id", how="left")
        .filter(pl.col("outcome_date") <= pl.col("decision_date"))
        .filter((pl.col("outcome_date") > pl.col("day")).fill_null(value=True))
        .group_by("decision_id")
        .agg(
            response_days=(pl.col("decision_date").first() - pl.col("outcome_date").min())
            .dt.total_days()
            .cast(pl.Int32)
        )
    )
