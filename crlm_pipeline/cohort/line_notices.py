"""Reports the line numbers of a registry that cannot be used, and those that the rules count otherwise."""

from typing import Final

import polars as pl

from crlm_pipeline.extracts.tables import Notice

IGNORED: Final = "line_registered_ignored"
DIFFERS: Final = "line_registered_differs"

_IS_IGNORED: Final = (
    "Registered lines of the patient are incomplete or go backwards; the lines were derived. "
    "Register a line for every systemic drug, never lower than the one before."
)
_IS_OTHER: Final = "The registered line is not the one that the rules derive; the registered one was used."


def registered_notices(members: pl.DataFrame) -> tuple[Notice, ...]:
    """Return one notice per check and file; `members`: the exposures that have a line.

    `line_registered_ignored`: the registered numbers of a patient could not be used. `line_registered_differs`: they
    were used, and the derived number of the row is another one.
    """
    has_number = pl.col("line_registered").is_not_null()
    ignored = has_number & ~pl.col("is_registered_usable")
    differs = (pl.col("line_source") == "registered") & (pl.col("line") != pl.col("line_derived"))
    return (
        *_notices(members.filter(ignored), IGNORED, _IS_IGNORED),
        *_notices(members.filter(differs), DIFFERS, _IS_OTHER),
    )


def _notices(rows: pl.DataFrame, check_name: str, message: str) -> tuple[Notice, ...]:
    by_file = rows.group_by("source_file_id").agg(pl.col("source_row").unique().sort()).sort("source_file_id")
    return tuple(
        Notice(
            check_name=check_name,
            severity="warning",
            source_file_id=file,
            table_name="drug_exposure",
            column_name="line_registered",
            message=message,
            rows=tuple(source_rows),
        )
        for file, source_rows in by_file.iter_rows()
    )
