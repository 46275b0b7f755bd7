"""A rule as clauses: each a plain conjunction of tests. A rule is true when one of its clauses is.

The clauses of a ladder stand in the order of precedence, those of a rule's options just before the rule's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from crlm_pipeline.guidelines.model import Conditions, LadderRule, Range, Rule, Scalar
from crlm_pipeline.guidelines.truth import Facts, Reading, Truth, either, holds, is_read_as_ladder

Test = Range | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of one fact."""

    fact: str
    test: Test
    reading: Reading


@dataclass(frozen=True, slots=True)
class Clause:
    """A conjunction that belongs to a rule (`rule_no`, from 0), or to one of its options (`option_no`, from 0)."""

    rule_no: int
    option_no: int | None
    conditions: tuple[Condition, ...]

    @property
    def askable(self) -> frozenset[str]:
        """The facts that leave the clause open while unknown."""
        return frozenset(c.fact for c in self.conditions if c.reading is not Reading.KNOWN)

    def truth(self, facts: Facts) -> Truth:
        """Return whether the clause holds of the facts."""
        truth: Truth = True
        for condition in self.conditions:  # as `truth.both`, which costs twice the time where there are few
            told = holds(condition.test, facts.get(condition.fact), condition.reading)
            if told is False:
                return False
            if told is None:
                truth = None
        return truth

    def fails(self, fact: str, value: object) -> bool:
        """Whether the clause asks for the fact and cannot hold while it has this value."""
        return fact in self.askable and any(
            holds(c.test, value, c.reading) is False for c in self.conditions if c.fact == fact
        )


def _conditions(conditions: Conditions, reading: Reading) -> tuple[Condition, ...]:
    return tuple(Condition(fact, test, reading) for fact, test in conditions.items())


def rule_clauses(rule: Rule, rule_no: int) -> list[Clause]:
    """Return the clauses of one rule: its options' first, then its own, one per alternative."""
    reading = Reading.LADDER if is_read_as_ladder(rule) else Reading.SAFETY
    common = _conditions(rule.when, reading)
    options: list[Clause] = []
    if isinstance(rule, LadderRule):
        common += _conditions(rule.known, Reading.KNOWN)
        options = [
            Clause(rule_no, number, _conditions(option.when, reading))
            for number, option in enumerate(rule.options)
            if option.when
        ]
    alternatives = rule.any or ({},)
    return [*options, *(Clause(rule_no, None, common + _conditions(each, reading)) for each in alternatives)]


def clauses_of(rules: Sequence[Rule]) -> tuple[Clause, ...]:
    """Return the clauses of the rules, in their order."""
    return tuple(clause for number, rule in enumerate(rules) for clause in rule_clauses(rule, number))


def rule_truths(clauses: Sequence[Clause], truths: Sequence[Truth], count: int) -> list[Truth]:
    """Return the truth of each of `count` rules from the truths of their own clauses."""
    own: list[list[Truth]] = [[] for _ in range(count)]
    for clause, truth in zip(clauses, truths, strict=True):
        if clause.option_no is None:
            own[clause.rule_no].append(truth)
    return [either(truths_of_rule) for truths_of_rule in own]


def unknown_facts(clauses: Iterable[Clause], facts: Mapping[str, object]) -> list[frozenset[str]]:
    """Return, per clause, the facts that are unknown to it."""
    return [
        frozenset(
            c.fact
            for c in clause.conditions
            if c.reading is not Reading.KNOWN and holds(c.test, facts.get(c.fact), c.reading) is None
        )
        for clause in clauses
    ]
