"""The plan beside that of tau-ARGUS, the program of the statistical offices, on tables of two dimensions."""

from pathlib import Path

import numpy as np
import polars as pl
import pytauargus
import pytest

from crlm_pipeline.disclosure import Counts, Margin, protect

THRESHOLD = 5


@pytest.fixture
def people(request: pytest.FixtureRequest) -> pl.DataFrame:
    generator = np.random.default_rng(request.param)
    centres = generator.choice(list("abcd"), 120, p=[0.4, 0.3, 0.2, 0.1])
    return pl.DataFrame(
        {"centre": centres, "state": generator.choice(list("xyz"), 120, p=[0.6, 0.3, 0.1]), "one": np.ones(120)}
    )


def ours(people: pl.DataFrame) -> dict[tuple[str, str], str]:
    """Return the text of every cell of our plan; a total is named as theirs is."""
    levels = [people.group_by(by).len("n") for by in (["centre", "state"], ["centre"], ["state"])]
    frame = pl.concat([*levels, people.select(pl.len().alias("n"))], how="diagonal").cast({"n": pl.Int64})
    counts = Counts("t", "patient", frame.select("centre", "state", "n"), (Margin(("centre",)), Margin(("state",))))
    safe = protect([counts], threshold=THRESHOLD, smallest_rate=10)["t"].frame.fill_null("Total")
    return {(centre, state): text for centre, state, text in safe.select("centre", "state", "shown").iter_rows()}


@pytest.mark.parametrize("people", range(6), indirect=True)
def test_both_plans_hide_the_same_small_counts_and_ours_little_more_beside_them(
    people: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # its solver leaves files where it runs
    answer = pytauargus.protect(
        people, ["centre", "state"], "one", safety_rules=f"FREQ({THRESHOLD},20)", suppress="OPT(1)", workdir=tmp_path
    )
    frame = answer.tables[0].dataframe()
    theirs = {(row.centre, row.state): row.status for row in frame.itertuples()}
    texts = ours(people)
    assert {cell for cell, text in texts.items() if text == f"<{THRESHOLD}"} == {
        cell for cell, status in theirs.items() if status == "U"
    }
    hidden = sum(text == "hidden" for text in texts.values())
    assert hidden <= sum(status == "M" for status in theirs.values()) + 2
