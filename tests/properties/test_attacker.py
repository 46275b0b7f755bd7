"""Whoever has the published files alone works out no suppressed count: cohorts of chance, and whole reports.

`CRLM_COHORTS` is the number of cohorts, `CRLM_FIRST_COHORT` the seed of the first.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from crlm_pipeline.disclosure import Counts, SafeTable, protect
from crlm_pipeline.report.export import write_csv
from crlm_pipeline.report.nested import NESTED
from tests.attacker import Attacker, Cell, rows_of
from tests.cohorts_of_chance import cohort

THRESHOLD = 5
COHORTS = int(os.environ.get("CRLM_COHORTS", "500"))
FIRST = int(os.environ.get("CRLM_FIRST_COHORT", "0"))
AT_ONCE = 50


def truth_of(tables: Sequence[Counts]) -> dict[Cell, int]:
    return {
        (table.unit, frozenset((name, value) for name in table.dimensions if (value := row[name]))): row["n"]
        for table in tables
        for row in table.frame.iter_rows(named=True)
    }


def attack(tables: Sequence[Counts], safe: Mapping[str, SafeTable], folder: Path, threshold: int) -> Attacker:
    """Publish the tables as files, and let the attacker read those and learn the sums."""
    attacker = Attacker(threshold)
    for table in tables:
        write_csv(safe[table.name], folder / f"{table.name}.csv")
        attacker.read(table.unit, table.dimensions, rows_of(folder / f"{table.name}.csv"), "shown")
    for table in tables:
        for relation in (*table.margins, *table.subsets):
            attacker.know(table.unit, relation)
    for nested in NESTED:
        attacker.compare(nested)
    return attacker


def pinned(attacker: Attacker, truth: Mapping[Cell, int]) -> list[object]:
    return attacker.pinned(lambda total, parts: truth[total] - sum(truth[part] for part in parts))


@pytest.mark.parametrize("first", range(FIRST, FIRST + COHORTS, AT_ONCE))
def test_no_suppressed_count_of_a_cohort_of_chance_can_be_worked_out(first: int, tmp_path: Path) -> None:
    suppressed = 0
    for seed in range(first, min(first + AT_ONCE, FIRST + COHORTS)):
        tables = cohort(seed)
        truth = truth_of(tables)
        safe = protect(tables, NESTED, threshold=THRESHOLD, smallest_rate=10)
        attacker = attack(tables, safe, tmp_path, THRESHOLD)
        assert_texts_are_true(attacker, truth)
        assert pinned(attacker, truth) == [], f"seed {seed}"
        suppressed += sum(not text.isdecimal() for text in attacker.texts.values())
    assert suppressed > AT_ONCE


def assert_texts_are_true(attacker: Attacker, truth: Mapping[Cell, int]) -> None:
    """What is shown is the count, what is marked as small is, and no small count is shown."""
    for cell, text in attacker.texts.items():
        n = truth[cell]
        right = {"hidden": n > 0, f"<{THRESHOLD}": 0 < n < THRESHOLD}
        assert right.get(text, text == str(n) and (n == 0 or n >= THRESHOLD)), (text, n)


def test_the_attacker_finds_what_hiding_the_small_counts_alone_would_give_away(tmp_path: Path) -> None:
    """He is as good as he should be: nearly every cohort tells him something when nothing else is hidden."""
    found = 0
    for seed in range(20):
        tables = cohort(seed)
        truth = truth_of(tables)
        attacker = attack(tables, protect(tables, NESTED, threshold=1, smallest_rate=10), tmp_path, THRESHOLD)
        small = f"<{THRESHOLD}"
        attacker.texts = {cell: small if 0 < truth[cell] < THRESHOLD else text for cell, text in attacker.texts.items()}
        found += bool(pinned(attacker, truth))
    assert found > 15
