"""What is wrong with rows and cells: one line per row, check and column, with what happens to it."""

from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from crlm_pipeline.validation.delivery import ROW_ID
from schemas.column import Column

Action = Literal["row", "cell", "keep"]
# The name of a check in every list: check, table and column.
Place = tuple[str, str, str | None]
Severity = Literal["error", "warning"]

SCHEMA: Final[dict[str, pl.DataType]] = {
    ROW_ID: pl.UInt32(),
    "check_name": pl.String(),
    "column_name": pl.String(),
    "action": pl.String(),
    "message": pl.String(),
}

_REMEDY: Final[dict[Action, str]] = {
    "row": "Correct it in the source; until then the row is set aside.",
    "cell": "Correct it in the source; until then the cell counts as unknown.",
    "keep": "Please check it in the source; the row is used as it is.",
}


@dataclass(frozen=True, slots=True)
class Check:
    """A named check of one column (none: of the row) with what it expects and what a row that fails it comes to.

    `row`: impossible or without what is required, the row is set aside (error). `cell`: the cell becomes unknown
    (error). `keep`: odd but possible, nothing is changed (warning).
    """

    name: str
    expected: str
    action: Action
    column: str | None = None

    @property
    def severity(self) -> Severity:
        """Whether a failure loses a value (error) or only looks odd (warning)."""
        return "warning" if self.action == "keep" or self.name == DELETED_PATIENT.name else "error"

    @property
    def message(self) -> str:
        """What was expected and what to do; never the value that was found."""
        return f"{self.expected} {_REMEDY[self.action]}"


# Not an error of anybody's: the row is left out because a deletion list names its patient, and nothing of it is kept.
DELETED_PATIENT: Final = Check(
    "patient_deleted", "patient_id: a deletion list names this patient, whose rows are not held.", "row", "patient_id"
)


def cell_check(name: str, column: Column, expected: str) -> Check:
    """Return a check of single cells: a bad one costs the row where the column is required, else itself."""
    return Check(name, f"{column.name}: {expected}", "row" if column.required else "cell", column.name)


def faults(check: Check, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the faults of a check, given the rows that failed it (any frame with `row_id`)."""
    return rows.select(
        pl.col(ROW_ID),
        pl.lit(check.name).alias("check_name"),
        pl.lit(check.column, dtype=pl.String).alias("column_name"),
        pl.lit(check.action).alias("action"),
        pl.lit(check.message).alias("message"),
    )


def together(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Return all faults of a table in one frame, also when there are none."""
    return pl.concat([pl.DataFrame(schema=SCHEMA), *parts])


def withhold(rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return the rows without those that faults set aside, and with bad cells turned into unknown."""
    bad_cells = found.filter(pl.col("action") == "cell")
    for (column,), part in bad_cells.group_by("column_name", maintain_order=True):
        is_bad = pl.col(ROW_ID).is_in(part[ROW_ID].implode())
        rows = rows.with_columns(pl.when(~is_bad).then(pl.col(str(column))))
    return rows.join(found.filter(pl.col("action") == "row"), on=ROW_ID, how="anti", maintain_order="left")
