"""Which survival estimates may be published: an estimate tells of every count that it rests on."""

from itertools import pairwise
from typing import Final

import polars as pl

from crlm_pipeline.disclosure import N, SafeTable, Subset

# The months of the report; the mart has every half-year.
MONTHS: Final = ("0", "6", "12", "24", "36", "48", "60")
UNKNOWN: Final = "unknown"
_INTERVAL: Final = ("percent", "ci_low", "ci_high")
_BOUNDS: Final = ("percent_worst", "percent_best")
ESTIMATES: Final = (*_INTERVAL, *_BOUNDS)
# Who is followed until the next month is who is in follow-up then.
FOLLOWED: Final = tuple(
    Subset({"month": month, "fate": "followed"}, {"month": later, "fate": None}) for month, later in pairwise(MONTHS)
)


def with_told_estimates(table: SafeTable) -> SafeTable:
    """Return the table with no estimate but those of which every count up to their month is shown.

    Its rows: those in follow-up at a `month` (no `fate`) and what became of them by the next one. The bounds need the
    number whose follow-up is unknown as well.
    """
    curve = [name for name in table.dimensions if name not in ("month", "fate")]
    place = pl.col("month").replace_strict(list(MONTHS), range(len(MONTHS)), default=None, return_dtype=pl.Int64)
    is_told = pl.col(N).is_not_null().all()
    in_order = table.frame.with_columns(place.alias("place"))
    months = in_order.drop_nulls("place").group_by(*curve, "place").agg(is_told.alias("is_told")).sort(*curve, "place")
    before = pl.col("is_told").cum_min().shift(1, fill_value=True).over(curve)
    unknown = in_order.filter(pl.col("month") == UNKNOWN).select(*curve, pl.col(N).is_not_null().alias("is_bounded"))
    told = in_order.join(
        months.with_columns(before.alias("is_told_before")), on=[*curve, "place"], how="left", nulls_equal=True
    ).join(unknown, on=curve, how="left", nulls_equal=True)
    safe = [pl.when("is_told_before").then(name).alias(name) for name in _INTERVAL]
    bounds = [pl.when(pl.col("is_told_before") & pl.col("is_bounded")).then(name).alias(name) for name in _BOUNDS]
    return table.map(lambda frame: told.with_columns(*safe, *bounds).select(frame.columns))
