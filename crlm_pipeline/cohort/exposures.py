"""Makes drug exposures ready for the lines: the substance, its end as of the day, and whether it takes part."""

from datetime import date
from typing import Final

import polars as pl

from crlm_pipeline.cohort import drugs

# One order for everything that depends on order, so that neither files nor rows change a result by where they stand.
ORDER: Final = ("patient_id", "start_date", "inn", "end_date", "drug", "source_file_id", "source_row")

_CURATIVE: Final = ("adjuvant", "perioperative", "curative")
_METASTATIC: Final = ("conversion", "palliative")


def prepare(exposures: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return one row per exposure, ordered, with what the lines ask of it.

    Adds `order` (its place), `patient` (a number), `inn`, `drug_class`, `family`, `aside_role` and `aside_reason` (null
    for a systemic drug that takes part), `is_stated_curative` (null when no intent is recorded) and `progression_date`
    (its end, if it was stopped for progression). An end after `as_of` counts as unknown. What no line asks is dropped.
    """
    is_past_end = (pl.col("end_date") <= as_of).fill_null(value=False)
    known = drugs.recognise(exposures).with_columns(pl.when(is_past_end).then("end_date").alias("end_date"))
    stopped = pl.col("stop_reason").eq_missing("progression")
    return (
        known.with_columns(
            _aside_role(as_of),
            _aside_reason(as_of),
            _is_stated_curative(),
            pl.when(stopped).then("end_date").alias("progression_date"),
        )
        .drop("atc", "dose_mg", "stop_reason")
        .sort(ORDER, nulls_last=True)
        .with_columns(pl.col("patient_id").rle_id().alias("patient"))
        .with_row_index("order")
    )


def _is_stated_curative() -> pl.Expr:
    intent = pl.col("intent")
    return (
        pl.when(intent.is_in(_CURATIVE).fill_null(value=False))
        .then(pl.lit(value=True))
        .when(intent.is_in(_METASTATIC).fill_null(value=False))
        .then(pl.lit(value=False))
        .alias("is_stated_curative")
    )


def _is_class(name: str) -> pl.Expr:
    return pl.col("drug_class").eq_missing(name)


def _aside_role(as_of: date) -> pl.Expr:
    return (
        pl.when(_aside_reason(as_of).is_null())
        .then(pl.lit(None, dtype=pl.String))
        .when(_is_class(drugs.MICROSPHERES) & (pl.col("start_date") <= as_of))
        .then(pl.lit("local"))
        .otherwise(pl.lit("excluded"))
        .alias("aside_role")
    )


def _aside_reason(as_of: date) -> pl.Expr:
    return (
        pl.when(pl.col("start_date") > as_of)
        .then(pl.lit("after the as-of date"))
        .when(pl.col("inn").is_null())
        .then(pl.lit("not in the drug list"))
        .when(_is_class(drugs.MODULATOR))
        .then(pl.lit("modulates another drug, no part of a regimen"))
        .when(_is_class(drugs.OPHTHALMIC))
        .then(pl.lit("given into the eye, no cancer treatment"))
        .when(_is_class(drugs.MICROSPHERES))
        .then(pl.lit("local treatment of the liver, no systemic drug"))
        .alias("aside_reason")
    )
