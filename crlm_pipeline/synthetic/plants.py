"""Worlds in which the truth is known: centres that are all alike, and effects planted among them to be found.

A plant changes what its centre does and draws nothing of its own, so every patient of the other centres stays the same.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from crlm_pipeline.synthetic.centres import FATALITY, Centres
from crlm_pipeline.synthetic.chance import Days, day

# Drugs, dates of access and customs differ between countries, so centres that are alike stand in one.
COUNTRY: Final = "DE"
STEADY: Final = day(2022)
CHANGE: Final = day(2023, 7)
BEFORE: Final = day(2018)
AFTER: Final = day(2024)
EVERYWHERE: Final = "every centre"


@dataclass(frozen=True, slots=True)
class Plant:
    """An effect: what it does, and the entries of its centre in `Centres`; none where all centres share it."""

    effect: str
    entries: Mapping[str, Any]


PLANTS: Final[dict[str, Plant]] = {
    "under_testing": Plant("many tumours are never tested", {"testing": -0.35}),
    "treats_before_results": Plant("a first line starts before the results are there", {"is_hasty": True}),
    "outlier": Plant("half of the first lines hold cetuximab, whatever RAS", {"adherence": 0.5, "is_unsparing": True}),
    "deaths_after_surgery": Plant("one in six dies after an operation on the liver", {"fatality": 1 / 6}),
    "practice_change_2023": Plant("from 1 July 2023 tumours are tested as in 2024, until then as in 2018", {}),
}


def alike(centres: Centres) -> Centres:
    """Return the centres with the same habits, in one country, at all times; only their sizes differ.

    No procedure is done elsewhere: the centre that others send their patients to would not be like them.
    """
    count = centres.name.size
    same = {"testing": 0.0, "adherence": 0.84, "surgery": 0.82, "meeting": 0.8, "delay": 1.0, "completeness": 0.9}
    records = {"has_brands": False, "has_atc": True, "has_lines": True, "has_folinate": False}
    habits: dict[str, Any] = {name: np.full(count, value) for name, value in {**same, **records}.items()}
    return replace(
        centres,
        name=np.array([f"{COUNTRY}{place + 1:02d}" for place in range(count)]),
        country=np.full(count, COUNTRY),
        fatality=np.full(count, FATALITY),
        referral=np.zeros(count),
        practice=_steady,
        **habits,
    )


def planted(centres: Centres, names: Collection[str]) -> tuple[Centres, dict[str, str]]:
    """Return the centres with these `PLANTS`, and by name the centre that carries each.

    A plant stands at the same centre whatever else is planted, and at one of middling size: in the largest everything
    would be seen, in the smallest nothing.
    """
    carriers = {}
    for name, place in zip(_at_one_centre(), _middling(centres), strict=False):
        if name in names:
            centres = replace(centres, **_with_entries(centres, PLANTS[name], place))
            carriers[name] = str(centres.name[place])
    if "practice_change_2023" in names:
        centres = replace(centres, practice=_changed)
        carriers["practice_change_2023"] = EVERYWHERE
    return centres, carriers


def _at_one_centre() -> list[str]:
    return [name for name, plant in PLANTS.items() if plant.entries]


def _middling(centres: Centres) -> list[int]:
    """Return the places of the centres from just below the middle by size upwards; there are at least six."""
    by_size = np.argsort(centres.weight)
    return [int(place) for place in by_size[by_size.size // 2 - 2 :]]


def _with_entries(centres: Centres, plant: Plant, place: int) -> dict[str, Any]:
    changed = {}
    for column, entry in plant.entries.items():
        changed[column] = getattr(centres, column).copy()
        changed[column][place] = entry
    return changed


def _steady(found: Days) -> Days:
    return np.full_like(found, STEADY)


def _changed(found: Days) -> Days:
    return np.where(found < CHANGE, BEFORE, AFTER)
