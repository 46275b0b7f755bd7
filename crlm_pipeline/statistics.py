"""Intervals, funnel limits and medians: the only arithmetic of the report that is not counting."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import beta, binom, norm

from crlm_pipeline.settings import Overdispersion

Z_95: Final = float(norm.ppf(0.975))
POWER: Final = 0.8

# The share of z-scores at either end that is pulled in to the quantile there before dispersion is estimated.
_WINSORISED: Final = 0.1
_FEWEST_CENTRES: Final = 2


def wilson(successes: pl.Expr, total: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return both ends of the Wilson 95 % interval of a proportion (0-1); null when the total is 0 or unknown.

    Wilson 1927; recommended for proportions by Newcombe, Stat Med 1998;17:857-872 (method 3).
    """
    known_total = pl.when(total > 0).then(total)
    share = successes / known_total
    width = 1 + Z_95**2 / known_total
    centre = (share + Z_95**2 / (2 * known_total)) / width
    half = (share * (1 - share) / known_total + Z_95**2 / (4 * known_total**2)).sqrt() * Z_95 / width
    return (centre - half).clip(0, 1), (centre + half).clip(0, 1)


def percent_with_interval(successes: str, total: str) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return `percent`, `ci_low` and `ci_high` (0-100) of two count columns; null when the total is 0 or unknown."""
    low, high = wilson(pl.col(successes), pl.col(total))
    percent = 100 * pl.col(successes) / pl.when(pl.col(total) > 0).then(pl.col(total))
    return percent.alias("percent"), (100 * low).alias("ci_low"), (100 * high).alias("ci_high")


# By how much over-dispersion widens funnel limits at each denominator.
Widening = Callable[[NDArray[np.int64]], NDArray[np.float64]]


def by_chance_alone(denominators: NDArray[np.int64]) -> NDArray[np.float64]:
    """Widen nothing: centres vary by chance alone."""
    return np.ones(np.shape(denominators))


def funnel_limits(
    denominators: Sequence[int] | NDArray[np.int64],
    rate: float | NDArray[np.float64],
    coverage: float,
    wider: Widening = by_chance_alone,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the exact binomial limits (0-1) around `rate` at each denominator (at least 1), interpolated.

    `rate` is one for all, or one each.
    Spiegelhalter, Stat Med 2005;24:1185-1202, appendix A.1.1: with r the smallest count whose cumulative probability
    exceeds p, the limit is (r - alpha) / n, alpha = (F(r) - p) / (F(r) - F(r - 1)). `coverage` is 0.95 or 0.998.
    The upper limit is the lower one of those who did not meet, so that at either side a centre in control lies outside
    with at most the stated probability. (The formula at 1 - p puts 10 of 10 outside where the rate is 0.95.)
    `wider` draws both away from `rate`.
    """
    n = np.asarray(denominators, dtype=np.int64)
    tail, factor = (1 - coverage) / 2, wider(n)
    low, high = _lower_limit(n, rate, tail), 1 - _lower_limit(n, 1 - rate, tail)
    return np.clip(rate + factor * (low - rate), 0, 1), np.clip(rate + factor * (high - rate), 0, 1)


def _lower_limit(n: NDArray[np.int64], rate: float | NDArray[np.float64], tail: float) -> NDArray[np.float64]:
    count = binom.ppf(tail, n, rate)
    reached, below = binom.cdf(count, n, rate), binom.cdf(count - 1, n, rate)
    limit = np.clip((count - (reached - tail) / (reached - below)) / n, 0.0, 1.0)
    return np.where(np.isin(rate, (0.0, 1.0)), rate, limit)  # nothing varies: every centre in control has this rate


def widening(
    numerators: NDArray[np.int64], denominators: NDArray[np.int64], rate: float, overdispersion: Overdispersion
) -> Widening:
    """Return by how much over-dispersion widens the limits around `rate`, as a function of the denominator; at least 1.

    The centres given (denominators at least 1) tell how much more than chance they vary. Spiegelhalter, Stat Med
    2005;24:1185-1202: z-scores Winsorised at 10 %; multiplicative, the root of phi = mean of z squared; additive, the
    random-effects variance tau squared by the method of moments beside that of chance.
    """
    chance = rate * (1 - rate)
    if overdispersion == "none" or len(denominators) < _FEWEST_CENTRES or chance == 0:
        return by_chance_alone
    scores = (numerators / denominators - rate) / np.sqrt(chance / denominators)
    phi = float(np.mean(np.clip(scores, *np.quantile(scores, [_WINSORISED, 1 - _WINSORISED])) ** 2))
    if overdispersion == "multiplicative":
        return lambda n: np.full(np.shape(n), np.sqrt(max(phi, 1.0)))
    weights = denominators / chance
    count = len(denominators)
    between = max((count * phi - (count - 1)) / (weights.sum() - (weights**2).sum() / weights.sum()), 0.0)
    return lambda n: np.sqrt(1 + between * np.asarray(n) / chance)


def smallest_difference(
    denominators: NDArray[np.int64],
    rate: float | NDArray[np.float64],
    limits: NDArray[np.float64],
    direction: Literal["up", "down"],
) -> NDArray[np.float64]:
    """Return how far (0-1) from `rate` a centre must truly be to fall beyond its limit with a power of 80 %.

    `rate` is one for all, or one each; `limits` are those on the unfavourable side: the lower ones where more is better
    (`up`). Exact binomial; NaN where no rate at all would suffice.
    """
    n = np.asarray(denominators, dtype=np.int64)
    # The probability of the counts beyond the limit is a tail of the beta distribution of the true rate.
    if direction == "up":
        most = np.ceil(n * limits) - 1
        reached = most.clip(0)
        return np.where(most >= 0, rate - beta.ppf(1 - POWER, reached + 1, n - reached), np.nan)
    least = np.floor(n * limits) + 1
    reached = np.minimum(least, n)
    return np.where(least <= n, beta.ppf(POWER, reached, n - reached + 1) - rate, np.nan)


@dataclass(frozen=True, slots=True)
class Median:
    """A Kaplan-Meier median with its 95 % interval; null where the curve or a bound never falls to one half."""

    value: float | None
    low: float | None
    high: float | None


class Curve(NamedTuple):
    """Survival from each of the times of an end on, with its log-log 95 % limits; NaN where these do not exist."""

    times: NDArray[np.float64]
    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def kaplan_meier(durations: NDArray[np.float64], is_observed: NDArray[np.bool_]) -> Curve:
    """Return how many are left of those who were followed for `durations`; what was not observed is censored there.

    The log-log limits (exponential Greenwood) do not exist where nobody, or everybody, has had the event.
    """
    times, place = np.unique(durations, return_inverse=True)
    ends, events = (np.bincount(chosen, minlength=times.size) for chosen in (place, place[is_observed]))
    at_risk = durations.size - np.cumsum(ends) + ends
    # Without censoring the product is a plain quotient, which rounds less.
    share = np.cumprod((at_risk - events) / at_risk, dtype=np.float64)
    if is_observed.all():
        share = 1 - np.cumsum(ends) / durations.size
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = 1 / np.log(share) ** 2 * np.cumsum(events / (at_risk * (at_risk - events)))
        middle, half = np.log(-np.log(share)), Z_95 * np.sqrt(variance)
    low, high = (np.exp(-np.exp(middle + end)).clip(0, 1) for end in (half, -half))
    return Curve(times, share, low, high)


def kaplan_meier_median(
    durations: Sequence[float] | NDArray[np.int64], is_observed: Sequence[bool] | NDArray[np.bool_]
) -> Median:
    """Return the median time to the event; what was not observed by its duration is censored there.

    The interval holds the times at which the log-log limits of the curve lie on both sides of one half (Brookmeyer and
    Crowley 1982, with the log-log transformation).
    """
    times, observed = np.asarray(durations, dtype=float), np.asarray(is_observed, dtype=bool)
    if not observed.any():
        return Median(None, None, None)
    curve = kaplan_meier(times, observed)
    return Median(*(_first_at_most_half(curve.times, ends) for ends in (curve.share, curve.low, curve.high)))


def _first_at_most_half(times: NDArray[np.float64], probabilities: NDArray[np.float64]) -> float | None:
    # The tolerance keeps a curve that reaches one half exactly from being missed by a rounding error.
    reached = np.flatnonzero(np.nan_to_num(probabilities, nan=1.0) <= 0.5 + 1e-12)
    return float(times[reached[0]]) if reached.size else None
