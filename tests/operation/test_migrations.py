"""Warehouses of every earlier layout, written by the code of their time, under this version."""

import lzma
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest

from crlm_pipeline.migrations import migrations
from crlm_pipeline.warehouse import Warehouse
from flows import cli
from schemas.archive import DELIVERED_MODELS, Delivery
from schemas.audit import Deletion, Layout, Run
from schemas.column import Table, column
from schemas.layout import FINGERPRINT, LAYOUT, MODELS, fingerprint
from tests.command_line import Crlm

WAREHOUSES = Path(__file__).parents[1] / "warehouses"
EARLIER = range(1, LAYOUT)
FIRST, SECOND = WAREHOUSES / "first", WAREHOUSES / "second"


def written(layout: int, folder: Path) -> Path:
    """Put the warehouse of a layout into a folder."""
    path = folder / "crlm.duckdb"
    path.write_bytes(lzma.decompress((WAREHOUSES / f"layout_{layout}.duckdb.xz").read_bytes()))
    return path


def content_hash(warehouse: Path) -> str:
    with Warehouse.open_readonly(warehouse) as published:
        return published.read(Run)["content_hash"].item()


def on_record(warehouse: Path) -> dict[str, list[tuple]]:
    """Every row on record with what it says, but where the file was read by another version."""
    with Warehouse.open_of_any_layout(warehouse) as published:
        rows = {name: published.read(model).drop("row_no") for name, model in DELIVERED_MODELS.items()}
        rows["deletion"] = published.read(Deletion)
        rows["delivery"] = published.read(Delivery).drop("reader_key")
    return {name: sorted(frame.rows(), key=str) for name, frame in rows.items()}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The content hash of this version over the same deliveries."""
    from tests.flows import test_verify  # noqa: PLC0415
    raise NotImplementedError


def test_the_layout_is_numbered_anew_when_a_table_or_column_changes() -> None:
    assert fingerprint(MODELS) == FINGERPRINT, (
        f"tables or columns have changed: raise LAYOUT if {LAYOUT} was released, record the fingerprint, "
        "say in docs/upgrades.md what is another, and write a migration if a run needs one"
    )
