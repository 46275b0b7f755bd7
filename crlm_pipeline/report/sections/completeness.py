"""How complete each column is, and which columns the files of a centre cannot carry at all."""

from functools import lru_cache

import polars as pl

from crlm_pipeline.disclosure import SafeTable, plain
from crlm_pipeline.report.fragments import Section, Table
from crlm_pipeline.report.rates import least_and_most
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.shares_of_rows import range_text
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words


def section(registry: Registry, centre: str | None) -> Section:
    """Return how many accepted rows have each column filled, beside all centres, and what cannot be delivered."""
    sentence = (
        "A column that is empty leaves facts unknown, and decisions not evaluable. Columns that a row cannot be "
        "without are always filled, and left out. Some mean something when empty: a centre_id (the patient's own), an "
        "end_date (ongoing), contraindications (none), a deviation_reason (no deviation)."
    )
    blocks = (_filled(registry, centre), *_absent(registry, centre))
    return Section("completeness", "Completeness by column", sentence, blocks)


def _filled(registry: Registry, centre: str | None) -> Table:
    ours = _beside_all(registry).where(centre_id=centre)
    headings = {
        "column_name": "Column",
        "table_name": "Table",
        "shown": "Rows with it",
        "empty_shown": "Rows without",
        "filled_text": "% filled",
    }
    if centre is not None:
        headings["all_text"] = "% filled, all centres"
    caption = (
        "Accepted rows by whether a column is filled, where the source can carry it. Two numbers are the range that "
        "hidden counts leave open."
    )
    return table(ours, headings, caption, text=("table_name",))


@lru_cache(maxsize=1)
def _rates(registry: Registry) -> SafeTable:
    """Return one row per column: the rows that have it filled, those that have not, and the share filled.

    For each centre, and for all of them together.
    """
    rows = registry.tables["completeness"]
    accepted = registry.tables["ledger"].where(outcome="accepted", fate=None, month=None)
    of_table = ["centre_id", "table_name"]
    totals = accepted.frame.select(*of_table, total="n")
    filled, empty = least_and_most("shown"), least_and_most("empty_shown")
    total = pl.col("total")
    shares = [
        pl.when(total >= rows.smallest_rate).then(100 * pl.coalesce(ours, total - theirs) / total).alias(name)
        for name, ours, theirs in (("filled_least", filled[0], empty[1]), ("filled_most", filled[1], empty[0]))
    ]
    counted = rows.where(is_filled="yes").with_count("empty", rows, is_filled="no")
    return counted.map(
        lambda frame: (
            frame.join(totals, on=of_table, how="left", nulls_equal=True, maintain_order="left")
            .with_columns(shares)
            .with_columns(range_text("filled"))
        ),
        "completeness_by_column",
    )


@lru_cache(maxsize=1)
def _beside_all(registry: Registry) -> SafeTable:
    """Return the same in words, with the share of all centres together beside that of each."""
    theirs = _rates(registry).where(centre_id=None).frame.select("table_name", "column_name", all_text="filled_text")
    return _rates(registry).map(
        lambda frame: (
            frame.join(theirs, on=["table_name", "column_name"], how="left")
            .sort("table_name", "column_name")
            .with_columns(in_words("table_name"))
        )
    )


def _absent(registry: Registry, centre: str | None) -> list[Table]:
    absent = registry.columns_not_delivered.filter(pl.col("centre_id").eq_missing(pl.lit(centre, pl.String)))
    if absent.is_empty():
        return []
    frame = absent.select(in_words("table_name"), "columns")
    caption = "Columns that no source can carry: they are not delivered, which is not the same as left empty."
    return [
        table(plain("not_delivered", frame), {"table_name": "Table", "columns": "Columns"}, caption, text=("columns",))
    ]
