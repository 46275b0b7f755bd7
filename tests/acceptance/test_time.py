"""Semantics, "Time": which results, assessments and primaries a decision sees, partial dates and the as-of date."""

from collections.abc import Sequence
from datetime import date

from tests.acceptance.registry import FOLFOX, Answers, Patient, Registry, Row, joined, palliative

REGISTRY = Registry()

START = "2023-03-01"
MUTANT = {"analyte": "kras", "result": "mutated", "hgvs_p": "p.Gly12Asp"}


def kras(report_date: str = "", sample_date: str = "", **cells: str) -> dict[str, str]:
    return {**MUTANT, "report_date": report_date, "sample_date": sample_date, **cells}


def line(*more: Sequence[Row], start: str = START) -> list[Row]:
    return joined(palliative(FOLFOX, start), *more)


@REGISTRY.patient(drug_exposure=line(), biomarker=[kras(START)])
def test_a_result_reported_on_the_facts_date_is_seen(patient: Patient) -> None:
    assert patient.fact("facts_date, ras") == (date(2023, 3, 1), "mutant")


@REGISTRY.patient(drug_exposure=line(), biomarker=[kras("2023-03-02")])
def test_a_result_reported_a_day_later_is_not(patient: Patient) -> None:
    assert patient.fact("ras") is None


@REGISTRY.patient(drug_exposure=line(palliative("irinotecan", "2023-03-29")), biomarker=[kras("2023-03-29")])
def test_a_drug_on_day_28_joins_and_moves_the_facts_date(patient: Patient) -> None:
    assert patient.fact("decision_date, facts_date, ras") == (date(2023, 3, 1), date(2023, 3, 29), "mutant")


@REGISTRY.patient(drug_exposure=line(palliative("irinotecan", "2023-03-30")))
def test_a_drug_on_day_29_is_another_line(patient: Patient) -> None:
    assert patient.fact("facts_date") == date(2023, 3, 1)
    assert patient.decision("systemic/2", "decision_date") == date(2023, 3, 30)


@REGISTRY.patient(drug_exposure=line(palliative("bevacizumab", "2023-04-30")), biomarker=[kras("2023-04-30")])
def test_bevacizumab_on_day_60_joins_and_moves_the_facts_date(patient: Patient) -> None:
    assert patient.fact("facts_date, ras") == (date(2023, 4, 30), "mutant")


@REGISTRY.patient(drug_exposure=line(palliative("panitumumab", "2023-04-30")))
def test_an_anti_egfr_antibody_on_day_60_joins(patient: Patient) -> None:
    assert patient.fact("facts_date, antibody_start_date, treatment") == (
        date(2023, 4, 30),
        date(2023, 4, 30),
        "fluorouracil+oxaliplatin+panitumumab",
    )


@REGISTRY.patient(drug_exposure=line(palliative("cetuximab", "2023-05-01")))
def test_an_antibody_on_day_61_is_another_line(patient: Patient) -> None:
    assert patient.fact("facts_date, treatment") == (date(2023, 3, 1), "fluorouracil+oxaliplatin")
    assert patient.decision("systemic/2", "decision_date") == date(2023, 5, 1)


@REGISTRY.patient(drug_exposure=line(palliative("aflibercept", "2023-04-15")))
def test_another_antibody_has_28_days_only(patient: Patient) -> None:
    assert patient.decision("systemic/2", "decision_date") == date(2023, 4, 15)


@REGISTRY.patient(drug_exposure=line(palliative("cetuximab + irinotecan", "2023-04-15")))
def test_an_antibody_that_comes_with_another_drug_after_day_28_is_another_line(patient: Patient) -> None:
    assert patient.decision("systemic/2", "decision_date") == date(2023, 4, 15)


@REGISTRY.patient(
    patient=[{"birth_year": 1960}],
    drug_exposure=line(palliative("bevacizumab", "2023-01-20"), start="2022-12-20"),
)
def test_age_edition_and_line_are_those_of_the_decision_date(patient: Patient) -> None:
    assert patient.fact("age, decision_date, facts_date") == (62, date(2022, 12, 20), date(2023, 1, 20))


@REGISTRY.patient(drug_exposure=line(palliative("cetuximab", "2023-04-01")), biomarker=[kras("2023-04-01")])
def test_a_safety_rule_sees_the_results_on_the_first_dose_of_its_class(patient: Patient) -> None:
    assert patient.verdict("systemic/1", "esmo", "verdict, rule_id") == ("contraindicated", "esmo.x01")


@REGISTRY.patient(
    drug_exposure=joined(palliative(FOLFOX + " + cetuximab", START), palliative("irinotecan", "2023-03-20")),
    biomarker=[kras("2023-03-10")],
)
def test_a_safety_rule_does_not_see_what_came_after_the_first_dose_of_its_class(patient: Patient) -> None:
    assert patient.fact("ras") == "mutant"
    fired = patient.answers.column(
        "select rule_id from cohort.safety_finding where decision_id = $id and verdict = 'contraindicated'",
        id=f"{patient.patient_id}/systemic/1",
    )
    assert "esmo.x01" not in fired
    seen = patient.answers.rows(
        "select seen_for, facts_date, ras from cohort.class_view where decision_id = $id and seen_for = 'cetuximab'",
        id=f"{patient.patient_id}/systemic/1",
    )
    assert seen == [("cetuximab", date(2023, 3, 1), None)]


@REGISTRY.patient(drug_exposure=line(), biomarker=[kras(sample_date="2023-02-20")])
def test_without_a_report_date_the_sample_date_stands_in_and_is_marked(patient: Patient) -> None:
    assert patient.fact("ras, has_assumed_date") == ("mutant", True)
    reason = patient.answers.one(
        "select reason from cohort.fact_source where decision_id = $id and fact = 'ras'",
        id=f"{patient.patient_id}/systemic/1",
    )
    assert "assum" in reason or "sample date" in reason


@REGISTRY.patient(drug_exposure=line(), biomarker=[kras(report_date="2023-02-20", sample_date="2023-02-10")])
def test_with_a_report_date_nothing_is_assumed(patient: Patient) -> None:
    assert patient.fact("ras, has_assumed_date") == ("mutant", False)


@REGISTRY.patient(patient=[{"centre_id": "undated"}], drug_exposure=line(), biomarker=[kras()])
def test_an_undated_result_counts_in_distributions_and_is_unknown_to_decisions(patient: Patient) -> None:
    assert patient.fact("ras") is None
    n = patient.answers.one(
        """
        select n from mart.biomarker_distribution
        where population = 'all' and centre_id = 'undated' and year is null and analyte = 'ras' and category = 'mutant'
        """
    )
    assert n == 1


@REGISTRY.patient(drug_exposure=line(start="2023-05-31"), biomarker=[kras("2023-05")])
def test_a_report_of_a_month_counts_from_its_last_day(patient: Patient) -> None:
    assert patient.fact("ras, has_imputed_date") == ("mutant", True)
    assert patient.warnings("biomarker") == ["date_imputed"]


@REGISTRY.patient(drug_exposure=line(start="2023-05-30"), biomarker=[kras("2023-05")])
def test_a_report_of_a_month_does_not_count_before_its_last_day(patient: Patient) -> None:
    assert patient.fact("ras") is None


@REGISTRY.patient(drug_exposure=line(start="2023-12-30"), biomarker=[kras("2023")])
def test_a_report_of_a_year_does_not_count_before_its_last_day(patient: Patient) -> None:
    assert patient.fact("ras") is None


@REGISTRY.patient(drug_exposure=line(start="2023-05-01"), biomarker=[kras(sample_date="2023-05")])
def test_any_other_date_of_a_month_is_its_first_day(patient: Patient) -> None:
    assert patient.fact("ras") == "mutant"


@REGISTRY.patient(drug_exposure=line(start="2023"), tumour=[{"diagnosis_date": "2022"}])
def test_a_year_is_its_first_day(patient: Patient) -> None:
    assert patient.fact("decision_date") == date(2023, 1, 1)
    stored = patient.asked("select diagnosis_date from extract.tumour where patient_id = $id")
    assert stored == date(2022, 1, 1)


FULL = {
    "crlm_count": 2,
    "crlm_max_mm": 30,
    "ecog": 1,
    "liver_background": "normal",
    "flr_percent": 40,
    "resectability": "never",
    "mets_sites": "liver",
    "cea_ng_ml": 10,
}
FACTS = "crlm_count, ecog, fitness, liver_background, flr_percent"


@REGISTRY.patient(drug_exposure=line(), assessment=[{**FULL, "assessment_date": "2022-08-30"}])
def test_an_assessment_of_183_days_before_counts(patient: Patient) -> None:
    assert patient.fact(FACTS) == (2, 1, "fit", "normal", 40.0)


@REGISTRY.patient(drug_exposure=line(), assessment=[{**FULL, "assessment_date": "2022-08-29"}])
def test_an_older_assessment_counts_only_for_resectability_and_sites(patient: Patient) -> None:
    assert patient.fact(FACTS) == (None, None, None, None, None)
    assert patient.fact("resectability, treatment_setting, is_liver_only") == ("never", "unresectable", True)


@REGISTRY.patient(
    drug_exposure=line(),
    assessment=[{**FULL, "assessment_date": "2023-01-01"}, {"assessment_date": "2023-02-01", "ecog": 2}],
)
def test_an_empty_cell_is_never_filled_from_an_older_row(patient: Patient) -> None:
    assert patient.fact(FACTS) == (None, 2, "vulnerable", None, None)
    assert patient.fact("resectability") is None


@REGISTRY.patient(
    drug_exposure=line(),
    assessment=[
        {"assessment_date": "2021-01-01", "contraindications": "autoimmune;qtc"},
        {"assessment_date": "2023-02-01", "contraindications": "neuropathy"},
        {"assessment_date": "2023-03-02", "contraindications": "transplant"},
    ],
)
def test_contraindications_are_the_union_of_all_rows_so_far(patient: Patient) -> None:
    assert patient.fact("list_sort(contraindications)") == ["autoimmune", "neuropathy", "qtc"]


@REGISTRY.patient(drug_exposure=line())
def test_no_assessment_means_no_contraindication(patient: Patient) -> None:
    assert patient.fact("contraindications") == []


@REGISTRY.patient(
    assessment=[
        {**FULL, "assessment_date": "2023-01-01"},
        {"assessment_date": "2023-02-01", "ecog": 2, "resectability": "upfront"},
    ],
    procedure=[{"procedure": "resection", "procedure_date": "2023-02-20"}],
)
def test_a_local_decision_sees_its_own_assessment(patient: Patient) -> None:
    assert patient.decision("local/2", "decision_date, facts_date, ecog, crlm_count") == (
        date(2023, 2, 1),
        date(2023, 2, 1),
        2,
        None,
    )


NODES = {"diagnosis_date": "2022-06-01", "nodes_positive": 3, "resection_margin": "r1"}
ASSESSED = [{"assessment_date": START, "mets_diagnosis_date": "2023-02-01"}]


@REGISTRY.patient(drug_exposure=line(), assessment=ASSESSED, tumour=[{**NODES, "resection_date": "2023-02-15"}])
def test_nodes_and_margin_count_from_14_days_after_the_resection(patient: Patient) -> None:
    assert patient.fact("primary_margin, fong_score_min") == ("r1", 2)


@REGISTRY.patient(drug_exposure=line(), assessment=ASSESSED, tumour=[{**NODES, "resection_date": "2023-02-16"}])
def test_nodes_and_margin_do_not_count_before(patient: Patient) -> None:
    assert patient.fact("primary_margin, fong_score_min") == (None, 1)


@REGISTRY.patient(drug_exposure=line(), assessment=ASSESSED, tumour=[NODES])
def test_without_a_resection_date_they_count_from_the_diagnosis(patient: Patient) -> None:
    assert patient.fact("primary_margin, fong_score_min") == ("r1", 2)


@REGISTRY.patient(
    drug_exposure=line(),
    assessment=ASSESSED,
    tumour=[{"diagnosis_date": "2022-06-01", "n_category": "N1b", "resection_date": "2023-02-28"}],
)
def test_the_n_category_counts_from_the_diagnosis(patient: Patient) -> None:
    assert patient.fact("fong_score_min") == 2


@REGISTRY.patient(drug_exposure=line(), tumour=[{"diagnosis_date": "2023-03-02", "topography": "C18.0"}])
def test_a_primary_found_later_is_unknown(patient: Patient) -> None:
    assert patient.fact("side") is None


@REGISTRY.patient(
    drug_exposure=joined(line(), palliative("irinotecan", "2025-02-01")),
    assessment=[{"assessment_date": "2025-01-15"}],
    procedure=[{"procedure": "sirt", "procedure_date": "2025-01-20"}],
    biomarker=[kras("2025-01-02")],
    outcome=[{"outcome": "progression", "outcome_date": "2025-01-30"}],
)
def test_rows_after_the_as_of_date_stay_in_the_extract_and_take_part_in_nothing_else(patient: Patient) -> None:
    assert patient.lines() == {"1": "fluorouracil+oxaliplatin"}
    assert patient.decisions() == ["systemic/1"]
    stored = patient.asked(
        """
        select
            (select count(*) from extract.assessment where patient_id = $id),
            (select count(*) from extract.procedure where patient_id = $id),
            (select count(*) from extract.biomarker where patient_id = $id),
            (select count(*) from extract.outcome where patient_id = $id)
        """
    )
    assert stored == (1, 1, 1, 1)
    ras = patient.asked("select ras from cohort.patient_facts where patient_id = $id")
    assert ras is None
    late = patient.answers.column(
        "select event_type from mart.patient_timeline where patient_id = $id and event_date > '2024-12-31'",
        id=patient.patient_id,
    )
    assert late == []


@REGISTRY.patient(drug_exposure=palliative(FOLFOX, START, "2025-01-01"))
def test_an_end_after_the_as_of_date_counts_as_empty(patient: Patient) -> None:
    end = patient.asked("select end_date from cohort.line_of_therapy where patient_id = $id")
    assert end is None
    assert patient.decisions() == ["systemic/1"]


@REGISTRY.patient(drug_exposure=palliative(FOLFOX, START, "2024-12-31"))
def test_an_end_on_the_as_of_date_is_an_end(patient: Patient) -> None:
    assert patient.decisions() == ["systemic/1", "next"]


FUTURE = "2099-01-01"


@REGISTRY.patient(
    drug_exposure=[*line(), *palliative("irinotecan", FUTURE)],
    tumour=[{"diagnosis_date": FUTURE}],
)
def test_an_event_in_the_future_is_rejected_in_a_required_column_with_its_row(patient: Patient) -> None:
    assert patient.rejections() == [
        ("drug_exposure", "row", "date_in_future", "start_date"),
        ("tumour", "cell", "date_in_future", "diagnosis_date"),
    ]
    topography = "select topography, diagnosis_date from extract.tumour where patient_id = $id"
    assert patient.asked(topography) == ("C18.7", None)


def test_every_date_imputed_is_in_one_finding_per_table_and_centre(answers: Answers) -> None:
    tables = set(answers.column("select table_name from audit.finding where check_name = 'date_imputed'"))
    assert tables == {"biomarker", "drug_exposure", "tumour"}


def test_the_run_says_its_as_of_date(answers: Answers) -> None:
    assert answers.one("select as_of from audit.run") == date(2024, 12, 31)
