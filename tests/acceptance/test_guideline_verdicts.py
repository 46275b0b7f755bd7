"""Verdicts that the clinical knowledge base demands, written without sight of the editions and held against a run.

`guideline_verdicts.csv` has a row per decision: day, country, situation, what was given, and the verdict of one series;
a rule, an edition and whether it was superseded where the documents leave no choice. `concordant` and `discordant`
stand for either degree; `not judged`: the series has no row there. The situations are those of `SITUATIONS`, later ones
winning, and single facts.
"""

import csv
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crlm_pipeline.cohort.build import Cohort
from crlm_pipeline.guidelines.annotate import annotate
from crlm_pipeline.guidelines.explain import example_decision
from crlm_pipeline.guidelines.load import load_editions
from crlm_pipeline.settings import Settings
from schemas.cohort import ClassView, CohortPatient, Decision, Verdict
from schemas.column import describe

with (Path(__file__).with_name("guideline_verdicts.csv")).open(encoding="utf-8", newline="") as lines:
    ROWS = list(csv.DictReader(lines))

FIRST_LINE: Mapping[str, Any] = {
    "setting": "systemic",
    "line": 1,
    "fitness": "fit",
    "ecog": 0,
    "age": 60,
    "treatment_setting": "unresectable",
    "kras_g12c": False,
    "her2": "negative",
}
LEFT = {**FIRST_LINE, "msi": "mss", "ras": "wild_type", "braf": "wild_type", "side": "left"}
MUTATED = LEFT | {"ras": "mutant"}
SECOND_LINE = {
    "line": 2,
    "previous_backbone": "oxaliplatin",
    "prior_fluoropyrimidine": True,
    "prior_oxaliplatin": True,
    "chemotherapy_line_count": 1,
    "has_ntrk_fusion": False,
    "has_ret_fusion": False,
    "has_pole_variant": False,
}
THIRD_LINE = SECOND_LINE | {
    "line": 3,
    "previous_backbone": "irinotecan",
    "prior_irinotecan": True,
    "prior_anti_vegf": True,
    "chemotherapy_line_count": 2,
}
PERIOPERATIVE = LEFT | {
    "line": 0,
    "intent": "perioperative",
    "treatment_setting": "resectable",
    "resectability": "upfront",
    "fong_score_min": 1,
    "fong_score_max": 1,
}
RESECTABLE = MUTATED | {
    "setting": "local",
    "line": None,
    "treatment_setting": "resectable",
    "resectability": "upfront",
    "liver_background": "normal",
    "flr_percent": 40.0,
    "planned_resection": "major",
    "is_unaugmented_major_resection": True,
    "crlm_count": 3,
    "crlm_max_mm": 22,
    "is_liver_only": True,
    "is_ablatable": True,
    "is_bilobar": False,
    "is_primary_resected": True,
    "fong_score_min": 1,
    "fong_score_max": 1,
}
UNRESECTABLE = {"treatment_setting": "unresectable", "resectability": "never", "is_unaugmented_major_resection": False}
SITUATIONS: dict[str, Mapping[str, Any]] = {
    "left wild-type": LEFT,
    "right wild-type": LEFT | {"side": "right"},
    "RAS-mutated": MUTATED,
    "KRAS G12C": MUTATED | {"kras_g12c": True},
    "BRAF V600E": LEFT | {"braf": "v600e"},
    "MSI-H": LEFT | {"msi": "msi_h", "side": "right"},
    "HER2-positive": LEFT | {"her2": "positive", "her2_fda_agnostic": "positive"},
    "second line": SECOND_LINE,
    "third line": THIRD_LINE,
    "after a checkpoint inhibitor alone": {
        "line": 2,
        "chemotherapy_line": 1,
        "prior_checkpoint_inhibitor": True,
        "failed_classes": ["checkpoint_inhibitor"],
    },
    "anti-EGFR response five months ago": {
        "prior_anti_egfr": True,
        "had_anti_egfr_response": True,
        "days_since_anti_egfr": 150,
        "ras_plasma": "wild_type",
    },
    "vulnerable": {"fitness": "vulnerable", "ecog": 2},
    "unfit": {"fitness": "unfit", "ecog": 3},
    "liver-only for conversion": {"treatment_setting": "conversion", "is_liver_only": True},
    "perioperative": PERIOPERATIVE,
    "adjuvant": PERIOPERATIVE | {"intent": "adjuvant"},
    "resectable": RESECTABLE,
    "potentially resectable": RESECTABLE | {"treatment_setting": "conversion", "resectability": "potential"},
    "unresectable": RESECTABLE | UNRESECTABLE,
    "transplantable": {
        "response_days": 120,
        "cea_ng_ml": 20.0,
        "cea_fall_percent": 60.0,
        "primary_margin": "r0",
        "chemotherapy_line_count": 1,
        "resectability_source": "panel",
    },
}
EITHER_DEGREE = ("concordant", "discordant")
LISTS = ("contraindications", "failed_classes")
WORDS = {"unknown": None, "true": True, "false": False}


def _facts(situation: str) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for part in situation.split("; "):
        name, is_single, value = part.partition(" = ")
        facts |= {name: _value(name, value)} if is_single else SITUATIONS[name]
    return facts


def _value(name: str, written: str) -> object:
    if name in LISTS:
        return written.split("+")
    if written in WORDS:
        return WORDS[written]
    if written.isdigit():
        return int(written)
    return float(written) if written.replace(".", "").isdigit() else written


def _decision(number: int, row: Mapping[str, str]) -> dict[str, object]:
    facts = _facts(row["situation"])
    return example_decision(facts, row["given"] or None) | {
        "decision_id": str(number),
        "patient_id": str(number),
        "centre_id": "c",
        "home_centre_id": "c",
        "country": row["country"],
        "decision_date": date.fromisoformat(row["decided"]),
        "facts_date": date.fromisoformat(row["decided"]),
        "is_relative_calendar": False,
        "is_fitness_known": facts.get("fitness") is not None,
        "has_assumed_date": False,
        "has_imputed_date": False,
    }


@pytest.fixture(scope="module")
def verdicts() -> dict[tuple[str, str], dict[str, Any]]:
    """Every decision of the table judged by every series in one run, as a registry is."""
    knowledge = load_editions()
    nothing = pl.DataFrame()
    cohort = Cohort(
        patient=pl.DataFrame(schema=describe(CohortPatient).polars_schema),
        line_of_therapy=nothing,
        exposure_role=nothing,
        decision=pl.DataFrame(
            [_decision(number, row) for number, row in enumerate(ROWS)], schema=describe(Decision).polars_schema
        ),
        class_view=pl.DataFrame(schema=describe(ClassView).polars_schema),
        result_support=nothing,
        analyte_known=nothing,
        patient_facts=nothing,
        notices=(),
    )
    frames = annotate(cohort, knowledge, Settings(guidelines=tuple(knowledge.series)), date(2026, 11, 1)).frames
    return {(row["decision_id"], row["guideline"]): row for row in frames[Verdict].iter_rows(named=True)}


def _sentence(row: Mapping[str, str]) -> str:
    where = "" if row["country"] == "ZZ" else f" in {row['country']}"
    given = row["given"] or "nothing yet"
    return f"{row['guideline']} {row['decided']}{where}: {given} for {row['situation']} is {row['verdict']}"


@pytest.mark.parametrize(("number", "row"), list(enumerate(ROWS)), ids=[_sentence(row) for row in ROWS])
def test_the_series_says(number: int, row: Mapping[str, str], verdicts: dict[tuple[str, str], dict[str, Any]]) -> None:
    found = verdicts.get((str(number), row["guideline"]))
    if row["verdict"] == "not judged":
        assert found is None
        return
    assert found is not None
    said = found["verdict"]
    if row["verdict"] in EITHER_DEGREE:
        said = said.partition("_")[0]
    assert said == row["verdict"], found["reason"]
    for name in ("rule_id", "edition_id"):
        assert row[name] in ("", found[name])
    if row["is_superseded"]:
        assert found["is_edition_superseded"] is WORDS[row["is_superseded"]]


def test_no_decision_is_stated_twice() -> None:
    keys = [tuple(row[name] for name in ("guideline", "decided", "country", "situation", "given")) for row in ROWS]
    assert len(keys) == len(set(keys))
