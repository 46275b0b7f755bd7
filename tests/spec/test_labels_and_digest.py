"""Labels, the digest of trials and the editions on request, judged end to end on either side of their dates."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from crlm_pipeline import resources
from crlm_pipeline.cohort.build import Cohort
from crlm_pipeline.guidelines.annotate import annotate
from crlm_pipeline.guidelines.explain import example_decision
from crlm_pipeline.guidelines.labels import listed
from crlm_pipeline.guidelines.load import load_editions
from crlm_pipeline.guidelines.model import Edition, Rule
from crlm_pipeline.settings import Settings
from schemas.cohort import ClassView, CohortPatient, Decision, Verdict
from schemas.column import describe

KNOWLEDGE = load_editions()
FDA = KNOWLEDGE.edition("fda_labels")
EMA = KNOWLEDGE.edition("ema_labels")
DIGEST = KNOWLEDGE.edition("evidence_digest")
ROLLING = [pytest.param(e, rule, id=rule.id) for e in (FDA, EMA, DIGEST) for rule in e.rules]

V600E = {
    "setting": "systemic",
    "line": 1,
    "treatment_setting": "unresectable",
    "msi": "mss",
    "braf": "v600e",
    "ras": "wild_type",
}
BREAKWATER = "encorafenib + cetuximab + folfox"
G12C = {
    "setting": "systemic",
    "line": 3,
    "kras_g12c": True,
    "ras": "mutant",
    "prior_fluoropyrimidine": True,
    "prior_oxaliplatin": True,
    "prior_irinotecan": True,
}
REFRACTORY = G12C | {"kras_g12c": False, "msi": "mss", "braf": "wild_type", "fitness": "fit"}
SMALL_METASTASES = {
    "setting": "local",
    "treatment_setting": "resectable",
    "crlm_count": 3,
    "crlm_max_mm": 20,
    "is_liver_only": True,
    "is_ablatable": True,
    "fitness": "fit",
}


def verdict(guideline: str, day: str, given: str, facts: dict[str, Any], country: str = "ZZ") -> dict[str, Any] | None:
    """Return the verdict row of one decision, judged as in a run; none where the series does not apply."""
    decided = date.fromisoformat(day)
    row = example_decision(facts, given) | {
        "decision_id": "p/systemic/1",
        "patient_id": "p",
        "centre_id": "c",
        "home_centre_id": "c",
        "country": country,
        "decision_date": decided,
        "facts_date": decided,
        "is_relative_calendar": False,
        "is_fitness_known": "fitness" in facts,
        "has_assumed_date": False,
        "has_imputed_date": False,
    }
    nothing = pl.DataFrame()
    cohort = Cohort(
        patient=pl.DataFrame(schema=describe(CohortPatient).polars_schema),
        line_of_therapy=nothing,
        exposure_role=nothing,
        decision=pl.DataFrame([row], schema=describe(Decision).polars_schema),
        class_view=pl.DataFrame(schema=describe(ClassView).polars_schema),
        result_support=nothing,
        analyte_known=nothing,
        patient_facts=nothing,
        notices=(),
    )
    frames = annotate(cohort, KNOWLEDGE, Settings(guidelines=(guideline,)), decided).frames
    return next(frames[Verdict].iter_rows(named=True), None)


def said(guideline: str, day: str, given: str, facts: dict[str, Any], country: str = "ZZ") -> str:
    row = verdict(guideline, day, given, facts, country)
    assert row is not None
    return str(row["verdict"])


@pytest.mark.parametrize(
    ("guideline", "country", "before", "after"),
    [("fda", "US", "off_label", "on_label"), ("ema", "FR", "off_label", "off_label")],
)
def test_encorafenib_in_first_line_is_on_label_in_the_us_from_20_december_2024(
    guideline: str, country: str, before: str, after: str
) -> None:
    assert said(guideline, "2024-12-19", BREAKWATER, V600E, country) == before
    assert said(guideline, "2024-12-20", BREAKWATER, V600E, country) == after


def test_folfiri_beside_encorafenib_comes_with_the_wording_of_february_2026() -> None:
    with_folfiri = "encorafenib + cetuximab + folfiri"
    assert said("fda", "2026-02-23", with_folfiri, V600E, "US") == "off_label"
    assert said("fda", "2026-02-24", with_folfiri, V600E, "US") == "on_label"
    assert said("fda", "2026-02-24", BREAKWATER, V600E, "US") == "on_label"


def test_pembrolizumab_without_a_known_msi_cannot_be_held_against_its_label() -> None:
    row = verdict("fda", "2021-05-01", "pembrolizumab", {"setting": "systemic", "line": 1}, "US")
    assert row is not None
    assert (row["verdict"], row["missing_facts"]) == ("not_evaluable", ["msi"])


def test_a_kras_result_alone_leaves_the_antibody_label_open() -> None:
    partial = {"setting": "systemic", "line": 1, "ras": "partial_wild_type"}
    assert said("ema", "2010-05-01", "folfiri + cetuximab", partial, "DE") == "not_evaluable"


def test_a_combination_needs_a_wording_of_every_listed_drug() -> None:
    assert said("fda", "2025-06-01", "sotorasib + panitumumab", G12C, "US") == "on_label"
    assert said("fda", "2025-06-01", "adagrasib + panitumumab", G12C, "US") == "off_label"
    assert said("ema", "2025-06-01", "sotorasib + panitumumab", G12C, "FR") == "off_label"


def test_a_regimen_without_a_listed_drug_is_not_judged_by_a_label() -> None:
    assert said("fda", "2025-06-01", "folfox + bevacizumab", V600E, "US") == "no_rule"
    assert said("ema", "2025-06-01", "regorafenib", V600E, "NO") == "no_rule"


def test_a_label_series_has_no_row_elsewhere_and_none_in_force_before_its_first_wording() -> None:
    assert verdict("fda", "2025-06-01", BREAKWATER, V600E, "CA") is None
    assert verdict("ema", "2025-06-01", BREAKWATER, V600E, "GB") is None
    wild_type = {"setting": "systemic", "line": 1, "ras": "wild_type"}
    assert said("fda", "2012-07-05", "folfiri + cetuximab", wild_type, "US") == "not_in_force"
    assert said("fda", "2012-07-06", "folfiri + cetuximab", wild_type, "US") == "on_label"


def test_trastuzumab_deruxtecan_below_ihc_3_is_off_label() -> None:
    stained = {"setting": "systemic", "line": 3, "her2_fda_agnostic": "negative"}
    row = verdict("fda", "2024-09-01", "trastuzumab deruxtecan", stained, "US")
    assert row is not None
    assert (row["verdict"], row["rule_id"]) == ("off_label", "fda.x14")


def test_both_labels_list_the_same_drugs_and_four_have_no_wording_in_europe() -> None:
    assert FDA.listed_drugs == EMA.listed_drugs
    assert worded(FDA) == listed(FDA.listed_drugs)
    assert listed(EMA.listed_drugs) - worded(EMA) == {
        "sotorasib",
        "adagrasib",
        "tucatinib",
        "trastuzumab deruxtecan",
    }


def worded(edition: Edition) -> frozenset[str]:
    return frozenset().union(*(listed((wording.drug,)) for wording in edition.wordings))


def test_the_european_labels_apply_in_the_eu_and_the_eea() -> None:
    members = [row["alpha_2"] for row in resources.reference("countries") if row["is_eu_eea"] == "true"]
    assert sorted(EMA.applies_in) == sorted(members)


def test_small_metastases_may_be_ablated_from_the_day_of_collision() -> None:
    assert said("evidence", "2025-01-19", "mwa", SMALL_METASTASES) == "no_rule"
    assert said("evidence", "2025-01-20", "mwa", SMALL_METASTASES) == "concordant_preferred"
    assert said("evidence", "2025-01-20", "resection", SMALL_METASTASES) == "concordant_preferred"


def test_a_new_rule_of_the_digest_holds_nobody_to_it_for_ninety_days() -> None:
    last_of_grace = verdict("evidence", "2025-04-19", "sbrt", SMALL_METASTASES)
    assert last_of_grace is not None
    assert (last_of_grace["verdict"], last_of_grace["is_within_grace"]) == ("no_rule", True)
    assert said("evidence", "2025-04-20", "sbrt", SMALL_METASTASES) == "discordant_not_given"


def test_breakwater_leaves_the_doublet_with_bevacizumab_as_the_alternative() -> None:
    assert said("evidence", "2025-05-29", "folfox + bevacizumab", V600E) == "no_rule"
    assert said("evidence", "2025-05-30", "folfox + bevacizumab", V600E) == "concordant_alternative"
    assert said("evidence", "2025-05-30", BREAKWATER, V600E) == "concordant_preferred"


def test_the_digest_demands_only_what_the_label_of_the_country_holds() -> None:
    assert said("evidence", "2023-06-30", "folfiri + bevacizumab", REFRACTORY, "NL") == "no_rule"
    assert said("evidence", "2023-06-30", "folfiri + bevacizumab", REFRACTORY, "US") == "discordant_not_given"
    assert said("evidence", "2023-06-30", "trifluridine/tipiracil + bevacizumab", REFRACTORY, "NL") == (
        "concordant_preferred"
    )
    assert said("evidence", "2023-07-01", "folfiri + bevacizumab", REFRACTORY, "NL") == "discordant_not_given"


def test_the_digest_begins_with_sunlight() -> None:
    assert said("evidence", "2023-05-03", "trifluridine/tipiracil + bevacizumab", REFRACTORY) == "not_in_force"
    assert said("evidence", "2023-05-04", "trifluridine/tipiracil + bevacizumab", REFRACTORY) == "concordant_preferred"


def test_only_cairo5_and_collision_are_verified_in_the_digest() -> None:
    verified = {rule.id for rule in DIGEST.rules if (rule.state or DIGEST.state) == "verified"}
    assert verified == {"evidence.f16_pfs", "evidence.f16_os", "evidence.f16_left", "evidence.l06"}


@pytest.mark.parametrize(
    ("day", "edition", "superseded"),
    [
        ("2017-03-01", "nccn_2017_03", False),
        ("2018-03-14", "nccn_2018_03", False),
        ("2020-03-31", "nccn_2018_03", False),
        ("2020-04-01", "nccn_2018_03", True),
        ("2021-01-21", "nccn_2021_01", False),
        ("2022-10-26", "nccn_2021_01", False),
        ("2022-10-27", "nccn_2021_01", True),
    ],
)
def test_a_decision_after_a_newer_version_that_is_not_held_is_marked(day: str, edition: str, superseded: bool) -> None:
    left = {"setting": "systemic", "line": 1, "msi": "mss", "ras": "wild_type", "braf": "wild_type", "side": "left"}
    row = verdict("nccn", day, "folfox + cetuximab", left)
    assert row is not None
    assert (row["verdict"], row["edition_id"]) == ("concordant_preferred", edition)
    assert row["is_edition_superseded"] is superseded


def test_nccn_is_used_only_when_asked_for() -> None:
    assert "nccn" not in {series.guideline for series in KNOWLEDGE.chosen_series(())}
    assert [series.guideline for series in KNOWLEDGE.chosen_series(["nccn"])] == ["nccn"]
    assert all(edition.on_request_only for edition in KNOWLEDGE.series["nccn"].editions)


def test_nccn_editions_hold_no_category() -> None:
    rules = [rule for edition in KNOWLEDGE.series["nccn"].editions for rule in edition.ladder]
    assert all(option.grade is None for rule in rules for option in rule.options)


@pytest.mark.parametrize(("edition", "rule"), ROLLING)
def test_a_dated_rule_has_examples_on_either_side_of_each_date(edition: Edition, rule: Rule) -> None:
    days = {example.decided: example.fires for example in rule.examples}
    firing = {example.decided for example in rule.examples if example.fires}
    assert rule.from_ is not None
    assert rule.from_ in firing, edition.edition
    assert days[rule.from_ - timedelta(days=1)] is False
    assert rule.to is None or days[rule.to] is False


CONFLICTS = resources.reference("guideline_conflicts")


@pytest.mark.parametrize("conflict", CONFLICTS, ids=lambda row: row["topic"])
def test_a_conflict_names_both_sides_their_sources_and_the_rules_that_show_it(conflict: dict[str, str]) -> None:
    assert all(conflict[name] for name in ("topic", "side_a", "source_a", "side_b", "source_b"))
    assert conflict["rules"] or conflict["note"]
    known = {rule.id for edition in KNOWLEDGE.editions for rule in edition.rules}
    # A series whose edition is not held yet is checked from the day it is.
    named = {name.strip() for name in conflict["rules"].split(";") if name}
    assert {name for name in named if name.partition(".")[0] in KNOWLEDGE.series} <= known


def test_every_known_conflict_is_listed() -> None:
    assert len(CONFLICTS) == len({row["topic"] for row in CONFLICTS}) == 8
