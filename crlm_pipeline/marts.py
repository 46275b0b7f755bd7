"""Builds the marts: SQL counts; `statistics`, `indicators`, `process_charts`, `survival` do the rest. Views, macros."""

import hashlib
from datetime import date
from typing import Any, Final

import polars as pl

from crlm_pipeline import indicators, process_charts, survival
from crlm_pipeline.guidelines.patterns import tokens
from crlm_pipeline.guidelines.treatment_class import treatment_class
from crlm_pipeline.indicator_members import members_macro
from crlm_pipeline.macros import macros
from crlm_pipeline.rollup import by_population, rolled_up
from crlm_pipeline.settings import Overdispersion
from crlm_pipeline.statistics import percent_with_interval
from crlm_pipeline.warehouse import Warehouse
from schemas import vocabulary as v
from schemas.audit import ReportKey
from schemas.column import Table, describe
from schemas.extract import extract_tables
from schemas.mart import (
    MART_VIEWS,
    BiomarkerDistribution,
    Concordance,
    DataQuality,
    EditionComparison,
    Indicator,
    PathwayMix,
    PatientTimeline,
    ProcessChart,
    RecommendedToGiven,
    Survival,
    Uptake,
)

# The verdicts that say whether the guideline was followed; every other one is a share of all decisions.
JUDGED_VERDICTS: Final = (
    "concordant_preferred",
    "concordant_alternative",
    "discordant_not_given",
    "discordant_not_recommended",
    "contraindicated",
)

_MUTATION: Final = ("mutant", "wild_type", "partial_wild_type")
_YES_NO: Final = ("true", "false")
CATEGORIES: Final[dict[str, tuple[str, ...]]] = {
    "side": v.SIDE,
    "msi": v.MSI,
    "ras": v.RAS,
    "kras": _MUTATION,
    "kras_g12c": _YES_NO,
    "kras_g12d": _YES_NO,
    "nras": _MUTATION,
    "braf": v.BRAF,
    "her2": v.HER2,
}

# The date by which a row of the extract belongs to a month: the first of these that is filled. A patient has none.
_OWN_DATES: Final = {
    "tumour": ["diagnosis_date"],
    "assessment": ["assessment_date"],
    "biomarker": ["sample_date", "report_date"],
    "drug_exposure": ["start_date"],
    "procedure": ["procedure_date"],
    "mdt": ["mdt_date"],
    "outcome": ["outcome_date"],
}


def build_marts(warehouse: Warehouse, as_of: date, overdispersion: Overdispersion = "none") -> None:
    """Fill every mart table and the key to the centre codes of the report; add the views and macros for analysts.

    Call once, after `cohort.verdict` and its companions are filled; `as_of` is the day up to which facts count,
    `overdispersion` how funnel limits allow for centres that vary more than chance.
    """
    warehouse.register("category_vocabulary", _category_vocabulary())
    distribution = warehouse.query("marts/biomarker_distribution")
    _insert(warehouse, BiomarkerDistribution, distribution.with_columns(percent_with_interval("n", "n_tested")))
    _insert(warehouse, Concordance, _concordance(warehouse.query("marts/concordance")), is_ordered=True)
    _insert(warehouse, PathwayMix, warehouse.query("marts/pathway_mix"))
    counts = indicators.counted(warehouse, as_of)
    _insert(warehouse, Indicator, indicators.measure(counts, overdispersion))
    _insert(warehouse, ProcessChart, process_charts.measure(counts))
    _insert(warehouse, Survival, survival.measure(warehouse, as_of))
    _count_filled_cells(warehouse)
    warehouse.build_mart(DataQuality, "marts/data_quality")
    warehouse.build_mart(PatientTimeline, "marts/patient_timeline")
    _insert_comparisons(warehouse)
    warehouse.insert(ReportKey, centre_codes(warehouse.query("report/centres")["centre_id"]))
    for model in MART_VIEWS:
        warehouse.create_view(model, f"views/{describe(model).name}")
    for macro in (*macros(), members_macro()):
        warehouse.create_macro(macro)


def _count_filled_cells(warehouse: Warehouse) -> None:
    """Let the statement of data quality read how many cells are filled, counted table by table."""
    for name in extract_tables():
        dates = _OWN_DATES.get(name, [])
        warehouse.register_query(f"filled_{name}", "marts/filled_cells", extract_table=name, dates=dates)
    warehouse.define("filled_cell", " union all ".join(f"from filled_{name}" for name in extract_tables()))


def _insert_comparisons(warehouse: Warehouse) -> None:
    """Fill the marts that set editions beside each other and what was recommended beside what was given."""
    warehouse.register("treatment_class", _treatment_classes(warehouse))
    _insert(warehouse, EditionComparison, warehouse.query("marts/edition_comparison"))
    flows = warehouse.query("marts/recommended_to_given")
    flow = ["centre_id", "guideline", "setting", "line", "recommended", "given"]
    _insert(warehouse, RecommendedToGiven, by_population(rolled_up(flows, ["centre_id"], flow), ["n"]), is_ordered=True)
    _insert(warehouse, Uptake, _uptake(warehouse.query("marts/uptake")), is_ordered=True)


def _treatment_classes(warehouse: Warehouse) -> pl.DataFrame:
    rows = [
        (setting, is_perioperative, treatment, _class_of(treatment, setting, is_perioperative))
        for setting, is_perioperative, treatment in warehouse.query("marts/treatments").iter_rows()
    ]
    names = ("setting", "is_perioperative", "treatment", "given")
    types = (pl.String, pl.Boolean, pl.String, pl.String)
    return pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")


def _class_of(treatment: str, setting: str, is_perioperative: bool) -> str:
    return treatment_class(tokens(treatment), setting, is_perioperative=is_perioperative)


def _uptake(counts: pl.DataFrame) -> pl.DataFrame:
    by = ["guideline", "edition_id", "rule_id", "change_date", "centre_id", "period"]
    every = pl.col("n_due") + pl.col("n_unknown")
    return by_population(
        rolled_up(counts, ["period", "centre_id"], by), ["n_due", "n_given", "n_unknown"]
    ).with_columns(
        *percent_with_interval("n_given", "n_due"),
        period_start=pl.col("change_date") + pl.duration(days=91 * pl.col("period")),
        percent_worst=100 * pl.col("n_given") / every,
        percent_best=100 * (pl.col("n_given") + pl.col("n_unknown")) / every,
    )


def centre_codes(centre_ids: pl.Series) -> pl.DataFrame:
    """Return one code per centre, C01 and on, in the order of a hash: stable, and no alphabet to guess it by."""
    ordered = sorted(centre_ids.unique().to_list(), key=lambda one: hashlib.sha256(one.encode()).hexdigest())
    codes = [f"C{number:02d}" for number in range(1, len(ordered) + 1)]
    return pl.DataFrame({"centre_id": ordered, "code": codes}, schema={"centre_id": pl.String, "code": pl.String})


def _category_vocabulary() -> pl.DataFrame:
    pairs = [(analyte, category) for analyte, categories in CATEGORIES.items() for category in categories]
    return pl.DataFrame(pairs, schema={"analyte": pl.String, "category": pl.String}, orient="row")


def _concordance(counts: pl.DataFrame) -> pl.DataFrame:
    """Roll the counts up; each is a share of the judged decisions of its cell, or of all where it is no judgement."""
    cell = ["centre_id", "year", "guideline", "edition_id", "setting", "line"]
    over = ["line", "setting", "edition_id", "year", "centre_id"]
    rows = by_population(rolled_up(counts, over, [*cell, "verdict"]), ["n"])
    is_judged = pl.col("verdict").is_in(JUDGED_VERDICTS)
    # The rows of a cell follow each other.
    return (
        rows.with_columns(pl.struct("population", *cell).rle_id().alias("cell"))
        .with_columns(
            pl.col("n").sum().over("cell").alias("n_total"),
            pl.col("n").filter(is_judged).sum().over("cell").alias("n_evaluable"),
        )
        .with_columns(pl.when(is_judged).then("n_evaluable").otherwise("n_total").alias("whole"))
        .with_columns(percent_with_interval("n", "whole"))
    )


def _insert(warehouse: Warehouse, model: type[Table], frame: pl.DataFrame, *, is_ordered: bool = False) -> None:
    columns: dict[Any, Any] = {**describe(model).polars_schema}
    warehouse.insert(model, frame.select(*columns).cast(columns), is_ordered=is_ordered)
