"""What a reader of NAACCR XML notices: what made no row, and answers that the standard's own edits would refuse."""

import polars as pl

from crlm_pipeline.extracts import naaccr
from crlm_pipeline.extracts.format import warning
from crlm_pipeline.extracts.source import Sheet
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.extracts.text import SOURCE_ROW


def of_patients(sheet: Sheet, patients: pl.DataFrame, colorectal: pl.DataFrame) -> list[Notice]:
    """Return the notices about patients, given their rows and the colorectal tumours of the file."""
    without = sheet.records.join(colorectal, on="patientIdNumber", how="anti", nulls_equal=True)
    by_age = sheet.records.filter(pl.col("dateOfBirth").is_null() & patients["birth_year"].is_not_null())
    without_centre = patients.filter(pl.col("centre_id") == naaccr.UNKNOWN_CENTRE)
    return [
        *_notice("no_colorectal_tumour", sheet, without, ("patient", None),
                 "the patient has no colorectal tumour in this file; only the patient's own row was made."),
        *_notice("birth_year_from_age", sheet, by_age, ("patient", "birth_year"),
                 "the date of birth is not told; year of diagnosis less age stands in, which may be a year late."),
        *_notice("centre_not_named", sheet, without_centre, ("patient", "centre_id"),
                 f"neither a facility nor a registry is named, so the centre is `{naaccr.UNKNOWN_CENTRE}`."),
    ]  # fmt: skip


def of_tumours(sheet: Sheet, colorectal: pl.DataFrame) -> list[Notice]:
    """Return the notices about tumours, given the colorectal ones."""
    items = naaccr.METASTASIS_ITEMS
    others = sheet.records.join(colorectal, on=SOURCE_ROW, how="anti")
    is_unanswered = pl.any_horizontal(naaccr.is_present(item).is_null() for item in items)
    has_site = pl.any_horizontal(naaccr.is_present(item).fill_null(value=False) for item in items)
    has_m1 = pl.col("m_category").str.starts_with("M1").fill_null(value=False)
    incomplete = colorectal.filter(has_site & is_unanswered)
    undated = colorectal.filter((has_site | has_m1) & pl.col("diagnosis_date").is_null())
    unplaced_cea = colorectal.filter(naaccr.cea().is_not_null() & ~has_site & ~has_m1)
    found = [
        *_notice("not_colorectal", sheet, others, ("tumour", "topography"),
                 "a tumour outside colon, rectum and intestine NOS makes no row."),
        *_notice("mets_sites_incomplete", sheet, incomplete, ("assessment", "mets_sites"),
                 "not every item on metastases at diagnosis is answered, so the list of organs is unknown."),
        *_notice("metastases_without_date", sheet, undated, ("assessment", "assessment_date"),
                 "metastases at a diagnosis without a date make no work-up."),
        *_notice("cea_not_mapped", sheet, unplaced_cea, ("assessment", "cea_ng_ml"),
                 "CEA of a patient without metastases on record makes no work-up."),
    ]  # fmt: skip
    found += _of_recurrences(sheet, colorectal)
    for analyte in naaccr.GENE_ITEMS:
        found += [*_too_early(sheet, colorectal, analyte), *_elsewhere(sheet, colorectal, analyte)]
    if colorectal.height:
        message = f"{sheet.file.name}: treatment has neither drug names nor organs in this format, so it makes no row."
        found.append(warning("treatment_not_carried", sheet, message, table="drug_exposure"))
    return found


def _of_recurrences(sheet: Sheet, colorectal: pl.DataFrame) -> list[Notice]:
    distant = colorectal.filter(pl.col("recurrenceType1st").is_in(naaccr.DISTANT_RECURRENCES))
    undated = distant.filter(pl.col("recurrenceDate1st").is_null())
    unnamed = distant.filter(~pl.col("recurrenceType1st").is_in(list(naaccr.RECURRENCES)))
    return [
        *_notice("recurrence_without_date", sheet, undated, ("assessment", "assessment_date"),
                 "a recurrence in a distant organ has no date; it makes no row."),
        *_notice("recurrence_organ_unknown", sheet, unnamed, ("assessment", "mets_sites"),
                 "the type of a distant recurrence does not tell its organs, so that the liver may be among them."),
    ]  # fmt: skip


def _too_early(sheet: Sheet, colorectal: pl.DataFrame, analyte: str) -> list[Notice]:
    year = naaccr.EFFECTIVE_FROM.get(analyte)
    if year is None:
        return []
    rows = colorectal.filter(pl.col(naaccr.GENE_ITEMS[analyte]).is_not_null() & (pl.col("year") < year))
    text = f"the item on {analyte.upper()} exists for diagnoses from {year} on and must be blank before."
    return _notice(f"{analyte}_before_{year}", sheet, rows, ("biomarker", "registry_code"), text)


def _elsewhere(sheet: Sheet, colorectal: pl.DataFrame, analyte: str) -> list[Notice]:
    code = naaccr.ELSEWHERE.get(analyte)
    rows = colorectal.filter(pl.col(naaccr.GENE_ITEMS[analyte]) == code) if code else colorectal.clear()
    text = f"{analyte.upper()} is mutated in none of the codons that the item names; it counts as mutated all the same."
    return _notice(f"{analyte}_mutated_elsewhere", sheet, rows, ("biomarker", "registry_code"), text)


def _notice(
    check_name: str, sheet: Sheet, rows: pl.DataFrame, place: tuple[str, str | None], text: str
) -> list[Notice]:
    """Return a notice about these rows at a table and column, or none where there is no row."""
    if rows.is_empty():
        return []
    table, column = place
    message = f"{sheet.file.name}: {text}"
    return [warning(check_name, sheet, message, table=table, column=column, rows=tuple(rows[SOURCE_ROW]))]
