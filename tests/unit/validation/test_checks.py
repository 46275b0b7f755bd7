"""A cell outside its declaration is set aside; where the column is required, with its row."""

import polars as pl
import pytest

from crlm_pipeline.validation.checks import gate
from schemas.column import SOURCE_COLUMNS
from schemas.extract import Assessment, extract_tables
from tests.text_extracts import REQUIRED, reasons, row, validated


def each_with_one_cell(table, cells):
    """A valid row of its own patient for each cell, with that cell put in."""
    rows = [row(table, **{"patient_id": f"p{number}", column: text}) for number, (column, text) in enumerate(cells)]
    if table == "patient":
        return validated(patient=rows)
    return validated(patient=[row("patient", patient_id=f"p{number}") for number in range(len(rows))], **{table: rows})


@pytest.mark.parametrize("table", REQUIRED)
def test_an_empty_required_cell_rejects_the_row(table):
    required = list(REQUIRED[table])
    ingested = each_with_one_cell(table, [(column, "") for column in required])
    assert ingested.tables[table].height == 0
    told = [(number, column) for number, scope, check, column in reasons(ingested, table) if check == "required_empty"]
    assert told == list(enumerate(required, start=1))


@pytest.mark.parametrize("table", REQUIRED)
def test_a_value_outside_its_vocabulary_is_set_aside(table):
    closed = [column for column in extract_tables()[table].columns if column.values]
    ingested = each_with_one_cell(table, [(column.name, "Unheard-of") for column in closed])
    assert reasons(ingested, table) == [
        (number, "row" if column.required else "cell", "not_in_vocabulary", column.name)
        for number, column in enumerate(closed, start=1)
    ]


def test_the_columns_required_are_those_of_the_contract():
    for name, table in extract_tables().items():
        own = [column.name for column in table.columns if column.name not in SOURCE_COLUMNS]
        assert [column for column in own if table.column(column).required] == [c for c in own if c in REQUIRED[name]]


@pytest.mark.parametrize(
    ("column", "inside", "outside"),
    [
        ("flr_percent", "5", "4.9"),
        ("flr_percent", "100", "100.1"),
        ("crlm_max_mm", "1", "0.9"),
        ("crlm_max_mm", "300", "300.1"),
        ("crlm_count", "1", "0"),
        ("crlm_count", "99", "100"),
        ("ecog", "4", "5"),
        ("cea_ng_ml", "0", "-0.1"),
    ],
)
def test_bounds_are_inclusive(column, inside, outside):
    rows = [row("assessment", **{column: inside}), row("assessment", assessment_date="2024-01-11", **{column: outside})]
    ingested = validated(assessment=rows)
    assert ingested.tables["assessment"][column].is_null().to_list() == [False, True]
    assert reasons(ingested, "assessment") == [(2, "cell", "out_of_range", column)]


@pytest.mark.parametrize("country", ["GB", "NL", "US", "ZZ"])
def test_a_country_of_the_iso_list_is_accepted(country):
    assert validated(patient=[row("patient", country=country)]).tables["patient"].height == 1


@pytest.mark.parametrize(
    ("country", "check"), [("UK", "not_in_vocabulary"), ("Germany", "malformed"), ("de", "malformed")]
)
def test_any_other_country_rejects_the_row(country, check):
    ingested = validated(patient=[row("patient", country=country)])
    assert reasons(ingested, "patient") == [(1, "row", check, "country")]


def test_today_is_not_in_the_future_but_tomorrow_is():
    ingested = validated(tumour=[row("tumour", diagnosis_date="2026-11-23", resection_date="2026-11-24")])
    assert ingested.tables["tumour"]["diagnosis_date"].null_count() == 0
    assert reasons(ingested, "tumour") == [(1, "cell", "date_in_future", "resection_date")]


def test_a_required_date_in_the_future_rejects_the_row():
    ingested = validated(mdt=[row("mdt", mdt_date="2026-11-24")])
    assert reasons(ingested, "mdt") == [(1, "row", "date_in_future", "mdt_date")]


def test_a_month_that_has_begun_is_not_in_the_future():
    ingested = validated(biomarker=[row("biomarker", report_date="2026-11")])
    assert reasons(ingested, "biomarker") == []


def test_the_latest_date_is_one_that_is_certainly_reached():
    ingested = validated(biomarker=[row("biomarker", sample_date="2026-10-05", report_date="2026-11")])
    assert str(ingested.latest_date) == "2026-11-01"


def test_a_row_tells_every_reason_at_once():
    ingested = validated(patient=[row("patient", centre_id=None, country="XX")])
    assert {check for _, _, check, _ in reasons(ingested, "patient")} == {"required_empty", "not_in_vocabulary"}


def test_bad_cells_of_a_rejected_row_are_not_counted_apart():
    ingested = validated(patient=[row("patient", centre_id=None, sex="F")])
    assert reasons(ingested, "patient") == [(1, "row", "required_empty", "centre_id")]


def test_unknown_cells_fail_nothing():
    rows = {name: [REQUIRED[name]] for name in REQUIRED}
    ingested = validated(**rows)
    assert ingested.rejected_row.height == 0
    assert ingested.finding.height == 0
    assert all(table.height == 1 for table in ingested.tables.values())


def test_accepted_tables_have_the_declared_columns_and_types_even_when_empty():
    ingested = validated(patient=[])
    for name, table in extract_tables().items():
        assert list(ingested.tables[name].schema.items()) == list(table.polars_schema.items())


def test_the_gate_stops_a_frame_that_breaks_its_declaration_and_names_no_value():
    accepted = validated(assessment=[row("assessment", ecog="1")]).tables["assessment"]
    gate(Assessment, accepted)
    with pytest.raises(AssertionError, match=r"assessment: accepted rows break \[\('ecog', 'out_of_range'\)\]"):
        gate(Assessment, accepted.with_columns(pl.lit(7, dtype=pl.Int32).alias("ecog")))


def test_a_lazy_frame_would_slip_through_pandera_so_only_eager_ones_are_checked():
    accepted = validated(assessment=[row("assessment", ecog="1")]).tables["assessment"]
    bad = accepted.with_columns(pl.lit(7, dtype=pl.Int32).alias("ecog"))
    assert Assessment.validate(bad.lazy()).collect()["ecog"].item() == 7


@pytest.mark.parametrize("rounded", ["1.23457E+19", "1,2E+15", "1E+05"])
def test_an_id_that_a_spreadsheet_has_rounded_is_rejected(rounded: str):
    ingested = validated(patient=[row("patient"), row("patient", patient_id=rounded)])
    assert reasons(ingested, "patient") == [(2, "row", "id_rounded", "patient_id")]


@pytest.mark.parametrize("whole", ["1E5", "0071", "12345678901234567890", "1.5", "E+19", "12.3E+19"])
def test_any_other_id_stays_as_it_is(whole: str):
    ingested = validated(patient=[row("patient", patient_id=whole)])
    assert ingested.tables["patient"]["patient_id"].to_list() == [whole]
