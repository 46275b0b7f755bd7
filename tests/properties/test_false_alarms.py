"""The funnels that point at centres keep their word: of centres that are alike they flag no more than they say."""

from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom

from crlm_pipeline.signals import COVERAGES, placed

SEEDS: Final = 200
CENTRES: Final = 60
SMALLEST, LARGEST = 5, 400
RATES: Final = (0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99)
# How sure each bound on a count is, were the limits exactly as wide as stated; below, over a hundred bounds are tested.
CERTAIN: Final = 1 - 1e-6

Limits = Callable[[float], pl.DataFrame]


def alike(seed: int, rate: float) -> pl.DataFrame:
    """Return centres of one true rate: those evaluated, and how many of them chance let meet the standard."""
    generator = np.random.default_rng([seed, round(1000 * rate)])
    totals = generator.integers(SMALLEST, LARGEST, CENTRES, endpoint=True)
    met = pl.Series(generator.binomial(totals, rate))
    percent = 100 * met / totals
    return pl.DataFrame({"total": totals, "n": met, "least": percent, "most": percent})


@cache
def around_the_truth(rate: float) -> pl.DataFrame:
    return placed(pl.concat(alike(seed, rate) for seed in range(SEEDS)), 100 * rate, "up")


@cache
def around_the_pooled_rate(rate: float) -> pl.DataFrame:
    registries = (alike(seed, rate) for seed in range(SEEDS))
    return pl.concat(placed(one, 100 * one["n"].sum() / one["total"].sum(), "up") for one in registries)


def flagged(found: pl.DataFrame, coverage: str, side: str) -> int:
    """Return how many centres lie beyond these limits, or wider ones, on one side."""
    beyond = {"95": ["95", "99.8"], "99.8": ["99.8"]}[coverage]
    return found.filter(pl.col("beyond").is_in(beyond), pl.col("side") == side).height


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("limits", [around_the_truth, around_the_pooled_rate])
def test_no_more_centres_in_control_are_flagged_than_is_said(limits: Limits, rate: float) -> None:
    found = limits(rate)
    assert found.height == SEEDS * CENTRES
    for coverage, share in COVERAGES.items():
        most = binom.ppf(CERTAIN, found.height, (1 - share) / 2)
        for side in ("worse", "better"):
            assert flagged(found, coverage, side) <= most, (coverage, side)


@pytest.mark.parametrize("rate", [rate for rate in RATES if 0.2 <= rate <= 0.8])
@pytest.mark.parametrize("limits", [around_the_truth, around_the_pooled_rate])
def test_the_limits_are_not_much_wider_than_is_said(limits: Limits, rate: float) -> None:
    """Exact limits of whole counts flag fewer than stated, from 60 % on where counts are not rare."""
    found = limits(rate)
    for coverage, share in COVERAGES.items():
        least = binom.ppf(1 - CERTAIN, found.height, 0.6 * (1 - share))
        assert sum(flagged(found, coverage, side) for side in ("worse", "better")) >= least, coverage


def test_a_centre_is_flagged_by_the_probability_of_its_count_alone() -> None:
    """Every count of 40 at a rate of 0.9, by the binomial tails: beyond 95 % from 2.5 %, beyond 99.8 % from 0.1 %."""
    counts = np.arange(41)
    percent = 100 * counts / 40
    found = placed(pl.DataFrame({"n": counts, "total": np.full(41, 40), "least": percent, "most": percent}), 90.0, "up")
    tail = np.minimum(binom.cdf(counts, 40, 0.9), binom.sf(counts - 1, 40, 0.9))
    expected = [("99.8" if one <= 0.001 else "95" if one <= 0.025 else None) for one in tail]
    assert found["beyond"].to_list() == expected
    assert expected[0] == "99.8"
    assert expected[36] is None
    assert expected[40] == "95"
