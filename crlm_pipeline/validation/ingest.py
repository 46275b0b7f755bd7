"""Runs every check in order and hands over what was accepted, what was not, and the proof that nothing was lost."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date

import polars as pl

from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.validation.checks import gate, imputed_dates
from crlm_pipeline.validation.cross_table import IMPOSSIBLE, ODD, CrossCheck, patient_missing
from crlm_pipeline.validation.faults import together
from crlm_pipeline.validation.findings import summarise
from crlm_pipeline.validation.ledger import rejected_rows, row_ledger, shape
from crlm_pipeline.validation.screening import Screened, screen
from schemas.audit import SourceFile
from schemas.column import describe
from schemas.extract import EXTRACT_MODELS, Patient


@dataclass(frozen=True, slots=True)
class Ingested:
    """What a run may use, and the record of what it may not.

    `tables`: the extract tables by name, each with its declared columns and types, in reading order. The other frames
    are the audit tables of those names without `run_id`. `cells_delivered` counts the cells that held something.
    `latest_date` is the latest day in the accepted rows, unknown when they hold no date.
    """

    tables: Mapping[str, pl.DataFrame]
    source_file: pl.DataFrame
    row_ledger: pl.DataFrame
    rejected_row: pl.DataFrame
    finding: pl.DataFrame
    finding_row: pl.DataFrame
    cells_delivered: int
    has_real_calendar: bool
    has_relative_calendar: bool
    latest_date: date | None


def validate(extract: Extract, *, today: date, previous_findings: pl.DataFrame | None = None) -> Ingested:
    """Sort what was read into accepted rows, rejected rows and cells, and findings (extract contract).

    `today` serves one check only: a date after it is rejected. `previous_findings` is `audit.finding` of the last
    published run. Bad data raises nothing; an imbalance of the ledger raises `AssertionError`.
    """
    tables = _checked({describe(model).name: screen(extract, model, today) for model in EXTRACT_MODELS})
    screened = list(tables.values())
    for table in screened:
        gate(table.model, table.accepted)
    finding, finding_row = summarise(extract, screened, previous_findings)
    files = pl.DataFrame([asdict(file) for file in extract.files], schema=shape(SourceFile))
    calendars = {file.calendar for file in extract.files}
    return Ingested(
        tables={name: table.accepted for name, table in tables.items()},
        source_file=files.unique(maintain_order=True),
        row_ledger=row_ledger(extract, screened),
        rejected_row=rejected_rows(extract, screened),
        finding=finding,
        finding_row=finding_row,
        cells_delivered=sum(int(table.read["cell_count"].sum()) for table in screened),
        has_real_calendar="real" in calendars,
        has_relative_calendar="relative" in calendars,
        latest_date=max((day for table in screened if (day := table.latest_date)), default=None),
    )


def _checked(tables: dict[str, Screened]) -> dict[str, Screened]:
    """Hold the tables against each other: first who is a patient, then what cannot be, last what is odd."""
    children = [patient_missing(name) for name in tables if name != describe(Patient).name]
    for checks in (children, IMPOSSIBLE, ODD):
        tables = _with_faults(tables, _cross_faults(checks, tables))
    tables = _with_faults(tables, lambda table: imputed_dates(table.table, table.rows))
    return {name: table.settled() for name, table in tables.items()}


def _cross_faults(checks: Iterable[CrossCheck], tables: dict[str, Screened]) -> Callable[[Screened], pl.DataFrame]:
    """Return the faults of each table by these checks, all taken on the same rows so that every reason is told."""
    rows = {name: table.rows for name, table in tables.items()}
    return lambda table: together([check.faults(rows) for check in checks if check.table == table.table.name])


def _with_faults(tables: dict[str, Screened], find: Callable[[Screened], pl.DataFrame]) -> dict[str, Screened]:
    return {name: table.with_faults(find(table)) for name, table in tables.items()}
