"""What a reader of oBDS-RKI XML notices: what made no row, and what a code leaves open."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from crlm_pipeline.extracts import obds
from crlm_pipeline.extracts.format import warning
from crlm_pipeline.extracts.source import Sheet
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.extracts.text import SOURCE_ROW
from crlm_pipeline.extracts.topography import COLORECTAL, dotted

_DATED: Final = {
    "SYST": ("Datum_Beginn_SYST", "drug_exposure", "start_date"),
    "Folgeereignis": ("Datum_Folgeereignis", "outcome", "outcome_date"),
    "Bestrahlung": ("Datum_Beginn_Bestrahlung", "procedure", "procedure_date"),
}


def of_delivery(lists: Mapping[str, Sheet], colorectal: Mapping[str, pl.DataFrame]) -> list[Notice]:
    """Return the notices about a delivery, given its lists and the records of colorectal tumours in them."""
    tumours, kept = lists["Tumor"], colorectal["Tumor"]
    others = tumours.records.join(kept, on=SOURCE_ROW, how="anti")
    without = lists["Patient"].records.join(kept, on="Patient_ID", how="anti", nulls_equal=True)
    contradicting = kept.filter(~dotted("Topographie").str.contains(COLORECTAL))
    courses, radiation = colorectal["SYST"], colorectal["Bestrahlung"]
    unnamed = courses.filter(pl.all_horizontal(pl.col("Substanz", "ATC", "Protokoll", "Protokollschluessel").is_null()))
    found = [
        *_notice("no_colorectal_tumour", lists["Patient"], without, ("patient", None),
                 "the patient has no colorectal tumour in this file; only the patient's own row was made."),
        *_notice("not_colorectal", tumours, others, ("tumour", "topography"),
                 "a tumour outside colon, rectum and intestine NOS makes no row, nor does anything below it."),
        *_notice("site_contradicts_diagnosis", tumours, contradicting, ("tumour", "topography"),
                 "the ICD-O-3 site is not colorectal where the diagnosis is; the site of the diagnosis stands."),
        *_notice("ras_outside_colorectal", tumours, others.drop_nulls("RASMutation"), ("biomarker", "registry_code"),
                 "a RAS entry stands at a tumour that is not colorectal; it makes no row."),
        *_notice("ras_gene_unknown", tumours, kept.filter(pl.col("RASMutation") == "M"), ("biomarker", "result"),
                 "a RAS mutation without its gene: KRAS and NRAS are each unknown."),
        *_notice("drug_not_named", lists["SYST"], unnamed, ("drug_exposure", "drug"),
                 "a course names neither substance nor protocol; it makes no row."),
        *_notice("surgery_not_mapped", lists["OP"], colorectal["OP"], ("procedure", "procedure"),
                 "an operation is told by codes (OPS) that the contract does not know; it makes no row."),
        *_notice("radiation_not_mapped", lists["Bestrahlung"],
                 radiation.filter(pl.col("Metabolisch_Typ").ne_missing("SIRT")), ("procedure", "procedure"),
                 "radiation other than radioembolisation does not tell its organ; it makes no row."),
    ]  # fmt: skip
    for name, (date, table, column) in _DATED.items():
        undated = colorectal[name].filter(obds.day(date).is_null())
        text = "not even the year of the date is exact; it makes no row."
        found += _notice("date_estimated", lists[name], undated, (table, column), text)
    return found


def _notice(
    check_name: str, sheet: Sheet, rows: pl.DataFrame, place: tuple[str, str | None], text: str
) -> list[Notice]:
    """Return a notice about these rows at a table and column, or none where there is no row."""
    if rows.is_empty():
        return []
    table, column = place
    message = f"{sheet.file.name}: {text}"
    return [warning(check_name, sheet, message, table=table, column=column, rows=tuple(rows[SOURCE_ROW]))]
