"""Semantics, "Who is in": the cohort, its populations and who has decisions."""

import pytest

from tests.acceptance.registry import Answers, Patient, Registry, palliative

REGISTRY = Registry()

LUNG = {"assessment_date": "2023-01-10", "mets_sites": "lung"}
NO_SITE = {"assessment_date": "2023-01-10", "mets_sites": ""}
METASTATIC_ONLY = {
    "a_site": {"assessment": [LUNG]},
    "m1": {"tumour": [{"m_category": "M1"}]},
    "m1a": {"tumour": [{"m_category": "M1a"}]},
    "cm1b": {"tumour": [{"m_category": "cM1b"}]},
    "first_metastasis": {"assessment": [NO_SITE | {"first_metastasis_date": "2023-01"}]},
    "other_specimen": {
        "biomarker": [{"specimen_site": "other_metastasis", "analyte": "msi", "result": "failed"}],
    },
    "palliative": {"drug_exposure": palliative("capecitabine", "2023-02-01")},
    "conversion": {"drug_exposure": palliative("capecitabine", "2023-02-01", intent="conversion")},
}
LIVER = {
    "liver_site": {"assessment": [NO_SITE | {"mets_sites": "lung;liver"}]},
    "liver_date": {"assessment": [NO_SITE | {"mets_diagnosis_date": "2023-01-02"}]},
    "liver_specimen": {"biomarker": [{"specimen_site": "liver", "analyte": "kras", "result": "indeterminate"}]},
    **{
        f"procedure_{name}": {"procedure": [{"procedure": name, "procedure_date": "2023-03-01"}]}
        for name in (
            *("resection", "rfa", "mwa", "ire", "cryoablation", "laser", "hifu", "ethanol", "sbrt", "proton", "sirt"),
            *("hai", "pve", "lvd", "alpps", "two_stage", "transplantation"),
        )
    },
}
OUTSIDE = {
    "nothing": {},
    "m0": {"tumour": [{"m_category": "M0"}]},
    "mx": {"tumour": [{"m_category": "MX"}]},
    "no_site": {"assessment": [NO_SITE | {"crlm_count": "3"}]},
    "adjuvant": {"drug_exposure": palliative("capecitabine", "2023-02-01", intent="adjuvant")},
    "no_intent": {"drug_exposure": palliative("capecitabine", "2023-02-01", intent="")},
    "primary_specimen": {"biomarker": [{"specimen_site": "primary", "analyte": "msi", "result": "mss"}]},
    "plasma_specimen": {"biomarker": [{"specimen_site": "plasma", "analyte": "kras", "result": "mutated"}]},
    "after_as_of": {"assessment": [{"assessment_date": "2025-01-01"}]},
}
for cases in (METASTATIC_ONLY, LIVER, OUTSIDE):
    for name, tables in cases.items():
        REGISTRY.add(name, **tables)


@pytest.mark.parametrize("name", METASTATIC_ONLY)
def test_these_make_a_patient_metastatic_without_liver_metastases(answers: Answers, name: str) -> None:
    assert Patient(answers, name).cohort("is_metastatic, is_crlm") == (True, False)


@pytest.mark.parametrize("name", LIVER)
def test_these_show_liver_metastases(answers: Answers, name: str) -> None:
    assert Patient(answers, name).cohort("is_metastatic, is_crlm") == (True, True)


@pytest.mark.parametrize("name", OUTSIDE)
def test_these_do_not_show_metastatic_disease(answers: Answers, name: str) -> None:
    assert Patient(answers, name).cohort("is_metastatic, is_crlm") == (False, False)
    assert Patient(answers, name).decisions() == []


def test_every_accepted_patient_is_in_the_cohort_table_with_a_reason(answers: Answers) -> None:
    assert answers.one("select count(*) from cohort.patient where cohort_reason != ''") == len(REGISTRY.patients)


def test_only_metastatic_patients_have_decisions_and_each_living_one_has_one(answers: Answers) -> None:
    assert set(answers.column("select distinct patient_id from cohort.decision")) == {*METASTATIC_ONLY, *LIVER}


def test_every_metastatic_patient_is_annotated(answers: Answers) -> None:
    annotated = answers.column("select distinct patient_id from cohort.patient_pathway where basis != 'none'")
    assert set(annotated) == {*METASTATIC_ONLY, *LIVER}


@pytest.mark.parametrize(
    ("population", "n"),
    [
        ("all", len(REGISTRY.patients)),
        ("metastatic", len(METASTATIC_ONLY) + len(LIVER)),
        ("crlm", len(LIVER)),
    ],
)
def test_distributions_exist_for_all_three_populations(answers: Answers, population: str, n: int) -> None:
    totals = answers.column(
        """
        select distinct n_total from mart.biomarker_distribution
        where population = $population and centre_id is null and year is null
        """,
        population=population,
    )
    assert totals == [n]
