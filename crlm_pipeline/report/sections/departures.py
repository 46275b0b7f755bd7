"""Why decisions departed from the guideline or could not be judged, and what would help most."""

from collections.abc import Iterable
from functools import lru_cache

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report import figures
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.registry import ALL, Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words, percent, percent_and_interval, words


def section(registry: Registry, centre: str | None) -> Section:
    """Return departures by rule, recorded reasons, and the facts that would decide most decisions."""
    unlocking = _causes(registry, centre, "not_evaluable", "unlocking_facts")
    unknown = registry.verdicts(centre, is_judged="no", **{"class": "not_evaluable"})
    total = registry.verdicts(centre)
    rate = registry.share([unknown], [total])
    sentence = f"{unknown.text} of {total.text} decisions could not be judged because a fact is missing"
    sentence += f" ({percent(rate)})." if rate is not None else "."
    blocks: list[Figure | Table | str] = []
    if drawn := _unlocking_drawn(unlocking, centre):
        blocks.append(drawn)
    blocks.append(_unlocking(unlocking))
    if centre is None:
        blocks += [_rules(registry, "discordant"), _rules(registry, "contraindicated")]
    blocks.append(_reasons(registry, centre))
    return Section("departures", "Why not?", sentence, tuple(blocks))


@lru_cache(maxsize=1)
def _most_frequent_first(registry: Registry) -> SafeTable:
    in_order = pl.col("n"), pl.col("cause")
    return registry.tables["departures"].map(
        lambda frame: frame.sort(in_order, descending=[True, False], nulls_last=True)
    )


def _causes(registry: Registry, centre: str | None, verdict_class: str, name: str) -> SafeTable:
    """Return the causes of one class of verdicts, the most frequent first, as a share of that class."""
    rows = _most_frequent_first(registry).where(centre_id=centre, **{"class": verdict_class})
    judged = "yes" if verdict_class in ("discordant", "contraindicated") else "no"
    whole = registry.verdicts(centre, is_judged=judged, **{"class": verdict_class})
    total = pl.lit(whole.value, pl.Int64).alias("n_total")
    shares = rows.map(lambda frame: frame.with_columns(total), name=name).with_percent("n_total")
    return shares.map(lambda frame: frame.with_columns(percent_and_interval()))


def _unlocking_drawn(unlocking: SafeTable, centre: str | None) -> Figure | None:
    drawn = unlocking.frame.drop_nulls("n").head(8)
    if drawn.is_empty():
        return None
    bars = drawn.select(_facts(drawn["cause"]).alias("row"), value="n", text="shown")
    first = bars.row(0, named=True)
    return Figure(
        svg=figures.bars(bars, "Decisions that would be decided"),
        reading=f"Knowing {first['row']} would decide {first['text']} decisions, more than anything else.",
        caption=f"The smallest set of missing facts that would decide a decision, {centre or ALL}.",
        alternative=figures.spoken(bars),
        data=unlocking,
    )


def _facts(causes: Iterable[str | None]) -> pl.Series:
    told = [cause and " + ".join(map(words, cause.split(" + "))) for cause in causes]
    return pl.Series("cause", told, dtype=pl.String)


def _unlocking(unlocking: SafeTable) -> Table:
    made = unlocking.map(lambda frame: frame.with_columns(_facts(frame["cause"])), name="unlocking_table")
    headings = {"cause": "Missing fact", "shown": "Decisions", "percent_text": "% of those not evaluable"}
    return table(made, headings, "Which missing fact would decide most decisions.")


def _rules(registry: Registry, verdict_class: str) -> Table:
    titles = pl.col("cause").replace_strict(registry.rules, default="")
    made = _causes(registry, None, verdict_class, f"{verdict_class}_by_rule").map(
        lambda frame: frame.with_columns(titles.alias("title"))
    )
    headings = {"cause": "Rule", "title": "What it says", "shown": "Decisions", "percent_text": "%"}
    return table(
        made, headings, f"{words(verdict_class)} decisions by the rule that they departed from.", text=("title",)
    )


def _reasons(registry: Registry, centre: str | None) -> Table:
    made = _causes(registry, centre, "out_of_scope", "reasons").map(lambda frame: frame.with_columns(in_words("cause")))
    headings = {"cause": "Recorded reason", "shown": "Decisions", "percent_text": "% of those out of scope"}
    return table(made, headings, "Decisions taken out of the guideline's scope by a recorded reason.")
