"""Runs every check in order and hands over what was accepted, what was not, and the proof that nothing was lost."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Final

import polars as pl

from crlm_pipeline.extracts.tables import Delivery, Extract, Notice
from crlm_pipeline.validation.checks import gate, imputed_dates
from crlm_pipeline.validation.corrections import correction_lines, in_order
from crlm_pipeline.validation.cross_table import IMPOSSIBLE, ODD, CrossCheck, Tables, patient_missing
from crlm_pipeline.validation.faults import Place, together
from crlm_pipeline.validation.findings import summarise, told
from crlm_pipeline.validation.ledger import check_balance, rejected_rows, row_ledger, shape, whole_ledger
from crlm_pipeline.validation.places import home_centres
from crlm_pipeline.validation.portions import Accepted, held, portions
from crlm_pipeline.validation.register import Registered, Stage
from crlm_pipeline.validation.results import (
    added_up,
    check_results,
    delivered_columns,
    failures,
    set_aside_counts,
)
from crlm_pipeline.validation.screening import Screened, screen
from schemas.audit import SourceFile
from schemas.column import describe
from schemas.extract import EXTRACT_MODELS, Patient

# Their rows take some hundred MB while they are checked; fewer would pay the fixed cost of a portion more often.
PATIENTS_AT_A_TIME: Final = 50_000


@dataclass(frozen=True, slots=True)
class Ingested:
    """What a run may use, and the record of what it may not.

    `tables`: the extract tables by name, each with its declared columns and types (`Accepted`). The other frames
    are the audit tables of those names without `run_id`; `corrections` is for the centres alone (see there).
    `cells_delivered` counts the cells that held something.
    `latest_date` is the latest day in the accepted rows, unknown when they hold no date.
    """

    tables: Accepted
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of some of the patients: what `Ingested` holds of all, and what its tables are summed up from.

    `told`: a line per fault (`findings.told`). `checked`, `failed`: rows by check. `broken`: by check that could not be
    evaluated the kind of exception that it ended with.
    """

    accepted: dict[str, pl.DataFrame]
    row_ledger: pl.DataFrame
    rejected_row: pl.DataFrame
    told: pl.DataFrame
    checked: Counter[Registered]
    failed: Counter[Place]
    broken: Mapping[Place, str]
    set_aside_count: pl.DataFrame
    corrections: pl.DataFrame
    cells_delivered: int
    latest_date: date | None


def validate(
    extract: Extract,
    *,
    today: date,
    previous_findings: pl.DataFrame | None = None,
    others: Outcome | None = None,
    patients_at_a_time: int = PATIENTS_AT_A_TIME,
) -> Ingested:
    """Sort what was read into accepted rows, rejected rows and cells, and findings (extract contract).

    `today` serves one check only: a date after it is rejected. `previous_findings` is `audit.finding` of the last
    published run. `others`: what came of patients whose rows are not in the extract, all of its files' all the same
    (`on_record`). `patients_at_a_time` bounds the memory and changes nothing else, but that tables come by portions of
    patients. Bad data raises nothing; an imbalance of the ledger raises `AssertionError`.
    """
    own = outcomes(extract, today, patients_at_a_time)
    check_balance(extract, [part.row_ledger for part in own])
    parts = [*own, *([others] if others else [])]
    broken = {place: outcome for part in parts for place, outcome in part.broken.items()}
    told_of = _with_notices(extract, broken)
    finding, finding_row = summarise(told_of, [part.told for part in parts], previous_findings)
    checked: Counter[Registered] = sum((part.checked for part in parts), Counter())
    failed: Counter[Place] = sum((part.failed for part in parts), Counter())
    files = pl.DataFrame([asdict(file) for file in extract.files], schema=shape(SourceFile))
    calendars = {file.calendar for file in extract.files}
    return Ingested(
        tables=Accepted([part.accepted for part in parts]),
        source_file=files.unique(maintain_order=True),
        row_ledger=whole_ledger([part.row_ledger for part in parts]),
        rejected_row=pl.concat([part.rejected_row for part in parts]),
        finding=finding,
        finding_row=finding_row,
        check_result=check_results(extract, checked, failed, broken),
        delivered_column=delivered_columns(extract),
        set_aside_count=added_up([part.set_aside_count for part in parts]),
        corrections=in_order(pl.concat([part.corrections for part in parts])),
        cells_delivered=sum(part.cells_delivered for part in parts),
        has_real_calendar="real" in calendars,
        has_relative_calendar="relative" in calendars,
        latest_date=max((day for part in parts if (day := part.latest_date)), default=None),
    )


def outcomes(extract: Extract, today: date, patients_at_a_time: int = PATIENTS_AT_A_TIME) -> list[Outcome]:
    """Return what comes of the patients of an extract, by portions of them, at least one."""
    return [_outcome(portion, today) for portion in portions(extract, patients_at_a_time)]


def _outcome(extract: Extract, today: date) -> Outcome:
    tables, broken = _checked({describe(model).name: screen(extract, model, today) for model in EXTRACT_MODELS})
    screened = list(tables.values())
    for table in screened:
        gate(table.model, table.accepted)
    homes = home_centres(screened)
    return Outcome(
        accepted={name: held(table.accepted) for name, table in tables.items()},
        row_ledger=row_ledger(extract, screened),
        rejected_row=rejected_rows(extract, screened),
        told=told(screened, homes),
        checked=Counter({check: count for table in screened for check, count in table.checked.items()}),
        failed=Counter(failures(screened)),
        broken=broken,
        set_aside_count=set_aside_counts(extract, screened, homes),
        corrections=correction_lines(extract, screened, homes),
        cells_delivered=sum(int(table.read["cell_count"].sum()) for table in screened),
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
