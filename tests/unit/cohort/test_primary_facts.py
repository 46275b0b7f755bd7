"""What the primaries say on a day: side by policy, pathology when it was known, removal and margin."""

from typing import Any

import pytest

from crlm_pipeline.settings import Settings
from tests.unit.cohort.registry import Row, Tables, cohort, cohort_of, decision, folfox

START = "2020-07-01"


def line(*tumours: Row) -> Tables:
    numbered = [{"tumour_id": str(number), **tumour} for number, tumour in enumerate(tumours, start=1)]
    return {"drug_exposure": folfox(START, intent="palliative"), "tumour": numbered}


def at(topography: str, **cells: Any) -> Row:
    return {"topography": topography, **cells}


def known(tables: Tables, **settings: Any) -> dict[str, Any]:
    return decision(cohort(settings=Settings(**settings), **tables), "p/systemic/1")


SIDES = {
    "C18.0": ("right", "high"),
    "C18.1": (None, None),
    "C18.2": ("right", "high"),
    "C18.3": ("right", "high"),
    "C18.4": ("right", "low"),
    "C18.5": ("left", "high"),
    "C18.6": ("left", "high"),
    "C18.7": ("left", "high"),
    "C18.8": (None, None),
    "C18.9": (None, None),
    "C19.9": ("left", "high"),
    "C20.9": ("left", "high"),
    "C26.0": (None, None),
    "C21.0": (None, None),
}

# By name: the rows, the fact, and what is expected of it.
CASES: dict[str, tuple[Tables, str, Any]] = {
    **{f"side of {site}": (line(at(site)), "side", side) for site, (side, _) in SIDES.items()},
    **{f"certainty of {site}": (line(at(site)), "side_certainty", sure) for site, (_, sure) in SIDES.items()},
    "no primary on record": (line(), "side", None),
    "two primaries on one side": (line(at("C18.7"), at("C20.9")), "side", "left"),
    "two primaries, one of them transverse": (line(at("C18.0"), at("C18.4")), "side_certainty", "low"),
    "two primaries on both sides": (line(at("C18.0"), at("C20.9")), "side", None),
    "two primaries, one without a side": (line(at("C18.9"), at("C20.9")), "side", None),
    "a second primary diagnosed later": (line(at("C20.9"), at("C18.0", diagnosis_date="2020-07-02")), "side", "left"),
    "a second primary diagnosed that day": (line(at("C20.9"), at("C18.0", diagnosis_date=START)), "side", None),
    "resected that day": (line(at("C20.9", resection_date=START)), "is_primary_resected", True),
    "resected the day after": (line(at("C20.9", resection_date="2020-07-02")), "is_primary_resected", False),
    "resection not recorded": (line(at("C20.9")), "is_primary_resected", None),
    "one of two resected": (
        line(at("C20.9", resection_date="2020-01-01"), at("C18.7", resection_date="2020-08-01")),
        "is_primary_resected",
        False,
    ),
    "margin 14 days after the resection": (
        line(at("C20.9", resection_date="2020-06-17", resection_margin="r0")),
        "primary_margin",
        "r0",
    ),
    "margin 13 days after the resection": (
        line(at("C20.9", resection_date="2020-06-18", resection_margin="r0")),
        "primary_margin",
        None,
    ),
    "margin without a resection date counts from the diagnosis": (
        line(at("C20.9", resection_margin="r1")),
        "primary_margin",
        "r1",
    ),
    "the worst of two margins": (
        line(at("C20.9", resection_margin="r0"), at("C18.7", resection_margin="r2")),
        "primary_margin",
        "r2",
    ),
    "a clear margin beside an unknown one": (
        line(at("C20.9", resection_margin="r0"), at("C18.7")),
        "primary_margin",
        None,
    ),
    "nodes 14 days after the resection": (
        line(at("C20.9", resection_date="2020-06-17", nodes_positive=2)),
        "fong_score_min",
        1,
    ),
    "nodes 13 days after the resection": (
        line(at("C20.9", resection_date="2020-06-18", nodes_positive=2)),
        "fong_score_min",
        0,
    ),
    "an N category counts from the diagnosis": (line(at("C20.9", n_category="N1b")), "fong_score_min", 1),
    "NX is unknown": (line(at("C20.9", n_category="NX")), "fong_score_max", 5),
    "N0 does not score": (line(at("C20.9", n_category="pN0")), "fong_score_max", 4),
    "positive nodes beat an earlier N0": (line(at("C20.9", n_category="N0", nodes_positive=1)), "fong_score_min", 1),
}


@pytest.fixture(scope="module")
def decided() -> dict[str, dict[str, Any]]:
    built = cohort_of({name: rows for name, (rows, _, _) in CASES.items()})
    lines = built.decision.filter(built.decision["decision_id"].str.ends_with("/systemic/1"))
    return {row["patient_id"]: row for row in lines.iter_rows(named=True)}


@pytest.mark.parametrize("case", CASES)
def test_the_decision_sees_the_primary(decided, case):
    _, fact, expected = CASES[case]
    assert decided[case][fact] == expected


def test_the_policy_excludes_the_transverse_colon():
    one = known(line(at("C18.4")), side_policy="exclude")
    assert (one["side"], one["side_certainty"]) == (None, None)


@pytest.mark.parametrize(("part", "side"), [("proximal", "right"), ("distal", "left"), (None, None)])
def test_the_policy_splits_the_transverse_colon_by_its_part(part, side):
    assert known(line(at("C18.4", transverse_part=part)), side_policy="split")["side"] == side
