"""How treatments and profiles stand to the options of a ladder.

Many treatments and profiles stand alike to the options of one edition; decisions are told apart by the fit alone.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

import numpy as np

from crlm_pipeline.guidelines.bits import flagged
from crlm_pipeline.guidelines.compile import WORD
from crlm_pipeline.guidelines.model import LadderRule, Option
from crlm_pipeline.guidelines.patterns import Tokens, containment, expand, meets_local
from crlm_pipeline.guidelines.situations import Situations, numbered
from crlm_pipeline.guidelines.standing import Fit, Given, Profile, is_forbidden
from crlm_pipeline.guidelines.states import Numbers


class OptionFits:
    """The options of a ladder, held against treatments and profiles; each of them is looked at once."""

    def __init__(self, rules: Sequence[LadderRule]) -> None:
        """Take the rules in the order of precedence."""
        self._rules = rules
        self.options: tuple[Option, ...] = tuple(option for rule in rules for option in rule.options)
        self.first: tuple[int, ...] = tuple(accumulate((len(rule.options) for rule in rules), initial=0))
        self._drugs: Tokens = frozenset(
            token for option in self.options for treatment in expand(option.treatment) for token in treatment
        )
        self._left: dict[Profile, tuple[int, int]] = {}
        self._left_of_own: dict[Profile, tuple[int, int]] = {}
        self._given: dict[Given, Fit] = {}

    @cached_property
    def unconditional(self) -> int:
        """The options that a true rule holds out whatever is known."""
        return flagged(not option.when for option in self.options)

    @property
    def word_count(self) -> int:
        """How many 64-bit words hold one bit per option."""
        return -(-len(self.options) // WORD)

    def of_rule(self, number: int) -> int:
        """Return the options of a rule."""
        first, beyond = self.first[number : number + 2]
        return (1 << beyond) - (1 << first)

    def fit(self, given: Given, profile: Profile) -> Fit:
        """Return how a treatment given to a patient of a profile stands to the options."""
        return _joined(self._left_by(profile), self._held_against(given), is_forbidden=is_forbidden(given, profile))

    def fits(self, situations: Situations) -> tuple[Numbers, tuple[Fit, ...]]:
        """Return the number of each situation's fit, and the fits."""
        left_no, left = numbered(map(self._left_by, situations.profiles))
        held_no, held = numbered(map(self._held_against, situations.given))
        pairs = left_no[situations.profile_no] * len(held) + held_no[situations.given_no]
        found, numbers = np.unique(pairs * 2 + situations.is_forbidden, return_inverse=True)
        fit_no, distinct = numbered(
            _joined(left[code // 2 // len(held)], held[code // 2 % len(held)], is_forbidden=bool(code % 2))
            for code in found.tolist()
        )
        return fit_no[numbers], distinct

    def _left_by(self, profile: Profile) -> tuple[int, int]:
        """Return the options that the profile leaves, and those of them that the patient is due."""
        if profile not in self._left:
            self._left[profile] = self._left_by_own(profile.among(self._drugs))
        return self._left[profile]

    def _left_by_own(self, profile: Profile) -> tuple[int, int]:
        """Return the same for a profile without what cannot matter here: many have it in common."""
        if profile not in self._left_of_own:
            kept = [
                [treatment for treatment in expand(option.treatment) if not profile.forbids(treatment)]
                for option in self.options
            ]
            due = flagged(
                option.preference == "preferred" and any(not each & profile.unavailable for each in treatments)
                for option, treatments in zip(self.options, kept, strict=True)
            )
            self._left_of_own[profile] = flagged(kept), due
        return self._left_of_own[profile]

    def _held_against(self, given: Given) -> Fit:
        """Return how a treatment stands to the options where the profile leaves them all."""
        if given not in self._given:
            advised_against = flagged(
                given.treatment and any(containment(pattern).holds(given.treatment) for pattern in rule.not_recommended)
                for rule in self._rules
            )
            everything = (1 << len(self.options)) - 1
            was_given = flagged(_was_given(option, given) for option in self.options)
            self._given[given] = Fit(everything, everything, was_given, advised_against, given.is_nothing)
        return self._given[given]


def _joined(left: tuple[int, int], of_given: Fit, *, is_forbidden: bool) -> Fit:
    kept, due = left
    given = 0 if is_forbidden else of_given.given & kept
    return Fit(kept, due, given, of_given.advised_against, of_given.is_nothing_given)


def _was_given(option: Option, given: Given) -> bool:
    if given.is_open:
        return False
    if given.setting == "local":
        return meets_local(option.treatment, given.treatment)
    return given.treatment in expand(option.treatment)
