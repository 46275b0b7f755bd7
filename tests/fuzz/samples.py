"""Small registries to damage: every source format that can be written, and the canonical extract in every file kind.

Each patient's id holds MARKER, so that a message which lets one out is seen.
"""

import gzip
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import polars as pl
import xlsxwriter

from crlm_pipeline.synthetic import write_sample
from crlm_pipeline.synthetic.layouts import LAYOUTS

MARKER: Final = "QZX"
PATIENTS: Final = 5
SEED: Final = 11

Tables = Mapping[str, pl.DataFrame]


def marked_tables(folder: Path) -> dict[str, pl.DataFrame]:
    """Return a synthetic registry as canonical text tables whose patients' ids hold the marker."""
    work = folder.with_name(f"{folder.name}.canonical")
    write_sample(work, PATIENTS, SEED, "canonical")
    tables = {path.stem: pl.read_csv(path, infer_schema_length=0) for path in sorted(work.glob("*.csv"))}
    shutil.rmtree(work)
    marked = pl.lit(MARKER) + pl.col("patient_id")
    return {name: frame.with_columns(marked.alias("patient_id")) for name, frame in tables.items()}


def _parquet(folder: Path, tables: Tables) -> None:
    for name, frame in tables.items():
        frame.write_parquet(folder / f"{name}.parquet")


def _typed_parquet(folder: Path, tables: Tables) -> None:
    """Write numbers and dates as such."""
    for name, frame in tables.items():
        text = frame.write_csv()
        pl.read_csv(text.encode(), try_parse_dates=True).write_parquet(folder / f"{name}.parquet")


def _workbook(folder: Path, tables: Tables) -> None:
    with xlsxwriter.Workbook(folder / "registry.xlsx") as book:
        for name, frame in tables.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate([frame.columns, *frame.rows()]):
                sheet.write_row(number, 0, row)


def _tabs(folder: Path, tables: Tables) -> None:
    for name, frame in tables.items():
        frame.write_csv(folder / f"{name}.tsv", separator="\t", include_bom=True, line_terminator="\r\n")


def _quoted(folder: Path, tables: Tables) -> None:
    for name, frame in tables.items():
        frame.write_csv(folder / f"{name}.csv", separator=";", quote_style="always")


def _packed(folder: Path, tables: Tables) -> None:
    for name, frame in tables.items():
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(frame.write_csv().encode(), mtime=0))


KINDS: Final[dict[str, Callable[[Path, Tables], None]]] = {
    "parquet": _parquet,
    "typed parquet": _typed_parquet,
    "workbook": _workbook,
    "tabs": _tabs,
    "quoted": _quoted,
    "packed": _packed,
}
SAMPLES: Final = {**LAYOUTS, **KINDS}


def write_marked(folder: Path, name: str) -> None:
    """Write a sample by its name."""
    folder.mkdir(parents=True)
    SAMPLES[name](folder, marked_tables(folder))
