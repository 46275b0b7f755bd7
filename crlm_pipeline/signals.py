"""What stands out: which centres lie outside the limits of chance, for sure, by what may be published of them."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from crlm_pipeline.settings import Overdispersion
from crlm_pipeline.statistics import funnel_limits, widening

# Alert and alarm, with the share of centres in control that lies outside by chance, at most.
COVERAGES: Final = {"95": 0.95, "99.8": 0.998}

# What lies below and above the limits means, by the direction of the measure.
_BELOW_ABOVE: Final[Mapping[str, tuple[str, str]]] = {"up": ("worse", "better"), "down": ("better", "worse")}
_NO_DIRECTION: Final = ("lower", "higher")
FAVOURABLE: Final = ("better", "higher")
_ROUNDING: Final = 1e-9


def placed(
    centres: pl.DataFrame, pooled: float, direction: str, overdispersion: Overdispersion = "none"
) -> pl.DataFrame:
    """Add to each centre its limits around the pooled rate, how far it lies outside (`beyond`) and to which `side`.

    Takes `n` of `total` (at least 1), and the range from `least` to `most` in which the rate lies by what is printed
    where `n` is null; rates in %. Over-dispersion is estimated from the centres with an `n`. `beyond` is 99.8 or 95,
    the widest limits that the whole range lies outside; null within, or where the range is open. `side` is worse or
    better, lower or higher where neither is.
    """
    totals, rate = centres["total"].to_numpy(), pooled / 100
    shown = centres.drop_nulls("n")
    wider = widening(shown["n"].to_numpy(), shown["total"].to_numpy(), rate, overdispersion)
    limits = {
        f"limit_{end}_{name}": pl.Series(100 * limit)
        for name, coverage in COVERAGES.items()
        for end, limit in zip(("low", "high"), funnel_limits(totals, rate, coverage, wider), strict=True)
    }
    below, above = _BELOW_ABOVE.get(direction, _NO_DIRECTION)
    is_below = {name: pl.col("most") < pl.col(f"limit_low_{name}") - _ROUNDING for name in COVERAGES}
    is_above = {name: pl.col("least") > pl.col(f"limit_high_{name}") + _ROUNDING for name in COVERAGES}
    return centres.with_columns(**limits).with_columns(
        pl.when(is_below["99.8"] | is_above["99.8"])
        .then(pl.lit("99.8"))
        .when(is_below["95"] | is_above["95"])
        .then(pl.lit("95"))
        .alias("beyond"),
        pl.when(is_below["95"]).then(pl.lit(below)).when(is_above["95"]).then(pl.lit(above)).alias("side"),
    )


def expected_by_chance(comparisons: int, coverage: str) -> float:
    """Return how many comparisons chance alone would put outside the limits, at most, were all centres alike."""
    return comparisons * (1 - COVERAGES[coverage])


def tallied(comparisons: pl.DataFrame) -> pl.DataFrame:
    """Return one row per `measure`, in the order given: centres compared, and how many lie outside, by limits and side.

    Outside the 95 % limits lie those outside the 99.8 % limits as well.
    """
    is_favourable = pl.col("side").is_in(FAVOURABLE)
    is_alarm, is_outside = pl.col("beyond") == "99.8", pl.col("beyond").is_not_null()
    counts = {
        "compared": pl.len(),
        "worse_95": (is_outside & ~is_favourable).sum(),
        "better_95": (is_outside & is_favourable).sum(),
        "worse_998": (is_alarm & ~is_favourable).sum(),
        "better_998": (is_alarm & is_favourable).sum(),
    }
    return comparisons.group_by("measure", maintain_order=True).agg(**counts)
