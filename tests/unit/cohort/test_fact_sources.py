"""Lineage: from a known fact to the rows of the extract that it rests on."""

from typing import Any

import polars as pl
import pytest

from crlm_pipeline.cohort.facts.biomarkers import SUPPORT, results
from schemas.cohort import Decision
from schemas.column import describe
from schemas.extract import Biomarker
from tests.unit.cohort.registry import cohort, fact_sources, folfox, frame

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
def sources():
    return fact_sources(TABLES)


def rows(sources, fact):
    mine = sources.filter(pl.col("decision_id") == "p/systemic/1", pl.col("fact") == fact)
    return sorted(mine.select("table_name", "source_row", "reason").rows())


def test_a_mutant_status_rests_on_the_mutated_row_alone(sources):
    assert rows(sources, "ras") == [("biomarker", 1, "kras mutated")]


def test_a_conflict_names_every_row_that_makes_it_and_an_assumed_date(sources):
    assert rows(sources, "msi") == [
        ("biomarker", 3, "msi mss; date assumed: the sample date stands in"),
        ("biomarker", 4, "msh6 lost"),
    ]


def test_a_result_that_came_later_is_no_source(sources):
    assert rows(sources, "braf") == []


def test_a_score_rests_on_the_assessment_and_the_primary(sources):
    assert [(table, row) for table, row, _ in rows(sources, "fong_score_min")] == [("assessment", 1), ("tumour", 1)]


def test_other_facts_name_their_rows(sources):
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
    found = {fact: [(table, row) for table, row, _ in rows(sources, fact)] for fact in expected}
    assert found == expected


def test_every_source_names_a_column_of_the_decision_and_a_fact_that_is_known(sources):
    assert set(sources["fact"]) <= set(describe(Decision).polars_schema)
    known = {
        row["decision_id"]: {name for name, cell in row.items() if cell is not None}
        for row in cohort(**TABLES).decision.rows(named=True)
    }
    assert all(fact in known[decision_id] for decision_id, fact in sources.select("decision_id", "fact").rows())


PLASMA = {"specimen_site": "plasma", "region_tested": ["all"]}
REPEATED = {"analyte": "kras", "result": "mutated", "source_row": 20, "report_date": "2020-05-04"}
RESULTS = [
    *TABLES["biomarker"],
    {"analyte": "erbb2", "result": "ihc_2", "sample_date": "2020-04-01"},
    {"analyte": "erbb2", "result": "amplified", "method": "ish", "report_date": "2020-05-31"},
    {"analyte": "erbb2", "result": "not_amplified", "method": "ngs", "report_date": "2020-06-30"},
    {"analyte": "dpyd", "result": "dpd_partial", "specimen_site": "blood", "report_date": "2020-05-01"},
    {"analyte": "dpyd", "result": "dpd_normal", **PLASMA, "report_date": "2020-05-01"},
    {"analyte": "braf", "result": "mutated", "hgvs_p": "p.V600E"},
    {"analyte": "tmb", "result": "low", "report_date": "2020-06-01"},
    {"analyte": "tmb", "result": "high", "report_date": "2020-06-02"},
    {"analyte": "kras", "result": "not_detected", **PLASMA, "sample_date": "2020-02-01", "report_date": "2020-05-30"},
    {"analyte": "kras", "result": "mutated", **PLASMA, "sample_date": "2020-03-01", "report_date": "2020-03-10"},
    {"analyte": "nras", "result": "mutated", **PLASMA, "sample_date": "2020-03-01", "report_date": "2020-03-20"},
    {"analyte": "nras", "result": "not_detected", **PLASMA, "sample_date": "2020-03-01", "report_date": "2020-03-20"},
    # Two results of one row of a file, told by the same words.
    {**REPEATED, "hgvs_p": "p.G12C"},
    {**REPEATED, "hgvs_p": "p.G12D"},
]


def test_the_sources_of_biomarkers_are_the_results_whose_evidence_their_value_stands_for():
    tables = {**TABLES, "biomarker": RESULTS}
    found = fact_sources(tables).filter(table_name="biomarker").select("decision_id", "fact", "source_row", "reason")
    decisions = cohort(**tables).decision
    known = results(frame(Biomarker, RESULTS)).rows(named=True)
    expected = {
        (decision["decision_id"], one.fact, result["source_row"], said(result))
        for decision in decisions.rows(named=True)
        for one in SUPPORT
        if as_text(decision[one.fact]) == one.value
        for result in resting(known, one, decision["facts_date"])
    }
    assert {fact for _, fact, _, _ in expected} >= {"ras_plasma", "her2", "her2_destiny", "dpd", "is_tmb_high", "ras"}
    assert sorted(found.rows()) == sorted(expected)


def as_text(value):
    return str(value).lower() if isinstance(value, bool) else value


def resting(known, support, day):
    """The results known that day that show any of the bits; of plasma those of the latest sample."""
    shown = [
        result
        for result in known
        if result["known_date"] and result["known_date"] <= day and result[support.word] & support.mask
    ]
    latest = max((result["drawn_date"] for result in shown), default=None)
    return [result for result in shown if support.word != "ras_plasma" or result["drawn_date"] == latest]


def said(result):
    assumed = "; date assumed: the sample date stands in" if result["is_assumed"] else ""
    return f"{result['analyte']} {result['result']}{assumed}"
