"""OMOP measurements and observations in one shape, each with its meaning.

A finding is a measurement or an observation whose concept or source text is understood. Its day is that of the sample:
the conventions of the model ask for the date closest to the drawing of the sample, not for that of the report.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from crlm_pipeline.extracts.omop import PLACE, Delivery
from crlm_pipeline.extracts.omop_concepts import TARGET, Concepts, text_value

_SHARED: Final = (
    "person_id", "value_as_number", "value_as_concept_id", "value_source_value", "unit_concept_id", "unit_source_value",
    "visit_occurrence_id",
)  # fmt: skip
_EVENT_FIELD: Final = {"measurement": "meas_event_field_concept_id", "observation": "obs_event_field_concept_id"}
_RESULT: Final = "biomarker.result"
_NUMBER: Final = r"^[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?$"


def findings(delivery: Delivery, concepts: Concepts, targets: Sequence[str]) -> pl.DataFrame:
    """Return the findings of all persons about these targets: place, `person_id`, `day`, meaning, and what was found.

    `number` is the value as a number in text; `coded` the contract's word for the value, else null; `said` the value in
    words; `unit` ng/mL, mm or cm, null when unknown; `condition_id` and `specimen_id` the record that it modifies.
    """
    records = pl.concat([_records(delivery, name) for name in _EVENT_FIELD])
    known = concepts.with_meaning(records, ("own_concept_id", "standard_concept_id", "source_text"), targets)
    names = concepts.names().select(value_as_concept_id="concept_id", value_name="concept_name")
    understood = known.filter(pl.col(TARGET).is_not_null())
    understood = understood.join(names, on="value_as_concept_id", how="left", maintain_order="left")
    return understood.select(
        *PLACE,
        "person_id",
        "day",
        "source_text",
        "visit_occurrence_id",
        TARGET,
        "value",
        "detail",
        number=_number(),
        coded=pl.coalesce(
            concepts.recoded("value_as_concept_id", _RESULT),
            *(text_value(understood[name], _RESULT) for name in ("value_source_value", "value_name")),
        ),
        said=pl.coalesce("value_source_value", "value_name"),
        unit=pl.coalesce(
            concepts.recoded("unit_concept_id", "unit"), text_value(understood["unit_source_value"], "unit")
        ),
        has_unit=pl.col("unit_source_value").is_not_null() | (pl.col("unit_concept_id") != "0").fill_null(value=False),
        condition_id=pl.when(concepts.means("event_field_concept_id", "event.condition_occurrence")).then("event_id"),
        specimen_id=pl.when(concepts.means("event_field_concept_id", "event.specimen")).then("event_id"),
    )


def _records(delivery: Delivery, name: str) -> pl.DataFrame:
    frame = delivery.frames[name]
    text = pl.coalesce("value_source_value", "value_as_string") if name == "observation" else "value_source_value"
    return frame.with_columns(value_source_value=text).select(
        *PLACE,
        *_SHARED,
        day=f"{name}_date",
        standard_concept_id=f"{name}_concept_id",
        own_concept_id=f"{name}_source_concept_id",
        source_text=f"{name}_source_value",
        event_id=f"{name}_event_id",
        event_field_concept_id=_EVENT_FIELD[name],
    )


def _number() -> pl.Expr:
    """Return the number, else a source value that is one; a decimal comma becomes a point."""
    source = pl.col("value_source_value").str.strip_chars()
    return pl.coalesce("value_as_number", pl.when(source.str.contains(_NUMBER)).then(source)).str.replace(",", ".")
