"""What cannot have happened is set aside; what is only odd is kept with a warning."""

import pytest

from tests.text_extracts import reasons, row, validated, warnings


def test_a_row_whose_patient_is_missing_is_rejected():
    ingested = validated(outcome=[row("outcome", patient_id="nobody")])
    assert reasons(ingested, "outcome") == [(1, "row", "patient_missing", "patient_id")]


def test_the_rows_of_a_rejected_patient_are_rejected_too():
    ingested = validated(patient=[row("patient", country="Utopia")], tumour=[row("tumour")])
    assert reasons(ingested, "tumour") == [(1, "row", "patient_missing", "patient_id")]


@pytest.mark.parametrize(
    ("end", "accepted"), [("2024-02-01", 1), ("2024-01-31", 0), ("2024-02", 1), ("2024-01", 0), (None, 1)]
)
def test_a_drug_does_not_end_before_it_starts(end, accepted):
    ingested = validated(drug_exposure=[row("drug_exposure", start_date="2024-02-01", end_date=end)])
    assert ingested.tables["drug_exposure"].height == accepted


@pytest.mark.parametrize(
    ("sample", "report", "accepted"),
    [
        ("2024-01-10", "2024-01-10", 1),
        ("2024-01-10", "2024-01-09", 0),
        ("2024-01", "2024-01-09", 1),
        ("2024-01-10", "2023", 0),
        (None, "2024-01-09", 1),
        ("2024-01-10", None, 1),
    ],
)
def test_a_result_is_not_reported_before_its_sample(sample, report, accepted):
    ingested = validated(biomarker=[row("biomarker", sample_date=sample, report_date=report)])
    assert ingested.tables["biomarker"].height == accepted


@pytest.mark.parametrize(("death", "accepted"), [("2024-02-01", 1), ("2024-01-31", 0), ("2024-02", 1), (None, 1)])
@pytest.mark.parametrize(("table", "day"), [("drug_exposure", "start_date"), ("procedure", "procedure_date")])
def test_no_treatment_starts_after_death(table, day, death, accepted):
    rows = {table: [row(table, **{day: "2024-02-01"})]}
    ingested = validated(patient=[row("patient", death_date=death)], **rows)
    assert ingested.tables[table].height == accepted
    assert ingested.tables["patient"].height == 1


@pytest.mark.parametrize(("flr_ml", "known"), [("50", True), ("49", False), ("1000", True), ("1001", False)])
def test_volumes_that_give_an_impossible_remnant_are_not_used(flr_ml, known):
    ingested = validated(assessment=[row("assessment", flr_ml=flr_ml, tlv_ml="1000")])
    assert ingested.tables["assessment"]["flr_ml"].is_not_null().item() is known
    assert ingested.tables["assessment"]["tlv_ml"].item() == 1000


@pytest.mark.parametrize(
    ("found", "expected"),
    [("2023-12-01", []), ("2023-11-30", [("metastasis_before_primary", "mets_diagnosis_date", 1)])],
)
def test_metastases_more_than_31_days_before_the_first_primary_are_odd(found, expected):
    ingested = validated(
        tumour=[row("tumour", diagnosis_date="2024-06-01", tumour_id="2"), row("tumour", diagnosis_date="2024-01-01")],
        assessment=[row("assessment", mets_diagnosis_date=found)],
    )
    assert warnings(ingested, "assessment") == expected
    assert ingested.tables["assessment"].height == 1


@pytest.mark.parametrize(("birth_year", "is_odd"), [("2006", False), ("2007", True), (None, False)])
def test_an_age_under_18_at_diagnosis_is_odd(birth_year, is_odd):
    ingested = validated(
        patient=[row("patient", birth_year=birth_year)], tumour=[row("tumour", diagnosis_date="2024-01-01")]
    )
    assert bool(warnings(ingested, "tumour")) is is_odd
    assert ingested.tables["tumour"].height == 1


@pytest.mark.parametrize(
    ("topography", "is_odd"), [("C18.1", False), ("C19.9", False), ("C20.9", False), ("C21.0", True), ("C26.0", True)]
)
def test_a_site_outside_colon_and_rectum_is_kept_and_marked(topography, is_odd):
    ingested = validated(tumour=[row("tumour", topography=topography)])
    assert warnings(ingested, "tumour") == ([("topography_out_of_scope", "topography", 1)] if is_odd else [])
    assert ingested.tables["tumour"].height == 1


@pytest.mark.parametrize(
    ("morphology", "is_odd"),
    [("8239/3", False), ("8240/3", True), ("8249/3", True), ("8250/3", False), ("8140/3", False), (None, False)],
)
def test_a_neuroendocrine_tumour_is_kept_and_marked(morphology, is_odd):
    ingested = validated(tumour=[row("tumour", morphology=morphology)])
    assert warnings(ingested, "tumour") == ([("morphology_out_of_scope", "morphology", 1)] if is_odd else [])


@pytest.mark.parametrize("change", ["p.Gly12Cys", "p.(Gly12Cys)", "p.G12C", "G12C", "p.Gly12_Gly13insAla"])
def test_a_change_of_codon_12_without_a_mutated_result_is_odd(change):
    ingested = validated(
        biomarker=[row("biomarker", hgvs_p=change, result="not_detected"), row("biomarker", hgvs_p=change)]
    )
    assert warnings(ingested, "biomarker") == [("codon_12_not_mutated", "result", 1)]
    assert ingested.tables["biomarker"].height == 2


@pytest.mark.parametrize("change", ["p.Gly13Asp", "p.Gly120Ala", "p.G129A", None])
def test_a_change_elsewhere_says_nothing_of_codon_12(change):
    ingested = validated(biomarker=[row("biomarker", hgvs_p=change, result="not_detected")])
    assert warnings(ingested, "biomarker") == []


@pytest.mark.parametrize(
    ("proteins", "is_odd"), [(["mlh1", "pms2", "msh2", "msh6"], True), (["mlh1", "pms2", "msh2"], False)]
)
def test_msi_high_with_all_four_proteins_retained_is_a_conflict(proteins, is_odd):
    stains = [row("biomarker", analyte=protein, result="retained") for protein in proteins]
    ingested = validated(biomarker=[row("biomarker", analyte="msi", result="msi_h"), *stains])
    assert warnings(ingested, "biomarker") == ([("msi_conflict", "result", 1)] if is_odd else [])
    assert ingested.tables["biomarker"].height == len(proteins) + 1


def test_line_numbers_that_go_backwards_are_odd():
    days_and_lines = [
        ("2024-01-01", "1"),
        ("2024-03-01", "2"),
        ("2024-03-01", "1"),
        ("2024-06-01", None),
        ("2024-09-01", "1"),
    ]
    rows = [row("drug_exposure", start_date=day, line_registered=line) for day, line in days_and_lines]
    ingested = validated(drug_exposure=rows)
    assert warnings(ingested, "drug_exposure") == [("line_backwards", "line_registered", 1)]
    assert ingested.finding_row["source_row"].to_list() == [5]


def test_an_odd_but_rejected_row_is_only_rejected():
    ingested = validated(tumour=[row("tumour", patient_id="nobody", topography="C21.0")])
    assert warnings(ingested, "tumour") == []
