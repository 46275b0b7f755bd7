"""A registry for the outside checks: each test states one patient, all patients of a module run together as CSV.

A row is a mapping of the extract contract's columns; `{id}` in a patient's id is the name of the test. What a test does
not state is filled with what it is not about (`REQUIRED`), and a cell that is not filled is empty.
"""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from crlm_pipeline.settings import Settings
from flows.steps import Job, annotate, ingest

Row = Mapping[str, Any]
Test = TypeVar("Test", bound=Callable[..., None])

AS_OF = date(2024, 12, 31)
SETTINGS = Settings(as_of=AS_OF, allowed_rejected_share=1.0, guidelines=("esmo",))
REQUIRED: Mapping[str, Row] = {
    "patient": {"centre_id": "home", "country": "ZZ", "birth_year": 1960},
    "tumour": {"tumour_id": "1", "diagnosis_date": "2019-01-01", "topography": "C18.7"},
    "assessment": {"mets_sites": "liver"},
    "biomarker": {"specimen_id": "s1", "specimen_site": "primary"},
    "drug_exposure": {},
    "procedure": {},
    "mdt": {},
    "outcome": {},
}


@dataclass
class Registry:
    """Patients by id, each with the rows of its tables; `raw` rows are written as they are."""

    settings: Settings = SETTINGS
    patients: dict[str, Mapping[str, Sequence[Row]]] = field(default_factory=dict)
    raw: dict[str, list[Row]] = field(default_factory=dict)

    def patient(self, **tables: Sequence[Row]) -> Callable[[Test], Test]:
        """Give the decorated test a patient of its name with these rows."""

        def stated(test: Test) -> Test:
            self.add(test.__name__.removeprefix("test_"), **tables)
            return test

        return stated

    def add(self, patient_id: str, **tables: Sequence[Row]) -> str:
        """Add a patient with these rows and return the id."""
        assert patient_id not in self.patients, f"two patients {patient_id}"
        assert tables.keys() <= REQUIRED.keys(), f"no such table: {tables.keys() - REQUIRED.keys()}"
        self.patients[patient_id] = {"patient": [{}], **tables}
        return patient_id

    def rows(self, table: str) -> list[Row]:
        """Return the rows of a table as they are delivered."""
        stated = [
            {"patient_id": patient_id, **REQUIRED[table], **row}
            for patient_id, tables in self.patients.items()
            for row in tables.get(table, [])
        ]
        return [*stated, *self.raw.get(table, [])]

    def write(self, folder: Path) -> Path:
        """Write one CSV file per table with rows."""
        folder.mkdir()
        for table in REQUIRED:
            if rows := self.rows(table):
                columns = list(dict.fromkeys(name for row in rows for name in row))
                with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as stream:
                    writer = csv.DictWriter(stream, columns, restval="")
                    writer.writeheader()
                    writer.writerows(rows)
        return folder

    def run(self, folder: Path) -> "Answers":
        """Ingest and annotate the registry; return its published warehouse."""
        warehouse = folder / "crlm.duckdb"
        job = Job((self.write(folder / "registry"),), warehouse, folder / "report", settings=self.settings)
        ingest(job)
        annotate(job)
        return Answers(warehouse)


class Answers:
    """What the published warehouse says, asked by SQL as a user would."""

    def __init__(self, warehouse: Path) -> None:
        """Open the file read-only."""
        self._connection = duckdb.connect(str(warehouse), read_only=True)

    def close(self) -> None:
        """Let go of the file: as long as it is open, DuckDB shows this process no newer one of its name."""
        self._connection.close()

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return self._connection.execute(sql, parameters or None).fetchall()

    def one(self, sql: str, **parameters: Any) -> Any:
        """Return the one row of a statement; its only value if it has one."""
        rows = self.rows(sql, **parameters)
        assert len(rows) == 1, f"{len(rows)} rows instead of one"
        return rows[0][0] if len(rows[0]) == 1 else rows[0]

    def column(self, sql: str, **parameters: Any) -> list[Any]:
        """Return the first column of a statement."""
        return [row[0] for row in self.rows(sql, **parameters)]


@dataclass(frozen=True)
class Patient:
    """One patient in the answers."""

    answers: Answers
    patient_id: str

    def asked(self, sql: str) -> Any:
        """Return the one row of a statement about the patient (`$id`)."""
        return self.answers.one(sql, id=self.patient_id)

    def cohort(self, columns: str) -> Any:
        """Return columns of `cohort.patient`."""
        return self.asked(f"select {columns} from cohort.patient where patient_id = $id")  # noqa: S608

    def decisions(self) -> list[str]:
        """Return the ids of the patient's decisions without the patient."""
        ids = self.answers.column(
            "select decision_id from cohort.decision where patient_id = $id order by decision_date, decision_id",
            id=self.patient_id,
        )
        return [decision_id.removeprefix(f"{self.patient_id}/") for decision_id in ids]

    def decision(self, decision: str, columns: str) -> Any:
        """Return columns of a decision; `systemic/1` names it."""
        sql = f"select {columns} from cohort.decision where decision_id = $id"  # noqa: S608
        return self.answers.one(sql, id=f"{self.patient_id}/{decision}")

    def fact(self, columns: str) -> Any:
        """Return columns of the first line's decision."""
        return self.decision("systemic/1", columns)

    def verdict(self, decision: str, guideline: str, columns: str = "verdict") -> Any:
        """Return columns of a verdict."""
        sql = f"select {columns} from cohort.verdict where decision_id = $id and guideline = $guideline"  # noqa: S608
        return self.answers.one(sql, id=f"{self.patient_id}/{decision}", guideline=guideline)

    def lines(self) -> dict[str, str]:
        """Return the regimen of each line, named `1`, `0`, or `0-2` for a further course."""
        rows = self.answers.rows(
            "select line, course, regimen from cohort.line_of_therapy where patient_id = $id order by line, course",
            id=self.patient_id,
        )
        return {str(line) if course == 1 else f"{line}-{course}": regimen for line, course, regimen in rows}

    def roles(self) -> list[tuple[str, str]]:
        """Return substance (or name, if not recognised) and role of each exposure, by start."""
        return self.answers.rows(
            """
            select coalesce(inn, drug), role from cohort.exposure_role
            where patient_id = $id order by start_date, source_row
            """,
            id=self.patient_id,
        )

    def rejections(self) -> list[tuple[Any, ...]]:
        """Return table, scope, check and column of each rejection of a row whose record holds the patient's id."""
        return self.answers.rows(
            """
            select table_name, scope, check_name, column_name from audit.rejected_row
            where contains(raw_row, $id) order by all
            """,
            id=self.patient_id,
        )

    def warnings(self, table: str) -> list[str]:
        """Return the checks of the findings that concern rows of the patient in a table."""
        sql = f"""
            select distinct finding.check_name
            from audit.finding as finding
            inner join audit.finding_row as place using (finding_id)
            inner join extract.{table} as own using (source_file_id, source_row)
            where own.patient_id = $id and place.table_name = $table_name
            order by all
        """  # noqa: S608
        return self.answers.column(sql, id=self.patient_id, table_name=table)


def drugs(names: str, start: str, end: str | None = None, **cells: Any) -> list[Row]:
    """Return one exposure for each drug of `a + b`."""
    return [{"drug": name, "start_date": start, "end_date": end, **cells} for name in names.split(" + ")]


FOLFOX = "fluorouracil + oxaliplatin"
FOLFIRI = "fluorouracil + irinotecan"


def palliative(names: str, start: str, end: str | None = None, **cells: Any) -> list[Row]:
    """Return drugs given with palliative intent."""
    return drugs(names, start, end, **{"intent": "palliative", **cells})


def joined(*parts: Iterable[Row]) -> list[Row]:
    """Return the rows of all parts."""
    return [row for part in parts for row in part]
