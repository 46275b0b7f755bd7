"""Safety findings: every rule that fired, whatever the verdict on the decision."""

from functools import lru_cache

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report.fragments import Section
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words


def section(registry: Registry, centre: str | None) -> Section:
    """Return the decisions for which each safety rule fired or could not be checked."""
    found = _findings(registry).where(centre_id=centre)
    sentence = (
        "Each safety rule is checked for every decision, before the recommendations and whatever the verdict. "
        "A rule that could not be checked for want of a fact is listed as such."
    )
    if found.frame.is_empty():
        return Section("safety", "Safety findings", f"{sentence} None fired.")
    headings = {"safety_rule": "Rule", "title": "What it says", "finding": "Finding", "shown": "Decisions"}
    made = table(found, headings, "Decisions by safety rule.", text=("title", "finding"))
    return Section("safety", "Safety findings", sentence, (made,))


@lru_cache(maxsize=1)
def _findings(registry: Registry) -> SafeTable:
    """Return what each safety rule found, with the words of the rule, for each centre and for all of them together."""
    titles = pl.col("safety_rule").replace_strict(registry.rules, default="", return_dtype=pl.String)
    return registry.tables["safety"].map(
        lambda frame: frame.with_columns(titles.alias("title"), in_words("finding")).sort("safety_rule", "finding"),
        name="safety_findings",
    )
