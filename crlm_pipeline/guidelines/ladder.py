"""The ladder of an edition made ready: its clauses, rules and options as bits, and one state of knowledge of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from crlm_pipeline.guidelines.bits import flagged, places
from crlm_pipeline.guidelines.clauses import Clause, clauses_of
from crlm_pipeline.guidelines.compile import CompiledClauses
from crlm_pipeline.guidelines.domain import distinct_values
from crlm_pipeline.guidelines.fits import OptionFits
from crlm_pipeline.guidelines.model import EDITIONS_KEPT, Edition, LadderRule
from crlm_pipeline.guidelines.standing import Fit, RuleStanding, rule_standing
from crlm_pipeline.guidelines.truth import Truth


class State(NamedTuple):
    """One state of knowledge about one treatment: bits of the clauses that are true and open, and the fit.

    `unknown` has bits of `Ladder.facts`. Clauses of rules that do not exist that day are neither true nor open.
    """

    true: int
    open: int
    unknown: int
    fit: Fit


@dataclass(frozen=True, eq=False)
class Ladder:
    """The ladder of an edition; clauses, rules and options stand in the order of precedence."""

    edition: Edition

    @cached_property
    def rules(self) -> tuple[LadderRule, ...]:
        """The rules."""
        return self.edition.ladder

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """The clauses of the rules, those of a rule's options just before its own."""
        return clauses_of(self.rules)

    @cached_property
    def compiled(self) -> CompiledClauses:
        """The clauses, ready for a frame of decisions."""
        return CompiledClauses(self.clauses)

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts that can leave a clause open, sorted."""
        return self.compiled.facts

    @cached_property
    def options(self) -> OptionFits:
        """The options, ready to be held against treatments and profiles."""
        return OptionFits(self.rules)

    @cached_property
    def own(self) -> tuple[int, ...]:
        """Per rule, the bits of the clauses that make it true."""
        return self._clauses_of_rules(of_options=False)

    @cached_property
    def conditional(self) -> tuple[int, ...]:
        """Per rule, the bits of the clauses of its conditional options."""
        return self._clauses_of_rules(of_options=True)

    def _clauses_of_rules(self, *, of_options: bool) -> tuple[int, ...]:
        return tuple(
            flagged(c.rule_no == number and (c.option_no is not None) == of_options for c in self.clauses)
            for number in range(len(self.rules))
        )

    def clauses_of(self, number: int) -> int:
        """Return the bits of all clauses of a rule."""
        return self.own[number] | self.conditional[number]

    @cached_property
    def failing(self) -> tuple[tuple[int, ...], ...]:
        """Per fact, for each distinct value: the bits of the clauses, among those that ask for it, that it fails."""
        return tuple(
            tuple(flagged(clause.fails(fact, value) for clause in self.clauses) for value in self._values(fact))
            for fact in self.facts
        )

    def _values(self, fact: str) -> list[Any]:
        return distinct_values(fact, [c.test for clause in self.clauses for c in clause.conditions if c.fact == fact])

    def truths(self, true: int, unsettled: int) -> Iterator[tuple[int, Truth]]:
        """Yield number and truth of the rules that are not false."""
        for number, own in enumerate(self.own):
            if true & own:
                yield number, True
            elif unsettled & own:
                yield number, None

    def standing(self, rule_no: int, true: int, unsettled: int, fit: Fit) -> RuleStanding:
        """Return how a treatment stands to a rule; worked out once for equal situations."""
        conditional = self.conditional[rule_no]
        own_fit = self._fit_to(rule_no, fit)
        key = (rule_no, true & conditional, unsettled & conditional, own_fit)
        if key not in self._standings:
            held_out = {
                self.clauses[place].option_no or 0: _truth(place, true, unsettled) for place in places(conditional)
            }
            self._standings[key] = rule_standing(self.rules[rule_no], own_fit, held_out)
        return self._standings[key]

    @cached_property
    def _standings(self) -> dict[tuple[int, int, int, Fit], RuleStanding]:
        return {}

    def _fit_to(self, rule_no: int, fit: Fit) -> Fit:
        """Return the fit to one rule's options, the lowest bit for its first."""
        first, beyond = self.options.first[rule_no : rule_no + 2]
        own = (1 << (beyond - first)) - 1
        return Fit(
            kept=fit.kept >> first & own,
            due=fit.due >> first & own,
            given=fit.given >> first & own,
            advised_against=fit.advised_against >> rule_no & 1,
            is_nothing_given=False,
        )


def _truth(place: int, true: int, unsettled: int) -> Truth:
    if true >> place & 1:
        return True
    return None if unsettled >> place & 1 else False


@lru_cache(maxsize=EDITIONS_KEPT)
def ladder_of(edition: Edition) -> Ladder:
    """Return the ladder of an edition, made ready once per process."""
    return Ladder(edition)
