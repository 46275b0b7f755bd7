"""What takes a decision out of the guidelines' scope, and what the meetings before it say."""

from datetime import date

import polars as pl
import pytest

from tests.unit.cohort.registry import cohort, cohort_of, decision, folfox

START = "2020-06-01"
DAY_60_BEFORE, DAY_61_BEFORE = "2020-04-02", "2020-04-01"


def first_line(**tables):
    drugs = tables.pop("drug_exposure", folfox(START, intent="palliative"))
    return decision(cohort(drug_exposure=drugs, **tables), "p/systemic/1")


def trial_meeting(day):
    return {"mdt": [{"mdt_date": day, "deviation_reason": "trial"}]}


def tumour(**cells):
    return {"tumour": [cells]}


REASONS = {
    "a trial chosen that day": (trial_meeting(START), "trial"),
    "a trial chosen 60 days before": (trial_meeting(DAY_60_BEFORE), "trial"),
    "a trial chosen 61 days before": (trial_meeting(DAY_61_BEFORE), None),
    "a trial chosen the day after": (trial_meeting("2020-06-02"), None),
    "17 that year": ({"patient": [{"birth_year": 2003}]}, "under_18"),
    "18 that year": ({"patient": [{"birth_year": 2002}]}, None),
    "age unknown": ({"patient": [{"birth_year": None}]}, None),
    "anus": (tumour(topography="C21.0"), "other_tumour"),
    "appendix": (tumour(topography="C18.1"), None),
    "intestine, not otherwise specified": (tumour(topography="C26.0"), None),
    "adenocarcinoma": (tumour(morphology="8140/3"), None),
    "one below neuroendocrine": (tumour(morphology="8239/3"), None),
    "first neuroendocrine": (tumour(morphology="8240/3"), "other_tumour"),
    "last neuroendocrine": (tumour(morphology="8249/3"), "other_tumour"),
    "lymphoma": (tumour(morphology="9680/3"), "other_tumour"),
    "sarcoma": (tumour(morphology="8890/3"), "other_tumour"),
    "an anal and a colorectal primary": (
        {"tumour": [{"topography": "C21.0"}, {"tumour_id": "2", "topography": "C18.7"}]},
        None,
    ),
}


@pytest.fixture(scope="module")
def reasons():
    drugs = {"drug_exposure": folfox(START, intent="palliative")}
    built = cohort_of({name: drugs | tables for name, (tables, _) in REASONS.items()})
    first = built.decision.filter(pl.col("line") == 1, pl.col("setting") == "systemic", ~pl.col("is_open"))
    return dict(first.select("patient_id", "out_of_scope_reason").iter_rows())


@pytest.mark.parametrize("case", REASONS)
def test_a_decision_is_in_scope_unless_a_reason_holds(reasons, case):
    assert reasons[case] == REASONS[case][1]


def test_a_trial_on_any_drug_of_the_line_takes_it_out():
    drugs = folfox(START, intent="palliative")
    one = first_line(drug_exposure=[drugs[0], {**drugs[1], "trial_id": "NCT1"}])
    assert (one["out_of_scope_reason"], one["trial_id"]) == ("trial", "NCT1")


def test_a_trial_on_a_procedure_takes_the_local_decision_out():
    built = cohort(procedure=[{"procedure_date": START, "procedure": "mwa", "trial_id": "NCT2"}])
    assert decision(built, "p/local/p1")["out_of_scope_reason"] == "trial"


def test_another_reason_is_kept_and_leaves_the_decision_in_scope():
    one = first_line(mdt=[{"mdt_date": DAY_60_BEFORE, "deviation_reason": "patient_choice"}])
    assert (one["deviation_reason"], one["out_of_scope_reason"]) == ("patient_choice", None)


def test_the_latest_liver_meeting_of_the_60_days_counts():
    meetings = [
        {"mdt_date": DAY_60_BEFORE, "mdt_type": "liver"},
        {"mdt_date": "2020-05-01", "mdt_type": "both"},
        {"mdt_date": "2020-05-20", "mdt_type": "colorectal"},
    ]
    assert first_line(mdt=meetings)["mdt_date"] == date(2020, 5, 1)
    assert first_line(mdt=meetings[:1])["mdt_date"] == date(2020, 4, 2)
    assert first_line(mdt=[{"mdt_date": DAY_61_BEFORE, "mdt_type": "liver"}])["mdt_date"] is None


def test_a_trial_is_told_before_any_other_reason():
    drugs = folfox(START, intent="palliative", trial_id="NCT1")
    one = first_line(drug_exposure=drugs, patient=[{"birth_year": 2010}], tumour=[{"topography": "C21.0"}])
    assert one["out_of_scope_reason"] == "trial"
