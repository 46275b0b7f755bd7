"""What the latest assessment says: its age limit, what has none, contraindications, liver remnant, scores, aim."""

from typing import Any

import pytest

from tests.unit.cohort.registry import Row, Tables, cohort, cohort_of, decision, folfox

START = "2020-07-02"
DAY_183_BEFORE, DAY_184_BEFORE = "2020-01-01", "2019-12-31"


def line(*assessments: Row, intent: str | None = "palliative", **tables: Any) -> Tables:
    return {
        "drug_exposure": folfox(START, intent=intent),
        "tumour": [{"m_category": "M1", "diagnosis_date": "2019-01-01"}],
        "assessment": assessments,
        **tables,
    }


def on(day: str = "2020-06-01", **cells: Any) -> Row:
    return {"assessment_date": day, **cells}


def primary(**cells: Any) -> dict[str, list[Row]]:
    return {"tumour": [{"m_category": "M1", "diagnosis_date": "2019-01-01", **cells}]}


FULL = {"crlm_count": 2, "crlm_max_mm": 51.0, "cea_ng_ml": 201.0, "mets_diagnosis_date": "2019-12-31"}
NODE_POSITIVE = primary(nodes_positive=1)

# By name: the rows, the fact, and what is expected of it.
CASES: dict[str, tuple[Tables, str, Any]] = {
    "183 days old still counts": (line(on(DAY_183_BEFORE, ecog=1)), "ecog", 1),
    "184 days old does not": (line(on(DAY_184_BEFORE, ecog=1)), "ecog", None),
    "an empty cell is not filled from an older row": (
        line(on("2020-05-01", ecog=1), on("2020-06-01")),
        "ecog",
        None,
    ),
    "the day itself counts": (line(on(START, ecog=2)), "ecog", 2),
    "the day after does not": (line(on("2020-07-03", ecog=2)), "ecog", None),
    "resectability has no age limit": (line(on("2018-01-01", resectability="never")), "resectability", "never"),
    "sites have no age limit": (line(on("2018-01-01")), "is_liver_only", True),
    "sites: an empty cell is unknown": (
        line(on("2018-01-01"), on("2020-06-01", mets_sites=None)),
        "is_liver_only",
        None,
    ),
    "two organs are not liver only": (line(on(mets_sites=["liver", "lung"])), "is_liver_only", False),
    "contraindications add up over all rows": (
        line(
            on("2015-01-01", contraindications=["qtc"]),
            on("2020-05-01", contraindications=["autoimmune", "qtc"]),
            on("2020-08-01", contraindications=["transplant"]),
        ),
        "contraindications",
        ["autoimmune", "qtc"],
    ),
    "no assessment means no contraindication": (line(), "contraindications", []),
    "a recorded deficiency of DPD counts": (line(on(contraindications=["dpd_complete"])), "dpd", "complete"),
    "ECOG 1 is fit": (line(on(ecog=1)), "fitness", "fit"),
    "ECOG 2 is vulnerable": (line(on(ecog=2)), "fitness", "vulnerable"),
    "ECOG 3 is unfit": (line(on(ecog=3)), "fitness", "unfit"),
    "ECOG unknown": (line(on()), "fitness", None),
    "the remnant as recorded": (line(on(flr_percent=25.0, flr_ml=900.0, tlv_ml=1000.0)), "flr_percent", 25.0),
    "the remnant from both volumes": (line(on(flr_ml=400.0, tlv_ml=1600.0)), "flr_percent", 25.0),
    "one volume is not enough": (line(on(flr_ml=400.0)), "flr_percent", None),
    "no liver at all": (line(on(flr_ml=400.0, tlv_ml=0.0)), "flr_percent", None),
    "a remnant below 5 % is none": (line(on(flr_ml=49.0, tlv_ml=1000.0)), "flr_percent", None),
    "oligometastatic: 3 organs, 5 lesions": (
        line(on(mets_sites=["liver", "lung", "ovary"], crlm_count=5)),
        "is_oligometastatic",
        True,
    ),
    "oligometastatic: 6 lesions": (line(on(crlm_count=6)), "is_oligometastatic", False),
    "oligometastatic: 4 organs, lesions unknown": (
        line(on(mets_sites=["liver", "lung", "ovary", "bone"])),
        "is_oligometastatic",
        False,
    ),
    "oligometastatic: lesions unknown": (line(on()), "is_oligometastatic", None),
    "oligometastatic: organs unknown, too many lesions": (
        line(on(mets_sites=None, crlm_count=99)),
        "is_oligometastatic",
        False,
    ),
    "CEA falls from the highest earlier value": (
        line(on("2020-01-01", cea_ng_ml=100.0), on("2020-03-01", cea_ng_ml=200.0), on(cea_ng_ml=50.0)),
        "cea_fall_percent",
        75.0,
    ),
    "CEA without an earlier value": (line(on(cea_ng_ml=50.0)), "cea_fall_percent", None),
    "synchronous: 31 days": (line(on(mets_diagnosis_date="2019-02-01")), "is_synchronous", True),
    "synchronous: 32 days": (line(on(mets_diagnosis_date="2019-02-02")), "is_synchronous", False),
    "synchronous: no diagnosis date": (
        line(on(mets_diagnosis_date="2019-02-01"), **primary(diagnosis_date=None)),
        "is_synchronous",
        None,
    ),
    "risk score: all five items": (line(on(**FULL), **NODE_POSITIVE), "fong_score_min", 5),
    "risk score: 12 months exactly": (
        line(on(**FULL | {"mets_diagnosis_date": "2020-01-01"}), **NODE_POSITIVE),
        "fong_score_max",
        4,
    ),
    "risk score: 5 cm exactly": (line(on(**FULL | {"crlm_max_mm": 50.0}), **NODE_POSITIVE), "fong_score_max", 4),
    "risk score: CEA 200 exactly": (line(on(**FULL | {"cea_ng_ml": 200.0}), **NODE_POSITIVE), "fong_score_max", 4),
    "risk score: one tumour": (line(on(**FULL | {"crlm_count": 1}), **NODE_POSITIVE), "fong_score_max", 4),
    "risk score: not countable scores": (line(on(**FULL | {"crlm_count": 99}), **NODE_POSITIVE), "fong_score_min", 5),
    "risk score: node negative": (line(on(**FULL), **primary(nodes_positive=0)), "fong_score_max", 4),
    "risk score: unknown nodes, lower end": (line(on(**FULL)), "fong_score_min", 4),
    "risk score: unknown nodes, upper end": (line(on(**FULL)), "fong_score_max", 5),
    "risk score: nothing known": (line(**primary(diagnosis_date=None)), "fong_score_max", 5),
    "burden: root of 3 cm and 4 tumours": (line(on(crlm_max_mm=30.0, crlm_count=4)), "tumour_burden_score", 5.0),
    "burden: not countable": (line(on(crlm_max_mm=30.0, crlm_count=99)), "tumour_burden_score", None),
    "aim: upfront": (line(on(resectability="upfront")), "treatment_setting", "resectable"),
    "aim: potential": (line(on(resectability="potential")), "treatment_setting", "conversion"),
    "aim: never": (line(on(resectability="never"), intent="conversion"), "treatment_setting", "unresectable"),
    "aim: difficult": (line(on(resectability="difficult")), "treatment_setting", "resectable"),
    "aim: difficult, for conversion": (
        line(on(resectability="difficult"), intent="conversion"),
        "treatment_setting",
        "conversion",
    ),
    "aim by intent: conversion": (line(intent="conversion"), "treatment_setting", "conversion"),
    "aim by intent: palliative": (line(), "treatment_setting", "unresectable"),
    "aim by intent: none": (line(intent=None), "treatment_setting", None),
}


@pytest.fixture(scope="module")
def decided() -> dict[str, dict[str, Any]]:
    built = cohort_of({name: rows for name, (rows, _, _) in CASES.items()})
    lines = built.decision.filter(built.decision["decision_id"].str.ends_with("/systemic/1"))
    return {row["patient_id"]: row for row in lines.iter_rows(named=True)}


@pytest.mark.parametrize("case", CASES)
def test_the_decision_sees_the_assessment(decided, case):
    _, fact, expected = CASES[case]
    assert decided[case][fact] == expected


def test_a_perioperative_course_aims_at_a_resectable_liver():
    built = cohort(**line(intent="perioperative"))
    assert decision(built, "p/systemic/0")["treatment_setting"] == "resectable"


def test_a_local_decision_sees_its_own_assessment_alone():
    built = cohort(
        assessment=[on("2020-01-01", ecog=1, crlm_count=3), on("2020-02-01", crlm_count=4)],
        procedure=[{"procedure_date": "2020-02-10", "procedure": "mwa"}],
    )
    one = decision(built, "p/local/2")
    assert (one["ecog"], one["crlm_count"], one["is_fitness_known"]) == (None, 4, False)


def test_a_procedure_outside_every_window_sees_an_old_assessment_only_for_what_has_no_limit():
    built = cohort(
        assessment=[on("2020-01-01", ecog=1, resectability="upfront")],
        procedure=[{"procedure_date": "2020-12-01", "procedure": "mwa"}],
    )
    one = decision(built, "p/local/p1")
    assert (one["ecog"], one["resectability"]) == (None, "upfront")


def test_an_assessment_and_drugs_with_different_aims_are_told():
    built = cohort(**line(on(resectability="upfront"), intent="palliative"))
    assert [(notice.check_name, notice.rows) for notice in built.notices] == [("treatment_setting_differs", (1,))]
