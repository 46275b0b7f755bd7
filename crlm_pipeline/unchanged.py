"""Rows of patients whom an addition does not touch: they are copied from the published warehouse as they stand.

The warehouse is built beside the published one (`warehouse.building`).
"""

from collections.abc import Iterable

import polars as pl

from crlm_pipeline.ddl import quoted
from crlm_pipeline.patient_rows import of_others
from crlm_pipeline.warehouse import Warehouse
from schemas.column import Table, TableDescription, describe
from schemas.extract import EXTRACT_MODELS


def copy_accepted(warehouse: Warehouse, touched: pl.DataFrame) -> None:
    """Copy the accepted rows of all patients but those that are touched (`patient_id`) into the extract tables."""
    warehouse.register("touched", touched)
    for model in EXTRACT_MODELS:
        warehouse.insert_rows(model, of_others(describe(model), "touched", "patient_id"))


def copy_archived(
    warehouse: Warehouse, touched: pl.DataFrame, changed: Iterable[tuple[type[Table], pl.DataFrame, pl.DataFrame]]
) -> None:
    """Copy the rows on record, of touched patients as an addition `changed` them, and add its own.

    They are numbered anew: those that stand, then those that did, and both as they were numbered before. `changed`: see
    `Archive.changed_rows`.
    """
    warehouse.register("touched", touched)
    for model, kept, added in changed:
        table = describe(model)
        standing = pl.col("superseded_run_id").is_null()
        new, gone = added.filter(standing), added.filter(~standing)
        warehouse.define("archived_before", f"from before.{table.qualified_name}")
        warehouse.register("kept", kept)
        warehouse.register_query("numbered", "carried/numbered", added=new.height)
        height = warehouse.query("carried/height").row(0, named=True)
        warehouse.insert_rows(model, _as_numbered(table))
        for rows, behind in ((new, height["standing"]), (gone, height["height"] + new.height)):
            row_no = pl.int_range(1, pl.len() + 1, dtype=pl.Int64) + behind
            warehouse.insert(model, rows.with_columns(row_no=row_no).select(table.polars_schema.keys()))


def _as_numbered(table: TableDescription) -> str:
    """Return the query for the rows of an archive table that are kept, as they are numbered now."""
    own = [column.name for column in table.columns if column.name not in ("row_no", "superseded_run_id", "raw_row")]
    columns = ", ".join(f"row.{quoted(name)}" for name in own)
    changed = "numbered.row_no, numbered.superseded_run_id, numbered.raw_row"
    rows = f"from before.{table.qualified_name} as row inner join numbered on row.row_no = numbered.row_no_before"
    return f"select {changed}, {columns} {rows}"
