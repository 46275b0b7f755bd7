"""Clinical 3.11 and semantics, "Decisions", "Patterns": drug records become lines, each row with its role."""

from datetime import date, timedelta

import pytest

from tests.acceptance.registry import FOLFIRI, FOLFOX, Answers, Patient, Registry, Row, drugs, joined, palliative

REGISTRY = Registry()

OX = "fluorouracil+oxaliplatin"
IRI = "fluorouracil+irinotecan"


def day(number: int) -> str:
    return str(date(2022, 1, 1) + timedelta(days=number))


def given(names: str, start: int, end: int | None = None, **cells: object) -> list[Row]:
    return palliative(names, day(start), None if end is None else day(end), **cells)


def progression(number: int) -> list[Row]:
    return [{"outcome": "progression", "outcome_date": day(number)}]


# What makes a line, and what does not.


@REGISTRY.patient(drug_exposure=joined(given("fluorouracil", 0), given("oxaliplatin", 28), given("leucovorin", 0)))
def test_drugs_first_given_within_28_days_are_one_regimen_and_folinates_are_dropped(patient: Patient) -> None:
    assert patient.lines() == {"1": OX}
    assert ("folinic acid", "excluded") in patient.roles()


@REGISTRY.patient(drug_exposure=joined(given("fluorouracil", 0), given("oxaliplatin", 29)))
def test_a_new_drug_after_28_days_is_a_new_line(patient: Patient) -> None:
    assert list(patient.lines()) == ["1", "2"]


@REGISTRY.patient(drug_exposure=joined(given(FOLFOX, 0), given("Avastin", 60)))
def test_bevacizumab_alone_may_join_until_day_60(patient: Patient) -> None:
    assert patient.lines() == {"1": "bevacizumab+fluorouracil+oxaliplatin"}


@REGISTRY.patient(drug_exposure=joined(given(FOLFOX, 0, 60), given("Avastin", 61)))
def test_bevacizumab_on_day_61_is_a_new_line(patient: Patient) -> None:
    assert list(patient.lines()) == ["1", "2"]


@REGISTRY.patient(drug_exposure=joined(given(FOLFOX, 0, 100), given(FOLFOX, 190, 250)), outcome=progression(150))
def test_a_restart_after_90_days_goes_on_in_the_line(patient: Patient) -> None:
    assert patient.lines() == {"1": OX}


@REGISTRY.patient(drug_exposure=joined(given(FOLFOX, 0, 100), given(FOLFOX, 191, 250)), outcome=progression(150))
def test_a_restart_after_91_days_with_progression_is_a_new_line(patient: Patient) -> None:
    assert patient.lines() == {"1": OX, "2": OX}


@REGISTRY.patient(drug_exposure=joined(given(FOLFOX, 0, 100), given(FOLFOX, 191, 250)))
def test_a_restart_after_a_gap_without_progression_is_a_reintroduction(patient: Patient) -> None:
    assert patient.lines() == {"1": OX}
    assert patient.roles()[2:] == [("fluorouracil", "reintroduction"), ("oxaliplatin", "reintroduction")]


@REGISTRY.patient(drug_exposure=joined(given(FOLFOX, 0, 100), given(FOLFOX, 191, 250, stop_reason="progression")))
def test_a_progression_after_the_restart_does_not_make_it_a_new_line(patient: Patient) -> None:
    assert patient.lines() == {"1": OX}


@REGISTRY.patient(
    drug_exposure=joined(given(FOLFOX, 0, 100, stop_reason="progression"), given(FOLFOX, 191, 250)),
)
def test_a_drug_stopped_for_progression_has_progressed(patient: Patient) -> None:
    assert patient.lines() == {"1": OX, "2": OX}


@REGISTRY.patient(
    drug_exposure=joined(given("fluorouracil + oxaliplatin", 0, 100), given("capecitabine", 101), given("S-1", 150))
)
def test_one_fluoropyrimidine_for_another_is_a_swap(patient: Patient) -> None:
    assert patient.lines() == {"1": OX}


@REGISTRY.patient(drug_exposure=joined(given("5-FU + oxaliplatin", 0), given("Xeloda", 14)))
def test_a_swap_inside_the_window_keeps_the_first_drug_in_the_key(patient: Patient) -> None:
    assert patient.lines() == {"1": OX}
    assert patient.roles() == [("fluorouracil", "regimen"), ("oxaliplatin", "regimen"), ("capecitabine", "swap")]


@REGISTRY.patient(drug_exposure=joined(given(FOLFOX + " + cetuximab", 0, 100), given("panitumumab", 110)))
def test_cetuximab_for_panitumumab_is_a_swap(patient: Patient) -> None:
    assert patient.lines() == {"1": "cetuximab+fluorouracil+oxaliplatin"}


@REGISTRY.patient(
    drug_exposure=joined(given("Avastin + capecitabine", 0, 100), given("Mvasi", 110), given("bevacizumab-awwb", 120))
)
def test_a_biosimilar_is_the_same_drug(patient: Patient) -> None:
    assert patient.lines() == {"1": "bevacizumab+capecitabine"}


@REGISTRY.patient(
    drug_exposure=joined(given(FOLFOX + " + bevacizumab", 0, 90), given("fluorouracil", 104), given("bevacizumab", 104))
)
def test_going_on_without_oxaliplatin_is_maintenance(patient: Patient) -> None:
    assert patient.lines() == {"1": "bevacizumab+fluorouracil+oxaliplatin"}
    assert patient.roles()[3:] == [("fluorouracil", "maintenance"), ("bevacizumab", "maintenance")]


@REGISTRY.patient(drug_exposure=joined(given(FOLFOX, 0, 60), given("capecitabine", 70)))
def test_de_escalation_to_another_fluoropyrimidine_is_maintenance_in_the_line(patient: Patient) -> None:
    assert patient.lines() == {"1": OX}
    assert patient.roles()[2] == ("capecitabine", "maintenance")


@REGISTRY.patient(drug_exposure=joined(given("fluorouracil", 0, 200), given("oxaliplatin", 0, 60)))
def test_dropping_a_drug_never_advances(patient: Patient) -> None:
    assert patient.lines() == {"1": OX}


@REGISTRY.patient(drug_exposure=joined(given("fluorouracil", 0), given("irinotecan", 20)), outcome=progression(15))
def test_a_new_class_at_recorded_progression_advances_even_in_the_window(patient: Patient) -> None:
    assert list(patient.lines()) == ["1", "2"]


@REGISTRY.patient(drug_exposure=joined(given(FOLFOX, 0, 90), given(FOLFIRI, 120)))
def test_a_change_of_backbone_is_a_new_line(patient: Patient) -> None:
    assert patient.lines() == {"1": OX, "2": IRI}


@REGISTRY.patient(
    drug_exposure=joined(given(FOLFOX, 0, 90), given(FOLFOX, 200)),
    procedure=[{"procedure": "resection", "procedure_date": day(120)}],
)
def test_local_treatment_with_curative_intent_closes_the_line(patient: Patient) -> None:
    assert patient.lines() == {"1": OX, "2": OX}


@REGISTRY.patient(drug_exposure=joined(given(FOLFOX, 0, 90), given("fluorouracil", 50, 120)))
def test_a_line_ends_with_its_last_drug(patient: Patient) -> None:
    assert patient.asked("select end_date from cohort.line_of_therapy where patient_id = $id") == date(2022, 5, 1)


@REGISTRY.patient(drug_exposure=joined(given("fluorouracil", 0), given("oxaliplatin", 0, 90)))
def test_a_line_with_an_open_drug_has_no_end(patient: Patient) -> None:
    assert patient.asked("select end_date from cohort.line_of_therapy where patient_id = $id") is None


@REGISTRY.patient(
    drug_exposure=joined(
        given("capecitabine", 0, 14),
        given("capecitabine", 21, 35),
        given("capecitabine", 42, 56),
        given("oxaliplatin", 0),
    )
)
def test_a_row_per_cycle_is_one_line(patient: Patient) -> None:
    assert patient.lines() == {"1": "capecitabine+oxaliplatin"}


# Names, codes and what is no systemic drug.


@REGISTRY.patient(
    drug_exposure=joined(
        given("capecitabine", 0),
        given("bevacizumab", 0, atc="S01LA08"),
        given("SIR-Spheres", 0),
        given("dexamethasone", 0),
        given("Eylea", 0),
    )
)
def test_ophthalmic_unknown_and_intrahepatic_drugs_are_no_part_of_a_line(patient: Patient) -> None:
    assert patient.lines() == {"1": "capecitabine"}
    assert sorted(role for _, role in patient.roles()) == ["excluded", "excluded", "excluded", "local", "regimen"]


@REGISTRY.patient(drug_exposure=joined(given("something", 0, atc="L01XC07"), given("else", 0, atc="L01BC06")))
def test_an_old_or_new_atc_code_wins_over_the_name(patient: Patient) -> None:
    assert patient.lines() == {"1": "bevacizumab+capecitabine"}


@REGISTRY.patient(drug_exposure=joined(given("DS-8201", 0), given("Lonsurf", 100)))
def test_a_product_is_one_token_with_its_blanks(patient: Patient) -> None:
    assert patient.lines() == {"1": "trastuzumab deruxtecan", "2": "trifluridine/tipiracil"}


# Registered lines.


@REGISTRY.patient(drug_exposure=joined(given(FOLFOX, 0, 90, line_registered=1), given(FOLFOX, 100, line_registered=2)))
def test_registered_lines_are_used_where_every_row_has_one(patient: Patient) -> None:
    assert patient.lines() == {"1": OX, "2": OX}
    assert (
        patient.asked("select distinct line_source from cohort.line_of_therapy where patient_id = $id") == "registered"
    )


@REGISTRY.patient(drug_exposure=joined(given(FOLFOX, 0, 90, line_registered=2), given(FOLFIRI, 100)))
def test_one_row_without_a_registered_line_derives_all_with_a_finding(patient: Patient) -> None:
    assert patient.lines() == {"1": OX, "2": IRI}
    assert patient.asked("select distinct line_source from cohort.line_of_therapy where patient_id = $id") == "derived"
    assert patient.warnings("drug_exposure") != []


@REGISTRY.patient(drug_exposure=joined(given(FOLFOX, 0, 90, line_registered=2), given(FOLFIRI, 100, line_registered=1)))
def test_registered_lines_that_go_backwards_derive_all_with_a_finding(patient: Patient) -> None:
    assert patient.lines() == {"1": OX, "2": IRI}
    assert "line_backwards" in patient.warnings("drug_exposure")


@REGISTRY.patient(
    drug_exposure=joined(
        given(FOLFOX, 0, 90, line_registered=1), given("leucovorin", 0, 90), given(FOLFIRI, 100, line_registered=2)
    )
)
def test_a_folinate_needs_no_registered_line(patient: Patient) -> None:
    assert (
        patient.asked("select distinct line_source from cohort.line_of_therapy where patient_id = $id") == "registered"
    )


@REGISTRY.patient(
    drug_exposure=joined(
        drugs(FOLFOX, day(0), day(60), intent="adjuvant", line_registered=1),
        given(FOLFIRI, 400, 500, line_registered=1),
        given("Lonsurf", 600, line_registered=3),
    )
)
def test_an_adjuvant_course_is_line_0_whatever_is_registered(patient: Patient) -> None:
    assert patient.lines() == {"0": OX, "1": IRI, "3": "trifluridine/tipiracil"}
    assert "systemic/3" in patient.decisions()


# Every row has a role and a reason.


def test_every_exposure_has_one_role_with_a_reason(answers: Answers) -> None:
    n, with_reason = answers.one("select count(*), count(*) filter (where reason != '') from cohort.exposure_role")
    assert n == with_reason == answers.one("select count(*) from extract.drug_exposure")


@pytest.mark.parametrize("role", ["regimen", "swap", "maintenance", "reintroduction", "local", "excluded"])
def test_every_role_occurs(answers: Answers, role: str) -> None:
    assert answers.one("select count(*) from cohort.exposure_role where role = $role", role=role) > 0


# What came before.


@REGISTRY.patient(
    drug_exposure=joined(given("pembrolizumab", 0, 60), given(FOLFOX, 100, 200), given(FOLFIRI, 220)),
)
def test_the_first_chemotherapy_after_a_checkpoint_inhibitor_alone_counts_as_line_1(patient: Patient) -> None:
    assert patient.decision("systemic/2", "chemotherapy_line, prior_checkpoint_inhibitor") == (1, True)
    assert patient.decision("systemic/3", "chemotherapy_line") == 3


@REGISTRY.patient(
    drug_exposure=joined(
        given(FOLFOX + " + cetuximab", 0, 100, stop_reason="progression"),
        given(FOLFIRI, 283, 300),
        given("Lonsurf", 400),
    )
)
def test_a_class_progressed_on_within_183_days_has_failed(patient: Patient) -> None:
    assert patient.decision("systemic/2", "failed_classes") == ["anti_egfr", "fluoropyrimidine", "oxaliplatin"]
    assert patient.decision("systemic/2", "previous_backbone, days_since_anti_egfr") == ("oxaliplatin", 183)
    assert patient.decision("systemic/3", "failed_classes") == []


@REGISTRY.patient(
    drug_exposure=joined(given(FOLFOX + " + cetuximab", 0, 100, stop_reason="progression"), given(FOLFIRI, 284))
)
def test_after_184_days_it_has_not(patient: Patient) -> None:
    assert patient.decision("systemic/2", "failed_classes") == []
