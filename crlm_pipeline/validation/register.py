"""Every check that validation makes, whether or not anything fails it: what `audit.check_result` has a row for."""

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from crlm_pipeline.validation.casts import cast_check
from crlm_pipeline.validation.checks import (
    country_check,
    declaration_checks,
    future_check,
    imputed_check,
    rounded_id_check,
)
from crlm_pipeline.validation.cross_table import IMPOSSIBLE, ODD, CrossCheck, patient_missing
from crlm_pipeline.validation.faults import DELETED_PATIENT, Check, Place
from crlm_pipeline.validation.keys import IN_TWO_CENTRES, key_check
from schemas.column import SOURCE_COLUMNS, Column, Date, TableDescription, describe
from schemas.extract import EXTRACT_MODELS, Patient

# The order in which rows are set aside: what a stage looks at is what the one before it has left.
Stage = Literal["declared", "keys", "parents", "impossible", "odd", "imputed"]
Kind = Literal["conformance", "plausibility", "deletion"]

# On a pseudo-calendar these say nothing; a row that fails them all the same is set aside and shown.
_OF_A_REAL_CALENDAR: Final = ("date_in_future", "under_18_at_diagnosis")


@dataclass(frozen=True, slots=True)
class Registered:
    """A check of a table and when it is made. `reads`: the columns without which nothing can fail it.

    Those of the table itself must be filled for a row to be checked; those of others are named `table.column`.
    """

    table: str
    check: Check
    stage: Stage
    kind: Kind
    reads: tuple[str, ...]

    @property
    def place(self) -> Place:
        """Check, table and column."""
        return self.check.name, self.table, self.check.column

    @property
    def own_columns(self) -> list[str]:
        """The columns of the table itself that it reads."""
        return [name for name in self.reads if "." not in name]

    @property
    def needs_real_calendar(self) -> bool:
        """Whether it compares with a day of the real world."""
        return self.check.name in _OF_A_REAL_CALENDAR

    def columns(self) -> list[tuple[str, str]]:
        """Return every column that it reads, with its table."""
        parts = [name.rpartition(".") for name in self.reads]
        return [(table or self.table, column) for table, _, column in parts]


@cache
def register() -> tuple[Registered, ...]:
    """Return every check, by table and stage."""
    tables = [describe(model) for model in EXTRACT_MODELS]
    parents = [patient_missing(table.name) for table in tables if table.name != describe(Patient).name]
    crossing = [
        *(_crossing(check, "parents", "conformance") for check in parents),
        *(_crossing(check, "impossible", "plausibility") for check in IMPOSSIBLE),
        *(_crossing(check, "odd", "plausibility") for check in ODD),
    ]
    found: list[Registered] = []
    for table in tables:
        found.append(Registered(table.name, DELETED_PATIENT, "declared", "deletion", ("patient_id",)))
        found += [*_of_columns(table), *_of_keys(table), *(one for one in crossing if one.table == table.name)]
        found += [
            Registered(table.name, imputed_check(column), "imputed", "conformance", (column.name,))
            for column in table.columns
            if column.dtype == Date()
        ]
    return tuple(found)


def _of_columns(table: TableDescription) -> list[Registered]:
    """Return the checks of single cells; whether a cell is empty is asked of every row, the rest of filled cells."""
    return [
        Registered(
            table.name, check, "declared", "conformance", () if check.name == "required_empty" else (column.name,)
        )
        for column in table.columns
        if column.name not in SOURCE_COLUMNS
        for check in _checks_of(column)
    ]


def _checks_of(column: Column) -> list[Check]:
    checks = [*filter(None, [cast_check(column)]), *declaration_checks(column)]
    checks += [country_check(column)] if column.name == "country" else []
    checks += [rounded_id_check(column)] if column.sensitivity == "identifier" else []
    return [*checks, future_check(column)] if column.dtype == Date() else checks


def _of_keys(table: TableDescription) -> list[Registered]:
    if not table.key:
        return []
    checks = [key_check(table), IN_TWO_CENTRES] if table.name == describe(Patient).name else [key_check(table)]
    return [Registered(table.name, check, "keys", "conformance", table.key) for check in checks]


def _crossing(crossing: CrossCheck, stage: Stage, kind: Kind) -> Registered:
    return Registered(crossing.table, crossing.check, stage, kind, crossing.reads)
