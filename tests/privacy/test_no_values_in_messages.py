"""No cell of an extract reaches a message: every cell of every table holds a marker that is then looked for."""

import json

import polars as pl
import pytest

from crlm_pipeline.errors import RejectedShareError
from crlm_pipeline.validation import check_shares, validate
from crlm_pipeline.validation.checks import gate
from schemas.column import SOURCE_COLUMNS, describe
from schemas.extract import EXTRACT_MODELS, extract_tables
from tests.text_extracts import REQUIRED, TODAY, extract, row, text_table

MARKER = "QZX"


def marked(table, *, required):
    """A row whose every cell holds a marker of its own; the required ones may be valid, so that only cells fail."""
    columns = [column.name for column in extract_tables()[table].columns if column.name not in SOURCE_COLUMNS]
    cells = {column: f"{MARKER}-{table}-{column}" for column in columns}
    return cells if required else {**cells, **REQUIRED[table]}


def delivered(*, required):
    return extract(*(text_table(table, [marked(table, required=required)]) for table in REQUIRED))


def texts(ingested):
    """Every text that may leave the restricted tables; the centre is named on purpose."""
    findings = ingested.finding.drop("centre_id")
    rejections = ingested.rejected_row.drop("raw_row")
    frames = (findings, ingested.finding_row, rejections, ingested.row_ledger, ingested.source_file)
    return json.dumps([frame.rows() for frame in frames], default=str)


@pytest.mark.parametrize("required", [True, False])
def test_no_message_holds_the_value_of_a_cell(required):
    ingested = validate(delivered(required=required), today=TODAY)
    assert ingested.rejected_row["scope"].unique().to_list() == (["row"] if required else ["cell"])
    assert MARKER not in texts(ingested)


def test_the_record_of_a_rejected_row_does_hold_them():
    ingested = validate(delivered(required=True), today=TODAY)
    assert all(MARKER in raw for raw in ingested.rejected_row["raw_row"])


def test_no_message_of_a_check_across_rows_holds_a_value():
    patient = row("patient", patient_id=MARKER, death_date="2020-01-01", birth_year="2010")
    own = {"patient_id": MARKER}
    rows = {
        "patient": [patient, {**patient, "sex": "male"}, {**patient, "centre_id": "B"}],
        "tumour": [
            row("tumour", **own, diagnosis_date="2019", topography="C21.0", morphology="8240/3", tumour_id=MARKER)
        ]
        * 2,
        "assessment": [row("assessment", **own, mets_diagnosis_date="2010-01-01", flr_ml="1", tlv_ml="1000")],
        "biomarker": [
            row("biomarker", **own, specimen_id=MARKER, sample_date="2019-02-01", report_date="2019-01-01"),
            row("biomarker", **own, specimen_id=MARKER, hgvs_p="G12C", result="not_detected"),
        ],
        "drug_exposure": [row("drug_exposure", **own, drug=MARKER, end_date="2010-01-01")],
        "procedure": [row("procedure", **own, trial_id=MARKER)],
        "outcome": [row("outcome", patient_id=f"{MARKER}-2")],
    }
    ingested = validate(extract(*(text_table(name, part) for name, part in rows.items())), today=TODAY)
    assert ingested.finding.height >= 12
    assert MARKER not in texts(ingested)


def test_the_error_about_too_many_rejections_holds_no_value():
    for required in (True, False):
        with pytest.raises(RejectedShareError) as refusal:
            check_shares(validate(delivered(required=required), today=TODAY), 0.0)
        assert MARKER not in str(refusal.value)


@pytest.mark.parametrize("model", EXTRACT_MODELS, ids=lambda model: model.__name__)
def test_the_assertion_about_a_defect_of_ours_holds_no_value(model):
    table = describe(model)
    bad = pl.DataFrame(schema=table.polars_schema).clear(1)
    closed = [column.name for column in table.columns if column.values and not column.is_list]
    bad = bad.with_columns(pl.lit(MARKER).alias(column) for column in [*closed, "source_file_id"])
    with pytest.raises(AssertionError) as defect:
        gate(model, bad)
    assert MARKER not in str(defect.value)
    assert defect.value.__cause__ is None
    assert defect.value.__context__ is None
