"""What the ladder of one edition says of one state of knowledge: verdict, reason, what is missing, pathway.

A state holds all that decides: which clauses are true and which are open, the facts unknown to them, and how the
treatment stands to the options. Equal states have equal outcomes, so each is worked out once however many decisions
share it; `explain` works out one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Final

from crlm_pipeline.guidelines import wording
from crlm_pipeline.guidelines.bits import places
from crlm_pipeline.guidelines.ladder import Ladder, State
from crlm_pipeline.guidelines.standing import RuleStanding, Standing
from crlm_pipeline.guidelines.truth import Truth
from crlm_pipeline.guidelines.walk import NO_RULE, NOT_EVALUABLE, Ending, Walk, walk
from crlm_pipeline.guidelines.wording import facts_in_words, verdict_in_words

TEST_FIRST = "test_first"

# All editions together have some thousands in a registry; the rest is for decisions drawn at random.
_STATES_KEPT: Final = 1 << 16


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


@lru_cache(maxsize=_STATES_KEPT)
def outcome(ladder: Ladder, state: State) -> Outcome:
    """Work out what the ladder says of the state; the states of a registry recur in every part of it."""
    position = _Position(ladder, state)
    done = position.walk(state.true, state.open)
    missing = position.missing(done)
    names = position.named(missing)
    is_evaluable = len(done.verdicts) == 1
    deciding = _deciding(done)
    pathways = position.pathways(done)
    return Outcome(
        verdict=deciding.verdict if is_evaluable else NOT_EVALUABLE,
        is_definite=len(done.candidates) == 1 and is_evaluable,
        rule_id=position.rule_id(deciding.rule_no) if is_evaluable else None,
        reason=position.reason(deciding) if is_evaluable else _open_reason(names),
        missing_facts=() if is_evaluable else names,
        unlocking_facts=() if is_evaluable else position.named(position.unlocking(missing)),
        would_be=None if is_evaluable else position.would_be(done),
        pathway=next(iter(pathways)) if len(pathways) == 1 else TEST_FIRST,
        pathway_missing=() if len(pathways) == 1 else names,
        best_option=position.best_option(done),
        held_out=position.held_out(done),
    )


def _deciding(done: Walk) -> Ending:
    """Return the ending of the lowest candidate: the rule that is true, or the unwritten one."""
    return done.endings[-1]


def _open_reason(missing: tuple[str, ...]) -> str:
    return f"The answer depends on {facts_in_words(missing)}, not known that day."


class _Position:
    """A ladder in one state; what would hold were more known is told by other bits of its clauses."""

    def __init__(self, ladder: Ladder, state: State) -> None:
        self._ladder = ladder
        self._state = state
        self._walks: dict[tuple[int, int], Walk] = {}

    def walk(self, true: int, unsettled: int) -> Walk:
        """Walk the ladder while these clauses are true and those are open."""
        key = (true, unsettled)
        if key not in self._walks:
            rules = self._rules(true, unsettled)
            self._walks[key] = walk(rules, is_nothing_given=self._state.fit.is_nothing_given)
        return self._walks[key]

    def _rules(self, true: int, unsettled: int) -> Iterator[tuple[int, Truth, RuleStanding]]:
        for number, truth in self._ladder.truths(true, unsettled):
            yield number, truth, self._ladder.standing(number, true, unsettled, self._state.fit)

    def named(self, facts: int) -> tuple[str, ...]:
        return tuple(self._ladder.facts[place] for place in places(facts))

    def missing(self, done: Walk) -> int:
        """Return the unknown facts of the candidates, their open options included."""
        decisive = 0
        for number in done.candidates:
            if number is not None:
                decisive |= self._decisive(number)
        return self._ladder.compiled.asked(decisive) & self._state.unknown

    def _decisive(self, number: int) -> int:
        """Return the open clauses of a rule that leave the verdict open: its own, and those of its options."""
        own = 0 if self._is_true(number) else self._state.open & self._ladder.own[number]
        conditional = self._state.open & self._ladder.conditional[number]
        return own | sum(1 << place for place in places(conditional) if self._is_decisive(1 << place))

    def _is_true(self, number: int) -> bool:
        return bool(self._state.true & self._ladder.own[number])

    def _is_decisive(self, clause: int) -> bool:
        others = self._state.open & ~clause
        held = self.walk(self._state.true | clause, others)
        return held.verdicts != self.walk(self._state.true, others).verdicts

    def unlocking(self, missing: int) -> int:
        """Return a smallest subset of the missing facts that decides the verdict whatever their values are."""
        facts = list(places(missing))
        for size in range(1, len(facts)):
            for subset in combinations(facts, size):
                if self._decides(subset, known=0, failed=0):
                    return sum(1 << fact for fact in subset)
        return missing

    def _decides(self, facts: tuple[int, ...], known: int, failed: int) -> bool:
        """Whether the verdict stands whatever the facts are, once those `known` have values that fail some clauses."""
        if known and len(self._filled(known, failed).verdicts) == 1:
            return True
        if not facts:
            return False
        fact, *rest = facts
        return all(
            self._decides(tuple(rest), known | 1 << fact, failed | failing) for failing in self._ladder.failing[fact]
        )

    def _filled(self, known: int, failed: int) -> Walk:
        possible = self._state.open & ~failed
        unsettled = 0
        for fact in places(self._state.unknown & ~known):
            unsettled |= possible & self._ladder.compiled.asking[fact]
        return self.walk(self._state.true | possible & ~unsettled, unsettled)

    def would_be(self, done: Walk) -> str:
        """Say what the verdict is under each candidate; the last is what holds when no open rule applies."""
        *unsettled, last = done.candidates
        parts: dict[str, list[str]] = {}
        for number in unsettled:
            parts.setdefault(self._verdict_if(number), []).append(self._condition_of(number))
        said = [f"{verdict} if {' or '.join(conditions)}" for verdict, conditions in parts.items()]
        return "; ".join([*said, f"otherwise {self._verdict_if(last)}"])

    def _verdict_if(self, chosen: int | None) -> str:
        """Return the verdict if the chosen rule is true with its options, and every other open clause false."""
        settled = 0 if chosen is None else self._state.open & self._ladder.clauses_of(chosen)
        return verdict_in_words(_deciding(self.walk(self._state.true | settled, 0)).verdict)

    def _condition_of(self, number: int | None) -> str:
        assert number is not None, "only the last candidate can be the unwritten rule"
        rule = self._ladder.rules[number]
        # The other alternatives of a rule that is true no longer matter, only its options.
        matter = self._ladder.conditional[number] if self._is_true(number) else self._ladder.clauses_of(number)
        unsettled = self._state.open & matter
        unknown = self.named(self._ladder.compiled.asked(unsettled) & self._state.unknown)
        if not self._is_true(number):
            return wording.rule_in_words(rule, unknown)
        options = {self._ladder.clauses[place].option_no or 0 for place in places(unsettled)}
        conditions = (wording.conditions_in_words(rule.options[option].when, unknown) for option in sorted(options))
        return " or ".join(dict.fromkeys(conditions))

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
        in_play = sorted({*done.added, *(number for number in done.candidates if number is not None)})
        is_single = len(done.candidates) == 1
        return tuple(
            HeldOut(
                number,
                option,
                "definite" if is_single and option not in standing.open_options else "provisional",
            )
            for number, standing in ((number, self._standing(number)) for number in in_play)
            for option in standing.kept_options
        )

    def _standing(self, number: int) -> RuleStanding:
        return self._ladder.standing(number, self._state.true, self._state.open, self._state.fit)

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
