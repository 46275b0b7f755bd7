"""What `explain` says of a decision is what the warehouse holds, for every decision of the example."""

from collections import defaultdict
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline import resources
from crlm_pipeline.errors import UsageError
from crlm_pipeline.guidelines.explain import EditionAnswer, judge_decision
from crlm_pipeline.guidelines.explanation import explain_decision
from crlm_pipeline.guidelines.load import Knowledge, load_editions
from crlm_pipeline.report.cases import write_cases
from crlm_pipeline.warehouse import Warehouse
from flows.steps import Job, annotate, ingest
from schemas.cohort import ClassView, Decision, EditionVerdict, SafetyFinding, Verdict

Answers = dict[tuple[str, str], list[EditionAnswer]]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("explained")
    job = Job((resources.example_folder(),), folder / "crlm.duckdb", folder / "report")
    ingest(job)
    annotate(job)
    return Warehouse.open_readonly(job.warehouse)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_editions()


@pytest.fixture(scope="module")
def answers(warehouse: Warehouse, knowledge: Knowledge) -> Answers:
    """The plain evaluator's answers, by decision and guideline, for every series that judges there."""
    views = defaultdict(list)
    for view in warehouse.read(ClassView).iter_rows(named=True):
        views[view["decision_id"]].append(view)
    return {
        (decision["decision_id"], series.guideline): judge_decision(
            knowledge, series, decision, views[decision["decision_id"]]
        )
        for decision in warehouse.read(Decision).iter_rows(named=True)
        for series in knowledge.chosen_series(())
        if series.applies_in(decision["country"])
    }


def test_the_plain_evaluator_gives_every_verdict_of_the_warehouse(warehouse: Warehouse, answers: Answers) -> None:
    stored = {
        (row["decision_id"], row["guideline"], row["edition_id"], row["is_older"]): (row["verdict"], row["rule_id"])
        for row in warehouse.read(EditionVerdict).iter_rows(named=True)
    }
    plain = {
        (decision_id, guideline, answer.edition.edition, answer.is_older): (answer.verdict, answer.rule_id)
        for (decision_id, guideline), found in answers.items()
        for answer in found
    }
    assert plain == stored


def test_the_plain_evaluator_gives_every_safety_finding_of_the_warehouse(
    warehouse: Warehouse, answers: Answers
) -> None:
    stored = {
        (row["decision_id"], row["edition_id"], row["rule_id"])
        for row in warehouse.read(SafetyFinding).iter_rows(named=True)
    }
    plain = {
        (decision_id, answer.edition.edition, each.rule.id)
        for (decision_id, _), found in answers.items()
        for answer in found
        for each in answer.safety
    }
    assert plain == stored


def test_an_explanation_names_the_rule_the_verdict_and_the_rows(warehouse: Warehouse, knowledge: Knowledge) -> None:
    row = warehouse.read(EditionVerdict).filter(guideline="esmo", verdict="concordant_preferred").row(0, named=True)
    text = explain_decision(warehouse, knowledge, row["decision_id"])
    assert f"esmo: concordant_preferred by {row['rule_id']}" in text
    assert f"rule {row['rule_id']} applies" in text
    assert "biomarker.csv, row " in text


def test_what_is_missing_is_said_with_what_it_would_change(warehouse: Warehouse, knowledge: Knowledge) -> None:
    row = warehouse.read(EditionVerdict).filter(guideline="esmo", verdict="not_evaluable").row(0, named=True)
    text = explain_decision(warehouse, knowledge, row["decision_id"])
    assert "missing: " in text
    assert "would be: " in text
    assert "cannot be told" in text


def test_an_unknown_decision_is_a_wrong_call(warehouse: Warehouse, knowledge: Knowledge) -> None:
    with pytest.raises(UsageError, match="no decision of that id"):
        explain_decision(warehouse, knowledge, "nobody/systemic/1")


def test_the_restricted_list_holds_every_judged_decision_for_its_owner_alone(
    warehouse: Warehouse, knowledge: Knowledge, tmp_path: Path
) -> None:
    folder = write_cases(warehouse, tmp_path / "cases", knowledge, "esmo")
    pages = sorted(folder.glob("*.html"))
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    judged = warehouse.read(Verdict).filter(pl.col("guideline") == "esmo", pl.col("verdict") != "not_in_force")
    assert all(f"· {decision_id} ·" in text for decision_id in judged["decision_id"])
    assert "rule esmo.f05 " in text
    assert {path.stat().st_mode & 0o077 for path in (folder, *pages)} == {0}


def test_the_restricted_list_replaces_nothing_but_itself(
    warehouse: Warehouse, knowledge: Knowledge, tmp_path: Path
) -> None:
    (tmp_path / "thesis").mkdir()
    with pytest.raises(UsageError, match="something else"):
        write_cases(warehouse, tmp_path / "thesis", knowledge, "esmo")
