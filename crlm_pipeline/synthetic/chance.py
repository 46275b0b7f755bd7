"""Seeded chance: every draw is an array with one entry per patient of a batch, so that batches stay vectorised."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Texts = NDArray[np.str_]
Rate = float | Floats

EPOCH: Final = date(1970, 1, 1)
NEVER: Final = 2**40


def day(year: int, month: int = 1, day_of_month: int = 1) -> int:
    """Return a calendar day as days since 1970, the unit of every day in this package."""
    return (date(year, month, day_of_month) - EPOCH).days


def year_of(days: Days) -> NDArray[np.int64]:
    """Return the calendar year of each day."""
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + EPOCH.year


def rising(days: Days, *, start: float, end: float, first: int = 2016, last: int = 2024) -> Floats:
    """Return a rate that rises in a straight line from `start` in the first year to `end` in the last."""
    share = np.clip((days - day(first)) / (day(last) - day(first)), 0.0, 1.0)
    return np.asarray(start + (end - start) * share, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Chance:
    """The random source of a batch of `size` patients."""

    generator: np.random.Generator
    size: int

    def happens(self, rate: Rate) -> Bools:
        """Return true with the given probability."""
        return self.generator.random(self.size) < rate

    def pick(self, weights: Mapping[str, float]) -> Texts:
        """Return one of the values with the given relative weights."""
        shares = np.cumsum(list(weights.values()))
        places = np.searchsorted(shares, self.generator.random(self.size) * shares[-1], side="right")
        return np.asarray(np.array(list(weights))[places])

    def between(self, low: int, high: int) -> Days:
        """Return whole numbers from `low` to `high`, both included."""
        return self.generator.integers(low, high, self.size, endpoint=True)

    def waiting(self, mean: Rate, *, least: int = 0) -> Days:
        """Return exponential waiting times in days, at least `least`."""
        return least + (self.generator.exponential(1.0, self.size) * mean).astype(np.int64)

    def normal(self, mean: float, deviation: float) -> Floats:
        """Return normally distributed numbers."""
        return self.generator.normal(mean, deviation, self.size)

    def skewed(self, median: float, sigma: float) -> Floats:
        """Return log-normally distributed numbers."""
        return median * np.exp(self.generator.normal(0.0, sigma, self.size))
