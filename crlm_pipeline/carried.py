"""Patients of whom nothing changed since the published run: their judged rows are carried over as they stand.

What the cohort holds of a patient follows from the patient's rows in the extract, from what the audit says of them
(calendar, imputed dates), from the day of the run, and from its code, knowledge and settings
(`provenance.judgement_key`); from nothing else. A warehouse that is built beside the published one can tell by SQL of
whom all of these are the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from crlm_pipeline.cohort.build import NOTICED
from crlm_pipeline.ddl import quoted
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.guidelines.earlier import SHARED_MODELS
from crlm_pipeline.patient_rows import accepted_rows, of_every_table, of_others
from crlm_pipeline.warehouse import Warehouse
from schemas.cohort import COHORT_MODELS, FactSource, Recommendation, RequiredTest
from schemas.column import Table, TableDescription, describe
from schemas.extract import Patient

# Views find these again.
_STORED: Final = tuple(model for model in COHORT_MODELS if model not in (FactSource, Recommendation, RequiredTest))
_OF_PATIENTS: Final = tuple(model for model in _STORED if model not in SHARED_MODELS)


@dataclass(frozen=True, slots=True)
class Carried:
    """What was carried over: rows by table, what they share by number, what was noticed; `anew`: whom to judge.

    `anew` (`patient_id`): the patients of the extract of whom nothing was carried over. `shared` is not stored yet.
    """

    anew: pl.DataFrame
    counts: Mapping[str, int]
    shared: Mapping[type[Table], pl.DataFrame]
    notices: tuple[Notice, ...]


def carry_over(warehouse: Warehouse, as_of: date) -> Carried:
    """Copy the judged rows of patients of whom nothing changed into a warehouse that was ingested.

    It is built beside the published one (`warehouse.building`), which has the same judgement key and no lake.
    """
    warehouse.define("differing", of_every_table(_differing))
    warehouse.define("accepted_row", of_every_table(accepted_rows))
    warehouse.register_query("changed", "carried/changed", as_of=as_of)
    warehouse.register_query("changed_decision", "carried/changed_decisions")
    counts = {describe(model).name: warehouse.insert_rows(model, _standing(describe(model))) for model in _OF_PATIENTS}
    return Carried(
        anew=warehouse.query("carried/anew"),
        counts=counts,
        shared={model: warehouse.query(f"carried/{describe(model).name}") for model in SHARED_MODELS},
        notices=_notices(warehouse),
    )


def nothing_carried(warehouse: Warehouse) -> Carried:
    """Return that of every patient of the extract nothing is carried over, as in a first run."""
    none = {model: pl.DataFrame(schema=describe(model).polars_schema) for model in SHARED_MODELS}
    return Carried(warehouse.read(Patient).select("patient_id"), {}, none, ())


def _differing(table: TableDescription) -> str:
    """Return the query for the patients whose rows in a table are not what they were.

    Rows are compared by the sums of their hashes: one that changed is overlooked once in 2^64.
    """
    # The hash of an empty list is that of none.
    cells = ", ".join(
        f"{quoted(column.name)}::varchar" if column.is_list else quoted(column.name) for column in table.columns
    )
    sides = (("", 1), ("before.", -1))
    rows = " union all ".join(
        f"select patient_id, {side} as side, hash({cells}) as cells from {catalog}{table.qualified_name}"  # noqa: S608
        for catalog, side in sides
    )
    is_changed = "sum(side) <> 0 or sum(side * cells::hugeint) <> 0"
    return f"select patient_id from ({rows}) group by patient_id having {is_changed}"  # noqa: S608  # declared names


def _standing(table: TableDescription) -> str:
    """Return the query for the published rows of a table that stand."""
    names = [column.name for column in table.columns]
    key, changed = ("patient_id", "changed") if "patient_id" in names else ("decision_id", "changed_decision")
    return of_others(table, changed, key)


def _notices(warehouse: Warehouse) -> tuple[Notice, ...]:
    found = warehouse.query("carried/notices", checks=list(NOTICED)).rename({"source_rows": "rows"})
    return tuple(Notice(**{**row, "rows": tuple(row["rows"])}) for row in found.iter_rows(named=True))
