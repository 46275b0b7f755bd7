"""From each fact of a decision to the rows of the extract that it rests on: `cohort.fact_source`."""

from typing import Final

import polars as pl

from crlm_pipeline.cohort.drugs import CYTOTOXIC
from crlm_pipeline.cohort.facts.biomarkers import SUPPORT, WORDS
from crlm_pipeline.settings import Windows
from crlm_pipeline.warehouse import Warehouse
from schemas.cohort import FactSource
from schemas.column import SOURCE_COLUMNS, describe

_COLUMNS: Final = tuple(describe(FactSource).polars_schema)
_QUERIES: Final = (
    "facts/sources_biomarker",
    "facts/sources_tumour",
    "facts/sources_contraindications",
    "facts/sources_own_drugs",
    "facts/sources_earlier_drugs",
    "facts/sources_procedure",
    "facts/sources_outcome",
)
_OF_ASSESSMENT: Final = (
    "ecog",
    "fitness",
    "resectability",
    "resectability_source",
    "is_liver_only",
    "is_oligometastatic",
    "is_synchronous",
    "crlm_count",
    "crlm_max_mm",
    "is_bilobar",
    "is_ablatable",
    "planned_resection",
    "liver_background",
    "child_pugh",
    "flr_percent",
    "cea_ng_ml",
    "cea_fall_percent",
    "fong_score_min",
    "fong_score_max",
    "tumour_burden_score",
)
_PRIOR: Final = (
    ("fluoropyrimidine", "prior_fluoropyrimidine"),
    ("oxaliplatin", "prior_oxaliplatin"),
    ("irinotecan", "prior_irinotecan"),
    ("anti_egfr", "prior_anti_egfr"),
    ("anti_vegf", "prior_anti_vegf"),
    ("checkpoint_inhibitor", "prior_checkpoint_inhibitor"),
    ("braf_inhibitor", "prior_braf_inhibitor"),
    ("kras_g12c_inhibitor", "prior_kras_g12c_inhibitor"),
    ("anti_her2", "prior_anti_her2"),
    ("anti_egfr", "days_since_anti_egfr"),
    *((name, fact) for name in CYTOTOXIC for fact in ("previous_backbone", "chemotherapy_line_count")),
)


def fact_sources(warehouse: Warehouse, facts: pl.DataFrame, known: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Return every row that a known fact of a decision rests on, those of a conflict included.

    `facts`: one row per decision with its facts and the place of its assessment; `known`: the results that count.
    Nothing recorded is no row: a fact that says "not given" rests on none. Rows come table by table,
    sorted within each.
    """
    _register(warehouse, facts, known)
    parts = [warehouse.query(name) for name in _QUERIES]
    meeting = warehouse.query("facts/sources_meeting", deviation_days=windows.deviation)
    parts += [meeting, _of_assessment(facts), warehouse.query("facts/sources_patient")]
    return pl.concat([part.select(_COLUMNS) for part in parts])


def _register(warehouse: Warehouse, facts: pl.DataFrame, known: pl.DataFrame) -> None:
    warehouse.register("decided", facts)
    warehouse.register("fact_support", _fact_support(facts))
    warehouse.register("result_word", _result_words(known))
    classes = facts["failed_classes"].explode().drop_nulls().unique().sort()
    prior = [*_PRIOR, *((name, "failed_classes") for name in classes)]
    warehouse.register("prior_class", pl.DataFrame(prior, schema=["drug_class", "fact"], orient="row"))


def _fact_support(facts: pl.DataFrame) -> pl.DataFrame:
    """Return, per decision and known biomarker fact, the word and the bits that its value stands for."""
    support = pl.DataFrame(
        [(one.fact, one.value, one.word, one.mask) for one in SUPPORT],
        schema={"fact": pl.String, "value": pl.String, "word": pl.String, "mask": pl.Int32},
        orient="row",
    )
    names = support["fact"].unique().sort().to_list()
    return (
        facts.select("decision_id", "patient_id", "facts_date", pl.col(names).cast(pl.String))
        .unpivot(names, index=["decision_id", "patient_id", "facts_date"], variable_name="fact")
        .drop_nulls("value")
        .join(support, on=["fact", "value"])
        .drop("value")
    )


def _result_words(known: pl.DataFrame) -> pl.DataFrame:
    words = [*WORDS, "ras_plasma"]
    rest = [name for name in known.columns if name not in words]
    return known.unpivot(words, index=rest, variable_name="word", value_name="evidence").filter(pl.col("evidence") != 0)


def _of_assessment(facts: pl.DataFrame) -> pl.DataFrame:
    """Return the one assessment for each fact that was read from it."""
    assessed = facts.filter(pl.col("source_row").is_not_null())
    is_known = {fact: pl.col(fact).is_not_null() for fact in _OF_ASSESSMENT}
    is_known["treatment_setting"] = pl.col("aim_source") == "assessment"
    parts = [
        assessed.filter(condition).select("decision_id", pl.lit(fact).alias("fact"), *SOURCE_COLUMNS)
        for fact, condition in is_known.items()
    ]
    return pl.concat(parts).with_columns(
        pl.lit("assessment").alias("table_name"),
        pl.lit("the latest assessment on or before the day").alias("reason"),
    )
