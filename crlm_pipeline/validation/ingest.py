"""Runs every check in order and hands over what was accepted, what was not, and the proof that nothing was lost."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date

import polars as pl

from crlm_pipeline.extracts.tables import Delivery, Extract, Notice
from crlm_pipeline.validation.checks import gate, imputed_dates
from crlm_pipeline.validation.corrections import correction_lines
from crlm_pipeline.validation.cross_table import IMPOSSIBLE, ODD, CrossCheck, Tables, patient_missing
from crlm_pipeline.validation.faults import Place, together
from crlm_pipeline.validation.findings import summarise
from crlm_pipeline.validation.ledger import rejected_rows, row_ledger, shape
from crlm_pipeline.validation.register import Stage
from crlm_pipeline.validation.results import check_results, delivered_columns, set_aside_counts
from crlm_pipeline.validation.screening import Screened, screen
from schemas.audit import SourceFile
from schemas.column import describe
from schemas.extract import EXTRACT_MODELS, Patient


@dataclass(frozen=True, slots=True)
class Ingested:
    """What a run may use, and the record of what it may not.

    `tables`: the extract tables by name, each with its declared columns and types, in reading order. The other frames
    are the audit tables of those names without `run_id`; `corrections` is for the centres alone (see there).
    `cells_delivered` counts the cells that held something.
    `latest_date` is the latest day in the accepted rows, unknown when they hold no date.
    """

    tables: Mapping[str, pl.DataFrame]
    source_file: pl.DataFrame
    row_ledger: pl.DataFrame
    rejected_row: pl.DataFrame
    finding: pl.DataFrame
    finding_row: pl.DataFrame
    check_result: pl.DataFrame
    delivered_column: pl.DataFrame
    set_aside_count: pl.DataFrame
    corrections: pl.DataFrame
    cells_delivered: int
    has_real_calendar: bool
    has_relative_calendar: bool
    latest_date: date | None


def validate(extract: Extract, *, today: date, previous_findings: pl.DataFrame | None = None) -> Ingested:
    """Sort what was read into accepted rows, rejected rows and cells, and findings (extract contract).

    `today` serves one check only: a date after it is rejected. `previous_findings` is `audit.finding` of the last
    published run. Bad data raises nothing; an imbalance of the ledger raises `AssertionError`.
    """
    tables, broken = _checked({describe(model).name: screen(extract, model, today) for model in EXTRACT_MODELS})
    screened = list(tables.values())
    for table in screened:
        gate(table.model, table.accepted)
    finding, finding_row = summarise(_with_notices(extract, broken), screened, previous_findings)
    files = pl.DataFrame([asdict(file) for file in extract.files], schema=shape(SourceFile))
    calendars = {file.calendar for file in extract.files}
    return Ingested(
        tables={name: table.accepted for name, table in tables.items()},
        source_file=files.unique(maintain_order=True),
        row_ledger=row_ledger(extract, screened),
        rejected_row=rejected_rows(extract, screened),
        finding=finding,
        finding_row=finding_row,
        check_result=check_results(extract, screened, broken),
        delivered_column=delivered_columns(extract),
        set_aside_count=set_aside_counts(extract, screened),
        corrections=correction_lines(extract, screened),
        cells_delivered=sum(int(table.read["cell_count"].sum()) for table in screened),
        has_real_calendar="real" in calendars,
        has_relative_calendar="relative" in calendars,
        latest_date=max((day for table in screened if (day := table.latest_date)), default=None),
    )


def _checked(tables: dict[str, Screened]) -> tuple[dict[str, Screened], dict[Place, str]]:
    """Hold the tables against each other: first who is a patient, then what cannot be, last what is odd.

    Returns with them the checks that could not be evaluated, and the kind of exception that each ended with.
    """
    children = tuple(patient_missing(name) for name in tables if name != describe(Patient).name)
    stages: tuple[tuple[Stage, Sequence[CrossCheck]], ...] = (
        ("parents", children),
        ("impossible", IMPOSSIBLE),
        ("odd", ODD),
    )
    broken: dict[Place, str] = {}
    for stage, checks in stages:
        rows = {name: table.rows for name, table in tables.items()}  # the same for all, so that every reason is told
        outcomes = [(check, _evaluated(check, rows)) for check in checks]
        broken |= {check.place: outcome for check, outcome in outcomes if isinstance(outcome, str)}
        tables = _with_faults(tables, stage, _of_table(outcomes))
    tables = _with_faults(tables, "imputed", lambda table: imputed_dates(table.table, table.rows))
    return {name: table.settled() for name, table in tables.items()}, broken


def _evaluated(check: CrossCheck, rows: Tables) -> pl.DataFrame | str:
    """Return the faults of a check, or what kind of exception it ended with: its text may hold a value."""
    try:
        return check.faults(rows)
    except Exception as error:  # one check that is broken must not keep the others from being told
        return type(error).__name__


def _of_table(outcomes: Iterable[tuple[CrossCheck, pl.DataFrame | str]]) -> Callable[[Screened], pl.DataFrame]:
    faults = [(check.table, found) for check, found in outcomes if isinstance(found, pl.DataFrame)]
    return lambda table: together([found for name, found in faults if name == table.table.name])


def _with_faults(
    tables: dict[str, Screened], stage: Stage, find: Callable[[Screened], pl.DataFrame]
) -> dict[str, Screened]:
    return {name: table.counted(stage).with_faults(find(table)) for name, table in tables.items()}


def _with_notices(extract: Extract, broken: Mapping[Place, str]) -> Extract:
    """Return the extract with a notice of every check that could not be evaluated."""
    notices = tuple(
        Notice("check_not_evaluated", "error", None, table, column, f"{name}: the check could not be evaluated.")
        for name, table, column in broken
    )
    return replace(extract, deliveries=(*extract.deliveries, Delivery("", (), (), notices, 0)))
