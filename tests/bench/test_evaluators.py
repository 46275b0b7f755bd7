"""Every engine must be told the same rules, or the benchmark compares nothing."""

import pandas as pd
import polars as pl
import pytest

from bench.evaluators import answer_plainly, answers_by_words
from bench.work import EDITION
from bench.zen_table import ZenLadder, answer_of
from crlm_pipeline.guidelines.explain import example_decision
from crlm_pipeline.guidelines.load import load_editions
from crlm_pipeline.guidelines.model import fact_columns

LADDER = load_editions().edition(EDITION)
EXAMPLES = [example_decision(example.facts, example.given) for rule in LADDER.rules for example in rule.examples]


def with_unknowns() -> list[dict[str, object]]:
    """Every example, and every example with one fact after the other unknown, undecided or at the edge of a range."""
    facts = ZenLadder(LADDER).facts
    blanked = [decision | {fact: None} for decision in EXAMPLES[::5] for fact in facts]
    edges = [EXAMPLES[0] | {"age": age, "setting": "systemic"} for age in (74, 75, 76)]
    counts = [EXAMPLES[0] | {"setting": "local", "crlm_count": count} for count in (0, 5, 6)]
    undecided = [decision | {"ras": "partial_wild_type", "her2": "equivocal"} for decision in EXAMPLES]
    return [*EXAMPLES, *blanked, *edges, *counts, *undecided]


@pytest.mark.parametrize("way", ["evaluate", "evaluate_batch"])
def test_zen_names_the_rules_that_match_and_that_may_match(way: str) -> None:
    ladder, decisions = ZenLadder(LADDER), with_unknowns()
    responses = getattr(ladder, way)([ladder.encode(decision) for decision in decisions])
    expected = [answer_plainly(LADDER, decision) for decision in decisions]
    assert list(map(answer_of, responses)) == expected
    assert any(matching != possible for matching, possible in expected)
    assert any(matching for matching, _ in expected)


def test_pandas_rows_are_read_as_decisions_are() -> None:
    ladder = ZenLadder(LADDER)
    frame = pd.DataFrame([{fact: each[fact] for fact in ladder.facts} for each in EXAMPLES], dtype=object)
    answers = frame.apply(lambda row: answer_plainly(LADDER, row), axis=1)
    assert list(answers) == [answer_plainly(LADDER, decision) for decision in EXAMPLES]


def test_the_bits_of_clauses_name_the_same_rules() -> None:
    schema = {name: column.dtype for name, column in fact_columns().items()}
    frame = pl.DataFrame([{fact: each[fact] for fact in schema} for each in with_unknowns()], schema=schema)
    assert answers_by_words(LADDER, frame) == [answer_plainly(LADDER, decision) for decision in with_unknowns()]
