"""What is kept of rows that no verdict needs: rejected rows as they were delivered, and rows that were replaced."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from crlm_pipeline.archive import archived_rows
from crlm_pipeline.database import compact
from crlm_pipeline.provenance import run_stamp
from crlm_pipeline.publishing import publish
from crlm_pipeline.warehouse import Warehouse, building
from schemas.archive import DELIVERED_MODELS


@dataclass(frozen=True, slots=True)
class RawRows:
    """How many rejected and replaced rows are on record that may be kept no longer."""

    rejected: int
    replaced: int


def raw_rows_before(published: Path, before: datetime) -> RawRows:
    """Count the rejected rows delivered, and the rows replaced, by runs that began before that time (UTC)."""
    with Warehouse.open_readonly(published) as warehouse:
        warehouse.register("old_run", _runs_before(warehouse, before))
        return RawRows(**warehouse.query("keeping/raw_rows_of_old_runs").row(0, named=True))


def forget_raw_rows(published: Path, before: datetime, copy: Path) -> None:
    """Publish the warehouse without these rows, built at `copy`; the caller holds the warehouse.

    Deliveries stay known, standing rows and verdicts are as before, and so is the content hash. The published file is
    whole at every moment, and the new one holds no byte of what was forgotten.
    """
    with building(copy, start_from=published) as warehouse:
        warehouse.register("old_run", _runs_before(warehouse, before))
        warehouse.execute("keeping/forget_rejected_rows")
        for model in DELIVERED_MODELS.values():
            warehouse.change(model, "keeping/forget_archived_rows")
    compacted = copy.with_name(f"{copy.name}.compacted")
    compact(copy, compacted)
    copy.unlink()
    publish(compacted, published)


def _runs_before(warehouse: Warehouse, before: datetime) -> pl.DataFrame:
    warehouse.define("archived_row", archived_rows())
    # The id of a run begins with its start.
    return warehouse.query("keeping/runs_on_record").filter(pl.col("run_id") < run_stamp(before))
