"""Where a row stands: its file, its patient, the centre that answers for it, and its own date."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from crlm_pipeline.validation.delivery import ROW_ID
from crlm_pipeline.validation.screening import Screened

PLACE: Final = ("source_file_id", "source_row", "patient_id", "centre_id", "row_date")


def home_centres(screened: Sequence[Screened]) -> pl.DataFrame:
    """Return the centre that reports each patient: of the first row that names one, accepted or not."""
    patients = next(table.read for table in screened if table.table.name == "patient")
    known = patients.filter(pl.col("patient_id").is_not_null(), pl.col("centre_id").is_not_null())
    return known.unique("patient_id", keep="first").select("patient_id", pl.col("centre_id").alias("home_centre_id"))


def places(screened: Screened, homes: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return `row_id` and the place of each of these rows of a table; the row's own centre before its patient's."""
    read = screened.read.join(rows, on=ROW_ID, how="semi").join(
        homes, on="patient_id", how="left", maintain_order="left"
    )
    own = pl.col("centre_id") if "centre_id" in read.columns else pl.lit(None, dtype=pl.String)
    return read.with_columns(pl.coalesce(own, "home_centre_id").alias("centre_id")).select(ROW_ID, *PLACE)
