"""How a treatment stands to a rule's options: which options are held out, which of them was given."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import NamedTuple

from crlm_pipeline import resources
from crlm_pipeline.guidelines.bits import places
from crlm_pipeline.guidelines.model import LadderRule, Option
from crlm_pipeline.guidelines.patterns import (
    SYSTEMIC,
    Tokens,
    classes,
    expand,
    expand_alternatives,
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

    @property
    def is_nothing(self) -> bool:
        """Whether it is a local decision whose window closed with nothing done."""
        return self.setting == "local" and not self.treatment and not self.is_open


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


def is_forbidden(given: Given, profile: Profile) -> bool:
    """Whether the profile forbids the regimen given, which is then none of the options; a local treatment may be."""
    return given.setting != "local" and profile.forbids(given.treatment)


@cache
def contraindicated_drugs(contraindication: str) -> Tokens:
    """Return the substances that a recorded contraindication excludes (`data/reference/contraindications.csv`)."""
    patterns = [
        row["drugs"] for row in resources.reference("contraindications") if row["contraindication"] == contraindication
    ]
    return frozenset(token for pattern in patterns for wanted in expand_alternatives(pattern) for token in wanted)


class Fit(NamedTuple):
    """How one treatment of one patient stands to options, one bit each: all that a treatment means to a verdict.

    `kept`: options of which the profile leaves a treatment; `due`: those kept that are preferred and can be had;
    `given`: those kept that were given; `advised_against`: bits of the rules that advise against the treatment;
    `is_nothing_given`: a local decision whose window closed with nothing done.
    """

    kept: int
    due: int
    given: int
    advised_against: int
    is_nothing_given: bool


@dataclass(frozen=True, slots=True)
class RuleStanding:
    """A rule against one treatment: every way the two may stand, given what is unknown of its options.

    `ways`: pairs of (standing, whether the rule demands something). Empty when the rule is passed over.
    """

    ways: frozenset[tuple[Standing, bool]]
    is_demanded_procedure: bool
    kept_options: tuple[int, ...]
    open_options: tuple[int, ...]


def rule_standing(rule: LadderRule, fit: Fit, held_out: Mapping[int, Truth]) -> RuleStanding:
    """Return how a treatment stands to the rule.

    `fit`: to the rule's own options, the lowest bit for the first; `held_out` has the truth of its conditional
    options, by number.
    """
    kept = [
        number
        for number in range(len(rule.options))
        if held_out.get(number, True) is not False and fit.kept >> number & 1
    ]
    if rule.options and not kept:
        return RuleStanding(frozenset(), False, (), ())
    open_options = tuple(number for number in kept if held_out.get(number, True) is None)
    certain = [number for number in kept if number not in open_options]
    standings = _standings(rule, fit, certain, open_options)
    demands = _demands(fit, certain, open_options)
    return RuleStanding(
        ways=frozenset((standing, demand) for standing in standings for demand in demands),
        is_demanded_procedure=any(
            _names_procedure(rule.options[number]) for number in kept if rule.options[number].preference == "preferred"
        ),
        kept_options=tuple(kept),
        open_options=open_options,
    )


def _standings(rule: LadderRule, fit: Fit, certain: Iterable[int], possible: Iterable[int]) -> set[Standing]:
    given = {number: _OF_PREFERENCE[rule.options[number].preference] for number in places(fit.given)}
    least = Standing.NOT_RECOMMENDED if fit.advised_against else Standing.NONE
    base = max([least, *(given[number] for number in certain if number in given)])
    return {base, *(given[number] for number in possible if number in given and given[number] > base)}


def _demands(fit: Fit, certain: Iterable[int], possible: Iterable[int]) -> set[bool]:
    if any(fit.due >> number & 1 for number in certain):
        return {True}
    return {True, False} if any(fit.due >> number & 1 for number in possible) else {False}


def _names_procedure(option: Option) -> bool:
    return any(treatment - {SYSTEMIC} for treatment in expand(option.treatment))
