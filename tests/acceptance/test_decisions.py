"""Semantics, "Decisions": ids, courses around surgery, local windows, the open decision, aims and centres."""

from datetime import date, timedelta

import pytest

from tests.acceptance.registry import AS_OF, FOLFIRI, FOLFOX, Patient, Registry, Row, drugs, joined, palliative

REGISTRY = Registry()


def day(number: int, start: date = date(2023, 1, 1)) -> str:
    """Return the day so many days after the start of 2023."""
    return str(start + timedelta(days=number))


def assessed(number: int, resectability: str = "", **cells: object) -> Row:
    return {"assessment_date": day(number), "resectability": resectability, **cells}


def done(number: int, procedure: str = "resection", **cells: object) -> Row:
    return {"procedure": procedure, "procedure_date": day(number), **cells}


DEAD = [{"vital_status": "dead", "death_date": day(500)}]


# Systemic decisions.


@REGISTRY.patient(
    patient=DEAD,
    drug_exposure=joined(
        drugs(FOLFOX, day(0), day(80), intent="adjuvant"),
        drugs("capecitabine", day(200), day(250), intent="curative"),
        drugs(FOLFOX, day(350), day(360), intent="perioperative"),
        palliative(FOLFIRI, day(400), day(450)),
    ),
)
def test_courses_around_surgery_are_line_0_and_further_ones_are_numbered(patient: Patient) -> None:
    assert patient.decisions() == ["systemic/0", "systemic/0-2", "systemic/0-3", "systemic/1"]
    assert patient.decision("systemic/0-2", "line, course, decision_date") == (0, 2, date(2023, 7, 20))
    assert patient.lines() == {
        "0": "fluorouracil+oxaliplatin",
        "0-2": "capecitabine",
        "0-3": "fluorouracil+oxaliplatin",
        "1": "fluorouracil+irinotecan",
    }


@REGISTRY.patient(
    patient=DEAD, assessment=[assessed(0)], drug_exposure=drugs(FOLFOX, day(1), day(80), intent="adjuvant")
)
def test_rules_for_metastatic_disease_do_not_judge_an_adjuvant_course(patient: Patient) -> None:
    assert patient.verdict("systemic/0", "esmo") == "no_rule"


@REGISTRY.patient(
    patient=DEAD,
    assessment=[assessed(0, "upfront")],
    procedure=[done(100)],
    drug_exposure=drugs(FOLFOX, day(10), day(60), intent="conversion"),
)
def test_intent_conversion_is_line_1_even_if_a_resection_follows(patient: Patient) -> None:
    assert "systemic/1" in patient.decisions()
    assert patient.lines() == {"1": "fluorouracil+oxaliplatin"}


@REGISTRY.patient(
    patient=DEAD,
    assessment=[assessed(0, "upfront")],
    procedure=[done(150)],
    drug_exposure=drugs(FOLFOX, day(10), day(60)),
)
def test_without_intent_a_course_ending_90_days_before_a_resection_is_line_0(patient: Patient) -> None:
    assert list(patient.lines()) == ["0"]


@REGISTRY.patient(
    patient=DEAD,
    assessment=[assessed(0, "upfront")],
    procedure=[done(151)],
    drug_exposure=drugs(FOLFOX, day(10), day(60)),
)
def test_without_intent_a_course_ending_91_days_before_a_resection_is_line_1(patient: Patient) -> None:
    assert list(patient.lines()) == ["1"]


@REGISTRY.patient(
    patient=DEAD,
    assessment=[assessed(0, "difficult")],
    procedure=[done(10)],
    drug_exposure=drugs(FOLFOX, day(100)),
)
def test_without_intent_a_course_starting_90_days_after_a_resection_is_line_0(patient: Patient) -> None:
    assert list(patient.lines()) == ["0"]


@REGISTRY.patient(
    patient=DEAD,
    assessment=[assessed(0, "difficult")],
    procedure=[done(10)],
    drug_exposure=drugs(FOLFOX, day(101)),
)
def test_without_intent_a_course_starting_91_days_after_a_resection_is_line_1(patient: Patient) -> None:
    assert list(patient.lines()) == ["1"]


@REGISTRY.patient(
    patient=DEAD,
    assessment=[assessed(0, "potential")],
    procedure=[done(100)],
    drug_exposure=drugs(FOLFOX, day(10), day(60)),
)
def test_without_intent_a_potentially_resectable_patient_has_line_1(patient: Patient) -> None:
    assert list(patient.lines()) == ["1"]


@REGISTRY.patient(patient=DEAD, procedure=[done(100)], drug_exposure=drugs(FOLFOX, day(10), day(60)))
def test_without_intent_and_resectability_a_course_is_line_1(patient: Patient) -> None:
    assert list(patient.lines()) == ["1"]


@REGISTRY.patient(
    drug_exposure=joined(drugs(FOLFOX, day(0), day(100), intent="adjuvant"), palliative(FOLFIRI, day(150), day(200))),
)
def test_relapse_soon_after_adjuvant_oxaliplatin_does_not_renumber(patient: Patient) -> None:
    assert patient.lines() == {"0": "fluorouracil+oxaliplatin", "1": "fluorouracil+irinotecan"}
    assert patient.fact("prior_oxaliplatin, chemotherapy_line_count") == (True, 0)


# Local decisions.


@REGISTRY.patient(
    patient=DEAD,
    assessment=[assessed(0, "upfront"), assessed(184, "upfront"), assessed(200, "upfront")],
    procedure=[done(0), done(0, "mwa"), done(30), done(184, "rfa"), done(200, "sbrt"), done(383, "sirt"), done(384)],
)
def test_a_local_treatment_belongs_to_the_latest_assessment_within_183_days(patient: Patient) -> None:
    assert patient.decisions() == ["local/1", "local/2", "local/3", "local/p1"]
    assert patient.decision("local/1", "treatment") == "mwa+resection"
    assert patient.decision("local/2", "treatment") == "rfa"
    assert patient.decision("local/3", "treatment") == "sbrt+sirt"
    assert patient.decision("local/p1", "treatment") == "resection"


@REGISTRY.patient(
    patient=DEAD,
    assessment=[assessed(0, "upfront")],
    procedure=[done(100)],
    drug_exposure=drugs(FOLFOX, day(10), day(60), intent="perioperative"),
)
def test_a_systemic_course_before_any_procedure_of_the_window_is_part_of_the_treatment(patient: Patient) -> None:
    assert patient.decision("local/1", "treatment") == "resection+systemic"


@REGISTRY.patient(
    patient=DEAD,
    assessment=[assessed(0, "upfront")],
    procedure=[done(20)],
    drug_exposure=drugs(FOLFOX, day(40), day(60), intent="perioperative"),
)
def test_a_systemic_course_after_the_first_procedure_is_not(patient: Patient) -> None:
    assert patient.decision("local/1", "treatment") == "resection"


@REGISTRY.patient(patient=DEAD, assessment=[assessed(0, "potential")], drug_exposure=palliative(FOLFOX, day(183)))
def test_a_systemic_course_alone_is_the_treatment(patient: Patient) -> None:
    assert patient.decision("local/1", "treatment") == "systemic"


@REGISTRY.patient(
    patient=DEAD,
    assessment=[assessed(0, "upfront"), assessed(30, "upfront")],
    drug_exposure=palliative(FOLFOX, day(30)),
)
def test_an_assessment_followed_by_another_with_nothing_between_is_out_of_scope(patient: Patient) -> None:
    assert patient.decision("local/1", "treatment, out_of_scope_reason") == (None, "reassessed")
    assert patient.verdict("local/1", "esmo") == "out_of_scope"
    assert patient.decision("local/2", "treatment, out_of_scope_reason") == ("systemic", None)


@REGISTRY.patient(patient=[{"vital_status": "dead", "death_date": day(183)}], assessment=[assessed(0, "upfront")])
def test_a_patient_who_died_in_the_window_is_out_of_scope(patient: Patient) -> None:
    assert patient.decision("local/1", "is_open, out_of_scope_reason") == (False, "died")
    assert patient.verdict("local/1", "esmo") == "out_of_scope"


@REGISTRY.patient(
    patient=[{"vital_status": "dead", "death_date": day(184)}],
    assessment=[assessed(0, "upfront", crlm_count=1, crlm_max_mm=20, ecog=0)],
)
def test_nothing_given_in_a_closed_window_is_judged_if_a_procedure_is_preferred(patient: Patient) -> None:
    assert patient.decision("local/1", "out_of_scope_reason") is None
    assert patient.verdict("local/1", "esmo") == "discordant_not_given"


@REGISTRY.patient(
    patient=[{"vital_status": "dead", "death_date": day(184)}],
    assessment=[assessed(0, "never", crlm_count=30, crlm_max_mm=20, ecog=0)],
)
def test_nothing_given_in_a_closed_window_is_no_rule_where_none_is(patient: Patient) -> None:
    assert patient.verdict("local/1", "esmo") == "no_rule"


@REGISTRY.patient(
    patient=DEAD,
    assessment=[assessed(0, "upfront", ecog=1, crlm_count=2)],
    procedure=[
        done(-10),
        done(10, "mwa"),
        done(184),
        done(184, "rfa"),
        done(190, "sbrt"),
    ],
)
def test_a_procedure_in_no_window_opens_its_own_decision_by_day(patient: Patient) -> None:
    assert patient.decisions() == ["local/p1", "local/1", "local/p2", "local/p3"]
    assert patient.decision("local/p1", "decision_date, treatment, ecog") == (date(2022, 12, 22), "resection", None)
    assert patient.decision("local/p2", "treatment, ecog, resectability") == ("resection+rfa", None, "upfront")
    assert patient.decision("local/p3", "treatment, setting") == ("sbrt", "local")


# The open decision.


@REGISTRY.patient(drug_exposure=palliative(FOLFOX, day(0), day(100)))
def test_after_an_ended_line_the_next_is_open(patient: Patient) -> None:
    assert patient.decisions() == ["systemic/1", "next"]
    assert patient.decision("next", "setting, line, decision_date, treatment, is_open") == (
        "systemic",
        2,
        AS_OF,
        None,
        True,
    )
    assert patient.verdict("next", "esmo") == "open"


@REGISTRY.patient(drug_exposure=palliative(FOLFOX, day(0)))
def test_during_a_line_nothing_is_open(patient: Patient) -> None:
    assert patient.decisions() == ["systemic/1"]


@REGISTRY.patient(
    drug_exposure=palliative(FOLFOX, day(0)), outcome=[{"outcome": "progression", "outcome_date": day(90)}]
)
def test_a_progressed_line_opens_the_next(patient: Patient) -> None:
    assert patient.decisions() == ["systemic/1", "next"]


@REGISTRY.patient(assessment=[{"assessment_date": "2024-07-01"}])
def test_an_untreated_assessment_of_183_days_is_the_local_next_decision(patient: Patient) -> None:
    assert patient.decisions() == ["next"]
    assert patient.decision("next", "setting, line, facts_date") == ("local", 1, AS_OF)


@REGISTRY.patient(assessment=[{"assessment_date": "2024-06-30"}])
def test_an_untreated_older_assessment_is_written_and_the_next_decision_systemic(patient: Patient) -> None:
    assert patient.decisions() == ["local/1", "next"]
    assert patient.decision("next", "setting") == "systemic"


@REGISTRY.patient(drug_exposure=palliative(FOLFOX, day(0)), assessment=[{"assessment_date": "2024-11-01"}])
def test_an_untreated_assessment_during_a_line_opens_the_next(patient: Patient) -> None:
    assert patient.decisions() == ["systemic/1", "next"]
    assert patient.decision("next", "setting, line") == ("local", 2)


@REGISTRY.patient(tumour=[{"m_category": "M1"}])
def test_a_metastatic_patient_without_a_line_awaits_the_first(patient: Patient) -> None:
    assert patient.decisions() == ["next"]
    assert patient.decision("next", "setting, line") == ("systemic", 1)


@REGISTRY.patient(
    assessment=[assessed(0, "upfront")],
    procedure=[done(10)],
    drug_exposure=drugs(FOLFOX, day(40), day(100), intent="adjuvant"),
)
def test_after_line_0_the_next_line_is_1(patient: Patient) -> None:
    assert patient.decision("next", "line") == 1


@REGISTRY.patient(
    assessment=[assessed(0, "potential")],
    procedure=[done(130)],
    drug_exposure=joined(
        drugs(FOLFOX, day(10), day(100), intent="conversion"), drugs("capecitabine", day(170), intent="adjuvant")
    ),
)
def test_while_an_adjuvant_course_runs_after_a_line_nothing_is_open(patient: Patient) -> None:
    assert patient.decisions() == ["local/1", "systemic/1", "systemic/0"]


@REGISTRY.patient(
    assessment=[assessed(0, "potential")],
    procedure=[done(130)],
    drug_exposure=joined(
        drugs(FOLFOX, day(10), day(100), intent="conversion"),
        drugs("capecitabine", day(170), day(300), intent="adjuvant"),
    ),
)
def test_after_an_adjuvant_course_the_next_line_follows_the_highest(patient: Patient) -> None:
    assert patient.decision("next", "line") == 2


@REGISTRY.patient(patient=DEAD, drug_exposure=palliative(FOLFOX, day(0), day(100)))
def test_the_dead_have_no_next_decision(patient: Patient) -> None:
    assert patient.decisions() == ["systemic/1"]


@REGISTRY.patient(
    patient=[{"vital_status": "dead", "death_date": "2025-02-01"}], drug_exposure=palliative(FOLFOX, day(0), day(100))
)
def test_who_died_after_the_as_of_date_was_alive(patient: Patient) -> None:
    assert patient.decisions() == ["systemic/1", "next"]


# Aims.

AIMS = {
    "upfront": ("upfront", "palliative", "resectable"),
    "potential": ("potential", "palliative", "conversion"),
    "never": ("never", "conversion", "unresectable"),
    "difficult_conversion": ("difficult", "conversion", "conversion"),
    "difficult_palliative": ("difficult", "palliative", "resectable"),
    "none_conversion": (None, "conversion", "conversion"),
    "none_palliative": (None, "palliative", "unresectable"),
}
for name, (resectability, intent, _) in AIMS.items():
    REGISTRY.add(
        f"aim_{name}",
        assessment=[assessed(0, resectability)] if resectability else [],
        drug_exposure=palliative(FOLFOX, day(10), intent=intent),
    )


@pytest.mark.parametrize("name", AIMS)
def test_the_aim_follows_the_latest_assessment_else_the_intent(answers, name):
    assert Patient(answers, f"aim_{name}").fact("treatment_setting") == AIMS[name][2]


@REGISTRY.patient(drug_exposure=drugs(FOLFOX, day(10), intent="perioperative"), procedure=[done(100)])
def test_without_an_assessment_perioperative_means_resectable(patient: Patient) -> None:
    assert patient.decision("systemic/0", "treatment_setting") == "resectable"


def test_an_assessment_and_intent_that_differ_are_a_finding(answers):
    found = answers.column(
        """
        select distinct assessment.patient_id
        from audit.finding as finding
        inner join audit.finding_row as place using (finding_id)
        inner join extract.assessment as assessment using (source_file_id, source_row)
        where finding.check_name like 'treatment_setting%' and place.table_name = 'assessment'
            and starts_with(assessment.patient_id, 'aim_')
        order by all
        """
    )
    assert found == ["aim_difficult_palliative", "aim_never", "aim_potential", "aim_upfront"]


# Centres.

HERE = [{"centre_id": "home"}]


@REGISTRY.patient(
    patient=HERE,
    assessment=[assessed(0, centre_id="liver_centre"), assessed(300, centre_id="liver_centre")],
    procedure=[done(20, centre_id="surgical_centre"), done(30, "mwa", centre_id="other")],
    drug_exposure=joined(
        palliative("irinotecan", day(205), centre_id="second"), palliative("capecitabine", day(200), centre_id="first")
    ),
)
def test_the_centre_is_that_of_the_first_treatment_given(patient: Patient) -> None:
    assert patient.decision("local/1", "centre_id, home_centre_id") == ("surgical_centre", "home")
    assert patient.fact("centre_id, home_centre_id") == ("first", "home")


@REGISTRY.patient(patient=HERE, assessment=[{"assessment_date": "2024-12-01", "centre_id": "liver_centre"}])
def test_without_treatment_the_centre_is_that_of_the_assessment(patient: Patient) -> None:
    assert patient.decision("next", "centre_id, home_centre_id") == ("liver_centre", "home")


@REGISTRY.patient(patient=HERE, drug_exposure=palliative(FOLFOX, day(0)), assessment=[assessed(0, centre_id="liver")])
def test_a_drug_without_a_centre_is_of_the_patients_centre(patient: Patient) -> None:
    assert patient.fact("centre_id") == "home"


# MDT.


@REGISTRY.patient(
    drug_exposure=palliative(FOLFOX, day(100)),
    mdt=[
        {"mdt_date": day(40), "mdt_type": "liver"},
        {"mdt_date": day(60), "mdt_type": "both"},
        {"mdt_date": day(70), "mdt_type": "colorectal"},
        {"mdt_date": day(101), "mdt_type": "liver"},
    ],
)
def test_the_mdt_date_is_the_latest_liver_meeting_of_the_60_days_before(patient: Patient) -> None:
    assert patient.fact("mdt_date") == date(2023, 3, 2)


@REGISTRY.patient(drug_exposure=palliative(FOLFOX, day(100)), mdt=[{"mdt_date": day(39), "mdt_type": "liver"}])
def test_a_meeting_61_days_before_is_none(patient: Patient) -> None:
    assert patient.fact("mdt_date") is None
