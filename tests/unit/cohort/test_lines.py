import pytest

from schemas.cohort import ExposureRole, LineOfTherapy
from tests.therapy import (
    day,
    given,
    judged,
    line,
    lines_of,
    progression,
    regimens,
    resection,
    roles,
)

FOLFOX = "fluorouracil + oxaliplatin"
FOLFIRI = "fluorouracil + irinotecan"


class TestJoining:
    def test_drugs_of_one_day_are_one_regimen_without_folinates(self) -> None:
        lines = lines_of(given("oxaliplatin + leucovorin + Avastin + 5-FU", 0, 90))
        assert regimens(lines) == {"1": "bevacizumab+fluorouracil+oxaliplatin"}
        assert line(lines, 1)["regimen_name"] == "FOLFOX + bevacizumab"

    def test_a_fixed_combination_is_one_substance(self) -> None:
        assert regimens(lines_of(given("Phesgo + Lonsurf", 0, 90))) == {
            "1": "pertuzumab/trastuzumab+trifluridine/tipiracil"
        }

    @pytest.mark.parametrize(
        ("added", "at", "last_joining_day"),
        [("irinotecan", 28, 28), ("cetuximab", 60, 60), ("panitumumab", 60, 60), ("bevacizumab", 60, 60)],
    )
    def test_a_drug_joins_up_to_the_last_day_of_its_window(self, added: str, at: int, last_joining_day: int) -> None:
        lines = lines_of([*given("fluorouracil", 0, 20), *given(added, at, 200)])
        assert list(regimens(lines)) == ["1"]
        assert line(lines, 1)["facts_date"] == day(last_joining_day)

    @pytest.mark.parametrize(
        ("added", "at"),
        [("irinotecan", 29), ("cetuximab", 61), ("panitumumab", 61), ("bevacizumab", 61), ("aflibercept", 29)],
    )
    def test_a_drug_added_the_day_after_its_window_opens_a_line(self, added: str, at: int) -> None:
        lines = lines_of([*given("fluorouracil", 0, 20), *given(added, at, 200)])
        assert regimens(lines) == {"1": "fluorouracil", "2": added}
        assert line(lines, 1)["facts_date"] == day(0)

    def test_an_antibody_with_another_new_drug_has_the_short_window(self) -> None:
        lines = lines_of([*given("fluorouracil", 0, 20), *given("cetuximab + irinotecan", 29, 200)])
        assert regimens(lines) == {"1": "fluorouracil", "2": "cetuximab+irinotecan"}

    def test_the_drugs_of_a_day_go_with_the_new_drug_of_that_day(self) -> None:
        lines = lines_of([*given(FOLFOX, 0, 90), *given(FOLFIRI, 100, 190)])
        assert regimens(lines) == {"1": "fluorouracil+oxaliplatin", "2": "fluorouracil+irinotecan"}

    def test_the_facts_date_is_the_start_without_a_drug_that_joined_later(self) -> None:
        lines = lines_of([*given(FOLFOX, 0, 30), *given(FOLFOX, 14, 60)])
        assert line(lines, 1)["facts_date"] == day(0)

    def test_a_new_class_at_recorded_progression_opens_a_line_inside_the_window(self) -> None:
        exposures = [*given("fluorouracil", 0, 20), *given("irinotecan", 28, 100)]
        assert regimens(lines_of(exposures, outcomes=[progression(28)])) == {"1": "fluorouracil", "2": "irinotecan"}
        assert regimens(lines_of(exposures, outcomes=[progression(29)])) == {"1": "fluorouracil+irinotecan"}
        assert regimens(lines_of(exposures, outcomes=[progression(0)])) == {"1": "fluorouracil+irinotecan"}

    def test_a_drug_of_the_same_class_at_progression_joins_inside_the_window(self) -> None:
        lines = lines_of([*given("nivolumab", 0, 20), *given("ipilimumab", 20, 90)], outcomes=[progression(10)])
        assert regimens(lines) == {"1": "ipilimumab+nivolumab"}


class TestSwaps:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("fluorouracil", "capecitabine"),
            ("cetuximab", "panitumumab"),
            ("capecitabine", "raltitrexed"),
            ("fluorouracil", "S-1"),
        ],
    )
    @pytest.mark.parametrize("at", [10, 29, 80])
    def test_a_swap_keeps_the_line_and_the_first_drug_in_the_key(self, first: str, second: str, at: int) -> None:
        lines = lines_of([*given(f"{first} + ramucirumab", 0, at - 1), *given(second, at, 100)])
        assert regimens(lines) == {"1": "+".join(sorted([first, "ramucirumab"]))}
        assert roles(lines)[-1] == (second, "swap")
        assert line(lines, 1)["facts_date"] == day(0)

    def test_both_drugs_of_a_swap_have_a_first_dose(self) -> None:
        lines = lines_of([*given("cetuximab", 0, 20), *given("panitumumab", 21, 90)])
        assert lines.class_start.select("inn", "start_date").rows() == [("cetuximab", day(0)), ("panitumumab", day(21))]


class TestRestarts:
    @pytest.mark.parametrize("at", [100, 190])
    def test_a_restart_within_the_gap_is_the_same_line_whatever_progressed(self, at: int) -> None:
        lines = lines_of([*given(FOLFOX, 0, 100), *given(FOLFOX, at, 300)], outcomes=[progression(100)])
        assert list(regimens(lines)) == ["1"]
        assert {role for _, role in roles(lines)} == {"regimen"}

    def test_a_restart_after_the_gap_with_progression_is_a_new_line(self) -> None:
        lines = lines_of([*given(FOLFOX, 0, 100), *given(FOLFOX, 191, 300)], outcomes=[progression(150)])
        assert list(regimens(lines)) == ["1", "2"]

    def test_a_restart_after_the_gap_without_progression_is_a_reintroduction(self) -> None:
        lines = lines_of([*given(FOLFOX, 0, 100), *given(FOLFOX, 191, 300)], outcomes=[progression(301)])
        assert list(regimens(lines)) == ["1"]
        assert [role for _, role in roles(lines)] == ["regimen", "regimen", "reintroduction", "reintroduction"]

    def test_a_drug_stopped_for_progression_counts_as_progression(self) -> None:
        first = given(FOLFOX, 0, 100, stop_reason="progression")
        assert list(regimens(lines_of([*first, *given(FOLFOX, 191, 300)]))) == ["1", "2"]

    def test_a_relapse_after_a_resection_is_a_new_line_even_if_nobody_wrote_progression(self) -> None:
        exposures = [*given(FOLFOX, 0, 100, intent="conversion"), *given(FOLFOX, 300, 400, intent="palliative")]
        assert list(regimens(lines_of(exposures, procedures=[resection(120)]))) == ["1", "2"]
        assert list(regimens(lines_of(exposures, procedures=[resection(99)]))) == ["1"]

    def test_a_cycle_after_a_reintroduction_is_part_of_it(self) -> None:
        lines = lines_of([*given("irinotecan", 0, 10), *given("irinotecan", 200, 210), *given("irinotecan", 214, 220)])
        assert [role for _, role in roles(lines)] == ["regimen", "reintroduction", "reintroduction"]

    def test_a_drug_without_an_end_has_no_gap(self) -> None:
        lines = lines_of([*given(FOLFOX, 0, None), *given(FOLFOX, 500, 600)], outcomes=[progression(400)])
        assert list(regimens(lines)) == ["1"]


class TestDropping:
    def test_a_dropped_drug_does_not_advance_and_what_goes_on_is_maintenance(self) -> None:
        lines = lines_of([*given(f"{FOLFOX} + bevacizumab", 0, 100), *given("capecitabine + bevacizumab", 120, 300)])
        assert regimens(lines) == {"1": "bevacizumab+fluorouracil+oxaliplatin"}
        assert roles(lines)[3:] == [("bevacizumab", "maintenance"), ("capecitabine", "maintenance")]

    def test_it_is_no_maintenance_while_oxaliplatin_goes_on(self) -> None:
        lines = lines_of(
            [*given("oxaliplatin", 0, 200), *given("fluorouracil", 0, 100), *given("capecitabine", 120, 200)]
        )
        assert roles(lines)[-1] == ("capecitabine", "swap")

    def test_it_is_no_maintenance_on_the_last_day_of_oxaliplatin(self) -> None:
        exposures = [*given("oxaliplatin", 0, 120), *given("fluorouracil", 0, 100)]
        assert roles(lines_of([*exposures, *given("fluorouracil", 120, 200)]))[-1] == ("fluorouracil", "regimen")
        assert roles(lines_of([*exposures, *given("fluorouracil", 121, 200)]))[-1] == ("fluorouracil", "maintenance")

    def test_oxaliplatin_given_again_after_maintenance_is_a_reintroduction(self) -> None:
        lines = lines_of(
            [*given("fluorouracil", 0, 400), *given("oxaliplatin", 0, 90), *given("oxaliplatin", 300, 400)]
        )
        assert list(regimens(lines)) == ["1"]
        assert roles(lines)[-1] == ("oxaliplatin", "reintroduction")

    def test_a_fluoropyrimidine_without_a_partner_is_no_maintenance(self) -> None:
        lines = lines_of([*given("capecitabine", 0, 40), *given("capecitabine", 60, 90)])
        assert roles(lines)[-1] == ("capecitabine", "regimen")


class TestGoingOn:
    def test_a_drug_recorded_to_go_on_beyond_the_window_belongs_to_the_new_regimen(self) -> None:
        exposures = [*given("fluorouracil", 0, 200), *given("oxaliplatin", 0, 100), *given("irinotecan", 110, 200)]
        lines = lines_of(exposures)
        assert regimens(lines) == {"1": "fluorouracil+oxaliplatin", "2": "fluorouracil+irinotecan"}
        assert lines.class_start.filter(line=2).select("inn", "start_date").rows() == [
            ("fluorouracil", day(110)),
            ("irinotecan", day(110)),
        ]
        assert lines.exposure_role.height == len(exposures)

    @pytest.mark.parametrize(("end", "regimen"), [(138, "irinotecan"), (139, "fluorouracil+irinotecan")])
    def test_an_end_inside_the_window_of_the_new_line_is_an_overlap(self, end: int, regimen: str) -> None:
        lines = lines_of([*given("fluorouracil", 0, end), *given("irinotecan", 110, 200)])
        assert regimens(lines)["2"] == regimen

    def test_a_drug_whose_end_nobody_recorded_is_not_carried_on(self) -> None:
        lines = lines_of([*given(FOLFOX, 0, None), *given(FOLFIRI, 110, None)])
        assert regimens(lines)["2"] == "fluorouracil+irinotecan"

    def test_a_drug_that_went_on_may_be_given_later_without_a_new_line(self) -> None:
        lines = lines_of(
            [*given("fluorouracil", 0, 200), *given("irinotecan", 110, 400), *given("fluorouracil", 210, 400)]
        )
        assert regimens(lines) == {"1": "fluorouracil", "2": "fluorouracil+irinotecan"}

    def test_a_drug_that_went_on_does_not_join_when_it_is_given_again(self) -> None:
        exposures = [*given("fluorouracil", 0, 200), *given("irinotecan", 110, 400), *given("fluorouracil", 120, 130)]
        assert line(lines_of(exposures), 2)["facts_date"] == day(110)

    def test_a_drug_may_go_on_through_two_lines(self) -> None:
        lines = lines_of(
            [
                *given("bevacizumab", 0, 500),
                *given(FOLFOX, 0, 90),
                *given(FOLFIRI, 100, 200),
                *given("Lonsurf", 300, 400),
            ]
        )
        assert list(regimens(lines).values()) == [
            "bevacizumab+fluorouracil+oxaliplatin",
            "bevacizumab+fluorouracil+irinotecan",
            "bevacizumab+trifluridine/tipiracil",
        ]


class TestAroundSurgery:
    @pytest.mark.parametrize("intent", ["adjuvant", "perioperative", "curative"])
    def test_a_curative_intent_is_line_0(self, intent: str) -> None:
        lines = lines_of([*given(FOLFOX, 0, 90, intent=intent), *given(FOLFIRI, 400, 500, intent="palliative")])
        assert regimens(lines) == {"0": "fluorouracil+oxaliplatin", "1": "fluorouracil+irinotecan"}
        assert line(lines, 0)["intent"] == intent

    def test_conversion_is_line_1_even_if_a_resection_follows(self) -> None:
        lines = lines_of(
            given(FOLFOX, 0, 90, intent="conversion"), procedures=[resection(120)], assessments=[judged("difficult", 0)]
        )
        assert regimens(lines) == {"1": "fluorouracil+oxaliplatin"}

    def test_courses_of_line_0_are_counted_after_a_gap_or_another_drug(self) -> None:
        courses = [
            *given(FOLFOX, 0, 90, intent="adjuvant"),
            *given(FOLFOX, 181, 200, intent="adjuvant"),
            *given(FOLFIRI, 240, 300, intent="adjuvant"),
        ]
        assert list(regimens(lines_of(courses))) == ["0", "0-2", "0-3"]

    def test_a_gap_of_90_days_is_one_course(self) -> None:
        before, after = given(FOLFOX, 0, 90, intent="perioperative"), given(FOLFOX, 180, 270, intent="adjuvant")
        assert list(regimens(lines_of([*before, *after]))) == ["0"]

    def test_a_course_around_surgery_does_not_interrupt_a_line(self) -> None:
        lines = lines_of(
            [
                *given(FOLFOX, 0, 90, intent="conversion"),
                *given("capecitabine", 120, 200, intent="adjuvant"),
                *given(FOLFOX, 170, 300, intent="palliative"),
            ]
        )
        assert regimens(lines) == {"0": "capecitabine", "1": "fluorouracil+oxaliplatin"}

    @pytest.mark.parametrize("resectability", ["upfront", "difficult"])
    @pytest.mark.parametrize(("start", "end", "number"), [(0, 110, 0), (0, 109, 1), (290, 400, 0), (291, 400, 1)])
    def test_an_unstated_course_within_90_days_of_a_resection_is_line_0(
        self, resectability: str, start: int, end: int, number: int
    ) -> None:
        lines = lines_of(
            given(FOLFOX, start, end), procedures=[resection(200)], assessments=[judged(resectability, -10)]
        )
        assert list(regimens(lines)) == [str(number)]

    @pytest.mark.parametrize("resectability", ["potential", "never", None])
    def test_an_unstated_course_of_disease_not_operable_then_is_line_1(self, resectability: str | None) -> None:
        lines = lines_of(
            given(FOLFOX, 0, 150),
            procedures=[resection(200)],
            assessments=[judged(resectability, 0), judged("upfront", 1)],
        )
        assert list(regimens(lines)) == ["1"]

    def test_the_latest_resectability_known_at_the_start_counts(self) -> None:
        assessments = [judged("potential", -20), judged("upfront", -10), judged(None, -5)]
        lines = lines_of(given(FOLFOX, 0, 150), procedures=[resection(200)], assessments=assessments)
        assert list(regimens(lines)) == ["0"]

    def test_an_unstated_course_before_and_after_a_resection_is_one_course(self) -> None:
        lines = lines_of(
            [*given(FOLFOX, 0, 80), *given(FOLFOX, 160, 240)],
            procedures=[resection(120)],
            assessments=[judged("upfront", 0)],
        )
        assert list(regimens(lines)) == ["0"]
        assert line(lines, 0)["end_date"] == day(240)

    def test_a_course_that_never_ended_did_not_end_before_a_resection(self) -> None:
        lines = lines_of(given(FOLFOX, 0, None), procedures=[resection(50)], assessments=[judged("upfront", 0)])
        assert list(regimens(lines)) == ["1"]

    def test_another_procedure_is_no_resection(self) -> None:
        ablation = {"procedure": "mwa", "procedure_date": day(120)}
        lines = lines_of(given(FOLFOX, 0, 90), procedures=[ablation], assessments=[judged("upfront", 0)])
        assert list(regimens(lines)) == ["1"]

    def test_a_drug_without_intent_goes_with_the_course_it_is_given_in(self) -> None:
        lines = lines_of([*given("fluorouracil", 0, 90, intent="adjuvant"), *given("oxaliplatin", 0, 90)])
        assert regimens(lines) == {"0": "fluorouracil+oxaliplatin"}

    def test_a_drug_without_intent_goes_with_the_latest_purpose(self) -> None:
        lines = lines_of(
            [
                *given("fluorouracil", 0, 90, intent="adjuvant"),
                *given("fluorouracil", 120, 200, intent="palliative"),
                *given("capecitabine", 130, 200),
            ]
        )
        assert lines.exposure_role.select("drug", "line").rows()[-1] == ("capecitabine", 1)

    def test_a_course_with_one_drug_that_never_ended_did_not_end_before_a_resection(self) -> None:
        exposures = [*given("fluorouracil", 0, None), *given("oxaliplatin", 0, 40)]
        lines = lines_of(exposures, procedures=[resection(50)], assessments=[judged("upfront", 0)])
        assert list(regimens(lines)) == ["1"]

    def test_the_reason_says_what_made_it_a_course_around_surgery(self) -> None:
        history = {"procedures": [resection(120)], "assessments": [judged("upfront", 0)]}
        for intent, reason in (
            ("adjuvant", "around surgery by intent; joined on day 0"),
            (None, "around surgery by a resection within the window; joined on day 0"),
        ):
            lines = lines_of([*given("fluorouracil", 0, 90, intent=intent), *given("oxaliplatin", 0, 90)], **history)
            assert lines.exposure_role["reason"].unique().to_list() == [reason]

    def test_an_unstated_course_after_an_adjuvant_one_is_not_drawn_into_it(self) -> None:
        lines = lines_of([*given(FOLFOX, 0, 90, intent="adjuvant"), *given(FOLFOX, 181, 270)])
        assert list(regimens(lines)) == ["0", "1"]


class TestRegistered:
    def test_registered_lines_are_used_when_complete(self) -> None:
        lines = lines_of([*given(FOLFOX, 0, 90, line_registered=1), *given(FOLFOX, 95, 180, line_registered=2)])
        assert list(regimens(lines)) == ["1", "2"]
        assert lines.line_of_therapy["line_source"].unique().to_list() == ["registered"]

    def test_a_registered_line_holds_every_drug_that_it_names(self) -> None:
        lines = lines_of([*given(FOLFOX, 0, 90, line_registered=2), *given("cetuximab", 80, 180, line_registered=2)])
        assert regimens(lines) == {"2": "cetuximab+fluorouracil+oxaliplatin"}
        assert line(lines, 2)["facts_date"] == day(0)

    def test_a_modulator_needs_no_registered_line(self) -> None:
        lines = lines_of([*given(FOLFOX, 0, 90, line_registered=1), *given("leucovorin", 0, 90)])
        assert line(lines, 1)["line_source"] == "registered"

    @pytest.mark.parametrize("second", [None, 1])
    def test_incomplete_or_backward_lines_are_derived_with_a_finding(self, second: int | None) -> None:
        lines = lines_of(
            [*given("irinotecan", 0, 90, line_registered=2), *given("Lonsurf", 100, 180, line_registered=second)]
        )
        assert list(regimens(lines)) == ["1", "2"]
        assert lines.line_of_therapy["line_source"].unique().to_list() == ["derived"]
        (notice,) = lines.notices
        assert (notice.check_name, notice.source_file_id) == ("line_registered_ignored", "f")
        assert notice.rows == ((1,) if second is None else (1, 2))

    def test_no_registered_line_at_all_is_no_finding(self) -> None:
        assert lines_of(given(FOLFOX, 0, 90)).notices == ()

    def test_a_registered_line_that_the_rules_count_otherwise_is_used_with_a_finding(self) -> None:
        lines = lines_of([*given(FOLFOX, 0, 90, line_registered=1), *given(FOLFOX, 95, 180, line_registered=2)])
        (notice,) = lines.notices
        assert (notice.check_name, notice.rows) == ("line_registered_differs", (3, 4))

    def test_a_registered_line_near_a_resection_stays_a_line(self) -> None:
        lines = lines_of(
            given(FOLFOX, 0, 90, line_registered=1), procedures=[resection(120)], assessments=[judged("upfront", 0)]
        )
        assert list(regimens(lines)) == ["1"]

    def test_one_patient_does_not_spoil_the_registered_lines_of_another(self) -> None:
        lines = lines_of([*given("irinotecan", 0, 90, line_registered=3), *given("irinotecan", 0, 90, patient_id="q")])
        assert lines.line_of_therapy.select("patient_id", "line", "line_source").rows() == [
            ("p", 3, "registered"),
            ("q", 1, "derived"),
        ]

    def test_an_adjuvant_intent_is_line_0_whatever_the_registry_counts(self) -> None:
        lines = lines_of(
            [
                *given(FOLFOX, 0, 90, intent="adjuvant", line_registered=1),
                *given(FOLFIRI, 400, 500, intent="palliative", line_registered=1),
            ]
        )
        assert lines.line_of_therapy.select("line", "line_source").rows() == [(0, "derived"), (1, "registered")]


class TestAside:
    @pytest.mark.parametrize(
        ("drug", "atc", "role", "reason"),
        [
            ("leucovorin", None, "excluded", "modulates another drug, no part of a regimen"),
            ("bevacizumab", "S01LA08", "excluded", "given into the eye, no cancer treatment"),
            ("nobody knows", None, "excluded", "not in the drug list"),
            ("SIR-Spheres", None, "local", "local treatment of the liver, no systemic drug"),
        ],
    )
    def test_what_is_no_systemic_cancer_drug_is_set_aside(
        self, drug: str, atc: str | None, role: str, reason: str
    ) -> None:
        lines = lines_of(given(drug, 0, 10, atc=atc))
        assert lines.exposure_role.select("role", "reason", "line", "course").row(0) == (role, reason, None, None)
        assert lines.line_of_therapy.height == 0

    def test_an_exposure_after_the_as_of_date_takes_part_in_nothing(self) -> None:
        lines = lines_of([*given(FOLFOX, 0, 90), *given("Lonsurf", 201, 300)], as_of=200)
        assert list(regimens(lines)) == ["1"]
        assert lines.exposure_role.row(-1, named=True)["reason"] == "after the as-of date"
        assert list(regimens(lines_of([*given(FOLFOX, 0, 90), *given("Lonsurf", 200, 300)], as_of=200))) == ["1", "2"]

    def test_events_after_the_as_of_date_take_part_in_nothing(self) -> None:
        exposures = [*given(FOLFOX, 0, 100)]
        events = {"procedures": [resection(120)], "assessments": [judged("upfront", 0)], "outcomes": [progression(150)]}
        assert list(regimens(lines_of(exposures, **events, as_of=119))) == ["1"]
        assert line(lines_of(exposures, outcomes=[progression(150)], as_of=149), 1)["progression_date"] is None

    def test_an_end_after_the_as_of_date_counts_as_unknown(self) -> None:
        assert line(lines_of(given(FOLFOX, 0, 201), as_of=200), 1)["end_date"] is None
        assert line(lines_of(given(FOLFOX, 0, 200), as_of=200), 1)["end_date"] == day(200)


class TestTheLine:
    def test_a_line_ends_with_its_last_drug(self) -> None:
        assert line(lines_of([*given("fluorouracil", 0, 90), *given("oxaliplatin", 0, 60)]), 1)["end_date"] == day(90)

    def test_a_line_with_an_open_drug_has_no_end(self) -> None:
        assert line(lines_of([*given("fluorouracil", 0, 90), *given("oxaliplatin", 0, None)]), 1)["end_date"] is None

    def test_centre_is_that_of_the_first_drug_and_trial_the_first_of_any(self) -> None:
        lines = lines_of(
            [
                *given("capecitabine", 0, 90, centre_id="A"),
                *given("bevacizumab", 10, 90, centre_id="B", trial_id="NCT1"),
                *given("oxaliplatin", 20, 90, trial_id="NCT2"),
            ]
        )
        assert (line(lines, 1)["centre_id"], line(lines, 1)["trial_id"]) == ("A", "NCT1")

    def test_centre_is_unknown_when_the_first_drug_names_none(self) -> None:
        lines = lines_of([*given("capecitabine", 0, 90), *given("bevacizumab", 10, 90, centre_id="B")])
        assert line(lines, 1)["centre_id"] is None

    def test_one_drug_for_conversion_makes_it_the_intent(self) -> None:
        lines = lines_of(
            [*given("capecitabine", 0, 90, intent="palliative"), *given("oxaliplatin", 0, 90, intent="conversion")]
        )
        assert line(lines, 1)["intent"] == "conversion"

    def test_a_progression_belongs_to_the_line_before_up_to_the_day_of_the_next(self) -> None:
        exposures = [*given(FOLFOX, 0, 90), *given(FOLFIRI, 100, 190)]
        for at, expected in ((0, (None, None)), (1, (day(1), None)), (100, (day(100), None)), (101, (None, day(101)))):
            lines = lines_of(exposures, outcomes=[progression(at)])
            assert tuple(lines.line_of_therapy["progression_date"]) == expected

    def test_the_first_progression_counts_and_all_are_kept(self) -> None:
        lines = lines_of(given(FOLFOX, 0, 90, stop_reason="progression"), outcomes=[progression(200), progression(80)])
        assert line(lines, 1)["progression_date"] == day(80)
        assert lines.progression["progression_date"].to_list() == [day(80), day(90), day(200)]

    def test_frames_are_as_declared(self) -> None:
        lines = lines_of(
            [*given(FOLFOX, 0, 90, centre_id="A"), *given("x", 1, 2), *given("Lonsurf", 99, None, centre_id="A")]
        )
        LineOfTherapy.validate(lines.line_of_therapy)
        ExposureRole.validate(lines.exposure_role)

    def test_no_exposures_are_no_error(self) -> None:
        lines = lines_of([])
        assert lines.line_of_therapy.height == lines.exposure_role.height == lines.class_start.height == 0
        LineOfTherapy.validate(lines.line_of_therapy)


def test_dates_before_1970_are_counted_like_any_other() -> None:
    lines = lines_of([*given(FOLFOX, -20000, -19900), *given(FOLFOX, -19809, -19700)], outcomes=[progression(-19850)])
    assert list(regimens(lines)) == ["1", "2"]
    reintroduced = lines_of([*given(FOLFOX, -20000, -19900), *given(FOLFOX, -19809, -19700)])
    assert [role for _, role in roles(reintroduced)][2:] == ["reintroduction", "reintroduction"]
