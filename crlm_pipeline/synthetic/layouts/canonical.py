"""The canonical extract: one CSV file per table."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl


def write(folder: Path, tables: Mapping[str, pl.DataFrame]) -> None:
    """Write each table as `<table>.csv`."""
    for name, frame in tables.items():
        frame.write_csv(folder / f"{name}.csv")
