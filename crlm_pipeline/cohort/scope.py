"""Whether the guidelines judge a decision at all: trial, age under 18, another tumour, or a fate that undid it."""

from typing import Final

import polars as pl

from crlm_pipeline.cohort.facts.evidence import first_of
from crlm_pipeline.settings import Windows
from crlm_pipeline.warehouse import Warehouse

ADULT: Final = 18


def meetings(warehouse: Warehouse, windows: Windows) -> pl.DataFrame:
    """Return what the meetings before each registered decision say. Grain: decision with a meeting."""
    return warehouse.query("facts/meetings_before", mdt_days=windows.mdt, deviation_days=windows.deviation)


def out_of_scope_reason() -> pl.Expr:
    """Return the first reason that holds, in the order of judgement (semantics, "Order of judgement" 2).

    Reads age, `chose_trial`, `is_other_tumour`, `fate` and the trial of what was given.
    """
    is_trial = pl.col("trial_id").is_not_null() | pl.col("chose_trial").fill_null(value=False)
    return first_of(
        (is_trial, "trial"),
        ((pl.col("age") < ADULT).fill_null(value=False), "under_18"),
        (pl.col("is_other_tumour"), "other_tumour"),
        ((pl.col("fate") == "reassessed").fill_null(value=False), "reassessed"),
        ((pl.col("fate") == "died").fill_null(value=False), "died"),
    )
