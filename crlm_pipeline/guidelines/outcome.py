"""What the ladder of one edition says of one state of knowledge: verdict, reason, what is missing, pathway.

A state holds all that decides: the truth of each clause, the facts unknown to it, the treatment and the profile. Equal
states have equal outcomes, so each is worked out once however many decisions share it; `explain` works out one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

from crlm_pipeline.guidelines import wording
from crlm_pipeline.guidelines.clauses import Clause, clauses_of
from crlm_pipeline.guidelines.domain import distinct_values
from crlm_pipeline.guidelines.ladder import NO_RULE, NOT_EVALUABLE, Ending, Walk, walk
from crlm_pipeline.guidelines.model import Edition, LadderRule
from crlm_pipeline.guidelines.patterns import Tokens, expand
from crlm_pipeline.guidelines.standing import Given, Profile, RuleStanding, Standing, rule_standing
from crlm_pipeline.guidelines.truth import Truth, both, either, holds
from crlm_pipeline.guidelines.wording import facts_in_words, verdict_in_words

TEST_FIRST = "test_first"


@dataclass(frozen=True)
class Ladder:
    """The ladder of an edition as clauses; `active` has the numbers of the rules that exist on the day."""

    edition: Edition

    @cached_property
    def rules(self) -> tuple[LadderRule, ...]:
        """The rules, in order of precedence."""
        return self.edition.ladder

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """The clauses of the rules, in order of precedence."""
        return clauses_of(self.rules)

    @cached_property
    def drugs(self) -> Tokens:
        """Every drug or procedure of its options."""
        options = (option for rule in self.rules for option in rule.options)
        return frozenset(token for option in options for treatment in expand(option.treatment) for token in treatment)

    @cached_property
    def own_clauses(self) -> tuple[tuple[int, ...], ...]:
        """Per rule, the places of the clauses that make it true."""
        return self._places(lambda clause: clause.option_no is None)

    @cached_property
    def option_clauses(self) -> tuple[tuple[int, ...], ...]:
        """Per rule, the places of the clauses of its conditional options."""
        return self._places(lambda clause: clause.option_no is not None)

    def _places(self, is_wanted: Callable[[Clause], bool]) -> tuple[tuple[int, ...], ...]:
        places: list[list[int]] = [[] for _ in self.rules]
        for place, clause in enumerate(self.clauses):
            if is_wanted(clause):
                places[clause.rule_no].append(place)
        return tuple(map(tuple, places))

    @cached_property
    def _standings(self) -> dict[tuple[int, tuple[Truth, ...], Given, Profile], RuleStanding]:
        return {}

    def standing(self, rule_no: int, truths: Sequence[Truth], given: Given, profile: Profile) -> RuleStanding:
        """Return how a treatment stands to a rule; `truths` of all clauses. Worked out once for equal situations."""
        places = self.option_clauses[rule_no]
        held = tuple(truths[place] for place in places)
        key = (rule_no, held, given, profile)
        if key not in self._standings:
            numbers = (self.clauses[place].option_no or 0 for place in places)
            held_out = dict(zip(numbers, held, strict=True))
            self._standings[key] = rule_standing(self.rules[rule_no], given, profile, held_out)
        return self._standings[key]


_LADDERS: dict[int, Ladder] = {}


def ladder_of(edition: Edition) -> Ladder:
    """Return the ladder of an edition, made ready once per process."""
    # By identity: an edition is not hashable, and the ladder kept here keeps its edition, and so its identity, alive.
    if id(edition) not in _LADDERS:
        _LADDERS[id(edition)] = Ladder(edition)
    return _LADDERS[id(edition)]


@dataclass(frozen=True, slots=True)
class State:
    """One state of knowledge about one treatment; `unknown` has the facts unknown to each clause."""

    truths: tuple[Truth, ...]
    unknown: tuple[frozenset[str], ...]
    given: Given
    profile: Profile
    active: frozenset[int]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """An option that a candidate rule holds out."""

    rule_no: int
    option_no: int
    certainty: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the ladder says. Null `rule_id`: no written rule decided. Facts are alphabetical."""

    verdict: str
    is_definite: bool
    rule_id: str | None
    reason: str
    missing_facts: tuple[str, ...]
    unlocking_facts: tuple[str, ...]
    would_be: str | None
    pathway: str | None
    pathway_missing: tuple[str, ...]
    best_option: str | None
    held_out: tuple[HeldOut, ...]


def outcome(ladder: Ladder, state: State) -> Outcome:
    """Work out what the ladder says of the state."""
    position = _Position(ladder, state)
    done = position.walk(state.truths)
    missing = position.missing(done)
    is_evaluable = len(done.verdicts) == 1
    deciding = _deciding(done)
    pathways = position.pathways(done)
    return Outcome(
        verdict=deciding.verdict if is_evaluable else NOT_EVALUABLE,
        is_definite=len(done.candidates) == 1 and is_evaluable,
        rule_id=position.rule_id(deciding.rule_no) if is_evaluable else None,
        reason=position.reason(deciding) if is_evaluable else _open_reason(missing),
        missing_facts=() if is_evaluable else missing,
        unlocking_facts=() if is_evaluable else position.unlocking(missing),
        would_be=None if is_evaluable else position.would_be(done),
        pathway=next(iter(pathways)) if len(pathways) == 1 else TEST_FIRST,
        pathway_missing=() if len(pathways) == 1 else missing,
        best_option=position.best_option(done),
        held_out=position.held_out(done),
    )


def brief_outcome(ladder: Ladder, state: State) -> Outcome:
    """Work out the outcome without its sentences and missing facts, in a fraction of the time.

    Which facts are unknown makes no difference to it, only which clauses are.
    """
    position = _Position(ladder, state)
    done = position.walk(state.truths)
    is_evaluable = len(done.verdicts) == 1
    deciding = _deciding(done)
    pathways = position.pathways(done)
    return Outcome(
        verdict=deciding.verdict if is_evaluable else NOT_EVALUABLE,
        is_definite=len(done.candidates) == 1 and is_evaluable,
        rule_id=position.rule_id(deciding.rule_no) if is_evaluable else None,
        reason="",
        missing_facts=(),
        unlocking_facts=(),
        would_be=None,
        pathway=next(iter(pathways)) if len(pathways) == 1 else TEST_FIRST,
        pathway_missing=(),
        best_option=None,
        held_out=position.held_out(done),
    )


def _deciding(done: Walk) -> Ending:
    """Return the ending of the lowest candidate: the rule that is true, or the unwritten one."""
    return done.endings[-1]


def _open_reason(missing: tuple[str, ...]) -> str:
    return f"The answer depends on {facts_in_words(missing)}, not known that day."


class _Position:
    """A ladder in one state: the truth of rules is taken from clauses, standings are worked out when needed."""

    def __init__(self, ladder: Ladder, state: State) -> None:
        self._ladder = ladder
        self._state = state
        given = state.given
        self._is_nothing_given = given.setting == "local" and not given.treatment and not given.is_open

    def walk(self, truths: tuple[Truth, ...]) -> Walk:
        of_rules = self._of_rules(truths)
        standings = self._own_standings if truths is self._state.truths else self._standings(of_rules, truths)
        return walk(of_rules, standings, is_nothing_given=self._is_nothing_given)

    @cached_property
    def _own_standings(self) -> dict[int, RuleStanding]:
        return self._standings(self._of_rules(self._state.truths), self._state.truths)

    def _of_rules(self, truths: tuple[Truth, ...]) -> list[Truth]:
        active = self._state.active
        return [
            either(truths[place] for place in places) if number in active else False
            for number, places in enumerate(self._ladder.own_clauses)
        ]

    def _standings(self, of_rules: list[Truth], truths: tuple[Truth, ...]) -> dict[int, RuleStanding]:
        return {
            number: self._ladder.standing(number, truths, self._state.given, self._state.profile)
            for number, truth in enumerate(of_rules)
            if truth is not False
        }

    def missing(self, done: Walk) -> tuple[str, ...]:
        """Return the unknown facts of the candidates, their open options included."""
        candidates = {number for number in done.candidates if number is not None}
        return tuple(
            sorted(
                {
                    fact
                    for clause, truth, unknown in zip(
                        self._ladder.clauses, self._state.truths, self._state.unknown, strict=True
                    )
                    if truth is None and clause.rule_no in candidates and self._is_open_clause(clause)
                    for fact in unknown
                }
            )
        )

    def _is_open_clause(self, clause: Clause) -> bool:
        if clause.option_no is None:
            return self._of_rules(self._state.truths)[clause.rule_no] is None
        with_option = self._with_option(clause, held=True)
        without = self._with_option(clause, held=False)
        return self.walk(with_option).verdicts != self.walk(without).verdicts

    def _with_option(self, clause: Clause, *, held: bool) -> tuple[Truth, ...]:
        return tuple(
            held if each is clause else truth
            for each, truth in zip(self._ladder.clauses, self._state.truths, strict=True)
        )

    def unlocking(self, missing: tuple[str, ...]) -> tuple[str, ...]:
        """Return a smallest subset of the missing facts that decides the verdict whatever their values are."""
        for size in range(1, len(missing)):
            for subset in combinations(missing, size):
                if self._decides(subset, {}):
                    return subset
        return missing

    def _decides(self, facts: tuple[str, ...], known: dict[str, Any]) -> bool:
        done = self.walk(self._filled(known)) if known else None
        if done is not None and len(done.verdicts) == 1:
            return True
        if not facts:
            return False
        fact, *rest = facts
        return all(self._decides(tuple(rest), {**known, fact: value}) for value in self._values(fact))

    def _values(self, fact: str) -> list[Any]:
        tests = [c.test for clause in self._ladder.clauses for c in clause.conditions if c.fact == fact]
        return distinct_values(fact, tests)

    def _filled(self, known: Mapping[str, Any]) -> tuple[Truth, ...]:
        """Return the truths of the clauses once some facts are known."""
        return tuple(
            truth if truth is not None else _filled_clause(clause, unknown, known)
            for clause, truth, unknown in zip(
                self._ladder.clauses, self._state.truths, self._state.unknown, strict=True
            )
        )

    def would_be(self, done: Walk) -> str:
        """Say what the verdict is under each candidate; the last is what holds when no open rule applies."""
        *unsettled, last = done.candidates
        parts: dict[str, list[str]] = {}
        for number in unsettled:
            parts.setdefault(self._verdict_if(number), []).append(self._condition_of(number))
        said = [f"{verdict} if {' or '.join(conditions)}" for verdict, conditions in parts.items()]
        return "; ".join([*said, f"otherwise {self._verdict_if(last)}"])

    def _verdict_if(self, chosen: int | None) -> str:
        return verdict_in_words(_deciding(self.walk(self._settled(chosen))).verdict)

    def _settled(self, chosen: int | None) -> tuple[Truth, ...]:
        """Return the truths with the chosen rule true and every other open clause false."""
        return tuple(
            (clause.rule_no == chosen) if truth is None else truth
            for clause, truth in zip(self._ladder.clauses, self._state.truths, strict=True)
        )

    def _condition_of(self, number: int | None) -> str:
        assert number is not None, "only the last candidate can be the unwritten rule"
        unknown = {
            fact
            for clause, facts in zip(self._ladder.clauses, self._state.unknown, strict=True)
            if clause.rule_no == number
            for fact in facts
        }
        return wording.rule_in_words(self._ladder.rules[number], unknown)

    def rule_id(self, number: int | None) -> str | None:
        return None if number is None else self._ladder.rules[number].id

    def reason(self, ending: Ending) -> str:
        """Say in a sentence why the verdict is what it is."""
        if ending.rule_no is None:
            return "No rule of this edition applies to the situation."
        rule = self._ladder.rules[ending.rule_no]
        return f"{rule.title} {_STANDING_SENTENCES[ending.standing] if ending.verdict != NO_RULE else _no_rule(ending)}"

    def pathways(self, done: Walk) -> tuple[str | None, ...]:
        """Return the distinct pathways of the candidates; without one, that of the rules that only add options."""
        named = [
            self._ladder.rules[number].pathway if number is not None else self._added_pathway(done)
            for number in done.candidates
        ]
        return tuple(dict.fromkeys(named))

    def _added_pathway(self, done: Walk) -> str | None:
        with_options = [number for number in done.added if self._ladder.rules[number].options]
        return self._ladder.rules[with_options[0]].pathway if with_options else None

    def held_out(self, done: Walk) -> tuple[HeldOut, ...]:
        """Return the options of the rules in play."""
        standings = self._own_standings
        in_play = sorted({*done.added, *(number for number in done.candidates if number is not None)})
        is_single = len(done.candidates) == 1
        return tuple(
            HeldOut(
                number,
                option,
                "definite" if is_single and option not in standings[number].open_options else "provisional",
            )
            for number in in_play
            for option in standings[number].kept_options
        )

    def best_option(self, done: Walk) -> str | None:
        """Return the pattern of the best option of the first rule in play; an investigational one is none."""
        options = [
            self._ladder.rules[each.rule_no].options[each.option_no]
            for each in self.held_out(done)
            if each.rule_no in done.candidates or done.candidates == (None,)
        ]
        for preference in ("preferred", "alternative"):
            for option in options:
                if option.preference == preference:
                    return option.treatment
        return None


_STANDING_SENTENCES = {
    Standing.PREFERRED: "The treatment given is a preferred option.",
    Standing.ALTERNATIVE: "The treatment given is an alternative option.",
    Standing.INVESTIGATIONAL: "The treatment given is investigational.",
    Standing.NOT_RECOMMENDED: "The treatment given is one that the rule advises against.",
    Standing.NONE: "The treatment given is none of its options, and the record holds no reason.",
}


def _no_rule(ending: Ending) -> str:
    if ending.standing is Standing.INVESTIGATIONAL:
        return "The treatment given is investigational: the edition does not judge it."
    return "Nothing was done, and the rule prefers no procedure: the edition does not judge it."


def _filled_clause(clause: Clause, unknown: frozenset[str], known: Mapping[str, Any]) -> Truth:
    return both(
        holds(condition.test, known[condition.fact], condition.reading) if condition.fact in known else None
        for condition in clause.conditions
        if condition.fact in unknown
    )
