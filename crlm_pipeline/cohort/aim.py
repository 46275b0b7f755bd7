"""The aim of treating the liver: resectable, conversion or unresectable (semantics, "Decisions")."""

from typing import Final

import polars as pl

from crlm_pipeline.cohort.facts.evidence import first_of
from crlm_pipeline.extracts.tables import Notice

CONFLICT: Final = "treatment_setting_differs"


def by_assessment() -> pl.Expr:
    """Return the aim that the latest resectability states; difficult is conversion if a drug was given for it."""
    is_difficult = (pl.col("resectability") == "difficult").fill_null(value=False)
    return first_of(
        ((pl.col("resectability") == "upfront").fill_null(value=False), "resectable"),
        ((pl.col("resectability") == "potential").fill_null(value=False), "conversion"),
        ((pl.col("resectability") == "never").fill_null(value=False), "unresectable"),
        (is_difficult & pl.col("has_conversion_drug"), "conversion"),
        (is_difficult, "resectable"),
    )


def by_intent() -> pl.Expr:
    """Return the aim that the intent of the line states; adjuvant and curative courses state none."""
    return pl.col("intent").replace_strict(
        {"conversion": "conversion", "perioperative": "resectable", "palliative": "unresectable"},
        default=None,
        return_dtype=pl.String,
    )


def treatment_setting() -> pl.Expr:
    """Return the aim: the assessment wins over the intent."""
    return pl.coalesce(by_assessment(), by_intent())


def conflicts(decided: pl.DataFrame) -> tuple[Notice, ...]:
    """Return one notice per file whose assessments state another aim than the drugs given."""
    differing = decided.filter((by_assessment() != by_intent()).fill_null(value=False))
    by_file = differing.group_by("source_file_id").agg(pl.col("source_row").unique().sort()).sort("source_file_id")
    return tuple(
        Notice(
            check_name=CONFLICT,
            severity="warning",
            source_file_id=file,
            table_name="assessment",
            column_name="resectability",
            message="Resectability and intent of the drugs given state different aims; the assessment was used.",
            rows=tuple(source_rows),
        )
        for file, source_rows in by_file.iter_rows()
    )
