"""Text becomes a value, or an unknown cell with a reason; a required cell takes its row with it."""

from datetime import date

import pytest

from tests.text_extracts import reasons, row, validated, warnings


def cell(table: str, column: str, text: str | None) -> object:
    return validated(**{table: [row(table, **{column: text})]}).tables[table][column].item()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2023-05-17", date(2023, 5, 17)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2023-05-17 00:00:00", date(2023, 5, 17)),
        ("2023-05-17T00:00:00", date(2023, 5, 17)),
        (" 2023-05-17 ", date(2023, 5, 17)),
        ("1900-01-01", date(1900, 1, 1)),
        ("", None),
        ("   ", None),
    ],
)
def test_a_date_is_read_in_iso_form(text, day):
    assert cell("tumour", "diagnosis_date", text) == day


@pytest.mark.parametrize(
    "text",
    ["2023-02-29", "17.05.2023", "2023-5-7", "2023-13", "1899-12-31", "20230517", "2023-05-17 14:30:00", "23", "٢٠٢٣"],
)
def test_what_is_no_date_is_set_aside_and_the_row_kept(text):
    ingested = validated(tumour=[row("tumour", diagnosis_date=text)])
    assert ingested.tables["tumour"]["diagnosis_date"].to_list() == [None]
    assert reasons(ingested, "tumour") == [(1, "cell", "not_a_date", "diagnosis_date")]


@pytest.mark.parametrize(("text", "day"), [("2023-05", date(2023, 5, 1)), ("2023", date(2023, 1, 1))])
def test_a_partial_date_is_the_first_day_of_its_period_and_marked(text, day):
    ingested = validated(biomarker=[row("biomarker", sample_date=text)])
    assert ingested.tables["biomarker"]["sample_date"].item() == day
    assert warnings(ingested, "biomarker") == [("date_imputed", "sample_date", 1)]
    assert ingested.finding_row.select("table_name", "source_row").rows() == [("biomarker", 1)]


@pytest.mark.parametrize(
    ("text", "day"), [("2024-02", date(2024, 2, 29)), ("2023-12", date(2023, 12, 31)), ("2023", date(2023, 12, 31))]
)
def test_a_partial_report_date_is_the_last_day_of_its_period(text, day):
    ingested = validated(biomarker=[row("biomarker", report_date=text)])
    assert ingested.tables["biomarker"]["report_date"].item() == day
    assert warnings(ingested, "biomarker") == [("date_imputed", "report_date", 1)]


def test_an_end_known_to_the_month_is_not_put_before_the_start():
    ingested = validated(drug_exposure=[row("drug_exposure", start_date="2024-02-20", end_date="2024-02")])
    assert ingested.tables["drug_exposure"]["end_date"].item() == date(2024, 2, 20)
    assert reasons(ingested, "drug_exposure") == []


@pytest.mark.parametrize(("text", "number"), [("3", 3), ("3.0", 3), ("3.00", 3), ("99", 99)])
def test_a_whole_number_may_come_as_a_spreadsheet_writes_it(text, number):
    assert cell("assessment", "crlm_count", text) == number


@pytest.mark.parametrize("text", ["3.5", "three", "1e1", "99999999999", "3,0"])
def test_what_is_no_whole_number_is_set_aside(text):
    ingested = validated(assessment=[row("assessment", crlm_count=text)])
    assert reasons(ingested, "assessment") == [(1, "cell", "not_an_integer", "crlm_count")]


@pytest.mark.parametrize(("text", "number"), [("12.5", 12.5), ("12", 12.0), ("1.25e1", 12.5)])
def test_a_number_has_a_decimal_point(text, number):
    assert cell("assessment", "cea_ng_ml", text) == number


@pytest.mark.parametrize("text", ["12,5", "NaN", "inf", "<5"])
def test_what_is_no_number_is_set_aside(text):
    ingested = validated(assessment=[row("assessment", cea_ng_ml=text)])
    assert reasons(ingested, "assessment") == [(1, "cell", "not_a_number", "cea_ng_ml")]


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
def test_a_boolean_is_true_or_false(text, value):
    assert cell("assessment", "is_bilobar", text) is value


@pytest.mark.parametrize("text", ["1", "yes", "TRUE"])
def test_nothing_else_is_a_boolean(text):
    ingested = validated(assessment=[row("assessment", is_bilobar=text)])
    assert reasons(ingested, "assessment") == [(1, "cell", "not_a_boolean", "is_bilobar")]


def test_a_list_loses_blanks_gaps_and_repetitions_but_not_its_order():
    assert cell("assessment", "mets_sites", "lung ; liver;;liver").to_list() == ["lung", "liver"]


def test_a_list_without_elements_is_unknown():
    assert cell("assessment", "mets_sites", " ; ") is None


def test_a_list_with_one_foreign_element_is_set_aside():
    ingested = validated(assessment=[row("assessment", mets_sites="liver;spleen")])
    assert ingested.tables["assessment"]["mets_sites"].to_list() == [None]
    assert reasons(ingested, "assessment") == [(1, "cell", "not_in_vocabulary", "mets_sites")]


@pytest.mark.parametrize("text", ["C18.7", "C187", "c18.7"])
def test_a_topography_is_kept_with_its_dot(text):
    assert cell("tumour", "topography", text) == "C18.7"


def test_a_topography_without_subsite_is_not_otherwise_specified():
    assert cell("tumour", "topography", "C20") == "C20.9"


@pytest.mark.parametrize("text", ["colon", "C18.77", "18.7", "K18.7"])
def test_a_malformed_topography_rejects_the_row(text):
    ingested = validated(tumour=[row("tumour", topography=text)])
    assert ingested.tables["tumour"].height == 0
    assert reasons(ingested, "tumour") == [(1, "row", "malformed", "topography")]


def test_a_required_cell_that_is_no_value_is_told_once():
    ingested = validated(drug_exposure=[row("drug_exposure", start_date="soon")])
    assert reasons(ingested, "drug_exposure") == [(1, "row", "not_a_date", "start_date")]


def test_a_text_without_end_is_set_aside_and_refuses_its_row_where_it_is_required():
    longest, longer = "x" * 1_000, "x" * 1_001
    assert cell("drug_exposure", "drug", longest) == longest
    assert reasons(validated(drug_exposure=[row("drug_exposure", trial_id=longer)]), "drug_exposure") == [
        (1, "cell", "too_long", "trial_id")
    ]
    assert reasons(validated(drug_exposure=[row("drug_exposure", drug=longer)]), "drug_exposure") == [
        (1, "row", "too_long", "drug")
    ]
    assert reasons(validated(tumour=[row("tumour", topography=longer)]), "tumour") == [
        (1, "row", "too_long", "topography")
    ]
