"""Rates of concordance with both denominators: of the decisions judged, and of all."""

from functools import cache
from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report.words import percent_and_interval

# Every other way in which `verdicts` is broken down, rolled up.
UNDIVIDED: Final = {"setting": None, "line": None, "edition_id": None, "year": None, "verdict": None}

HEADINGS: Final = {
    "shown": "All decisions",
    "n_evaluable_shown": "Judged",
    "n_followed_shown": "Concordant",
    "percent_text": "% of judged (95 % interval)",
    "percent_of_all": "% of all (95 % interval)",
}


def rates_of(rows: SafeTable, name: str, *by: str, followed: str = "concordant") -> SafeTable:
    """Return one row per value of `by`: all decisions, those judged, those that followed, and the rate of both.

    `followed` is the class of verdicts that did: concordant, or on_label for a label.
    """
    counted = (
        rows.where(is_judged=None, **{"class": None})
        .with_count("n_evaluable", rows, is_judged="yes", **{"class": None})
        .with_count("n_followed", rows, is_judged="yes", **{"class": followed})
        .with_percent("n", part="n_followed")
        .map(lambda frame: frame.with_columns(percent_and_interval().alias("percent_of_all")))
        .with_percent("n_evaluable", part="n_followed")
    )
    return counted.map(lambda frame: frame.with_columns(percent_and_interval()).sort(by, nulls_last=False), name)


@cache
def least_and_most(shown: str) -> tuple[pl.Expr, pl.Expr]:
    """Return the range in which a count lies by what is printed of it (a column of texts); null where it is hidden."""
    exact = pl.col(shown).str.extract(r"^(\d+)$").cast(pl.Int64)
    small = pl.col(shown).str.extract(r"^<(\d+)$").cast(pl.Int64)
    return pl.coalesce(exact, small.clip(1, 1)), pl.coalesce(exact, small - 1)


def possible_percent(total: str, against: tuple[pl.Expr, pl.Expr], smallest_rate: int) -> list[pl.Expr]:
    """Return `least` and `most` of a hidden percentage, from the range of those that count against it.

    The range follows from what is printed, and so gives nothing away that is not.
    """
    enough = pl.when(pl.col("percent").is_null() & (pl.col(total) >= smallest_rate))
    few, many = against
    least, most = 100 * (pl.col(total) - many) / pl.col(total), 100 * (pl.col(total) - few) / pl.col(total)
    return [enough.then(least).alias("least"), enough.then(most).alias("most")]
