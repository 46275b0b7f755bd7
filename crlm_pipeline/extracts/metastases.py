"""Metastases up to a day: a follow-up names new ones, and nothing says that earlier ones have gone."""

import polars as pl


def named_by_then(day: str, organ: str) -> dict[str, pl.Expr]:
    """Return columns of a work-up, to be aggregated over the metastases named up to its day.

    `day` and `organ` are the columns of a metastasis; an organ that is not told is unknown, as are the sites without
    any.
    """
    organs = pl.col(organ).drop_nulls().unique().sort().str.join(";")
    return {
        "first_metastasis_date": pl.col(day).min(),
        "mets_diagnosis_date": pl.col(day).filter(pl.col(organ) == "liver").min(),
        "mets_sites": pl.when(organs != "").then(organs),
    }
