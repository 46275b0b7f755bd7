"""Risk of the liver metastases: synchronous, clinical risk score as a range, tumour burden score (clinical 3.1-3.3)."""

from typing import Final

import polars as pl

from crlm_pipeline.cohort.facts.assessments import NOT_COUNTABLE
from crlm_pipeline.settings import Windows

_DISEASE_FREE: Final = "12mo"
_LARGE_MM: Final = 50
_HIGH_CEA: Final = 200
_MM_PER_CM: Final = 10


def is_synchronous(windows: Windows) -> pl.Expr:
    """Liver metastases within 31 days of the diagnosis of the primary, or before it."""
    latest = pl.col("first_diagnosis_date") + pl.duration(days=windows.synchronous)
    return pl.col("mets_diagnosis_date") <= latest


def fong_items() -> list[pl.Expr]:
    """Return the five items; equalities do not score, an item that was not recorded is unknown."""
    return [
        pl.col("has_positive_nodes"),
        pl.col("mets_diagnosis_date") < pl.col("first_diagnosis_date").dt.offset_by(_DISEASE_FREE),
        pl.col("crlm_count") > 1,
        pl.col("crlm_max_mm") > _LARGE_MM,
        pl.col("cea_ng_ml") > _HIGH_CEA,
    ]


def fong_score_min() -> pl.Expr:
    """Items known to be met: unknown ones counted as not met."""
    return pl.sum_horizontal(item.fill_null(value=False).cast(pl.Int32) for item in fong_items()).cast(pl.Int32)


def fong_score_max() -> pl.Expr:
    """Items not known to be unmet: unknown ones counted as met."""
    return pl.sum_horizontal(item.fill_null(value=True).cast(pl.Int32) for item in fong_items()).cast(pl.Int32)


def tumour_burden_score() -> pl.Expr:
    """Root of (largest diameter in cm squared plus number squared); unknown when the number could not be counted."""
    number, centimetres = pl.col("crlm_count"), pl.col("crlm_max_mm") / _MM_PER_CM
    return pl.when(number != NOT_COUNTABLE).then((centimetres**2 + number.cast(pl.Float64) ** 2).sqrt())
