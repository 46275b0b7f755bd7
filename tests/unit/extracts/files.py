"""Writes small source folders and reads them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.tables import TEXT, Extract

PATIENT = "patient_id,centre_id,country\np1,A,DE\n"


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write the files of a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def read(folder: Path, files: Mapping[str, str | bytes]) -> Extract:
    """Write the files and read the folder."""
    return read_sources([write(folder, files)])


def tab(header: str, *rows: Sequence[str]) -> str:
    """Return tab-delimited text; the header is given with blanks between the columns."""
    return "\n".join("\t".join(cells) for cells in (header.split(), *rows)) + "\n"


def table(extract: Extract, name: str) -> pl.DataFrame:
    """Return the rows of a table over all files."""
    rows = [part.frame.cast({TEXT: pl.String}) for part in extract.tables if part.table_name == name]
    return pl.concat(rows, how="diagonal")


def checks(extract: Extract) -> list[str]:
    """Return the names of the notices, sorted."""
    return sorted(notice.check_name for notice in extract.notices)
