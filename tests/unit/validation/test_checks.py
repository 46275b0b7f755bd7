"""A cell outside its declaration is set aside; where the column is required, with its row."""

import polars as pl
import pytest

from crlm_pipeline.validation.checks import gate
from schemas.extract import EXTRACT_MODELS, Assessment, extract_tables
from tests.text_extracts import REQUIRED, reasons, row, validated


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (name, c.name)
        for name, t in extract_tables().items()
        for c in t.columns
        if c.required and c.name in REQUIRED[name]
    ],
)
def test_an_empty_required_cell_rejects_the_row(table, column):
    ingested = validated(**{table: [row(table, **{column: ""})]})
    assert ingested.tables[table].height == 0
    assert (1, "row", "required_empty", column) in reasons(ingested, table)


@pytest.mark.parametrize(
    ("table", "column"),
    [(name, c.name) for name, t in extract_tables().items() for c in t.columns if c.values],
)
def test_a_value_outside_its_vocabulary_is_set_aside(table, column):
    declared = extract_tables()[table].column(column)
    ingested = validated(**{table: [row(table, **{column: "Unheard-of"})]})
    scope = "row" if declared.required else "cell"
    assert reasons(ingested, table) == [(1, scope, "not_in_vocabulary", column)]
    assert ingested.tables[table].height == (0 if declared.required else 1)


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


@pytest.mark.parametrize("model", EXTRACT_MODELS, ids=lambda model: model.__name__)
def test_accepted_tables_have_the_declared_columns_and_types_even_when_empty(model):
    name = model.__name__
    table = next(t for t in extract_tables().values() if t.name.replace("_", "") == name.lower())
    ingested = validated(patient=[])
    assert dict(ingested.tables[table.name].schema) == table.polars_schema
    assert ingested.tables[table.name].columns == list(table.polars_schema)


def test_the_gate_stops_a_frame_that_breaks_its_declaration_and_names_no_value():
    accepted = validated(assessment=[row("assessment", ecog="1")]).tables["assessment"]
    gate(Assessment, accepted)
    with pytest.raises(AssertionError, match=r"assessment: accepted rows break \[\('ecog', 'out_of_range'\)\]"):
        gate(Assessment, accepted.with_columns(pl.lit(7, dtype=pl.Int32).alias("ecog")))


def test_a_lazy_frame_would_slip_through_pandera_so_only_eager_ones_are_checked():
    accepted = validated(assessment=[row("assessment", ecog="1")]).tables["assessment"]
    bad = accepted.with_columns(pl.lit(7, dtype=pl.Int32).alias("ecog"))
    assert Assessment.validate(bad.lazy()).collect()["ecog"].item() == 7
