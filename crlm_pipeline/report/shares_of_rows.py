"""Conformance and plausibility of rows, worked out from what is printed: where that leaves a range, as the range."""

from typing import Final

import polars as pl

from crlm_pipeline.report.rates import least_and_most

FATES: Final = ("read", "duplicate", "nonconforming", "implausible", "deleted", "accepted", "odd", "sound", "rejected")


def by_fate(ledger: pl.DataFrame, *index: str) -> pl.DataFrame:
    """Return one row per `index` of the safe ledger, with n_<fate> and shown_<fate> of what became of its rows."""
    fate = pl.coalesce("fate", "outcome", pl.lit("read")).alias("fate")
    return ledger.with_columns(fate).pivot("fate", list(FATES), index=list(index), values=["n", "shown"])


def ranges(smallest_rate: int) -> list[pl.Expr]:
    """Return the least and most, in percent, that conformance and plausibility may be of rows made by `by_fate`.

    Null where the accepted rows are hidden, or too few for a rate.
    """
    (few_lost, many_lost), (few_odd, many_odd), (few_impossible, many_impossible) = (
        least_and_most(f"shown_{fate}") for fate in ("nonconforming", "odd", "implausible")
    )
    kept = pl.col("n_accepted")
    shares = {
        "conformance_least": (kept + few_impossible) / (kept + few_impossible + many_lost),
        "conformance_most": (kept + many_impossible) / (kept + many_impossible + few_lost),
        "plausibility_least": (kept - many_odd) / (kept + many_impossible),
        "plausibility_most": (kept - few_odd) / (kept + few_impossible),
    }
    enough = pl.when(kept >= smallest_rate)
    return [enough.then(100 * share).alias(name) for name, share in shares.items()]


def range_text(name: str) -> pl.Expr:
    """Return `<name>_least` and `<name>_most` as one text: a number, or two where they differ; null where unknown."""
    least, most = (pl.col(f"{name}_{end}").round(1) for end in ("least", "most"))
    text = pl.when(least == most).then(pl.format("{}", least)).otherwise(pl.format("{}\u2013{}", least, most))
    return text.alias(f"{name}_text")
