"""Data quality month by month: a centre against the registry. Small counts stand as the range they leave open."""

from functools import lru_cache
from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report import figures
from crlm_pipeline.report.fragments import Figure, Section
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.shares_of_rows import by_fate, ranges

_REGISTRY: Final = "All centres"
_PANELS: Final = {
    "Completeness: cells filled in accepted rows": "completeness",
    "Conformance: rows that keep their declaration": "conformance",
    "Plausibility: of these, rows that nothing contradicts": "plausibility",
}


def section(registry: Registry, centre: str | None) -> Section | None:
    """Return completeness, conformance and plausibility over the latest months; None where no date is real."""
    rows = _of_all(registry).filtered(pl.col("line").is_in([_REGISTRY, centre or _REGISTRY]))
    if rows.frame["completeness_least"].count() == 0:
        return None
    sentence = (
        "The month is that of a row's own date: of the diagnosis, work-up, sample, start of the drug, procedure, "
        "meeting or response. A month with too few rows is a gap."
    )
    return Section("trend", "Data quality by month", sentence, (_figure(rows, centre),))


@lru_cache(maxsize=1)
def _of_all(registry: Registry) -> SafeTable:
    months = registry.tables["ledger"].where(table_name=None).each("month")
    return months.map(lambda frame: _by_month(frame, months.smallest_rate), name="quality_by_month")


def _figure(rows: SafeTable, centre: str | None) -> Figure:
    colours = {_REGISTRY: figures.GREY, centre: figures.TEAL} if centre else {_REGISTRY: figures.TEAL}
    long = pl.concat(
        rows.frame.select(
            "month", "line", panel=pl.lit(panel), least=pl.col(f"{name}_least"), most=pl.col(f"{name}_most")
        )
        for panel, name in _PANELS.items()
    )
    reading = _reading(rows.frame, centre)
    return Figure(
        svg=figures.months(long, list(_PANELS), colours),
        reading=reading,
        caption=(
            "Shares by month, over all tables. A stroke instead of a point is a share that lies somewhere in it, "
            "hidden because few rows failed. Scales differ, and do not start at 0."
        ),
        alternative=f"Line chart. {reading}",
        data=rows,
    )


def _reading(frame: pl.DataFrame, centre: str | None) -> str:
    own = frame.filter(pl.col("line") == (centre or _REGISTRY)).drop_nulls("completeness_least").sort("month")
    if own.is_empty():
        return f"{centre} has too few rows in any month; all centres together are shown."
    first, last = own.row(0, named=True), own.row(-1, named=True)
    return (
        f"{centre or _REGISTRY}: {first['completeness_least']:.0f} % of the cells were filled in {first['month']}, "
        f"{last['completeness_least']:.0f} % in {last['month']}."
    )


def _by_month(ledger: pl.DataFrame, smallest_rate: int) -> pl.DataFrame:
    """Return one row per month and line with the least and most that each share may be."""
    rows = ledger.with_columns(pl.col("centre_id").fill_null(_REGISTRY).alias("line"))
    filled = rows.filter(pl.col("outcome") == "accepted", pl.col("fate").is_null()).select(
        "month", "line", completeness_least="completeness", completeness_most="completeness"
    )
    wide = by_fate(rows, "month", "line").with_columns(ranges(smallest_rate))
    together = wide.join(filled, on=["month", "line"], how="left")
    return together.select("month", "line", "n_accepted", "shown_accepted", "^.*_(least|most)$").sort("month", "line")
