"""What a reader of OMOP tables notices: persons without a colorectal tumour, and records that found no place."""

import polars as pl

from crlm_pipeline.extracts.format import Mapped, warning
from crlm_pipeline.extracts.omop import SHEET, Delivery
from crlm_pipeline.extracts.omop_people import UNKNOWN_CENTRE, UNKNOWN_COUNTRY
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.extracts.text import SOURCE_ROW


def of_persons(delivery: Delivery, patients: pl.DataFrame, persons: pl.DataFrame) -> list[Notice]:
    """Return the notices about persons, given their rows and the persons (`person_id`) with a colorectal tumour."""
    without = patients.join(persons, left_on="patient_id", right_on="person_id", how="anti", nulls_equal=True)
    found: list[Notice] = []
    for rows, check, column, text in (
        (without, "no_colorectal_tumour", None,
         "the person has no colorectal tumour on record; only the patient's own row was made."),
        (patients.filter(pl.col("centre_id") == UNKNOWN_CENTRE), "centre_not_named", "centre_id",
         f"neither person nor visit names a care site, so the centre is `{UNKNOWN_CENTRE}`."),
        (patients.filter(pl.col("country") == UNKNOWN_COUNTRY), "country_not_named", "country",
         "no location gives the country as two letters (country_source_value), so it is unknown."),
    ):  # fmt: skip
        for number, sheet in enumerate(delivery.sheets):
            of_sheet = rows.filter(pl.col(SHEET) == number)
            if of_sheet.height:
                message = f"{sheet.file.name}: {text}"
                places = tuple(of_sheet[SOURCE_ROW])
                found.append(warning(check, sheet, message, table="patient", column=column, rows=places))
    return found


def of_vocabulary(delivery: Delivery) -> list[Notice]:
    """Return the notice that no vocabulary came along."""
    if "concept" in delivery.kinds:
        return []
    sheet = delivery.sheets[delivery.kinds.index("person")]
    message = "No table of concepts came along: only listed concept ids and source values are understood."
    return [warning("vocabulary_not_delivered", sheet, message)]


def of_records(delivery: Delivery, mapped: list[Mapped], persons: pl.DataFrame) -> list[Notice]:
    """Return one notice per file with records that made no row and completed none, with their counts."""
    notices = [_not_mapped(delivery, each, persons) for each in mapped if each.unmapped_count]
    return [notice for notice in notices if notice]


def _not_mapped(delivery: Delivery, mapped: Mapped, persons: pl.DataFrame) -> Notice:
    number = delivery.sheets.index(mapped.sheet)
    kind = delivery.kinds[number]
    records = delivery.frames[kind].filter(pl.col(SHEET) == number)
    others = records.join(persons, on="person_id", how="anti", nulls_equal=True).height
    message = (
        f"{mapped.sheet.file.name}: {mapped.unmapped_count} of {records.height} records of {kind} have no place in the "
        f"contract ({others} are of persons without a colorectal tumour)."
    )
    return warning("records_not_mapped", mapped.sheet, message)
