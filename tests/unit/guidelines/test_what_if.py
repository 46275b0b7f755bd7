"""Every decision under every edition: what a whole run judged by that edition says, numbered whatever the order."""

import random
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from crlm_pipeline import resources
from crlm_pipeline.guidelines.judging import judge
from crlm_pipeline.guidelines.load import Knowledge, load_edition
from crlm_pipeline.guidelines.model import Edition
from crlm_pipeline.guidelines.situations import number_situations
from crlm_pipeline.guidelines.treatment_class import treatment_class
from crlm_pipeline.guidelines.variants import judged_by
from crlm_pipeline.guidelines.verdicts import final_verdicts
from crlm_pipeline.guidelines.what_if import WhatIfs, best_options, numbered, what_if
from tests.properties.decisions_of_chance import draw, no_class_views

AS_OF = date(2026, 1, 1)
RECOMMENDATIONS = [edition for edition in map(load_edition, resources.edition_files()) if edition.ladder]


def outcomes(decisions: pl.DataFrame, edition: Edition) -> WhatIfs:
    frame, situations = number_situations(decisions, Knowledge((edition,), {}))
    (variant,) = judged_by(edition, frame, AS_OF)
    judgement = judge(edition, variant.active, frame, no_class_views(), situations)
    return what_if(judgement, final_verdicts(judgement, frame))


def in_numbers(decisions: pl.DataFrame, edition: Edition) -> tuple[pl.DataFrame, pl.DataFrame]:
    return numbered(decisions.get_column("decision_id"), [outcomes(decisions, edition)])


def assert_equal(one: tuple[pl.DataFrame, pl.DataFrame], other: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    for mine, theirs, key in zip(one, other, ("decision_id", "what_if_no"), strict=True):
        assert_frame_equal(mine.sort(key), theirs.sort(key))


@pytest.mark.parametrize("edition", RECOMMENDATIONS, ids=lambda edition: edition.edition)
def test_the_brief_judgement_is_that_of_a_run_judged_by_the_edition(edition: Edition) -> None:
    decisions = draw([edition], 1500, seed=11, share_unknown=0.15)
    frame, situations = number_situations(decisions, Knowledge((edition,), {}))
    columns = ["decision_id", "verdict", "rule_id", "pathway"]
    whole = []
    held = []
    for variant in judged_by(edition, frame, AS_OF):
        judgement = judge(edition, variant.active, variant.decisions, no_class_views(), situations)
        whole.append(final_verdicts(judgement, variant.decisions).rows(variant.decisions, is_older=False))
        ids = variant.decisions.select("decision_id", state_no=pl.Series(judgement.state_no))
        held.append(ids.join(judgement.options, on="state_no"))
    said = outcomes(decisions, edition)
    found = said.outcomes[said.numbers].with_columns(decisions.get_column("decision_id"))
    assert found.select(columns).sort("decision_id").equals(pl.concat(whole).select(columns).sort("decision_id"))
    certain = (
        pl.concat(held)
        .filter(certainty="definite")
        .join(best_options(edition), on=["rule_id", "option_no"], how="semi")
        .select("decision_id", "rule_id")
        .unique()
    )
    due = found.select("decision_id", pl.col("due_rules").str.split(" ").alias("rule_id")).explode("rule_id")
    assert due.filter(pl.col("rule_id") != "").sort(pl.all()).equals(certain.sort(pl.all()))
    assert found["verdict"].n_unique() > 1


def test_numbers_depend_on_what_is_said_and_not_on_the_order_of_the_decisions() -> None:
    edition = RECOMMENDATIONS[0]
    decisions = draw([edition], 300, seed=5, share_unknown=0.15)
    order = list(range(decisions.height))
    random.Random(1).shuffle(order)  # noqa: S311
    one, other = (in_numbers(rows, edition) for rows in (decisions, decisions[order]))
    assert_equal(one, other)
    assert one[0]["what_if_no"].n_unique() == one[1].height < decisions.height


def test_outcomes_of_parts_of_a_registry_numbered_apart_make_the_tables_of_the_whole() -> None:
    edition = RECOMMENDATIONS[0]
    decisions = draw([edition], 300, seed=5, share_unknown=0.15)
    parts = [in_numbers(rows, edition) for rows in (decisions[:180], decisions[180:])]
    of_decisions, of_numbers = (pl.concat(tables) for tables in zip(*parts, strict=True))
    assert_equal(in_numbers(decisions, edition), (of_decisions, of_numbers.unique()))


def test_the_best_options_of_a_rule_are_the_preferred_ones_else_the_alternatives() -> None:
    edition = next(each for each in RECOMMENDATIONS if each.edition == "esmo_2022_10")
    best = best_options(edition)
    assert best.filter(rule_id="esmo.g03")["treatment"].to_list() == ["encorafenib + cetuximab"]
    assert best.filter(rule_id="esmo.g07")["preference"].unique().to_list() == ["alternative"]
    assert best.filter(rule_id="esmo.h13").is_empty()


@pytest.mark.parametrize(
    ("treatment", "setting", "is_perioperative", "expected"),
    [
        ("cetuximab+encorafenib", "systemic", False, "braf_targeted"),
        ("panitumumab+sotorasib", "systemic", False, "kras_g12c_targeted"),
        ("cetuximab+fluorouracil+irinotecan", "systemic", False, "anti_egfr_chemotherapy"),
        ("cetuximab", "systemic", False, "anti_egfr_alone"),
        ("bevacizumab+fluorouracil+oxaliplatin", "systemic", False, "anti_vegf_chemotherapy"),
        ("bevacizumab+trifluridine/tipiracil", "systemic", False, "later_line_standard"),
        ("fluorouracil+oxaliplatin", "systemic", False, "chemotherapy"),
        ("fluorouracil+oxaliplatin", "systemic", True, "perioperative_chemotherapy"),
        ("ipilimumab+nivolumab", "systemic", True, "immunotherapy"),
        ("bevacizumab", "systemic", False, "other"),
        ("mwa+resection", "local", False, "resection_with_ablation"),
        ("pve+resection", "local", False, "flr_augmentation"),
        ("mwa", "local", False, "ablation"),
        ("systemic", "local", False, "chemotherapy"),
    ],
)
def test_what_was_given_is_named_as_a_pathway(
    treatment: str, setting: str, is_perioperative: bool, expected: str
) -> None:
    assert treatment_class(frozenset(treatment.split("+")), setting, is_perioperative=is_perioperative) == expected
