"""OMOP CDM 5.4: the tables of a delivery, told by their columns, as text with ids and days as they are compared.

A table may come in several files. Column names are read in any case. `person_id` stays as delivered; other ids lose a
`.0` that a tool wrote behind a whole number. A day loses its time of day; `20230517` becomes `2023-05-17`.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.source import Group, Sheet
from crlm_pipeline.extracts.text import SOURCE_ROW

# Table to the columns that tell it; no table has all columns of another.
TELLING: Final[dict[str, tuple[str, ...]]] = {
    "person": ("person_id", "gender_concept_id", "year_of_birth"),
    "observation_period": ("person_id", "observation_period_end_date"),
    "visit_occurrence": ("visit_occurrence_id", "person_id", "visit_concept_id", "visit_start_date"),
    "condition_occurrence": ("person_id", "condition_concept_id", "condition_start_date"),
    "drug_exposure": ("person_id", "drug_concept_id", "drug_exposure_start_date"),
    "procedure_occurrence": ("person_id", "procedure_concept_id", "procedure_date"),
    "measurement": ("person_id", "measurement_concept_id", "measurement_date"),
    "observation": ("person_id", "observation_concept_id", "observation_date"),
    "specimen": ("person_id", "specimen_concept_id", "specimen_date"),
    "death": ("person_id", "death_date"),
    "episode": ("episode_id", "person_id", "episode_concept_id", "episode_start_date"),
    "episode_event": ("episode_id", "event_id", "episode_event_field_concept_id"),
    "care_site": ("care_site_id", "care_site_name"),
    "location": ("location_id", "location_source_value"),
    "concept": ("concept_id", "concept_name", "vocabulary_id", "concept_code"),
}
_FURTHER: Final[dict[str, tuple[str, ...]]] = {
    "person": ("gender_source_value", "care_site_id", "location_id"),
    "observation_period": (),
    "visit_occurrence": ("visit_end_date", "care_site_id"),
    "condition_occurrence": ("condition_occurrence_id", "condition_source_concept_id", "condition_source_value"),
    "drug_exposure": (
        "drug_exposure_id", "drug_source_concept_id", "drug_source_value", "drug_exposure_end_date",
        "verbatim_end_date", "stop_reason", "visit_occurrence_id",
    ),
    "procedure_occurrence": ("procedure_source_concept_id", "procedure_source_value", "visit_occurrence_id"),
    "measurement": (
        "measurement_source_concept_id", "measurement_source_value", "value_as_number", "value_as_concept_id",
        "value_source_value", "unit_concept_id", "unit_source_value", "measurement_event_id",
        "meas_event_field_concept_id", "visit_occurrence_id",
    ),
    "observation": (
        "observation_source_concept_id", "observation_source_value", "value_as_number", "value_as_concept_id",
        "value_as_string", "value_source_value", "unit_concept_id", "unit_source_value", "observation_event_id",
        "obs_event_field_concept_id", "visit_occurrence_id",
    ),
    "specimen": ("specimen_id", "specimen_source_value", "anatomic_site_concept_id", "anatomic_site_source_value"),
    "death": (),
    "episode": ("episode_number",),
    "episode_event": (),
    "care_site": ("location_id", "care_site_source_value"),
    "location": ("country_source_value",),
    "concept": (),
}  # fmt: skip
SHEET: Final = "sheet"  # which of the delivery's sheets a record stands in
PLACE: Final = (SHEET, SOURCE_ROW)
_PERSON: Final = "person_id"
_DAY: Final = r"^(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*)?$"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The tables of a delivery. Each frame has `sheet`, `source_row` and the columns named above, absent ones null."""

    sheets: tuple[Sheet, ...]
    kinds: tuple[str, ...]
    frames: dict[str, pl.DataFrame]

    @staticmethod
    def of(group: Group) -> "Delivery":
        """Gather the OMOP tables of a group; raises `SourceError` for a column that stands twice in other case."""
        told = [(sheet, name) for sheet in group.sheets if (name := kind(sheet))]
        frames = {
            name: pl.concat([_empty(name), *(_frame(i, each, name) for i, (each, of) in enumerate(told) if of == name)])
            for name in TELLING
        }
        return Delivery(tuple(sheet for sheet, _ in told), tuple(name for _, name in told), frames)


def kind(sheet: Sheet) -> str | None:
    """Return which OMOP table a sheet is; None for one that is none, or has the contract's `patient_id`."""
    header = {name.lower() for name in sheet.header}
    if "patient_id" in header:
        return None
    return next((name for name, telling in TELLING.items() if header.issuperset(telling)), None)


def _columns(name: str) -> tuple[str, ...]:
    return (*TELLING[name], *_FURTHER[name])


def _empty(name: str) -> pl.DataFrame:
    return pl.DataFrame(schema={SHEET: pl.Int32, SOURCE_ROW: pl.Int32, **dict.fromkeys(_columns(name), pl.String)})


def _frame(number: int, sheet: Sheet, name: str) -> pl.DataFrame:
    delivered = {column.lower(): column for column in sheet.records.columns}
    if len(delivered) < len(sheet.records.columns):
        problem = "A column stands twice, in upper and lower case."
        raise SourceError(problem, "Name each column once.", sheet.file.name)
    return sheet.records.select(
        pl.lit(number, pl.Int32).alias(SHEET),
        SOURCE_ROW,
        *(_cell(column, delivered.get(column)) for column in _columns(name)),
    )


def _cell(column: str, delivered: str | None) -> pl.Expr:
    if delivered is None:
        return pl.lit(None, pl.String).alias(column)
    text = pl.col(delivered).str.strip_chars()
    if column.endswith("_id") and column != _PERSON:
        text = text.str.strip_suffix(".0")
    elif column.endswith("_date"):
        text = text.str.replace(_DAY, "${1}-${2}-${3}")
    return text.alias(column)


def places(*frames: pl.DataFrame) -> pl.DataFrame:
    """Return where the records of these frames stand, each once."""
    return pl.concat([frame.select(PLACE) for frame in frames]).unique(maintain_order=True)
