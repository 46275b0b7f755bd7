from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from crlm_pipeline.cohort.prior_therapy import prior_facts
from schemas.cohort import Decision
from schemas.column import describe
from schemas.extract import Outcome
from tests.therapy import WINDOWS, Row, day, frame, given, lines_of, progression, response

FOLFOX = "fluorouracil + oxaliplatin"
FOLFIRI = "fluorouracil + irinotecan"


def facts(
    exposures: Sequence[Row], at: int, line: int | None = None, course: int | None = 1, outcomes: Sequence[Row] = ()
) -> dict[str, Any]:
    """Return the facts of one decision; a local one, or one of no line given, unless it says which line it is."""
    decision = pl.DataFrame(
        {"decision_id": ["d"], "patient_id": ["p"], "decision_date": [day(at)], "line": [line], "course": [course]},
        schema_overrides={"line": pl.Int32, "course": pl.Int32},
    )
    lines = lines_of(exposures, outcomes=outcomes)
    return prior_facts(decision, lines, frame(Outcome, outcomes), WINDOWS).row(0, named=True)


class TestDrugsBefore:
    @pytest.mark.parametrize(
        ("drug", "fact"),
        [
            ("capecitabine", "prior_fluoropyrimidine"),
            ("oxaliplatin", "prior_oxaliplatin"),
            ("irinotecan", "prior_irinotecan"),
            ("panitumumab", "prior_anti_egfr"),
            ("ramucirumab", "prior_anti_vegf"),
            ("pembrolizumab", "prior_checkpoint_inhibitor"),
            ("encorafenib", "prior_braf_inhibitor"),
            ("sotorasib", "prior_kras_g12c_inhibitor"),
            ("trastuzumab deruxtecan", "prior_anti_her2"),
        ],
    )
    def test_a_drug_started_before_the_decision_is_prior(self, drug: str, fact: str) -> None:
        prior = {name: value for name, value in facts(given(drug, 0, 90), at=1).items() if name.startswith("prior_")}
        assert prior == {name: name == fact for name in prior}

    def test_a_drug_started_on_the_day_of_the_decision_is_not(self) -> None:
        assert facts(given("oxaliplatin", 0, 90), at=0)["prior_oxaliplatin"] is False

    def test_a_drug_of_the_decisions_own_line_is_not(self) -> None:
        assert facts(given("oxaliplatin", 0, 90), at=50, line=1)["prior_oxaliplatin"] is False
        assert facts(given("oxaliplatin", 0, 90), at=50, line=1, course=None)["prior_oxaliplatin"] is False
        assert facts(given("oxaliplatin", 0, 90), at=50, line=2)["prior_oxaliplatin"] is True

    def test_an_adjuvant_course_is_prior_and_a_further_course_is_not_its_own(self) -> None:
        adjuvant = given("oxaliplatin", 0, 90, intent="adjuvant")
        assert facts(adjuvant, at=400, line=1)["prior_oxaliplatin"] is True
        assert facts(adjuvant, at=400, line=0, course=2)["prior_oxaliplatin"] is True
        assert facts(adjuvant, at=400, line=0, course=1)["prior_oxaliplatin"] is False

    def test_a_patient_without_drugs_has_had_none(self) -> None:
        found = facts([], at=10, line=1)
        assert not any(value for name, value in found.items() if name.startswith("prior_"))
        assert found["failed_classes"] == []
        assert found["previous_backbone"] == "none"
        assert found["chemotherapy_line_count"] == 0
        assert found["had_anti_egfr_response"] is False
        assert found["days_since_anti_egfr"] is found["response_days"] is found["ipilimumab_days"] is None

    def test_a_drug_set_aside_is_not_prior(self) -> None:
        assert facts(given("bevacizumab", 0, 90, atc="S01LA08"), at=10)["prior_anti_vegf"] is False


class TestLinesBefore:
    @pytest.mark.parametrize(
        ("regimen", "backbone", "count"),
        [
            (FOLFOX, "oxaliplatin", 1),
            (FOLFIRI, "irinotecan", 1),
            ("fluorouracil + oxaliplatin + irinotecan", "oxaliplatin_irinotecan", 1),
            ("capecitabine + bevacizumab", "fluoropyrimidine", 1),
            ("raltitrexed", "fluoropyrimidine", 1),
            ("Lonsurf + bevacizumab", "other", 1),
            ("encorafenib + cetuximab", "none", 0),
        ],
    )
    def test_the_backbone_of_the_line_before(self, regimen: str, backbone: str, count: int) -> None:
        found = facts(given(regimen, 0, 90), at=100, line=2)
        assert (found["previous_backbone"], found["chemotherapy_line_count"]) == (backbone, count)

    def test_the_backbone_is_that_of_the_latest_line_with_a_cytotoxic_drug(self) -> None:
        exposures = [*given(FOLFOX, 0, 90), *given(FOLFIRI, 100, 190), *given("encorafenib + cetuximab", 200, 290)]
        found = facts(exposures, at=300, line=4)
        assert (found["previous_backbone"], found["chemotherapy_line_count"]) == ("irinotecan", 2)
        assert facts(exposures, at=100, line=2)["previous_backbone"] == "oxaliplatin"

    def test_an_adjuvant_course_is_no_line(self) -> None:
        found = facts(given(FOLFOX, 0, 90, intent="adjuvant"), at=400, line=1)
        assert (found["previous_backbone"], found["chemotherapy_line_count"]) == ("none", 0)

    @pytest.mark.parametrize(
        ("earlier", "line", "expected"),
        [
            ([], 1, 1),
            ([given("pembrolizumab", 0, 90)], 2, 1),
            ([given("pembrolizumab", 0, 90), given("ipilimumab", 100, 120)], 3, 1),
            ([given("pembrolizumab + bevacizumab", 0, 90)], 2, 2),
            ([given(FOLFOX, 0, 90), given("pembrolizumab", 100, 190)], 3, 3),
            ([given("pembrolizumab", 0, 90), given(FOLFOX, 100, 190)], 3, 3),
            ([given("pembrolizumab", 0, 90, line_registered=1)], 3, 3),
            ([], 2, 2),
            ([given("pembrolizumab", 0, 90, intent="adjuvant")], 1, 1),
            ([given("pembrolizumab", 0, 90)], 0, 0),
            ([given("pembrolizumab", 0, 90)], None, None),
        ],
    )
    def test_the_first_chemotherapy_after_checkpoint_inhibitors_alone_counts_as_line_1(
        self, earlier: list[list[Row]], line: int | None, expected: int | None
    ) -> None:
        exposures = [row for rows in earlier for row in rows]
        assert facts(exposures, at=500, line=line)["chemotherapy_line"] == expected


class TestFailedClasses:
    @pytest.mark.parametrize(("at", "failed"), [(100, True), (283, True), (284, False)])
    def test_a_class_failed_from_the_progression_for_183_days(self, at: int, failed: bool) -> None:
        found = facts(given(f"{FOLFOX} + Avastin", 0, 100), at=at, line=2, outcomes=[progression(100)])
        assert found["failed_classes"] == (["anti_vegf", "fluoropyrimidine", "oxaliplatin"] if failed else [])

    def test_a_progression_after_the_decision_is_not_known_yet(self) -> None:
        assert facts(given(FOLFOX, 0, 100), at=99, outcomes=[progression(100)])["failed_classes"] == []

    def test_a_drug_stopped_for_progression_failed(self) -> None:
        found = facts(given("irinotecan", 0, 100, stop_reason="progression"), at=110, line=2)
        assert found["failed_classes"] == ["irinotecan"]

    def test_only_the_line_progressed_on_failed(self) -> None:
        exposures = [*given(FOLFOX, 0, 90), *given("irinotecan", 100, 190)]
        assert facts(exposures, at=200, line=3, outcomes=[progression(190)])["failed_classes"] == ["irinotecan"]

    @pytest.mark.parametrize(("relapse", "failed"), [(273, ["oxaliplatin"]), (274, [])])
    def test_a_relapse_long_after_the_last_dose_does_not_fail_the_class(self, relapse: int, failed: list[str]) -> None:
        adjuvant = given("oxaliplatin", 0, 90, intent="adjuvant")
        found = facts(adjuvant, at=280, line=1, outcomes=[progression(relapse)])
        assert found["failed_classes"] == failed

    def test_oxaliplatin_dropped_long_before_the_progression_did_not_fail(self) -> None:
        exposures = [*given("fluorouracil", 0, 400), *given("oxaliplatin", 0, 90)]
        assert facts(exposures, at=401, line=2, outcomes=[progression(400)])["failed_classes"] == ["fluoropyrimidine"]

    def test_a_drug_given_again_after_the_progression_did_not_fail_by_it(self) -> None:
        exposures = [*given("fluorouracil", 0, 400), *given("oxaliplatin", 0, 90), *given("oxaliplatin", 310, 400)]
        assert facts(exposures, at=401, line=2, outcomes=[progression(300)])["failed_classes"] == ["fluoropyrimidine"]

    def test_a_drug_that_joined_the_line_after_the_progression_did_not_fail_by_it(self) -> None:
        exposures = [
            *given("cetuximab", 0, 90, line_registered=1),
            *given("irinotecan", 100, 300, line_registered=2),
            *given("cetuximab", 140, 300, line_registered=2),
        ]
        assert facts(exposures, at=200, line=3, outcomes=[progression(110)])["failed_classes"] == ["irinotecan"]

    def test_the_latest_progression_on_a_line_counts(self) -> None:
        outcomes = [progression(50), progression(300)]
        assert facts(given("irinotecan", 0, 310), at=320, line=2, outcomes=outcomes)["failed_classes"] == ["irinotecan"]

    def test_a_drug_that_went_on_into_the_line_failed_with_it(self) -> None:
        exposures = [*given("bevacizumab", 0, 300), *given(FOLFOX, 0, 90), *given("irinotecan", 100, 300)]
        found = facts(exposures, at=310, line=3, outcomes=[progression(300)])
        assert found["failed_classes"] == ["anti_vegf", "irinotecan"]


class TestAntiEgfr:
    def test_a_response_in_an_earlier_anti_egfr_line_counts_once_it_is_known(self) -> None:
        exposures = given("irinotecan + cetuximab", 0, 100)
        for at, expected in ((49, None), (50, True), (200, True)):
            assert facts(exposures, at=at, outcomes=[response(50)])["had_anti_egfr_response"] is expected

    def test_an_assessed_line_without_response_had_none(self) -> None:
        found = facts(given("cetuximab", 0, 100), at=200, outcomes=[progression(90)])
        assert found["had_anti_egfr_response"] is False

    def test_a_line_that_nobody_assessed_is_unknown(self) -> None:
        assert facts(given("cetuximab", 0, 100), at=200)["had_anti_egfr_response"] is None

    def test_a_response_before_the_antibody_joined_is_not_its_own(self) -> None:
        exposures = [*given("irinotecan", 0, 100), *given("cetuximab", 50, 100)]
        assert facts(exposures, at=200, outcomes=[response(50), progression(90)])["had_anti_egfr_response"] is False
        assert facts(exposures, at=200, outcomes=[response(51), progression(90)])["had_anti_egfr_response"] is True

    def test_a_response_in_a_line_without_the_antibody_does_not_count(self) -> None:
        exposures = [*given("cetuximab", 0, 90), *given("Lonsurf", 100, 190)]
        found = facts(exposures, at=200, outcomes=[progression(90), response(150)])
        assert found["had_anti_egfr_response"] is False

    def test_a_response_in_the_decisions_own_line_does_not_count(self) -> None:
        found = facts(given("cetuximab", 0, 90), at=60, line=1, outcomes=[response(50)])
        assert found["had_anti_egfr_response"] is False

    def test_one_response_is_enough_and_one_unassessed_line_leaves_it_open(self) -> None:
        exposures = [*given("cetuximab", 0, 90), *given("Lonsurf", 100, 190), *given("panitumumab", 200, 290)]
        assert facts(exposures, at=300, outcomes=[response(50)])["had_anti_egfr_response"] is True
        assert facts(exposures, at=300, outcomes=[progression(50)])["had_anti_egfr_response"] is None

    @pytest.mark.parametrize(("at", "expected"), [(99, None), (100, 0), (220, 120)])
    def test_days_count_from_the_last_dose_and_are_unknown_while_it_runs(self, at: int, expected: int | None) -> None:
        assert facts(given("cetuximab", 0, 100), at=at)["days_since_anti_egfr"] == expected

    def test_days_are_unknown_without_an_end(self) -> None:
        exposures = [*given("cetuximab", 0, None), *given("panitumumab", 50, 90)]
        assert facts(exposures, at=200)["days_since_anti_egfr"] is None

    def test_a_later_dose_does_not_reach_back(self) -> None:
        exposures = [*given("cetuximab", 0, 100), *given("cetuximab", 300, 400)]
        assert facts(exposures, at=200)["days_since_anti_egfr"] == 100


class TestResponse:
    @pytest.mark.parametrize(
        ("outcomes", "expected"),
        [
            ([], None),
            ([response(50)], 150),
            ([response(50), response(100)], 150),
            ([response(50), progression(60)], None),
            ([response(50), progression(60), response(100)], 100),
            ([response(200)], 0),
            ([response(201)], None),
            ([response(50), progression(201)], 150),
            ([response(50), progression(200)], None),
            ([response(50), progression(50)], None),
        ],
    )
    def test_a_response_counts_from_its_first_day_until_progression(
        self, outcomes: list[Row], expected: int | None
    ) -> None:
        assert facts(given(FOLFOX, 0, 190), at=200, outcomes=outcomes)["response_days"] == expected

    def test_a_drug_stopped_for_progression_ends_a_response(self) -> None:
        exposures = given(FOLFOX, 0, 100, stop_reason="progression")
        assert facts(exposures, at=200, outcomes=[response(50)])["response_days"] is None


class TestIpilimumab:
    def test_days_from_the_first_to_the_last_dose_of_the_decisions_line(self) -> None:
        exposures = [*given("nivolumab", 0, 300), *given("ipilimumab", 0, 21), *given("ipilimumab", 42, 63)]
        assert facts(exposures, at=0, line=1)["ipilimumab_days"] == 63
        assert facts(exposures, at=400, line=2)["ipilimumab_days"] is None

    def test_days_are_unknown_while_it_runs(self) -> None:
        assert facts(given("ipilimumab", 0, None), at=0, line=1)["ipilimumab_days"] is None


def test_every_fact_is_a_column_of_the_decision_with_its_type() -> None:
    decisions = pl.DataFrame(
        {"decision_id": ["b", "a"], "patient_id": ["p", "nobody"], "decision_date": [day(9), day(9)]}
    ).with_columns(line=pl.lit(1, dtype=pl.Int32), course=pl.lit(None, dtype=pl.Int32))
    found = prior_facts(decisions, lines_of(given(FOLFOX, 0, 5)), frame(Outcome, []), WINDOWS)
    declared = describe(Decision).polars_schema
    assert found["decision_id"].to_list() == ["a", "b"]
    assert {name: declared[name] for name in found.columns} == dict(found.schema)
