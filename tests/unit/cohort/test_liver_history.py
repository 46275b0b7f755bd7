"""What a decision inherits from local treatment, and the drugs around liver surgery."""

from typing import Any

import pytest

from tests.unit.cohort.registry import Row, Tables, cohort_of, folfox

ASSESSED = [{"assessment_date": "2020-01-01"}]


def done(day: str, procedure: str = "resection", **cells: Any) -> Row:
    return {"procedure_date": day, "procedure": procedure, **cells}


def given(drug: str, start: str, end: str | None, **cells: Any) -> Row:
    return {"drug": drug, "start_date": start, "end_date": end, "intent": "palliative", **cells}


def local(*procedures: Row, drugs: list[Row] | None = None) -> Tables:
    return {"assessment": ASSESSED, "procedure": procedures, "drug_exposure": drugs or []}


MAJOR = "is_unaugmented_major_resection"
INTERVAL = "bevacizumab_interval_days"
ONGOING = "is_first_line_ongoing"
RECURRENCE = "is_liver_recurrence"
SURGERY = done("2020-04-01")

# By name: the rows, the decision, the fact, and what is expected of it.
CASES: dict[str, tuple[Tables, str, str, Any]] = {
    "a resection of unknown extent": (local(SURGERY), "local/1", MAJOR, True),
    "a minor resection": (local(done("2020-04-01", is_major=False)), "local/1", MAJOR, False),
    "a major resection after an embolisation": (
        local(done("2020-02-01", "pve"), done("2020-04-01", is_major=True)),
        "local/1",
        MAJOR,
        False,
    ),
    "an embolisation before the assessment does not excuse": (
        local(done("2019-12-01", "pve"), SURGERY),
        "local/1",
        MAJOR,
        True,
    ),
    "an embolisation after the resection does not excuse": (
        local(SURGERY, done("2020-05-01", "pve")),
        "local/1",
        MAJOR,
        True,
    ),
    "ALPPS on the day excuses": (local(SURGERY, done("2020-04-01", "alpps")), "local/1", MAJOR, False),
    "an ablation is no resection": (local(done("2020-04-01", "mwa")), "local/1", MAJOR, False),
    "an earlier resection makes a recurrence": (local(done("2019-01-01"), SURGERY), "local/1", RECURRENCE, True),
    "an earlier embolisation does not": (local(done("2019-01-01", "pve"), SURGERY), "local/1", RECURRENCE, False),
    "the decision's own resection does not": (local(SURGERY), "local/1", RECURRENCE, False),
    "days from the last bevacizumab": (
        local(SURGERY, drugs=[given("bevacizumab", "2020-01-02", "2020-02-19")]),
        "local/1",
        INTERVAL,
        42,
    ),
    "bevacizumab without an end": (
        local(SURGERY, drugs=[given("bevacizumab", "2020-01-02", None)]),
        "local/1",
        INTERVAL,
        None,
    ),
    "bevacizumab never given": (local(SURGERY), "local/1", INTERVAL, None),
    "bevacizumab before an ablation": (
        local(done("2020-04-01", "mwa"), drugs=[given("bevacizumab", "2020-01-02", "2020-02-19")]),
        "local/1",
        INTERVAL,
        None,
    ),
    "first line running in the window": (
        local(done("2020-04-01", "sirt"), drugs=folfox("2020-02-01", "2020-06-01", intent="palliative")),
        "local/1",
        ONGOING,
        True,
    ),
    "first line ended before the window": (
        local(done("2020-04-01", "sirt"), drugs=folfox("2019-02-01", "2019-12-31", intent="palliative")),
        "local/1",
        ONGOING,
        False,
    ),
    "a first line without chemotherapy": (
        local(done("2020-04-01", "sirt"), drugs=[given("pembrolizumab", "2020-02-01", "2020-06-01")]),
        "local/1",
        ONGOING,
        False,
    ),
    "days of ipilimumab in the line": (
        {"drug_exposure": [given("nivolumab", "2020-01-01", None), given("ipilimumab", "2020-01-01", "2020-03-04")]},
        "systemic/1",
        "ipilimumab_days",
        63,
    ),
    "ipilimumab without an end": (
        {"drug_exposure": [given("ipilimumab", "2020-01-01", None)]},
        "systemic/1",
        "ipilimumab_days",
        None,
    ),
}


@pytest.fixture(scope="module")
def decided() -> dict[str, dict[str, Any]]:
    built = cohort_of({name: rows for name, (rows, _, _, _) in CASES.items()})
    return {row["decision_id"]: row for row in built.decision.iter_rows(named=True)}


@pytest.mark.parametrize("case", CASES)
def test_the_decision_knows_its_local_history(decided, case):
    _, name, fact, expected = CASES[case]
    assert decided[f"{case}/{name}"][fact] == expected
