"""Facts of the latest assessment on or before the facts_date, at most 183 days old; an empty cell stays unknown.

Resectability and the sites of metastasis have no age limit; contraindications are the union of all rows so far.
"""

from typing import Final

import polars as pl

from crlm_pipeline.settings import Windows

NOT_COUNTABLE: Final = 99
_MOST_ORGANS: Final = 3
_MOST_LESIONS: Final = 5
_FLR_RANGE: Final = (5, 100)
_ECOG_VULNERABLE: Final = 2

_AGEING: Final = (
    "mets_diagnosis_date",
    "crlm_count",
    "crlm_max_mm",
    "is_bilobar",
    "cea_ng_ml",
    "liver_background",
    "child_pugh",
    "flr_percent",
    "flr_ml",
    "tlv_ml",
    "is_ablatable",
    "planned_resection",
    "ecog",
)
_AGELESS: Final = ("mets_sites", "resectability", "resectability_source", "source_file_id", "source_row")


def assessment_facts(occasions: pl.DataFrame, assessments: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Return the facts of one assessment for each occasion, and that row's place. Grain: occasion.

    `cohort.decision` facts beside `mets_diagnosis_date`, `source_file_id` and `source_row` (null: no assessment).
    """
    latest = _at_occasions(occasions, assessments)
    age = (pl.col("facts_date") - pl.col("assessment_date")).dt.total_days()
    is_recent = (age <= windows.assessment).fill_null(value=False)
    # Polars evaluates all of these on the frame as it was, so each step that reads a limited cell is a step of its own.
    return (
        latest.with_columns(pl.when(is_recent).then(pl.col(_AGEING)))
        .with_columns(future_liver_remnant().alias("flr_percent"))
        .with_columns(
            fitness().alias("fitness"),
            is_liver_only().alias("is_liver_only"),
            is_oligometastatic().alias("is_oligometastatic"),
            cea_fall_percent().alias("cea_fall_percent"),
        )
        .join(_contraindications(occasions, assessments), on="occasion_id", how="left")
        .with_columns(pl.col("contraindications").fill_null([]))
        .drop("patient_id", "flr_ml", "tlv_ml", "highest_earlier_cea", "facts_date", "assessment_date", "mets_sites")
    )


def _at_occasions(occasions: pl.DataFrame, assessments: pl.DataFrame) -> pl.DataFrame:
    """Return the latest assessment on or before each occasion, with the highest CEA of the earlier ones."""
    earlier = pl.col("cea_ng_ml").cum_max().forward_fill().shift().over("patient_id")
    so_far = (
        assessments.select("patient_id", "assessment_date", *_AGEING, *_AGELESS)
        .sort("patient_id", "assessment_date")
        .with_columns(earlier.alias("highest_earlier_cea"))
    )
    return (
        occasions.select("occasion_id", "patient_id", "facts_date")
        .sort("facts_date")
        .join_asof(
            so_far.sort("assessment_date"),
            left_on="facts_date",
            right_on="assessment_date",
            by="patient_id",
            strategy="backward",
            check_sortedness=False,
        )
    )


def _contraindications(occasions: pl.DataFrame, assessments: pl.DataFrame) -> pl.DataFrame:
    """Return the contraindications recorded up to the occasion. Grain: occasion with any."""
    recorded = assessments.select("patient_id", "assessment_date", "contraindications").explode("contraindications")
    return (
        occasions.select("occasion_id", "patient_id", "facts_date")
        .join(recorded.drop_nulls("contraindications"), on="patient_id")
        .filter(pl.col("assessment_date") <= pl.col("facts_date"))
        .group_by("occasion_id")
        .agg(pl.col("contraindications").unique().sort())
    )


def fitness() -> pl.Expr:
    """ECOG 0-1 fit, 2 vulnerable, 3-4 unfit; age does not change it."""
    ecog = pl.col("ecog")
    return (
        pl.when(ecog < _ECOG_VULNERABLE)
        .then(pl.lit("fit"))
        .when(ecog == _ECOG_VULNERABLE)
        .then(pl.lit("vulnerable"))
        .when(ecog > _ECOG_VULNERABLE)
        .then(pl.lit("unfit"))
    )


def _sites() -> pl.Expr:
    """Return the organs named; none named is unknown."""
    sites = pl.col("mets_sites").list.unique()
    return pl.when(sites.list.len() > 0).then(sites)


def is_liver_only() -> pl.Expr:
    """Whether the liver is the only organ named."""
    sites = _sites()
    return (sites.list.len() == 1) & sites.list.contains("liver")


def is_oligometastatic() -> pl.Expr:
    """At most 3 organs and at most 5 liver metastases; one of them known to fail is enough for false."""
    return (_sites().list.len() <= _MOST_ORGANS) & (pl.col("crlm_count") <= _MOST_LESIONS)


def future_liver_remnant() -> pl.Expr:
    """Percent as recorded, else from both volumes; outside 5-100 it is no remnant and stays unknown."""
    derived = pl.when(pl.col("tlv_ml") > 0).then(pl.col("flr_ml") / pl.col("tlv_ml") * 100)
    percent = pl.coalesce("flr_percent", derived)
    return pl.when(percent.is_between(*_FLR_RANGE)).then(percent)


def cea_fall_percent() -> pl.Expr:
    """Fall from the highest earlier value, percent of it; negative when it rose."""
    highest = pl.col("highest_earlier_cea")
    return pl.when(highest > 0).then((highest - pl.col("cea_ng_ml")) / highest * 100)
