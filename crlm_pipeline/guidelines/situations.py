"""Numbers the distinct pairs of treatment and patient profile among decisions, so that each is looked at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from typing import Any, Final, TypeVar

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.load import Knowledge, Series, is_active
from crlm_pipeline.guidelines.model import fact_columns
from crlm_pipeline.guidelines.patterns import Tokens, expand_alternatives, tokens
from crlm_pipeline.guidelines.standing import Given, Profile, contraindicated_drugs, is_forbidden
from crlm_pipeline.guidelines.states import Numbers, distinct_codes, distinct_rows

_GIVEN: Final = ("treatment", "setting", "is_open")
_BETWEEN: Final = "+"

Found = TypeVar("Found")


@dataclass(frozen=True, eq=False)
class Situations:
    """What the decisions share: every distinct treatment and profile.

    `given_no`, `profile_no`: the treatment and profile of each situation, numbered as in the decisions' `situation_no`.
    """

    given: tuple[Given, ...]
    profiles: tuple[Profile, ...]
    given_no: Numbers
    profile_no: Numbers

    @cached_property
    def is_forbidden(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether the profile of each situation forbids what was given."""
        pairs = zip(self.given_no.tolist(), self.profile_no.tolist(), strict=True)
        return np.array([is_forbidden(self.given[given], self.profiles[profile]) for given, profile in pairs], bool)


def number_situations(decisions: pl.DataFrame, knowledge: Knowledge) -> tuple[pl.DataFrame, Situations]:
    """Return the decisions with `situation_no` and their facts as Enums, and what the numbers stand for."""
    unavailable = _LabelStates(knowledge)
    of_given, told_given = distinct_rows(decisions.select(_GIVEN))
    given_no, given = numbered(
        Given(tokens(treatment), setting, is_open) for treatment, setting, is_open in told_given.iter_rows()
    )
    recorded_no, recorded = _numbered_lists(decisions.get_column("contraindications"))
    failed_no, failed = _numbered_lists(decisions.get_column("failed_classes"))
    of_profile, told_profiles = distinct_codes(
        [
            unavailable.states(decisions).to_numpy(),
            recorded_no,
            failed_no,
            decisions.get_column("dpd").eq_missing("complete").to_numpy(),
            decisions.get_column("prior_anti_egfr").eq_missing(True).to_numpy(),
        ]
    )
    profile_no, profiles = numbered(
        _profile(
            recorded[its_recorded],
            failed[its_failed],
            bool(is_dpd_complete),
            bool(had_anti_egfr),
            unavailable.drugs[state],
        )
        for state, its_recorded, its_failed, is_dpd_complete, had_anti_egfr in zip(
            *(each.tolist() for each in told_profiles), strict=True
        )
    )
    situation_no, pairs = distinct_codes([given_no[of_given], profile_no[of_profile]])
    situations = Situations(given, profiles, *pairs)
    return decisions.with_columns(*_coded_facts(), situation_no=situation_no), situations


def _numbered_lists(lists: pl.Series) -> tuple[Numbers, list[Tokens]]:
    """Return the number of each list and what the numbers stand for; 0 is none, as most lists are."""
    is_filled = lists.list.len().fill_null(0) > 0
    # As text, in whatever order: Polars tells rows with lists apart many times more slowly.
    of_filled, texts = distinct_rows(lists.filter(is_filled).list.join(_BETWEEN).to_frame())
    numbers = np.zeros(len(lists), np.int64)
    numbers[is_filled.to_numpy()] = of_filled + 1
    return numbers, [Tokens(), *map(tokens, texts.to_series())]


@cache
def _coded_facts() -> tuple[pl.Expr, ...]:
    """Return the facts of few values as numbers of these, which conditions are held against faster than text."""
    return tuple(
        pl.col(fact).cast(pl.Enum(column.values))
        for fact, column in fact_columns().items()
        if column.values and not column.is_list
    )


def _comparable(profile: Profile) -> Profile:
    """Return the profile without what cannot matter, so that a patient from whom nothing is removed is plain."""
    if profile.failed:
        return profile
    return Profile(profile.contraindicated, frozenset(), had_anti_egfr=False, unavailable=profile.unavailable)


def profile_of(row: Mapping[str, Any], unavailable: Tokens) -> Profile:
    """Return the profile of one decision."""
    recorded, failed = (frozenset(row[name] or ()) for name in ("contraindications", "failed_classes"))
    return _profile(recorded, failed, row["dpd"] == "complete", bool(row["prior_anti_egfr"]), unavailable)


@cache
def _profile(
    recorded: frozenset[str], failed: frozenset[str], is_dpd_complete: bool, had_anti_egfr: bool, unavailable: Tokens
) -> Profile:
    contraindications = sorted(recorded | {"dpd_complete"} if is_dpd_complete else recorded)
    return _comparable(
        Profile(
            contraindicated=frozenset[str]().union(*map(contraindicated_drugs, contraindications)),
            failed=failed,
            had_anti_egfr=had_anti_egfr,
            unavailable=unavailable,
        )
    )


def numbered(found: Iterable[Found]) -> tuple[Numbers, tuple[Found, ...]]:
    """Return the number of each among the distinct ones, and these in order of first appearance."""
    numbers: dict[Found, int] = {}
    number_of_each = np.array([numbers.setdefault(each, len(numbers)) for each in found], np.int64)
    return number_of_each, tuple(numbers)


def unavailable_drugs(knowledge: Knowledge, country: str, day: date) -> Tokens:
    """Return the drugs that a label series of the country lists and that had no wording in force on the day."""
    return frozenset[str]().union(
        *(_without_wording(series, day) for series in _labels(knowledge) if series.applies_in(country))
    )


def _labels(knowledge: Knowledge) -> list[Series]:
    return [series for series in knowledge.series.values() if series.kind == "label"]


def _without_wording(series: Series, day: date) -> Tokens:
    listed = {
        inn for e in series.editions for drug in e.listed_drugs for each in expand_alternatives(drug) for inn in each
    }
    covered = {
        inn
        for edition in series.editions
        for wording in edition.wordings
        if is_active(wording, day)
        for each in expand_alternatives(wording.drug)
        for inn in each
    }
    return frozenset(listed - covered)


class _LabelStates:
    """Numbers the sets of unavailable drugs: they change only with the country and on the days of a new wording."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.drugs: list[Tokens] = [frozenset()]
        self._first: list[tuple[Series, int]] = []
        for series in _labels(knowledge):
            self._first.append((series, len(self.drugs)))
            self.drugs += [_without_wording(series, day) for day in (date.min, *series.changes)]

    def states(self, decisions: pl.DataFrame) -> pl.Series:
        """Return the number of the set for each decision; 0 where no label series applies."""
        country, day = decisions.get_column("country"), decisions.get_column("decision_date")
        states = pl.repeat(0, decisions.height, dtype=pl.UInt32, eager=True)
        for series, first in self._first:
            changes = pl.Series(series.changes, dtype=pl.Date)
            own = first + changes.search_sorted(day, side="right").cast(pl.UInt32)
            states = own.zip_with(country.is_in(list(series.countries)), states)
        return states
