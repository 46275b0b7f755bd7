"""Invented centres: where they are, how well they test, how closely they follow guidelines, how they keep records."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from crlm_pipeline.synthetic.chance import Bools, Days, Floats, Texts

COUNTRIES: Final = ("US", "DE", "NL", "GB", "FR", "US", "ES", "IT")
FEWEST_CENTRES: Final = 6
MOST_CENTRES: Final = 60
PATIENTS_PER_CENTRE: Final = 300
# The share of operations on the liver that end in death within four weeks.
FATALITY: Final = 0.014
# The share of procedures that a centre leaves to the largest one of all, if that stands in the same country.
REFERRAL: Final = 0.12


@dataclass(frozen=True, slots=True)
class Centres:
    """One entry per centre; rates are shares, `delay` multiplies the time a result takes.

    `is_hasty`: a first line starts the day after the work-up and waits for no result. `is_unsparing`: a first line that
    does not follow the guideline holds cetuximab. `practice` gives the day as of whose customs a patient found on a
    day is tested: that day itself, but in the worlds of `plants`.
    """

    name: Texts
    country: Texts
    weight: Floats
    testing: Floats
    adherence: Floats
    surgery: Floats
    meeting: Floats
    delay: Floats
    completeness: Floats
    fatality: Floats
    referral: Floats
    is_hasty: Bools
    is_unsparing: Bools
    has_brands: Bools
    has_atc: Bools
    has_lines: Bools
    has_folinate: Bools
    practice: Callable[[Days], Days]


def found_centres(patients: int, seed: int) -> Centres:
    """Return the centres of a registry of that many patients; the same seed and size give the same centres."""
    count = int(np.clip(patients // PATIENTS_PER_CENTRE, FEWEST_CENTRES, MOST_CENTRES))
    generator = np.random.default_rng([seed, 0])
    country = np.array([COUNTRIES[place % len(COUNTRIES)] for place in range(count)])
    return Centres(
        name=np.array([f"{code}{place + 1:02d}" for place, code in enumerate(country)]),
        country=country,
        weight=generator.dirichlet(np.full(count, 6.0)),
        testing=generator.normal(0.0, 0.06, count),
        adherence=np.clip(generator.normal(0.84, 0.07, count), 0.6, 0.97),
        surgery=np.clip(generator.normal(0.82, 0.08, count), 0.5, 0.97),
        meeting=np.clip(generator.normal(0.8, 0.12, count), 0.3, 0.99),
        delay=np.clip(generator.normal(1.0, 0.3, count), 0.5, 2.0),
        completeness=np.clip(generator.normal(0.9, 0.06, count), 0.7, 0.99),
        fatality=np.full(count, FATALITY),
        referral=np.full(count, REFERRAL),
        is_hasty=np.zeros(count, dtype=np.bool_),
        is_unsparing=np.zeros(count, dtype=np.bool_),
        has_brands=generator.random(count) < 0.3,
        has_atc=generator.random(count) < 0.4,
        has_lines=generator.random(count) < 0.5,
        has_folinate=generator.random(count) < 0.4,
        practice=_of_the_day,
    )


def _of_the_day(found: Days) -> Days:
    return found
