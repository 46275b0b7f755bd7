"""Correction lists: what each centre should mend in its source, with the value that it delivered. Restricted data.

A list is written only when asked for, into a new folder that only its owner may read.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from crlm_pipeline.errors import UsageError
from crlm_pipeline.extracts.tables import TEXT, Extract
from crlm_pipeline.safe_cells import defused
from crlm_pipeline.validation.delivery import ROW_ID, deliver
from crlm_pipeline.validation.faults import DELETED_PATIENT
from crlm_pipeline.validation.places import places
from crlm_pipeline.validation.screening import Screened

_LINES: Final[dict[str, pl.DataType]] = {
    "centre_id": pl.String(),
    "file": pl.String(),
    "row": pl.Int32(),
    "table": pl.String(),
    "column": pl.String(),
    "check": pl.String(),
    "severity": pl.String(),
    "set_aside": pl.String(),
    "expected": pl.String(),
    "delivered_value": pl.String(),
    "patient_id": pl.String(),
}
_LONGEST_NAME: Final = 40


class CorrectionList(NamedTuple):
    """A list that was written: the centre (none: rows of which no centre is known), its file and its lines."""

    centre_id: str | None
    file_name: str
    lines: int


def correction_lines(extract: Extract, screened: Sequence[Screened], homes: pl.DataFrame) -> pl.DataFrame:
    """Return one line per row or cell that failed a check, errors before warnings, under the centre that can mend it.

    `set_aside` is row, cell, or unknown where the row is used as it is. `delivered_value` is the cell at fault as the
    reader handed it over, unknown where it was empty. `homes`: see `home_centres`.
    """
    names = {file.source_file_id: file.file_name for file in extract.files}
    lines = pl.concat([pl.DataFrame(schema=_LINES), *(_of_table(extract, table, homes, names) for table in screened)])
    return in_order(lines)


def in_order(lines: pl.DataFrame) -> pl.DataFrame:
    """Return correction lines in the order of a list: errors before warnings, then as they stand in the source."""
    return lines.sort("severity", "file", "row", "table", "column", "check", maintain_order=True)


def write_corrections(lines: pl.DataFrame, folder: Path) -> list[CorrectionList]:
    """Write a list per centre into a new or empty folder; return what was written, rows of no known centre last.

    Raises `UsageError` when the folder holds something, such as lists that a centre has begun to fill in.
    """
    _make(folder)
    written = []
    for (centre_id,), part in lines.sort("centre_id", nulls_last=True, maintain_order=True).group_by(
        "centre_id", maintain_order=True
    ):
        name = list_name(None if centre_id is None else str(centre_id))
        path = folder / name
        path.touch(mode=0o600, exist_ok=False)
        listed = part.drop("centre_id").with_columns(corrected_value=pl.lit(None, pl.String))
        defused(listed).write_csv(path, include_bom=True)  # else a spreadsheet takes its letters for another alphabet
        written.append(CorrectionList(None if centre_id is None else str(centre_id), name, part.height))
    return written


def list_name(centre_id: str | None) -> str:
    """Return a file name that no centre id can lead astray, and no two share where case does not count."""
    if centre_id is None:
        return "unknown.csv"
    readable = re.sub(r"[^a-z0-9]+", "-", centre_id.lower())[:_LONGEST_NAME].strip("-")
    digest = hashlib.sha256(centre_id.encode()).hexdigest()[:12]
    return f"centre-{readable}-{digest}.csv" if readable else f"centre-{digest}.csv"


def _make(folder: Path) -> None:
    try:
        if folder.exists():
            folder.rmdir()  # refuses what is not empty; made anew, it is the owner's alone
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        problem = f"{folder}: the lists cannot be written there ({error.strerror})."
        raise UsageError(f"{problem} Name a new or empty folder with --corrections.") from None


def _of_table(extract: Extract, screened: Screened, homes: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    found = screened.found.filter(pl.col("check_name") != DELETED_PATIENT.name)  # nothing of such a row is shown
    if found.is_empty():
        return pl.DataFrame(schema=_LINES)
    text = deliver(extract, screened.table, found[ROW_ID]).cast({TEXT: pl.String})
    values = text.unpivot(
        found["column_name"].drop_nulls().unique().sort().to_list(),
        index=ROW_ID,
        variable_name="column_name",
        value_name="delivered_value",
    )
    action = pl.col("action")
    return (
        found.join(places(screened, homes, found), on=ROW_ID, how="left", maintain_order="left")
        .join(values, on=[ROW_ID, "column_name"], how="left", maintain_order="left")
        .select(
            "centre_id",
            pl.col("source_file_id").replace_strict(names, return_dtype=pl.String).alias("file"),
            pl.col("source_row").alias("row"),
            pl.lit(screened.table.name).alias("table"),
            pl.col("column_name").alias("column"),
            pl.col("check_name").alias("check"),
            pl.when(action == "keep").then(pl.lit("warning")).otherwise(pl.lit("error")).alias("severity"),
            pl.when(action != "keep").then(action).alias("set_aside"),
            pl.col("message").alias("expected"),
            "delivered_value",
            "patient_id",
        )
    )
