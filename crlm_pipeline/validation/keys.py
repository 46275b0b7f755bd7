"""Finds rows that were delivered before: equal in everything (duplicate), or only in their key (conflict)."""

from typing import Final

import polars as pl

from crlm_pipeline.validation.casts import precision_columns
from crlm_pipeline.validation.delivery import contract_columns
from crlm_pipeline.validation.faults import Check, faults, together
from schemas.column import TableDescription

IN_TWO_CENTRES: Final = Check(
    "patient_in_two_centres",
    "patient_id: expected a patient in one centre only; the first row counts. Prefix the id with the centre if these "
    "are two persons.",
    "row",
    "patient_id",
)


def is_duplicate(text: pl.DataFrame, typed: pl.DataFrame, table: TableDescription) -> pl.Series:
    """Return whether a row equals an earlier one in every contract column: by value, or as text where it has none.

    So 3 and 3.0 are equal, two different cells that are no number are not, and unknown equals unknown.
    """
    # Rows that are equal are so in their identity, too, which few rows share: only of those all columns are compared.
    is_shared = typed.select(pl.struct(table.identity).is_duplicated()).to_series()
    is_again = _is_again(text.filter(is_shared), typed.filter(is_shared), table)
    repeated = is_shared.arg_true().filter(is_again)
    return pl.repeat(value=False, n=typed.height, dtype=pl.Boolean, eager=True).scatter(repeated, values=True)


def _is_again(text: pl.DataFrame, typed: pl.DataFrame, table: TableDescription) -> pl.Series:
    identity = typed.select(*contract_columns(table), *precision_columns(table)).with_columns(
        text[column.name] for column in table.columns if column.is_list
    )
    uncast = [
        text.select(pl.when(typed[name].is_null()).then(pl.col(name)).alias(f"{name}|text"))
        for name in contract_columns(table)
        if typed[name].null_count() > text[name].null_count()
    ]
    rows = pl.concat([identity, *uncast], how="horizontal")
    return ~rows.select(pl.struct(pl.all()).is_first_distinct()).to_series()


def key_faults(rows: pl.DataFrame, table: TableDescription) -> pl.DataFrame:
    """Return the rows whose key an earlier row has; of a patient in another centre than before, that is the reason."""
    if not table.key:
        return together([])
    later = rows.filter(~pl.struct(table.key).is_first_distinct())
    conflict = key_check(table)
    if table.name != "patient":
        return faults(conflict, later)
    first_centre = rows.unique("patient_id", keep="first").select(
        "patient_id", pl.col("centre_id").alias("first_centre")
    )
    later = later.join(first_centre, on="patient_id", how="left", maintain_order="left")
    in_two = pl.col("centre_id") != pl.col("first_centre")
    return together([faults(IN_TWO_CENTRES, later.filter(in_two)), faults(conflict, later.filter(~in_two))])


def key_check(table: TableDescription) -> Check:
    """Return the check that the key of a table, which it must have, is unique."""
    return Check("key_conflict", f"{' + '.join(table.key)}: expected one row; the first counts.", "row", table.key[-1])
