"""What came with a run: the counts of the files that it was given for the first time."""

from pathlib import Path

import polars as pl

from crlm_pipeline.validation.delivery import contract_columns
from crlm_pipeline.warehouse import Warehouse
from flows.job import Counts
from schemas.archive import DELIVERED_MODELS, Delivery
from schemas.audit import Run
from schemas.extract import extract_tables


def arrived(ingested: Path) -> Counts:
    """Return files, rows by what became of them, and cells, of the deliveries that the run read as new ones.

    No file means that nothing is new. Rows of deleted patients (`rows_deleted`) are among those rejected.
    """
    with Warehouse.open_readonly(ingested) as warehouse:
        counts: Counts = warehouse.query("run/arrived").row(0, named=True)
        run_id = warehouse.read(Run)["run_id"].item()
        new = warehouse.read(Delivery).filter(pl.col("run_id") == run_id).select("delivery_id")
        filled = sum(_filled(warehouse, name, new) for name in DELIVERED_MODELS)
    # Those set aside were filled as well.
    return counts | {"cells_filled": max(filled - counts["cells_rejected"], 0)}


def _filled(warehouse: Warehouse, table: str, deliveries: pl.DataFrame) -> int:
    rows = warehouse.read(DELIVERED_MODELS[table], among=deliveries).select(contract_columns(extract_tables()[table]))
    return sum(rows.count().row(0)) if rows.width else 0
