"""Lineage: from a known fact to the rows of the extract that it rests on."""

from typing import Any

import polars as pl
import pytest

from schemas.cohort import Decision
from schemas.column import describe
from tests.unit.cohort.registry import cohort, folfox

TABLES: dict[str, Any] = {
    "tumour": [{"resection_date": "2019-02-01", "nodes_positive": 1, "resection_margin": "r0"}],
    "assessment": [
        {
            "assessment_date": "2020-05-01",
            "mets_diagnosis_date": "2019-01-15",
            "ecog": 1,
            "contraindications": ["dpd_partial"],
            "crlm_count": 3,
            "crlm_max_mm": 20.0,
            "resectability": "potential",
        }
    ],
    "biomarker": [
        {"analyte": "kras", "result": "mutated", "hgvs_p": "p.G12C", "report_date": "2020-05-01"},
        {"analyte": "nras", "result": "not_detected", "region_tested": ["all"], "report_date": "2020-05-01"},
        {"analyte": "msi", "result": "mss", "sample_date": "2020-05-02"},
        {"analyte": "msh6", "result": "lost", "report_date": "2020-05-03"},
        {"analyte": "braf", "result": "not_detected", "report_date": "2020-07-01"},
    ],
    "drug_exposure": [
        *folfox("2019-03-01", "2019-08-01", intent="adjuvant"),
        *folfox("2020-06-01", intent="palliative"),
    ],
    "procedure": [{"procedure_date": "2019-10-01", "procedure": "resection"}],
    "mdt": [{"mdt_date": "2020-05-20", "mdt_type": "liver", "deviation_reason": "patient_choice"}],
}


@pytest.fixture(scope="module")
def built():
    return cohort(**TABLES)


def rows(built, fact):
    mine = built.fact_source.filter(pl.col("decision_id") == "p/systemic/1", pl.col("fact") == fact)
    return sorted(mine.select("table_name", "source_row", "reason").rows())


def test_a_mutant_status_rests_on_the_mutated_row_alone(built):
    assert rows(built, "ras") == [("biomarker", 1, "kras mutated")]


def test_a_conflict_names_every_row_that_makes_it_and_an_assumed_date(built):
    assert rows(built, "msi") == [
        ("biomarker", 3, "msi mss; date assumed: the sample date stands in"),
        ("biomarker", 4, "msh6 lost"),
    ]


def test_a_result_that_came_later_is_no_source(built):
    assert rows(built, "braf") == []


def test_a_score_rests_on_the_assessment_and_the_primary(built):
    assert [(table, row) for table, row, _ in rows(built, "fong_score_min")] == [("assessment", 1), ("tumour", 1)]


def test_other_facts_name_their_rows(built):
    expected = {
        "age": [("patient", 1)],
        "side": [("tumour", 1)],
        "fitness": [("assessment", 1)],
        "dpd": [("assessment", 1)],
        "treatment_setting": [("assessment", 1)],
        "treatment": [("drug_exposure", 3), ("drug_exposure", 4)],
        "is_liver_recurrence": [("procedure", 1)],
        "mdt_date": [("mdt", 1)],
        "deviation_reason": [("mdt", 1)],
    }
    found = {fact: [(table, row) for table, row, _ in rows(built, fact)] for fact in expected}
    assert found == expected


def test_every_source_names_a_column_of_the_decision_and_a_fact_that_is_known(built):
    assert set(built.fact_source["fact"]) <= set(describe(Decision).polars_schema)
    known = {
        row["decision_id"]: {name for name, cell in row.items() if cell is not None}
        for row in built.decision.rows(named=True)
    }
    assert all(
        fact in known[decision_id] for decision_id, fact in built.fact_source.select("decision_id", "fact").rows()
    )
