"""Which decisions a patient has: lines, assessments with their windows, procedures outside them, and the next step."""

from datetime import date

import pytest

from tests.unit.cohort.registry import cohort, decision, decision_ids, folfox

DAY_0 = "2020-01-01"
DAY_183, DAY_184 = "2020-07-02", "2020-07-03"


def assessed(day: str, **cells):
    return {"assessment_date": day, **cells}


def done(day: str, procedure: str = "resection", **cells):
    return {"procedure_date": day, "procedure": procedure, **cells}


class TestSystemic:
    def test_each_line_is_a_decision_with_its_regimen(self):
        built = cohort(drug_exposure=folfox(DAY_0, "2020-06-01", intent="palliative"))
        one = decision(built, "p/systemic/1")
        assert (one["setting"], one["line"], one["course"]) == ("systemic", 1, 1)
        assert (one["treatment"], one["decision_date"]) == ("fluorouracil+oxaliplatin", date(2020, 1, 1))

    def test_further_courses_of_line_0_carry_their_number(self):
        exposures = [
            *folfox("2018-01-01", "2018-06-01", intent="adjuvant"),
            *folfox("2019-06-01", "2019-09-01", intent="adjuvant"),
        ]
        ids = decision_ids(cohort(drug_exposure=exposures, assessment=[assessed(DAY_0)]))
        assert ids[-2:] == ["p/systemic/0", "p/systemic/0-2"]

    def test_the_centre_is_that_of_the_first_drug_else_the_patients(self):
        there = cohort(drug_exposure=folfox(DAY_0, intent="palliative", centre_id="there"))
        home = cohort(drug_exposure=folfox(DAY_0, intent="palliative"))
        assert decision(there, "p/systemic/1")["centre_id"] == "there"
        assert decision(there, "p/systemic/1")["home_centre_id"] == "home"
        assert decision(home, "p/systemic/1")["centre_id"] == "home"
        assert home.line_of_therapy["centre_id"].to_list() == ["home"]


class TestLocal:
    def test_procedures_to_day_183_belong_to_the_assessment_and_later_ones_open_their_own(self):
        within = cohort(assessment=[assessed(DAY_0)], procedure=[done(DAY_183)])
        beyond = cohort(assessment=[assessed(DAY_0)], procedure=[done(DAY_184)])
        assert decision(within, "p/local/1")["treatment"] == "resection"
        assert decision(beyond, "p/local/1")["treatment"] is None
        assert decision(beyond, "p/local/p1")["decision_date"] == date(2020, 7, 3)

    def test_a_procedure_on_the_day_of_a_new_assessment_belongs_to_the_new_one(self):
        built = cohort(assessment=[assessed(DAY_0), assessed("2020-02-01")], procedure=[done("2020-02-01")])
        assert decision(built, "p/local/1")["out_of_scope_reason"] == "reassessed"
        assert decision(built, "p/local/2")["treatment"] == "resection"

    def test_the_day_before_a_new_assessment_still_belongs_to_the_old_one(self):
        built = cohort(assessment=[assessed(DAY_0), assessed("2020-02-01")], procedure=[done("2020-01-31")])
        assert decision(built, "p/local/1")["treatment"] == "resection"

    def test_the_treatment_is_the_sorted_set_of_procedures(self):
        procedures = [done("2020-02-01"), done("2020-02-01", "mwa"), done("2020-03-01")]
        assert decision(cohort(assessment=[assessed(DAY_0)], procedure=procedures), "p/local/1")["treatment"] == (
            "mwa+resection"
        )

    def test_a_course_before_any_procedure_puts_systemic_into_the_set(self):
        built = cohort(
            assessment=[assessed(DAY_0)],
            drug_exposure=folfox("2020-01-10", "2020-03-01", intent="perioperative"),
            procedure=[done("2020-04-01")],
        )
        assert decision(built, "p/local/1")["treatment"] == "resection+systemic"

    @pytest.mark.parametrize("start", ["2020-04-01", "2020-05-01"])
    def test_a_course_on_or_after_the_first_procedure_does_not(self, start):
        built = cohort(
            assessment=[assessed(DAY_0)],
            drug_exposure=folfox(start, "2020-06-01", intent="adjuvant"),
            procedure=[done("2020-04-01")],
        )
        assert decision(built, "p/local/1")["treatment"] == "resection"

    def test_a_systemic_course_alone_is_what_was_given(self):
        built = cohort(assessment=[assessed(DAY_0)], drug_exposure=folfox("2020-02-01", intent="palliative"))
        assert decision(built, "p/local/1")["treatment"] == "systemic"

    def test_nothing_between_two_assessments_is_reassessed_however_long(self):
        built = cohort(assessment=[assessed(DAY_0), assessed("2021-01-01")], as_of="2022-12-31")
        assert decision(built, "p/local/1")["out_of_scope_reason"] == "reassessed"

    def test_a_procedure_after_the_window_is_no_reassessment(self):
        built = cohort(assessment=[assessed(DAY_0), assessed("2021-01-01")], procedure=[done("2020-10-01")])
        assert decision(built, "p/local/1")["out_of_scope_reason"] is None

    def test_death_in_the_window_takes_the_decision_out_and_later_death_does_not(self):
        dead = [{"vital_status": "dead", "death_date": DAY_183}]
        late = [{"vital_status": "dead", "death_date": DAY_184}]
        assert (
            decision(cohort(patient=dead, assessment=[assessed(DAY_0)]), "p/local/1")["out_of_scope_reason"] == "died"
        )
        after = decision(cohort(patient=late, assessment=[assessed(DAY_0)]), "p/local/1")
        assert (after["out_of_scope_reason"], after["is_open"]) == (None, False)

    def test_procedures_of_one_day_are_one_decision_and_days_are_numbered(self):
        procedures = [done("2020-03-01", "mwa"), done("2020-03-01"), done("2019-03-01")]
        built = cohort(procedure=procedures)
        assert [decision(built, f"p/local/p{n}")["treatment"] for n in (1, 2)] == ["resection", "mwa+resection"]

    def test_the_centre_is_that_of_the_first_treatment_else_of_the_assessment(self):
        there = [assessed(DAY_0, centre_id="there")]
        surgery = [done("2020-03-01", "mwa", centre_id="later"), done("2020-02-01", centre_id="surgery")]
        given = cohort(assessment=there, procedure=surgery)
        assert decision(given, "p/local/1")["centre_id"] == "surgery"
        untreated = cohort(assessment=[*there, assessed("2020-03-01")])
        assert decision(untreated, "p/local/1")["centre_id"] == "there"


class TestNext:
    def test_an_untreated_latest_assessment_becomes_the_next_decision_while_its_window_is_open(self):
        rows = {"assessment": [assessed(DAY_0)]}
        built = cohort(as_of=DAY_183, **rows)
        assert decision_ids(built) == ["p/next"]
        one = decision(built, "p/next")
        assert (one["setting"], one["is_open"], one["line"]) == ("local", True, 1)
        assert one["decision_date"] == one["facts_date"] == date(2020, 7, 2)
        later = cohort(as_of=DAY_184, **rows)
        assert decision_ids(later) == ["p/local/1", "p/next"]
        assert decision(later, "p/next")["setting"] == "systemic"
        assert decision(later, "p/local/1")["is_open"] is False

    def test_a_running_line_awaits_nothing_an_ended_or_progressed_one_does(self):
        ended = folfox(DAY_0, "2020-06-01", intent="palliative")
        running = folfox(DAY_0, intent="palliative")
        progression = [{"outcome_date": "2020-05-01", "outcome": "progression"}]
        assert decision_ids(cohort(drug_exposure=running)) == ["p/systemic/1"]
        assert decision(cohort(drug_exposure=ended), "p/next")["line"] == 2
        assert decision(cohort(drug_exposure=running, outcome=progression), "p/next")["line"] == 2

    def test_an_end_after_the_as_of_date_counts_as_empty(self):
        ended = folfox(DAY_0, "2020-06-01", intent="palliative")
        assert decision_ids(cohort(drug_exposure=ended, as_of="2020-05-31")) == ["p/systemic/1"]

    def test_a_patient_without_a_line_awaits_the_first(self):
        assert decision(cohort(tumour=[{"m_category": "M1"}]), "p/next")["line"] == 1

    def test_after_an_adjuvant_course_the_next_line_is_the_first(self):
        adjuvant = folfox(DAY_0, "2020-06-01", intent="adjuvant")
        assert decision(cohort(drug_exposure=adjuvant, tumour=[{"m_category": "M1"}]), "p/next")["line"] == 1

    def test_the_dead_have_no_next_decision(self):
        dead = [{"vital_status": "dead", "death_date": "2020-03-01"}]
        assert decision_ids(cohort(patient=dead, tumour=[{"m_category": "M1"}])) == []

    def test_every_assessment_counts_in_the_numbers_also_the_one_that_is_next(self):
        rows = {"assessment": [assessed("2019-01-01"), assessed(DAY_0)], "procedure": [done("2019-02-01")]}
        assert decision_ids(cohort(as_of="2020-02-01", **rows)) == ["p/local/1", "p/next"]
