"""An edition as it stood on the days of some decisions, and these decisions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.bits import flagged
from crlm_pipeline.guidelines.compile import Words, as_words
from crlm_pipeline.guidelines.load import is_active
from crlm_pipeline.guidelines.model import Edition
from crlm_pipeline.guidelines.states import Numbers


@dataclass(frozen=True, slots=True)
class Existing:
    """The rules of an edition that exist on the day of each decision.

    `sets`: the distinct sets of ids; `numbers`: the place of each decision's set among them.
    """

    sets: tuple[frozenset[str], ...]
    numbers: Numbers

    @property
    def ever(self) -> frozenset[str]:
        """The rules that exist on the day of some decision."""
        return frozenset().union(*self.sets)

    @property
    def always(self) -> frozenset[str]:
        """The rules that exist on the day of every decision."""
        return self.ever.intersection(*self.sets)

    def has(self, rule_id: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return, per decision, whether the rule exists."""
        return np.array([rule_id in one for one in self.sets], bool)[self.numbers]

    def words(self, rule_ids: Sequence[str], count: int) -> Words:
        """Return, per decision, so many words with the bits of those of the rules that exist; an id may come twice."""
        return np.stack([as_words(flagged(each in one for each in rule_ids), count) for one in self.sets])[self.numbers]


def existing_throughout(active: frozenset[str], height: int) -> Existing:
    """Return the same rules for so many decisions."""
    return Existing((active,), np.zeros(height, np.int64))


@dataclass(frozen=True, slots=True)
class Variant:
    """An edition with its rules as they stood on the day of each of its decisions."""

    edition: Edition
    active: Existing
    is_older: bool
    decisions: pl.DataFrame


def judged_by(edition: Edition, decisions: pl.DataFrame, as_of: date) -> Iterator[Variant]:
    """Yield the one edition for all; a rolling one as it stood at `as_of`, complete for relative dates."""
    if decisions.height:
        sets = (active_rules(edition, as_of), active_rules(edition, date.max))
        numbers = decisions.get_column("is_relative_calendar").to_numpy().astype(np.int64)
        yield Variant(edition, Existing(sets, numbers), is_older=False, decisions=decisions)


def active_rules(edition: Edition, day: date) -> frozenset[str]:
    """Return the ids of the rules that exist on the day; all of them unless the edition is rolling."""
    return frozenset(rule.id for rule in edition.rules if not edition.rolling or is_active(rule, day))
