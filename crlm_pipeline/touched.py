"""The patients whom an addition touches. Of all others the rows stand, and what validation made of them.

What validation says of a patient follows from the patient's rows in their order, from the files that they came from,
from the day of the run, and from code and knowledge (`provenance.judgement_key`); from nothing else. So it touches a
patient, if rows of the patient arrive, or a date of the patient may be in the future on one of both days only.
"""

from datetime import date

import polars as pl

from crlm_pipeline.archive import Archive
from crlm_pipeline.ddl import literal, quoted
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.patient_rows import accepted_rows, dates, of_every_table, patient_and_place
from crlm_pipeline.validation.delivery import archived, contract_columns
from crlm_pipeline.warehouse import Warehouse
from schemas.archive import DELIVERED_MODELS
from schemas.audit import CheckResult, Run
from schemas.column import TableDescription, describe
from schemas.extract import Patient, extract_tables
from schemas.layout import LAYOUT


def nobody() -> pl.DataFrame:
    """Return no patient, in the shape of those that are touched."""
    return pl.DataFrame(schema={"patient_id": pl.String})


def is_still_valid(published: Warehouse, judgement_key: str) -> bool:
    """Whether what a published run made of rows would be made of them again, by code and knowledge of that key.

    Rows that lie in a lake are validated anew, and all where a check could not be evaluated.
    """
    if published.layout != LAYOUT:
        return False
    run = published.read(Run).row(0, named=True)
    has_defect = "error" in published.read(CheckResult)["status"]
    return run["judgement_key"] == judgement_key and run["lake"] is None and not has_defect


def touched(published: Warehouse, known: Archive, arrived: Extract, today: date) -> pl.DataFrame | None:
    """Return whom an addition touches (`patient_id`, unknown: rows without a patient); None: everybody may be.

    `known`: the archive of the published warehouse, rows aside. Everybody is where a patient is to be deleted, and
    where a file is known otherwise. It leaves what `on_record` reads: the frames `touched` and `read_again`, and more.
    """
    if arrived.deleted.height > known.deletions.height or _is_known_otherwise(known, arrived):
        return None
    _define(published)
    again = known.files.select("source_file_id").filter(
        pl.col("source_file_id").is_in([file.source_file_id for file in arrived.files])
    )
    everything = again.unique().join(pl.DataFrame({"table_name": list(extract_tables())}), how="cross")
    published.register("read_again", pl.concat([published.query("carried/unkept"), everything]).unique())
    published.register_query("last_day", "carried/last_days")
    found = pl.concat([*_arrived(arrived), _awaiting(published, today)]).unique()
    while True:
        published.register("touched", found)
        too = published.query("carried/touched_too")
        # They are validated as they were and as they are: of more than half, that is no less than validating all once.
        if 2 * (found.height + too.height) > published.count(Patient):
            return None
        if too.is_empty():
            return found.sort("patient_id")
        found = pl.concat([found, too])


def _is_known_otherwise(known: Archive, arrived: Extract) -> bool:
    before = {row["source_file_id"]: row for row in known.files.drop("delivery_id").iter_rows(named=True)}
    return any(
        any(getattr(file, name) != value for name, value in before[file.source_file_id].items())
        for file in arrived.files
        if file.source_file_id in before
    )


def _arrived(arrived: Extract) -> list[pl.DataFrame]:
    """Return who is in each table that arrived; rows without a patient are always among those that are touched."""
    without = pl.DataFrame({"patient_id": [None]}, schema={"patient_id": pl.String})
    tables = [archived(arrived.deliveries, table) for table in extract_tables().values()]
    return [without, *(table.select(pl.col("patient_id").unique().cast(pl.String)) for table in tables)]


def _awaiting(published: Warehouse, today: date) -> pl.DataFrame:
    validated_on = published.read(Run)["started_at"].item().date()
    if validated_on == today:
        return nobody()
    day = min(today, validated_on)
    published.define("awaiting_row", of_every_table(lambda table: _awaiting_row(table, day)))
    return published.query("carried/awaiting")


def _define(published: Warehouse) -> None:
    published.define("standing_row", of_every_table(_standing_row))
    published.define("standing_count", of_every_table(_standing_count))
    published.define("accepted_row", of_every_table(accepted_rows))


def _standing_row(table: TableDescription) -> str:
    """Return the query for patient and place of each row of a table that stands."""
    rows = f"{_archived(table)} where superseded_run_id is null"
    return f"select {patient_and_place(table)} from {rows}"  # noqa: S608  # declared names


def _standing_count(table: TableDescription) -> str:
    """Return the query for the number of rows of a table that stand, and of their cells that hold something."""
    cells = " + ".join(f"count({quoted(name)})" for name in contract_columns(table))
    counts = f"count(*) as row_count, {cells} as cell_count"
    return f"select {counts} from {_archived(table)} where superseded_run_id is null"  # noqa: S608  # as above


def _awaiting_row(table: TableDescription, day: date) -> str:
    """Return the query for the patients of rows with a date after a day, or in its month or year where no day is known.

    Dates are text here; what begins with no digit is none.
    """
    told = literal(str(day))
    is_later = " or ".join(
        f"({name} > {told} and {name} < ':') or ({name} <> '' and starts_with({told}, {name}))" for name in dates(table)
    )
    return f"select patient_id from {_archived(table)} where superseded_run_id is null and ({is_later})"  # noqa: S608  # as above


def _archived(table: TableDescription) -> str:
    return describe(DELIVERED_MODELS[table.name]).qualified_name
