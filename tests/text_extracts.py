"""Small extracts as a reader would hand them over, for tests of validation."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

import polars as pl

from crlm_pipeline.extracts.tables import Delivery, Extract, Notice, SourceFile, TextTable
from crlm_pipeline.validation import Ingested, validate

TODAY = date(2026, 11, 23)
Cells = Mapping[str, str | None]
REQUIRED: Mapping[str, Cells] = {
    "patient": {"patient_id": "p1", "centre_id": "A", "country": "DE"},
    "tumour": {"patient_id": "p1", "tumour_id": "1", "topography": "C18.7"},
    "assessment": {"patient_id": "p1", "assessment_date": "2024-01-10"},
    "biomarker": {"patient_id": "p1", "specimen_id": "s1", "analyte": "kras", "result": "mutated"},
    "drug_exposure": {"patient_id": "p1", "drug": "oxaliplatin", "start_date": "2024-02-01"},
    "procedure": {"patient_id": "p1", "procedure_date": "2024-03-01", "procedure": "resection"},
    "mdt": {"patient_id": "p1", "mdt_date": "2024-01-20"},
    "outcome": {"patient_id": "p1", "outcome_date": "2024-06-01", "outcome": "progression"},
}


def row(table: str, **cells: str | None) -> Cells:
    """Return a row that is valid but for the cells given."""
    return {**REQUIRED[table], **cells}


def text_table(name: str, rows: Sequence[Cells], file_id: str = "f1") -> TextTable:
    """Return rows as a text table; its raw records are the rows themselves."""
    columns = list(dict.fromkeys(column for cells in rows for column in cells))
    frame = pl.DataFrame(
        {"source_row": range(1, len(rows) + 1)} | {column: [cells.get(column) for cells in rows] for column in columns},
        schema={"source_row": pl.Int32} | dict.fromkeys(columns, pl.String),
    )
    return TextTable(name, file_id, frame, frame)


def extract(
    *tables: TextTable, notices: Sequence[Notice] = (), calendar: Literal["real", "relative"] = "real"
) -> Extract:
    """Return an extract of these tables; each file id is a file of that name."""
    files = {
        table.source_file_id: SourceFile(
            table.source_file_id, f"{table.source_file_id}.csv", "canonical", "", 1, calendar, 1, 0
        )
        for table in tables
    }
    return Extract((Delivery("d", tuple(files.values()), tables, tuple(notices), 0),))


def validated(**rows: Sequence[Cells]) -> Ingested:
    """Return what validation makes of these rows by table; unless patients are given, a valid one is there."""
    given = {"patient": [row("patient")], **rows}
    return validate(extract(*(text_table(name, part) for name, part in given.items())), today=TODAY)


def reasons(ingested: Ingested, table: str) -> list[tuple[int, str, str, str | None]]:
    """Return row, scope, check and column of every rejection in a table."""
    own = ingested.rejected_row.filter(pl.col("table_name") == table)
    return own.select("source_row", "scope", "check_name", "column_name").rows()


def warnings(ingested: Ingested, table: str) -> list[tuple[str, str | None, int]]:
    """Return check, column and number of rows of every warning about a table."""
    own = ingested.finding.filter(pl.col("table_name") == table, pl.col("severity") == "warning")
    return own.select("check_name", "column_name", "row_count").rows()
