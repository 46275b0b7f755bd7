"""Our shares against the published ones: exact tests and Holm's correction, checked against an independent library."""

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import binom_test

from crlm_pipeline.disclosure import Counts, SafeTable, protect
from crlm_pipeline.report.benchmarks import chance_of, comparison_table, holm


def shares(**categories: tuple[int, int]) -> SafeTable:
    """Return safe shares of patients with metastatic disease, `analyte__category` = count and tested."""
    rows = [
        ("yes", None, *key.split("__"), tested if whole else n)
        for key, (n, tested) in categories.items()
        for whole in (False, True)
    ]
    frame = pl.DataFrame(
        [(*row[:3], None if place % 2 else row[3], row[4]) for place, row in enumerate(rows)],
        schema={
            **dict.fromkeys(("is_metastatic", "is_crlm", "analyte", "category"), pl.String),
            "n": pl.Int64,
        },
        orient="row",
    )
    safe = protect([Counts("biomarkers", "patient", frame)], threshold=5, smallest_rate=10)["biomarkers"]
    return safe.each("category").with_count("n_tested", safe, category=None).with_percent("n_tested")


def readings(**categories: tuple[int, int]) -> list[tuple[str, str, str]]:
    made = comparison_table(shares(**categories))
    assert made is not None
    return made.data.frame.select("what", "value", "reading").rows()


@pytest.mark.parametrize(
    ("n", "low", "high", "tested_against"),
    [(79, 8, 12, 0.08), (80, 8, 12, None), (120, 8, 12, None), (121, 8, 12, 0.12), (60, 5, 5, 0.05)],
)
def test_a_share_outside_a_range_is_tested_against_the_nearer_end(
    n: int, low: float, high: float, tested_against: float | None
) -> None:
    expected = 1.0 if tested_against is None else binom_test(n, 1000, tested_against)
    assert chance_of(n, 1000, low, high) == pytest.approx(expected)


def test_the_correction_agrees_with_an_independent_library() -> None:
    chance = np.random.default_rng(4)
    for size in (1, 2, 9):
        chances = (chance.random(size) ** 3).tolist()
        assert holm(chances) == pytest.approx(multipletests(chances, method="holm")[1])
    assert holm([]) == []


def test_every_published_figure_of_the_same_population_is_one_comparison() -> None:
    # KRAS in metastatic disease: more than 40 % (editorial), 13.3-58.9 % (review).
    found = readings(kras__mutant=(430, 1000))
    assert found == [
        ("KRAS: Mutated", "> 40", "As published"),
        ("KRAS: Mutated", "38 (13.3\u201358.9)", "As published"),
    ]


def test_a_share_is_lower_higher_or_not_clearly_different() -> None:
    assert readings(ras__mutant=(400, 1000)) == [("RAS: Mutated", "50", "Lower")]
    assert readings(ras__mutant=(600, 1000)) == [("RAS: Mutated", "50", "Higher")]
    assert readings(ras__mutant=(49, 100)) == [("RAS: Mutated", "50", "No clear difference")]


def test_what_one_test_alone_would_call_a_difference_may_not_stand_among_many() -> None:
    # 61 of 100 against 50 %: p = 0.035 alone; with five comparisons it does not stand.
    assert readings(ras__mutant=(61, 100)) == [("RAS: Mutated", "50", "Higher")]
    among = readings(ras__mutant=(61, 100), msi__msi_h=(5, 100), braf__v600e=(9, 100), kras_g12c__true=(5, 150))
    assert ("RAS: Mutated", "50", "No clear difference") in among


def test_a_count_that_is_hidden_or_too_few_tested_are_not_compared() -> None:
    assert comparison_table(shares(ras__mutant=(4, 100))) is None
    assert comparison_table(shares(ras__mutant=(5, 9))) is None
    assert comparison_table(shares(ras__mutant=(5, 10))) is not None
