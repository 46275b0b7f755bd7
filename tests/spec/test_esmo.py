"""The ESMO, ASCO and Dutch editions: complete against the knowledge base, and right where editions differ."""

from datetime import date

import pytest

from crlm_pipeline import resources
from crlm_pipeline.guidelines.coverage import coverage
from crlm_pipeline.guidelines.explain import example_decision, judge_one
from crlm_pipeline.guidelines.load import Knowledge, load_editions
from crlm_pipeline.guidelines.model import Edition

KNOWLEDGE = load_editions()
NOT_CARRIED = resources.reference("rules_not_carried")

# Semantics, safety rules per series.
EVERY_SERIES = {"x01", "x02", "x03", "x06", "x06u", "x07", "x07m", "x11"}
SAFETY = {
    "esmo_2016_07": EVERY_SERIES | {"x04", "x08", "x09", "x10", "x12", "x13", "x19", "x20", "x21"},
    "esmo_2022_10": EVERY_SERIES | {"x04", "x08", "x09", "x10", "x12", "x13", "x19", "x20", "x21"},
    "asco_2022_10": EVERY_SERIES | {"x04", "x08", "x21"},
    "netherlands_2014": EVERY_SERIES | {"x17"},
}
FINDINGS = {"x10", "x20"}

FIRST_LINE = {"setting": "systemic", "line": 1, "fitness": "fit", "age": 60}
LEFT = {**FIRST_LINE, "msi": "mss", "braf": "wild_type", "ras": "wild_type", "side": "left"}
RIGHT = {**LEFT, "side": "right"}


def judged(edition_id: str, facts: dict[str, object], given: str | None) -> str:
    edition = KNOWLEDGE.edition(edition_id)
    active = frozenset(rule.id for rule in edition.rules)
    return judge_one(edition, active, example_decision(facts, given)).verdict


def asked(edition: Edition) -> set[str]:
    conditions = [
        each
        for rule in edition.ladder
        for each in (rule.when, rule.known, *rule.any, *(option.when for option in rule.options))
    ]
    return {fact for each in conditions for fact in each}


@pytest.mark.parametrize("edition_id", ["esmo_2016_07", "esmo_2022_10"])
def test_every_statement_is_in_the_esmo_edition_or_says_why_not(edition_id: str) -> None:
    alone = Knowledge((KNOWLEDGE.edition(edition_id),), {})
    excused = {row["clinical_id"] for row in NOT_CARRIED if row["series"] in ("esmo", edition_id)}
    carried = {each.clinical_id for each in coverage(alone) if each.rules}
    assert {row["clinical_id"] for row in resources.reference("clinical_rules")} - carried - excused == set()


def test_every_reason_names_a_statement_and_a_series_or_edition() -> None:
    statements = {row["clinical_id"] for row in resources.reference("clinical_rules")}
    places = set(KNOWLEDGE.series) | {edition.edition for edition in KNOWLEDGE.editions}
    assert {row["clinical_id"] for row in NOT_CARRIED} <= statements
    assert {row["series"] for row in NOT_CARRIED} <= places
    assert all(row["reason"] for row in NOT_CARRIED)


@pytest.mark.parametrize(("edition_id", "expected"), SAFETY.items())
def test_the_series_holds_its_safety_rules_and_no_other(edition_id: str, expected: set[str]) -> None:
    rules = KNOWLEDGE.edition(edition_id).safety
    assert {rule.id.partition(".")[2] for rule in rules} == expected
    assert {rule.id.partition(".")[2] for rule in rules if rule.verdict == "finding"} == expected & FINDINGS


def test_the_esmo_editions_meet_on_one_day() -> None:
    older, newer = KNOWLEDGE.series["esmo"].editions
    assert older.in_force is not None
    assert newer.in_force is not None
    assert (older.in_force.from_, older.in_force.to) == (date(2016, 7, 5), newer.in_force.from_)
    assert newer.in_force.from_ == date(2022, 10, 25)
    assert newer.superseded_from == date(2023, 7, 28)


def test_the_edition_of_2016_asks_neither_mismatch_repair_nor_side() -> None:
    assert asked(KNOWLEDGE.edition("esmo_2016_07")).isdisjoint({"msi", "side", "her2", "prior_checkpoint_inhibitor"})


def test_the_esmo_editions_claim_no_grade_as_verified() -> None:
    graded = [
        (rule.id, option.grade)
        for edition in KNOWLEDGE.series["esmo"].editions
        for rule in edition.ladder
        for option in rule.options
        if option.grade and "verified" in (option.state, rule.state, edition.state)
    ]
    assert graded == []


@pytest.mark.parametrize(
    ("edition_id", "facts", "expected"),
    [
        ("esmo_2016_07", LEFT, "concordant_preferred"),
        ("esmo_2016_07", RIGHT, "concordant_preferred"),
        ("esmo_2022_10", LEFT, "concordant_preferred"),
        ("esmo_2022_10", {**RIGHT, "treatment_setting": "conversion"}, "concordant_alternative"),
        ("esmo_2022_10", {**RIGHT, "treatment_setting": "unresectable"}, "discordant_not_recommended"),
        ("asco_2022_10", {**RIGHT, "treatment_setting": "conversion"}, "discordant_not_recommended"),
    ],
)
def test_an_antibody_against_egfr_is_judged_by_side_only_where_the_edition_knows_sides(
    edition_id: str, facts: dict[str, object], expected: str
) -> None:
    assert judged(edition_id, facts, "folfox + cetuximab") == expected


@pytest.mark.parametrize("edition_id", ["esmo_2022_10", "asco_2022_10"])
@pytest.mark.parametrize(("line", "given"), [(2, "nivolumab"), (3, "pembrolizumab"), (4, "nivolumab + ipilimumab")])
def test_a_first_checkpoint_inhibitor_is_preferred_in_later_lines(edition_id: str, line: int, given: str) -> None:
    facts = {**FIRST_LINE, "line": line, "msi": "msi_h", "prior_checkpoint_inhibitor": False}
    assert judged(edition_id, facts, given) == "concordant_preferred"


def test_mismatch_repair_outranks_braf_and_braf_outranks_ras_and_side() -> None:
    both = {**LEFT, "msi": "msi_h", "braf": "v600e"}
    assert judged("esmo_2022_10", both, "pembrolizumab") == "concordant_preferred"
    assert judged("esmo_2022_10", {**both, "msi": "mss"}, "folfox + bevacizumab") == "concordant_preferred"
    assert judged("esmo_2022_10", {**both, "msi": "mss"}, "folfox + cetuximab") == "discordant_not_recommended"


@pytest.mark.parametrize("edition_id", ["esmo_2016_07", "esmo_2022_10", "asco_2022_10", "netherlands_2014"])
@pytest.mark.parametrize("intent", ["adjuvant", "curative"])
def test_an_adjuvant_course_is_not_judged(edition_id: str, intent: str) -> None:
    facts = {"setting": "systemic", "line": 0, "intent": intent, "fitness": "fit", "msi": "mss", "ras": "mutant"}
    assert judged(edition_id, {**facts, "treatment_setting": "resectable", "fong_score_min": 3}, "folfox") == "no_rule"


@pytest.mark.parametrize("edition_id", ["esmo_2016_07", "esmo_2022_10"])
def test_a_fusion_never_looked_for_leaves_a_later_line_evaluable(edition_id: str) -> None:
    facts = {**FIRST_LINE, "line": 3, "msi": "mss", "braf": "wild_type", "ras": "mutant"}
    used = {"prior_fluoropyrimidine": True, "prior_oxaliplatin": True, "prior_irinotecan": True}
    assert judged(edition_id, {**facts, **used}, "trifluridine/tipiracil") == "concordant_preferred"


def test_the_dutch_guideline_applies_in_the_netherlands_alone() -> None:
    series = KNOWLEDGE.series["netherlands"]
    assert (series.applies_in("NL"), series.applies_in("BE")) == (True, False)
    assert {setting for rule in series.editions[0].ladder for setting in rule.when["setting"]} == {"local"}
