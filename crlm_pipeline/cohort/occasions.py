"""An occasion: a decision seen on a day. Every decision on its facts_date; some also on earlier first doses.

A safety rule about a drug class sees only what was known on the first dose of that class in the line.
"""

from typing import Final

import polars as pl

_LINE: Final = ("patient_id", "line", "course")


def earlier_doses(decisions: pl.DataFrame, class_start: pl.DataFrame) -> pl.DataFrame:
    """Return the drugs whose class was first given in the line before the decision's facts_date.

    Grain: decision and drug; columns decision_id, `seen_for` (the substance), `seen_date` (the class's first dose).
    """
    first = class_start.with_columns(pl.col("start_date").min().over(*_LINE, "drug_class").alias("seen_date"))
    return (
        decisions.filter((pl.col("setting") == "systemic") & ~pl.col("is_open"))
        .select("decision_id", *_LINE, "facts_date")
        .join(first.select(*_LINE, pl.col("inn").alias("seen_for"), "seen_date"), on=_LINE)
        .filter(pl.col("seen_date") < pl.col("facts_date"))
        .select("decision_id", "seen_for", "seen_date")
        .unique()
        .sort("decision_id", "seen_for")
    )


def first_doses(decisions: pl.DataFrame, class_start: pl.DataFrame) -> pl.DataFrame:
    """Return the first dose in the line of the classes that tests are due by; unknown when none was given.

    Grain: decision; columns decision_id, `antibody_start_date` (anti-EGFR), `fluoropyrimidine_start_date`.
    """
    starts = [
        class_start.filter(pl.col("drug_class") == name).group_by(_LINE).agg(pl.col("start_date").min().alias(column))
        for name, column in (
            ("anti_egfr", "antibody_start_date"),
            ("fluoropyrimidine", "fluoropyrimidine_start_date"),
        )
    ]
    given = decisions.filter((pl.col("setting") == "systemic") & ~pl.col("is_open")).select("decision_id", *_LINE)
    for start in starts:
        given = given.join(start, on=_LINE, how="left")
    return given.drop(_LINE)


def occasions(decisions: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Return each decision once per day on which it is seen, numbered (`occasion_id`); `is_own` = its facts_date.

    `facts_date` becomes the day of the occasion; drugs first given on one day share an occasion.
    """
    own = decisions.with_columns(pl.lit(value=True).alias("is_own"))
    seen = (
        earlier.select("decision_id", "seen_date")
        .unique()
        .join(decisions, on="decision_id")
        .with_columns(pl.col("seen_date").alias("facts_date"), pl.lit(value=False).alias("is_own"))
        .select(own.columns)
    )
    return pl.concat([own, seen]).sort("decision_id", "facts_date", "is_own").with_row_index("occasion_id")
