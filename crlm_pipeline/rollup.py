"""Counts rolled up over centres, years and whatever else they are told apart by.

`group by cube` of DuckDB counts every row anew for each combination of its dimensions. Here the dimensions are rolled
up one after the other, each over the sums before it: the work grows with the rows of the result alone.
"""

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

# Who is counted, in the order of the alphabet.
POPULATIONS: Final = ("all", "crlm", "metastatic")


def rolled_up(counts: pl.DataFrame, over: Sequence[str], by: Sequence[str]) -> pl.DataFrame:
    """Return the counts and their sums over each of the columns `over` and any of them together; null there means all.

    One row per distinct `by`, which holds `over`; every other column is a count. What is not known in one of `over`
    counts only where that is all.
    """
    codes: dict[Any, Any] = {name: _codes(counts[name]) for name in by if counts.schema[name] == pl.String}
    rows, measures = counts.cast(codes), [name for name in counts.columns if name not in by]
    for dimension in over:
        sums = rows.group_by(name for name in by if name != dimension).agg(pl.col(measures).sum())
        rows = pl.concat([rows.drop_nulls(dimension), sums], how="diagonal")
    return rows.sort(by, nulls_last=True)


def by_population(counts: pl.DataFrame, measures: Sequence[str]) -> pl.DataFrame:
    """Return a row per population with any of the counts, of columns like n_all, n_crlm and n_metastatic."""
    every = [f"{name}_{population}" for name in measures for population in POPULATIONS]
    return pl.concat(
        counts.filter(pl.any_horizontal(pl.col(f"{name}_{population}") > 0 for name in measures)).select(
            pl.lit(population).alias("population"),
            pl.exclude(every),
            *(pl.col(f"{name}_{population}").alias(name) for name in measures),
        )
        for population in POPULATIONS
    )


def _codes(values: pl.Series) -> pl.Enum:
    """Return a type that holds these texts as numbers of the same order: grouping and sorting read nothing else."""
    return pl.Enum(values.drop_nulls().unique().sort())
