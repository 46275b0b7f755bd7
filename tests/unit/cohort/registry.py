"""A small registry of one patient for tests: a builder fills what a test does not state."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import polars as pl

from crlm_pipeline.cohort.build import Cohort, build_cohort
from crlm_pipeline.cohort.facts.sources import sources_statement
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from schemas.audit import AUDIT_MODELS, SourceFile
from schemas.cohort import FactSource
from schemas.column import Table, describe
from schemas.extract import EXTRACT_MODELS

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]

_REQUIRED: dict[str, Row] = {
    "patient": {"centre_id": "home", "country": "NL", "birth_year": 1960},
    "tumour": {"tumour_id": "1", "diagnosis_date": "2019-01-01", "topography": "C18.7"},
    "assessment": {"mets_sites": ["liver"]},
    "biomarker": {"specimen_id": "s1"},
}


def frame(model: type[Table], rows: Sequence[Row]) -> pl.DataFrame:
    """Return typed rows of an extract table; dates are ISO text, a cell that is not stated is unknown."""
    table = describe(model)
    filled = [
        {"patient_id": "p", "source_file_id": table.name, "source_row": number, **_REQUIRED.get(table.name, {}), **row}
        for number, row in enumerate(rows, start=1)
    ]
    cells = {column.name: [_cell(row.get(column.name), column.dtype) for row in filled] for column in table.columns}
    unknown = {name for row in rows for name in row} - set(cells)
    assert not unknown, f"{table.name} has no {unknown}"
    return pl.DataFrame(cells, schema=table.polars_schema)


def _cell(value: Any, dtype: pl.DataType) -> Any:
    return date.fromisoformat(value) if dtype == pl.Date and isinstance(value, str) else value


@cache
def _shared_warehouse() -> Warehouse:
    return Warehouse.in_memory()


def warehouse_of(tables: Mapping[str, Sequence[Row]]) -> Warehouse:
    """Return the one warehouse of these tests with these extract rows alone; a patient `p` unless patients are given.

    Creating every table and comment takes longer than the whole build, so that the tables are emptied instead.
    """
    warehouse = _shared_warehouse()
    for model in (*EXTRACT_MODELS, *AUDIT_MODELS):
        warehouse._connection.execute(f"delete from {describe(model).qualified_name}")  # noqa: S608
    for model in EXTRACT_MODELS:
        name = describe(model).name
        warehouse.insert(model, frame(model, tables.get(name, [{}] if name == "patient" else [])))
    return warehouse


def cohort(as_of: str = "2024-12-31", settings: Settings | None = None, **tables: Sequence[Row]) -> Cohort:
    """Build the cohort of these rows, of one patient `p` where they name none."""
    return build_cohort(warehouse_of(tables), settings or Settings(), date.fromisoformat(as_of))


def fact_sources(tables: Mapping[str, Sequence[Row]], as_of: str = "2024-12-31") -> pl.DataFrame:
    """Return the rows of the view `cohort.fact_source` in the warehouse that a run makes of these rows."""
    built = cohort(as_of, **tables)
    with Warehouse.in_memory() as warehouse:
        for model in EXTRACT_MODELS:
            warehouse.insert(model, _shared_warehouse().read(model))
        for model, rows in built.frames.items():
            warehouse.insert(model, rows)
        warehouse.build_view(FactSource, sources_statement(Settings().windows))
        return warehouse.read(FactSource)


def cohort_of(cases: Mapping[str, Tables], as_of: str = "2024-12-31", settings: Settings | None = None) -> Cohort:
    """Build the cohort of many patients at once; each case is a patient of that id with its rows."""
    tables: dict[str, list[Row]] = {}
    for patient_id, case in cases.items():
        for name, rows in {"patient": [{}], **case}.items():
            tables.setdefault(name, []).extend({**row, "patient_id": patient_id} for row in rows)
    return cohort(as_of, settings, **tables)


def source_file(source_file_id: str, calendar: str) -> pl.DataFrame:
    """Return one row of `audit.source_file`."""
    row = {
        "source_file_id": source_file_id,
        "run_id": "r",
        "file_name": "f",
        "format": "canonical",
        "sha256": "0",
        "byte_count": 0,
        "calendar": calendar,
        "row_count": 0,
        "unmapped_count": 0,
    }
    return pl.DataFrame([row], schema=describe(SourceFile).polars_schema)


def decision(built: Cohort, decision_id: str) -> dict[str, Any]:
    """Return one decision."""
    return built.decision.row(by_predicate=pl.col("decision_id") == decision_id, named=True)


def decision_ids(built: Cohort) -> list[str]:
    """Return the ids of all decisions, sorted."""
    return built.decision["decision_id"].sort().to_list()


def folfox(start: str, end: str | None = None, **cells: Any) -> list[Row]:
    """Return a course of FOLFOX."""
    return [{"drug": drug, "start_date": start, "end_date": end, **cells} for drug in ("fluorouracil", "oxaliplatin")]
