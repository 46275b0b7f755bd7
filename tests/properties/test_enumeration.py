"""Both evaluators over every combination of the facts that first-line rules name, one value standing for its equals."""

from collections.abc import Iterator
from itertools import islice, product
from typing import Any

import polars as pl
import pytest

from crlm_pipeline import resources
from crlm_pipeline.guidelines.clauses import Clause, clauses_of
from crlm_pipeline.guidelines.compile import CompiledClauses
from crlm_pipeline.guidelines.domain import distinct_values
from crlm_pipeline.guidelines.load import load_edition
from crlm_pipeline.guidelines.model import Edition
from crlm_pipeline.guidelines.truth import holds
from schemas.cohort import Decision
from schemas.column import describe

EDITIONS = [edition for path in resources.edition_files() if (edition := load_edition(path)).ladder]
FIRST_LINE = {"setting": "systemic", "line": 1, "chemotherapy_line": 1}
BATCH = 50_000
MOST_COMBINATIONS = 400_000


def first_line_clauses(edition: Edition) -> tuple[Clause, ...]:
    """Return the clauses, options included, of the rules that name a line and can hold in the first."""
    clauses = [clause for clause in clauses_of(edition.ladder) if can_hold(clause)]
    rules = {clause.rule_no for clause in clauses if any(c.fact in FIRST_LINE for c in clause.conditions)}
    return tuple(clause for clause in clauses if clause.rule_no in rules)


def can_hold(clause: Clause) -> bool:
    return all(
        holds(c.test, FIRST_LINE[c.fact], c.reading) is not False for c in clause.conditions if c.fact in FIRST_LINE
    )


def values_of(clauses: tuple[Clause, ...]) -> dict[str, list[Any]]:
    tests: dict[str, list[Any]] = {}
    for clause in clauses:
        for condition in clause.conditions:
            if condition.fact not in FIRST_LINE:
                tests.setdefault(condition.fact, []).append(condition.test)
    return {fact: [None, *distinct_values(fact, own)] for fact, own in sorted(tests.items())}


def batches(values: dict[str, list[Any]]) -> Iterator[list[tuple[Any, ...]]]:
    combinations = product(*values.values())
    while batch := list(islice(combinations, BATCH)):
        yield batch


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: edition.edition)
def test_both_evaluators_agree_on_every_combination_of_first_line_facts(edition: Edition) -> None:
    clauses = first_line_clauses(edition)
    if not clauses:
        assert all("systemic" not in rule.when.get("setting", ()) for rule in edition.ladder if "line" not in rule.when)
        return
    values = values_of(clauses)
    size = 1
    for own in values.values():
        size *= len(own)
    assert size <= MOST_COMBINATIONS, f"{size} combinations: {values}"
    compiled = CompiledClauses(clauses)
    schema = {fact: describe(Decision).polars_schema[fact] for fact in (*values, *FIRST_LINE)}
    for batch in batches(values):
        rows = [dict(zip(values, combination, strict=True)) | FIRST_LINE for combination in batch]
        true, unknown = compiled.evaluate(pl.DataFrame(rows, schema=schema))
        plain = [sum(1 << n for n, clause in enumerate(clauses) if clause.truth(row) is True) for row in rows]
        open_ = [sum(1 << n for n, clause in enumerate(clauses) if clause.truth(row) is None) for row in rows]
        assert as_numbers(true) == plain
        assert as_numbers(unknown) == open_


def as_numbers(words: Any) -> list[int]:
    return [sum(int(word) << (64 * place) for place, word in enumerate(row)) for row in words.tolist()]
