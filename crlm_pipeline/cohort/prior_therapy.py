"""What a decision follows: the drugs and lines before it, what the disease progressed on, and what it responded to."""

from typing import Final

import polars as pl

from crlm_pipeline.cohort.drugs import CYTOTOXIC, inns, substances
from crlm_pipeline.cohort.lines import Lines
from crlm_pipeline.cohort.responses import had_anti_egfr_response, response_days
from crlm_pipeline.cohort.roles import LINE
from crlm_pipeline.settings import Windows

_PRIOR: Final = {
    "prior_fluoropyrimidine": "fluoropyrimidine",
    "prior_oxaliplatin": "oxaliplatin",
    "prior_irinotecan": "irinotecan",
    "prior_anti_egfr": "anti_egfr",
    "prior_anti_vegf": "anti_vegf",
    "prior_checkpoint_inhibitor": "checkpoint_inhibitor",
    "prior_braf_inhibitor": "braf_inhibitor",
    "prior_kras_g12c_inhibitor": "kras_g12c_inhibitor",
    "prior_anti_her2": "anti_her2",
}


def prior_facts(decisions: pl.DataFrame, lines: Lines, outcomes: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Return, for each decision, the facts of `cohort.decision` that rest on earlier treatment, keyed by decision_id.

    `decisions`: decision_id, patient_id, decision_date, line and course (line null for a local decision). Earlier = a
    drug or line started before the decision and not of its own line; courses around surgery count among drugs, not
    among lines. `prior_*` are never null; null means: `chemotherapy_line` a local decision, `had_anti_egfr_response`
    an earlier anti-EGFR line whose response nobody recorded, `days_since_anti_egfr` never given or ongoing,
    `response_days` no response since the last progression, `ipilimumab_days` not given or ongoing.
    """
    asked = decisions.select(
        "decision_id", "patient_id", "decision_date", own_line="line", own_course=pl.col("course").fill_null(1)
    )
    assert asked["decision_id"].is_unique().all(), "one row per decision"
    given = lines.exposure_role.filter(pl.col("line").is_not_null())
    facts = (
        _drugs_before(asked, given),
        _lines_before(asked, lines.line_of_therapy),
        _failed_classes(asked, lines, given, windows),
        _days_since_anti_egfr(asked, given),
        _ipilimumab_days(asked, given),
        had_anti_egfr_response(asked, lines, outcomes),
        response_days(asked, lines, outcomes),
    )
    found = asked.select("decision_id", "own_line")
    for fact in facts:
        found = found.join(fact, on="decision_id", how="left", maintain_order="left")
    return _completed(found).sort("decision_id")


def _completed(found: pl.DataFrame) -> pl.DataFrame:
    """Say what it means that no earlier drug or line was found, and number the line of chemotherapy."""
    # The first chemotherapy after a checkpoint inhibitor alone is judged by the first-line rules (semantics).
    only_immunotherapy = (pl.col("own_line") > 1) & (pl.col("immunotherapy_line_count") == pl.col("own_line") - 1)
    return (
        found.with_columns(
            pl.col(*_PRIOR).fill_null(value=False),
            pl.col("chemotherapy_line_count", "immunotherapy_line_count").fill_null(0),
            pl.col("previous_backbone").fill_null("none"),
            pl.col("failed_classes").fill_null([]),
        )
        .with_columns(chemotherapy_line=pl.when(only_immunotherapy).then(1).otherwise("own_line").cast(pl.Int32))
        .drop("own_line", "immunotherapy_line_count")
    )


def _is_not_own() -> pl.Expr:
    is_own = (pl.col("line") == pl.col("own_line")) & (pl.col("course") == pl.col("own_course"))
    return ~is_own.fill_null(value=False)


def _drugs_before(asked: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    first = given.group_by(*LINE, "drug_class").agg(pl.col("start_date").min())
    return (
        asked.join(first, on="patient_id")
        .filter(_is_not_own() & (pl.col("start_date") < pl.col("decision_date")))
        .group_by("decision_id")
        .agg((pl.col("drug_class") == name).any().alias(column) for column, name in _PRIOR.items())
    )


def _lines_before(asked: pl.DataFrame, line_of_therapy: pl.DataFrame) -> pl.DataFrame:
    """Count earlier lines with a cytotoxic drug, and of checkpoint inhibitors alone; name the last backbone."""
    is_cytotoxic = pl.col("backbone").is_not_null()
    return (
        asked.join(_composition(line_of_therapy.filter(pl.col("line") > 0)), on="patient_id")
        .filter(_is_not_own() & (pl.col("start_date") < pl.col("decision_date")))
        .sort("start_date", "line")
        .group_by("decision_id", maintain_order=True)
        .agg(
            chemotherapy_line_count=is_cytotoxic.sum().cast(pl.Int32),
            immunotherapy_line_count=pl.col("is_immunotherapy_alone").sum().cast(pl.Int32),
            previous_backbone=pl.col("backbone").drop_nulls().last(),
        )
    )


def _composition(lines: pl.DataFrame) -> pl.DataFrame:
    """Return lines with `backbone` (null without a cytotoxic drug) and `is_immunotherapy_alone`."""
    has = {name: (pl.col("drug_class") == name).any() for name in ("oxaliplatin", "irinotecan")}
    has_fluoropyrimidine = pl.col("drug_class").is_in(["fluoropyrimidine", "antifolate"]).any()
    backbone = (
        pl.when(has["oxaliplatin"] & has["irinotecan"])
        .then(pl.lit("oxaliplatin_irinotecan"))
        .when(has["oxaliplatin"])
        .then(pl.lit("oxaliplatin"))
        .when(has["irinotecan"])
        .then(pl.lit("irinotecan"))
        .when(has_fluoropyrimidine)
        .then(pl.lit("fluoropyrimidine"))
        .when(pl.col("drug_class").is_in(CYTOTOXIC).any())
        .then(pl.lit("other"))
    )
    return (
        lines.select(*LINE, "start_date", inn=pl.col("regimen").str.split("+").cast(pl.List(inns())))
        .explode("inn")
        .join(substances(), on="inn", how="left")
        .group_by(*LINE, "start_date")
        .agg(
            backbone=backbone,
            is_immunotherapy_alone=(pl.col("drug_class") == "checkpoint_inhibitor").all(),
        )
    )


def _failed_classes(asked: pl.DataFrame, lines: Lines, given: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Return the classes progressed on in the window before the decision, that day included.

    Progressed on = recorded in the line, while a drug of the class was given or within the same window after its last
    dose: a relapse years after an adjuvant course, or long after oxaliplatin was dropped, does not fail the class.
    """
    window = pl.duration(days=windows.failure)
    on_progression = pl.col("start_date") < pl.col("progression_date")
    is_recent = (pl.col("end_date") >= pl.col("progression_date") - window).fill_null(value=True)
    failed = (
        lines.progression.join(lines.class_start, on=LINE)
        .filter(on_progression)
        .select(*LINE, "progression_date", "inn", "drug_class")
        .join(given.select("patient_id", "inn", "start_date", "end_date"), on=["patient_id", "inn"])
        .filter(on_progression & is_recent)
        .select(*LINE, "progression_date", "drug_class")
        .unique()
    )
    days_since = (pl.col("decision_date") - pl.col("progression_date")).dt.total_days()
    return (
        asked.join(failed, on="patient_id")
        .filter(_is_not_own() & days_since.is_between(0, windows.failure))
        .group_by("decision_id")
        .agg(failed_classes=pl.col("drug_class").unique().sort())
    )


def _days_since_anti_egfr(asked: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """Count the days since the last anti-EGFR dose; null while one runs, or has no end on record."""
    is_over = (pl.col("end_date") <= pl.col("decision_date")).fill_null(value=False).all()
    return (
        asked.join(given.filter(pl.col("drug_class") == "anti_egfr"), on="patient_id")
        .filter(_is_not_own() & (pl.col("start_date") < pl.col("decision_date")))
        .group_by("decision_id")
        .agg(
            days_since_anti_egfr=pl.when(is_over)
            .then((pl.col("decision_date") - pl.col("end_date")).dt.total_days().min())
            .cast(pl.Int32)
        )
    )


def _ipilimumab_days(asked: pl.DataFrame, given: pl.DataFrame) -> pl.DataFrame:
    """Count the days from the first to the last ipilimumab of the decision's own line; null while it runs."""
    is_over = pl.col("end_date").is_not_null().all()
    return (
        asked.join(given.filter(pl.col("inn") == "ipilimumab"), on="patient_id")
        .filter(~_is_not_own())
        .group_by("decision_id")
        .agg(
            ipilimumab_days=pl.when(is_over)
            .then((pl.col("end_date").max() - pl.col("start_date").min()).dt.total_days())
            .cast(pl.Int32)
        )
    )
