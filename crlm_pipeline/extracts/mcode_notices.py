"""What a reader of mCODE notices: what made no row, what was taken for what it may not be, and what is not told."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from crlm_pipeline.extracts import mcode_assays as assays
from crlm_pipeline.extracts import mcode_disease as disease
from crlm_pipeline.extracts.format import warning
from crlm_pipeline.extracts.mcode import RECORD, SHEET, Delivery
from crlm_pipeline.extracts.mcode_facts import Facts
from crlm_pipeline.extracts.mcode_treatment import REQUEST
from crlm_pipeline.extracts.source import Sheet
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.extracts.text import SOURCE_ROW

UNKNOWN_CENTRE: Final = "unknown"
UNKNOWN_COUNTRY: Final = "ZZ"

_Rows = pl.DataFrame
# A check, the records it tells of, the table and column, and what it says of them.
_Told = tuple[str, _Rows, str, str | None, str]


def of_delivery(delivery: Delivery, facts: Facts, tables: Mapping[str, _Rows], completing: _Rows) -> list[Notice]:
    """Return the notices about a delivery, given the rows that were made and the records that complete them.

    A record that makes no row, completes none and is told by no other notice is counted by its type.
    """
    told = [
        *_of_people(facts, tables),
        *_of_disease(facts),
        *_of_measurements(facts),
        *_of_assays(facts),
        *_of_care(facts),
    ]
    found = [notice for each in told for notice in _notices(delivery.sheets, each)]
    accounted = [completing, *tables.values(), *(records for _, records, *_ in told)]
    return [*found, *_uncounted(delivery, pl.concat([records.select(RECORD) for records in accounted]))]


def _notices(sheets: Sequence[Sheet], told: _Told) -> Iterator[Notice]:
    """Yield one notice per list that has such records."""
    check, records, table, column, text = told
    for (number,), rows in records.partition_by(SHEET, as_dict=True, maintain_order=True).items():
        sheet = sheets[int(number)]
        message = f"{sheet.file.name}, {sheet.name}: {text}"
        numbers = tuple(rows[SOURCE_ROW].unique().sort())
        yield warning(check, sheet, message, table=table, column=column, rows=numbers)


def _of_people(facts: Facts, tables: Mapping[str, _Rows]) -> list[_Told]:
    people = tables["patient"]
    without = people.join(facts.colorectal, left_on="patient_id", right_on="patient", how="anti", nulls_equal=True)
    stated = facts.lists["Patient"].drop_nulls("country").join(people, on=list(RECORD)).filter(
        pl.col("country_right") == UNKNOWN_COUNTRY
    )  # fmt: skip
    return [
        ("no_colorectal_tumour", without, "patient", None,
         "the patient has no colorectal tumour in this delivery."),
        ("centre_not_named", people.filter(pl.col("centre_id") == UNKNOWN_CENTRE), "patient", "centre_id",
         f"no organisation manages the patient or gave an encounter, so the centre is `{UNKNOWN_CENTRE}`."),
        ("country_not_known", stated, "patient", "country",
         f"the country of the address is no ISO 3166-1 code, so the country is {UNKNOWN_COUNTRY}."),
    ]  # fmt: skip


def _of_disease(facts: Facts) -> list[_Told]:
    cancers = facts.lists["Condition"].filter(pl.any_horizontal(pl.col("is_cancer", "is_secondary") == "true"))
    elsewhere = pl.concat([records.select(RECORD) for records in facts.elsewhere.values()])
    found = facts.lists["Observation"]
    is_category = pl.col("kind").str.contains("^[tnm]_")
    is_staging = is_category | (pl.col("kind") == "nodes_positive")
    made = found.filter(~pl.col("status").is_in(disease.NOT_MADE).fill_null(value=False))
    unlinked = made.filter(is_staging).join(facts.staged, on=list(RECORD), how="anti")
    unread = facts.staged.filter(is_category, pl.col("answer").is_null())
    judged = made.filter(
        pl.col("kind") == "disease_status", pl.col("answer").fill_null("undetermined") == "undetermined"
    )
    return [
        ("condition_not_confirmed", cancers.filter(disease.is_doubted()), "tumour", None,
         "the diagnosis is refuted, entered in error or not confirmed; it makes no row."),
        ("not_colorectal", facts.other_cancers, "tumour", "topography",
         "a cancer outside colon, rectum and intestine NOS, or of no site, makes no row."),
        ("of_other_cancer", elsewhere, "tumour", None,
         "the record is about a cancer elsewhere; it makes no row."),
        ("metastasis_undated", facts.spread.filter(pl.col("day").is_null()), "assessment", "assessment_date",
         "the metastasis has no day; it makes no row, and the organs of its patient are unknown."),
        ("metastasis_organ_unknown", facts.spread.filter(pl.col("organ").is_null()), "assessment", "mets_sites",
         "the organ of the metastasis is not told by a code in the list, so the organs of its patient are unknown."),
        ("staging_not_linked", unlinked, "tumour", "t_category",
         "the category names no tumour of the delivery, and its patient has none or several; it is left out."),
        ("category_not_understood", unread, "tumour", "t_category",
         "the category is written in no way that is known here; it is unknown."),
        ("disease_status_undetermined", judged, "outcome", "outcome",
         "the status of the disease is undetermined; it makes no row."),
    ]  # fmt: skip


def _of_measurements(facts: Facts) -> list[_Told]:
    early = facts.measured.join(facts.measured_in_time, on=list(RECORD), how="anti")
    within = facts.measured_in_time
    differing = within.filter(pl.col("value").n_unique().over("patient", "day", "kind") > 1)
    repeated = differing.filter(pl.col("kind") != "tumour_size")
    return [
        ("measured_before_metastases", early, "assessment", "assessment_date",
         "no metastasis is on record by that day; CEA, ECOG and size make no work-up of metastases."),
        ("measurement_undated", within.filter(pl.col("day").is_null()), "assessment", "assessment_date",
         "the measurement has no day; it makes no row."),
        ("value_not_used", within.filter(pl.col("value").is_null()), "assessment", None,
         "the value is missing, a bound (< or >) or in a unit that is not known here; it is unknown."),
        ("measurements_differ", repeated, "assessment", None,
         "several values of one day differ; the first of the delivery stands."),
    ]  # fmt: skip


def _of_assays(facts: Facts) -> list[_Told]:
    found = facts.lists["Observation"]
    not_made = found.filter(pl.col("kind").is_not_null(), pl.col("status").is_in(disease.NOT_MADE))
    named = facts.assays.filter(pl.col("analyte").is_not_null())
    where = ["patient", "specimen_id", "analyte"]
    alone = facts.regions.join(facts.assays.filter(assays.is_of_contract()), on=where, how="anti")
    return [
        ("observation_not_made", not_made, "biomarker", None,
         "the observation was cancelled or entered in error; it makes no row."),
        ("gene_not_named", facts.assays.filter(pl.col("analyte").is_null()), "biomarker", "analyte",
         "the variant names no gene (LOINC 48018-6); it makes no row."),
        ("gene_not_in_contract", named.filter(~assays.is_of_contract()), "biomarker", "analyte",
         "the gene is none of the extract contract; it makes no row."),
        ("region_without_result", alone, "biomarker", "region_tested",
         "a region was studied, and no result of its gene and specimen is on record; nothing follows from that."),
    ]  # fmt: skip


def _of_care(facts: Facts) -> list[_Told]:
    procedures, drugs = facts.lists["Procedure"], facts.named_drugs
    is_given, is_request = pl.col("is_given") == "true", pl.col("kind") == REQUEST
    used = facts.given_drugs
    done = procedures.filter(pl.col("is_done") == "true")
    unmapped = done.filter(pl.col("procedure").is_null()).join(facts.resected, on=list(RECORD), how="anti")
    return [
        ("treatment_not_given", drugs.filter(~is_given), "drug_exposure", None,
         "by its status or intent the drug was not given or not ordered; it makes no row."),
        ("request_taken_as_given", used.filter(is_request), "drug_exposure", None,
         "nothing tells that the drug was given; the request stands for it."),
        ("request_not_used", drugs.filter(is_request, is_given).join(used, on=list(RECORD), how="anti"),
         "drug_exposure", None, "an administration or statement tells of the same drug; the request makes no row."),
        ("procedure_not_done", procedures.filter(pl.col("is_done") != "true"), "procedure", None,
         "by its status the procedure was not done; it makes no row."),
        ("procedure_not_mapped", unmapped, "procedure", "procedure",
         "the procedure is no local treatment of the liver and no resection of a tumour of the delivery that is told "
         "by a code or word in the list."),
    ]  # fmt: skip


def _uncounted(delivery: Delivery, accounted: _Rows) -> Iterator[Notice]:
    """Yield per file how many further records of each type it holds."""
    records = pl.concat([records.select(*RECORD, "type") for records in delivery.lists.values()])
    left = records.join(accounted, on=list(RECORD), how="anti")
    counted = left.group_by(SHEET, "type").len().sort(SHEET, "type", nulls_last=True)
    for number, type_, count in counted.iter_rows():
        sheet = delivery.sheets[number]
        named = f"of type {type_}" if type_ else "of an unknown type or without a resource"
        message = f"{sheet.file.name}: {count} records {named} have no place in the contract, or complete no row."
        yield warning("resource_not_mapped", sheet, message)
