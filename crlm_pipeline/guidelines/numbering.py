"""Numbers for what many decisions share, made of what they stand for and of nothing else.

They are the same in every run and for every part of a registry, so that parts that were judged apart fit together.
"""

from hashlib import blake2b

import polars as pl

_BYTES = 8


def content_numbers(texts: pl.Series) -> pl.Series:
    """Return a number from 0 to 2^63 - 1 for each text, equal for equal texts; raises where two texts share one."""
    distinct = texts.unique()
    numbers = pl.Series([_number(text) for text in distinct.to_list()], dtype=pl.Int64)
    assert numbers.n_unique() == distinct.len(), "two contents share a number"
    return texts.replace_strict(distinct, numbers, return_dtype=pl.Int64)


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=_BYTES).digest()) >> 1


def number_states(states: pl.DataFrame, options: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Number the states of every edition by the options that they hold out, so that equal ones share a number."""
    key = ["edition_id", "state_no"]
    held = (
        options.sort("rule_id", "option_no", "certainty")
        .group_by(key)
        .agg(
            pl.concat_str("rule_id", "option_no", "certainty", separator=" ").unique(maintain_order=True).alias("held")
        )
        .with_columns(pl.col("held").list.join("; "))
    )
    told = states.select(key).unique().join(held, on=key, how="left").with_columns(pl.col("held").fill_null(""))
    contents = told.select(pl.concat_str("edition_id", "held", separator=" ")).to_series()
    numbers = told.select(key).with_columns(content_numbers(contents).alias("number"))
    return _renumbered(states, numbers), _renumbered(options, numbers).unique()


def _renumbered(frame: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    numbered = frame.join(numbers, on=["edition_id", "state_no"], maintain_order="left")
    return numbered.with_columns(state_no=pl.col("number")).drop("number")
