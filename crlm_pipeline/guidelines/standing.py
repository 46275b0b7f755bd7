"""How a treatment stands to a rule's options: which options are held out, which of them was given.

Depends on the treatment and the patient's profile alone, not on the facts of the conditions, so it is worked out once
for each pair of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from crlm_pipeline import resources
from crlm_pipeline.guidelines.model import LadderRule, Option
from crlm_pipeline.guidelines.patterns import (
    SYSTEMIC,
    Tokens,
    classes,
    containment,
    expand,
    expand_alternatives,
    meets_local,
)
from crlm_pipeline.guidelines.truth import Truth

# Progression on these does not forbid them again (semantics, order of judgement 5).
_EXCUSED_CLASSES = frozenset({"fluoropyrimidine", "anti_vegf"})


class Standing(IntEnum):
    """How good the best match between the treatment and a rule is; higher is kinder."""

    NONE = 0
    NOT_RECOMMENDED = 1
    INVESTIGATIONAL = 2
    ALTERNATIVE = 3
    PREFERRED = 4


_OF_PREFERENCE = {
    "preferred": Standing.PREFERRED,
    "alternative": Standing.ALTERNATIVE,
    "investigational": Standing.INVESTIGATIONAL,
}


@dataclass(frozen=True, slots=True)
class Given:
    """What was given: tokens of the regimen or the procedures; empty = nothing."""

    treatment: Tokens
    setting: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """What removes options for a patient that day.

    `contraindicated`: substances; `failed`: drug classes on which the disease progressed within the window;
    `unavailable`: substances that the country's label series lists and that had no wording in force.
    """

    contraindicated: Tokens = frozenset()
    failed: frozenset[str] = frozenset()
    had_anti_egfr: bool = False
    unavailable: Tokens = frozenset()

    def forbids(self, treatment: Tokens) -> bool:
        """Whether the treatment holds a contraindicated drug or a class that failed."""
        if treatment & self.contraindicated:
            return True
        failed = self.failed - _EXCUSED_CLASSES
        if not self.had_anti_egfr and treatment & classes()["anti_egfr"]:
            # Irinotecan may go on with the first anti-EGFR antibody.
            failed -= {"irinotecan"}
        return any(treatment & classes()[name] for name in failed if name in classes())

    def among(self, drugs: Tokens) -> "Profile":
        """Return the profile without what cannot matter to treatments made of these drugs."""
        failed = frozenset(name for name in self.failed - _EXCUSED_CLASSES if classes().get(name, Tokens()) & drugs)
        return Profile(
            contraindicated=self.contraindicated & drugs,
            failed=failed,
            had_anti_egfr=self.had_anti_egfr and "irinotecan" in failed,
            unavailable=self.unavailable & drugs,
        )


@cache
def contraindicated_drugs(contraindication: str) -> Tokens:
    """Return the substances that a recorded contraindication excludes (`data/reference/contraindications.csv`)."""
    patterns = [
        row["drugs"] for row in resources.reference("contraindications") if row["contraindication"] == contraindication
    ]
    return frozenset(token for pattern in patterns for wanted in expand_alternatives(pattern) for token in wanted)


@dataclass(frozen=True, slots=True)
class RuleStanding:
    """A rule against one treatment: every way the two may stand, given what is unknown of its options.

    `ways`: pairs of (standing, whether the rule demands something). Empty when the rule is passed over.
    """

    ways: frozenset[tuple[Standing, bool]]
    is_demanded_procedure: bool
    kept_options: tuple[int, ...]
    open_options: tuple[int, ...]


def rule_standing(rule: LadderRule, given: Given, profile: Profile, held_out: Mapping[int, Truth]) -> RuleStanding:
    """Return how the treatment stands to the rule; `held_out` has the truth of its conditional options, by number."""
    kept = [
        number
        for number, option in enumerate(rule.options)
        if held_out.get(number, True) is not False and _kept_treatments(option.treatment, profile)
    ]
    if rule.options and not kept:
        return RuleStanding(frozenset(), False, (), ())
    open_options = tuple(number for number in kept if held_out.get(number, True) is None)
    certain = [rule.options[number] for number in kept if number not in open_options]
    possible = [rule.options[number] for number in open_options]
    standings = _standings(rule, given, profile, certain, possible)
    demands = _demands(profile, certain, possible)
    return RuleStanding(
        ways=frozenset((standing, demand) for standing in standings for demand in demands),
        is_demanded_procedure=any(
            _names_procedure(option) for option in (*certain, *possible) if option.preference == "preferred"
        ),
        kept_options=tuple(kept),
        open_options=open_options,
    )


def _standings(
    rule: LadderRule, given: Given, profile: Profile, certain: list[Option], possible: list[Option]
) -> set[Standing]:
    advised_against = any(containment(pattern).holds(given.treatment) for pattern in rule.not_recommended)
    least = Standing.NOT_RECOMMENDED if advised_against and given.treatment else Standing.NONE
    matched = [_OF_PREFERENCE[option.preference] for option in certain if _matches(option, given, profile)]
    base = max([least, *matched])
    perhaps = [_OF_PREFERENCE[option.preference] for option in possible if _matches(option, given, profile)]
    return {base, *(standing for standing in perhaps if standing > base)}


def _demands(profile: Profile, certain: list[Option], possible: list[Option]) -> set[bool]:
    if any(is_demanded(option, profile) for option in certain):
        return {True}
    return {True, False} if any(is_demanded(option, profile) for option in possible) else {False}


def is_demanded(option: Option, profile: Profile) -> bool:
    """Whether a patient of this profile is due the option: it is preferred, and a treatment of it can be had."""
    return option.preference == "preferred" and any(
        not treatment & profile.unavailable for treatment in _kept_treatments(option.treatment, profile)
    )


@cache
def _kept_treatments(pattern: str, profile: Profile) -> frozenset[Tokens]:
    return frozenset(treatment for treatment in expand(pattern) if not profile.forbids(treatment))


def _matches(option: Option, given: Given, profile: Profile) -> bool:
    if given.is_open:
        return False
    if given.setting == "local":
        return meets_local(option.treatment, given.treatment)
    return given.treatment in _kept_treatments(option.treatment, profile)


def _names_procedure(option: Option) -> bool:
    return any(treatment - {SYSTEMIC} for treatment in expand(option.treatment))
