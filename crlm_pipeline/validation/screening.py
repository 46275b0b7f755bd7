"""One table on its way from delivered text to accepted rows; every row keeps its number, so that none is lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

import polars as pl

from crlm_pipeline.extracts.pseudonyms import patient_hashes
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.validation.casts import cast, earliest
from crlm_pipeline.validation.checks import country_faults, date_faults, declaration_faults, rounded_id_faults
from crlm_pipeline.validation.delivery import ROW_ID, contract_columns, deliver
from crlm_pipeline.validation.faults import DELETED_PATIENT, faults, together, withhold
from crlm_pipeline.validation.keys import is_duplicate, key_faults
from crlm_pipeline.validation.register import Registered, Stage, register
from schemas.column import Table, TableDescription, describe

# The date of a row itself, in the order of preference; a patient has none.
ROW_DATES: Final[dict[str, tuple[str, ...]]] = {
    "patient": (),
    "tumour": ("diagnosis_date",),
    "assessment": ("assessment_date",),
    "biomarker": ("sample_date", "report_date"),
    "drug_exposure": ("start_date",),
    "procedure": ("procedure_date",),
    "mdt": ("mdt_date",),
    "outcome": ("outcome_date",),
}


@dataclass(frozen=True, slots=True)
class Screened:
    """A table with what is known of its rows so far.

    `read`: every delivered row with its place (`source_file_id`, `source_row`), `patient_id`, `centre_id` (where the
    table has one), `row_date` (its own date, if that is one and not in the future), `cell_count` (cells that hold
    something) and `is_duplicate`. `rows`: those still accepted, typed. `found`: the faults. `checked`: the rows that
    each check made so far looked at.
    """

    model: type[Table]
    read: pl.DataFrame
    rows: pl.DataFrame
    found: pl.DataFrame
    checked: Mapping[Registered, int] = field(default_factory=dict)

    @property
    def table(self) -> TableDescription:
        """The declaration of the table."""
        return describe(self.model)

    @property
    def accepted(self) -> pl.DataFrame:
        """The accepted rows with exactly the declared columns."""
        return self.rows.select(self.table.polars_schema.keys())

    @property
    def latest_date(self) -> date | None:
        """The latest day that is certainly reached by a date of the table; of a month or year its first day."""
        days = [earliest(column.name).max() for column in self.table.columns if column.dtype == pl.Date()]
        found = self.rows.select(pl.max_horizontal(days)).item() if days else None
        assert found is None or isinstance(found, date)
        return found

    def with_faults(self, found: pl.DataFrame) -> "Screened":
        """Return the table without the rows and cells that further faults set aside."""
        if found.is_empty():
            return self
        return replace(self, rows=withhold(self.rows, found), found=together([self.found, found]))

    def counted(self, stage: Stage) -> "Screened":
        """Return the table with the number of rows that the checks of a stage, which comes next, look at."""
        checks = [check for check in register() if (check.table, check.stage) == (self.table.name, stage)]
        filled = [
            pl.all_horizontal(pl.lit(True), pl.col(check.own_columns).is_not_null()).sum().alias(str(number))
            for number, check in enumerate(checks)
        ]
        counts = self.rows.select(pl.len().alias("all"), *filled).row(0, named=True)
        looked_at = [counts[str(number)] if check.own_columns else counts["all"] for number, check in enumerate(checks)]
        return replace(self, checked={**self.checked, **dict(zip(checks, looked_at, strict=True))})

    def settled(self) -> "Screened":
        """Return the table with the faults of cells only where the row itself was accepted."""
        of_accepted = pl.col(ROW_ID).is_in(self.rows[ROW_ID].implode())
        return replace(self, found=self.found.filter((pl.col("action") == "row") | of_accepted))


def screen(extract: Extract, model: type[Table], today: date) -> Screened:
    """Cast and check the rows of a table by themselves: deleted patients, duplicates, types, declarations, dates, keys.

    Of a deleted patient's row nothing else is told.
    """
    table = describe(model)
    text = deliver(extract, table)
    typed, cast_faults = cast(text, table)
    deleted = is_deleted(text["patient_id"], extract)
    duplicate = is_duplicate(text, typed, table) & ~deleted
    read = _read(text, typed, table, today).with_columns(duplicate.alias("is_duplicate"))
    rows = typed.filter(~duplicate & ~deleted)
    cast_faults = cast_faults.join(rows, on=ROW_ID, how="semi", maintain_order="left")
    found = [
        faults(DELETED_PATIENT, typed.filter(deleted)),
        cast_faults,
        declaration_faults(model, rows, cast_faults),
        country_faults(table, rows),
        date_faults(table, rows, today),
        rounded_id_faults(table, rows),
    ]
    screened = Screened(model, read, rows, together([])).counted("declared").with_faults(together(found))
    return screened.counted("keys").with_faults(key_faults(screened.rows, table))


def is_deleted(patient_ids: pl.Series, extract: Extract) -> pl.Series:
    """Return whether each id is that of a patient whose data may not be held."""
    if extract.deleted.is_empty():
        return pl.repeat(value=False, n=patient_ids.len(), dtype=pl.Boolean, eager=True)
    return patient_hashes(patient_ids).is_in(extract.deleted["patient_hash"].implode()).fill_null(value=False)


def _read(text: pl.DataFrame, typed: pl.DataFrame, table: TableDescription, today: date) -> pl.DataFrame:
    names = contract_columns(table)
    own_dates = [pl.when(pl.col(name) <= today).then(pl.col(name)) for name in ROW_DATES[table.name]]
    places = typed.select(
        *(ROW_ID, "source_file_id", "source_row", "patient_id", *({"centre_id"} & set(names))),
        pl.coalesce(*own_dates, pl.lit(None, pl.Date)).alias("row_date"),
    )
    cells = text.select(pl.sum_horizontal(pl.col(names).is_not_null()).cast(pl.Int64).alias("cell_count"))
    return places.hstack(cells)
