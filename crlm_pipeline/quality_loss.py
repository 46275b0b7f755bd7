"""What got worse in the data since the run published before: checks that no longer pass, columns that are emptier.

The cells filled of a column, and the rows that keep a check, are compared twice: over all rows, as a whole registry may
come back with a column empty; and over the rows that were added, of a column at each centre, as a delivery without it
would be lost among the rows of years before. A fall is told where it is of at least 5 % of the cells and lower than
chance explains: limits as those of `process_charts`, so wide that all comparisons of a run together tell of chance in
one run of some hundreds. That a check passed and now fails its threshold is told in any case. A centre or a column that
was not there before has nothing to be compared with.
"""

from typing import Any, Final

import polars as pl

from crlm_pipeline.process_charts import limits
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from schemas.audit import CheckResult, QualityLoss, Run
from schemas.column import describe
from schemas.mart import DataQuality

# About the chance that a run in which nothing but chance was at work tells of anything at all.
FALSE_ALARMS: Final = 0.00135
LEAST_FALL: Final = 0.05
FEWEST: Final = Settings().rate_threshold

_PLACE: Final = ["table_name", "column_name", "check_name"]


def quality_losses(before: Warehouse, now: Warehouse) -> pl.DataFrame:
    """Return the rows of `audit.quality_loss`: what is worse in `now` than it was in the warehouse published before.

    None where the one before was written by a version that kept no record of it.
    """
    columns: dict[Any, Any] = {**describe(QualityLoss).polars_schema}
    if not (before.holds(CheckResult) and before.holds(DataQuality)):
        return pl.DataFrame(schema=columns)
    losses = _losses(before.query("run/kept"), now.query("run/kept"))
    run_id, previous = (warehouse.read(Run)["run_id"].item() for warehouse in (now, before))
    named = losses.with_columns(run_id=pl.lit(run_id), previous_run_id=pl.lit(previous))
    return named.select(*columns).cast(columns)


def in_words(losses: pl.DataFrame) -> dict[str, str]:
    """Return by table what is worse, as a sentence without a count: shares in whole percent."""
    phrases: dict[str, list[str]] = {}
    for loss in losses.sort(_PLACE, nulls_last=True).iter_rows(named=True):
        phrases.setdefault(loss["table_name"] or "files", []).append(_phrase(loss))
    return {table: f"{'; '.join(told)}." for table, told in phrases.items()}


def _phrase(loss: dict[str, Any]) -> str:
    place = ".".join(filter(None, (loss["table_name"], loss["column_name"]))) or "files"
    well = f"keeps the check {loss['check_name']}" if loss["check_name"] else "is filled"
    rows = "all rows" if loss["rows_compared"] == "all" else "the rows added at the centres concerned"
    return f"{place} {well} in {loss['share_now']:.0%} of {rows}, before in {loss['share_before']:.0%}"


def _losses(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    compared = _comparisons(before, now)
    is_failing_anew = pl.col("is_failing") & ~pl.col("was_failing") & (pl.col("rows_compared") == "all")
    told = pl.concat([compared.filter(is_failing_anew), _beyond_chance(compared)])
    together = told.unique().group_by(*_PLACE, "rows_compared").agg(pl.col("met", "total", "kept", "looked_at").sum())
    # Each place once: what shows in all rows is not told of those added as well.
    once = together.sort("rows_compared", descending=True).unique(_PLACE, keep="first")
    return once.with_columns(
        share_before=pl.col("met") / pl.col("total"), share_now=pl.col("kept") / pl.col("looked_at")
    )


def _comparisons(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """Return what is compared: `kept` of `looked_at` now beside `met` of `total` before."""
    earlier = before.filter("is_delivered").select(
        *_PLACE, "centre_id", met="kept", total="looked_at", was_failing="is_failing"
    )
    both = now.drop("is_delivered").join(earlier, on=[*_PLACE, "centre_id"], nulls_equal=True)
    rows_added = pl.col("looked_at") - pl.col("total")
    added = both.filter(pl.col("centre_id").is_not_null() | pl.col("check_name").is_not_null()).with_columns(
        rows_compared=pl.lit("added"), looked_at=rows_added, kept=(pl.col("kept") - pl.col("met")).clip(0, rows_added)
    )
    whole = both.filter(pl.col("centre_id").is_null()).with_columns(rows_compared=pl.lit("all"))
    return pl.concat([whole, added], how="diagonal").filter(
        (pl.col("looked_at") >= FEWEST) | pl.col("is_failing"), pl.col("looked_at") > 0, pl.col("total") > 0
    )


def _beyond_chance(compared: pl.DataFrame) -> pl.DataFrame:
    """Return the comparisons in which the share fell by more than chance explains."""
    share_before, share_now = pl.col("met") / pl.col("total"), pl.col("kept") / pl.col("looked_at")
    fallen = compared.filter(share_before - share_now >= LEAST_FALL, pl.col("looked_at") >= FEWEST)
    if fallen.is_empty():
        return fallen
    coverage = 1 - 2 * FALSE_ALARMS / compared.height
    looked_at, met, total = (fallen[name].to_numpy() for name in ("looked_at", "met", "total"))
    lowest, _ = limits(looked_at, met, total, coverage)
    return fallen.filter(share_now < pl.Series(lowest))
