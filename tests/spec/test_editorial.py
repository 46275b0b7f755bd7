"""The editorial as data: every one of its items has a fate, and everything an item points to exists."""

from datetime import date

import pytest

from crlm_pipeline import resources
from crlm_pipeline.guidelines.load import load_editions

ITEMS = {int(row["item"]): row for row in resources.reference("editorial_items")}
BENCHMARKS = {row["benchmark"]: row for row in resources.reference("benchmarks")}
TRIALS = resources.reference("trials")
[PATH] = [path for path in resources.edition_files() if path.stem == "crlm_editorial_2023_12"]
KNOWLEDGE = load_editions([PATH])
EDITION = KNOWLEDGE.edition("crlm_editorial_2023_12")

LADDER = {rule.id for rule in EDITION.ladder}
SAFETY = {rule.id for rule in EDITION.safety}
TESTS = {rule.id for rule in EDITION.tests}
TRIAL_KEYS = {row["trial"] for row in TRIALS}
PLACES = {
    "rule": LADDER,
    "option": LADDER,
    "safety rule": SAFETY,
    "required test": TESTS,
    "benchmark": set(BENCHMARKS),
    "evidence": TRIAL_KEYS,
}
NOTHING_EXECUTABLE = {"report note", "none"}

# Rules that the knowledge base asks of every series and the editorial does not mention.
NOT_IN_THE_EDITORIAL = {"crlm_editorial.x11"}


def pointed_to(item: int) -> list[str]:
    return [name for part in ITEMS[item]["where"].split(";") if (name := part.strip())]


def test_all_71_items_are_listed_once_and_in_order() -> None:
    assert [row["item"] for row in resources.reference("editorial_items")] == [str(n) for n in range(1, 72)]


@pytest.mark.parametrize("item", ITEMS)
def test_everything_an_item_points_to_exists(item: int) -> None:
    assert set(pointed_to(item)) <= LADDER | SAFETY | TESTS | set(BENCHMARKS) | TRIAL_KEYS


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_becomes_what_it_says_or_states_why_not(item: int) -> None:
    row = ITEMS[item]
    if row["becomes"] in NOTHING_EXECUTABLE:
        assert row["reason"]
    else:
        assert set(pointed_to(item)) & PLACES[row["becomes"]]


def test_every_rule_of_the_edition_comes_from_an_item() -> None:
    reached = {name for item in ITEMS for name in pointed_to(item)}
    assert (LADDER | SAFETY | TESTS) - reached == NOT_IN_THE_EDITORIAL


@pytest.mark.parametrize("item", [n for n, row in ITEMS.items() if set(row["strength"].split("/")) <= {"C", "I"}])
def test_what_is_controversial_or_under_study_is_never_preferred(item: int) -> None:
    rules = [rule for rule in EDITION.ladder if rule.id == f"crlm_editorial.s{item}"]
    assert all(option.preference == "investigational" for rule in rules for option in rule.options)


def test_the_edition_is_in_force_from_the_day_of_acceptance() -> None:
    series = KNOWLEDGE.series["crlm_editorial"]
    assert series.in_force(date(2023, 12, 26)) is None
    assert series.in_force(date(2023, 12, 27)) is EDITION


def test_every_rule_names_its_item_or_its_row_of_the_knowledge_base() -> None:
    assert [rule.id for rule in EDITION.rules if "seed item" not in rule.source and "clinical" not in rule.source] == []


def test_no_clinician_has_signed_yet() -> None:
    assert EDITION.reviewed == ()


def test_each_trial_has_one_name_and_every_figure_a_unit_and_a_source() -> None:
    assert len({(row["trial"], row["name"], row["phase"]) for row in TRIALS}) == len(TRIAL_KEYS)
    for row in TRIALS:
        assert row["source"], row["trial"]
        assert row["state"] in {"verified", "unverified"}
        assert (row["state"] == "unverified") == (row["source"] == "GK")
        assert bool(row["value"]) == bool(row["unit"]) == bool(row["endpoint"])
        assert not row["value"] or float(row["value"]) >= 0


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_a_benchmark_has_a_figure_inside_its_range(benchmark: str) -> None:
    row = BENCHMARKS[benchmark]
    low, value, high = (float(row[name]) if row[name] else None for name in ("low", "percent", "high"))
    known = [figure for figure in (low, value, high) if figure is not None]
    assert known
    assert known == sorted(known)
    assert all(0 <= figure <= 100 for figure in known)
    assert (row["state"] == "unverified") == (row["source"] == "GK")
