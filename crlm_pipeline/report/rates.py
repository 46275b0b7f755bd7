"""Rates of concordance with both denominators: of the decisions judged, and of all."""

from typing import Final

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
