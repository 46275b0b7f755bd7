"""Safety rules over many decisions: each sees the results known at the first dose of the drug it is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.clauses import Clause, Condition, rule_clauses
from crlm_pipeline.guidelines.compile import CompiledClauses
from crlm_pipeline.guidelines.model import EDITIONS_KEPT, Edition, SafetyRule
from crlm_pipeline.guidelines.patterns import Tokens, containment
from crlm_pipeline.guidelines.situations import Situations
from crlm_pipeline.guidelines.states import Numbers
from crlm_pipeline.guidelines.truth import Facts, Reading, Truth, conjunction, rule_truth
from crlm_pipeline.guidelines.variants import Existing
from crlm_pipeline.guidelines.wording import facts_in_words

Flags = np.ndarray[tuple[int, int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class SafetyAnswers:
    """Per decision and safety rule, in the edition's order: whether it fired or could not be checked.

    What is said of each rule lies in one piece, since rules are asked one by one.
    """

    rules: tuple[SafetyRule, ...]
    fired: Flags
    unchecked: Flags

    def of(self, places: Numbers) -> "SafetyAnswers":
        """Return the answers of the decisions at these places."""
        return SafetyAnswers(self.rules, self.fired.T[:, places].T, self.unchecked.T[:, places].T)


def is_about(rule: SafetyRule, treatment: Tokens) -> bool:
    """Whether the treatment is one that the rule speaks of."""
    return bool(treatment) and containment(rule.given).holds(treatment)


def watched_drugs(rule: SafetyRule, treatment: Tokens) -> Tokens:
    """Return the drugs of the class that the rule is about: those of its first part that were given."""
    return treatment & frozenset(token for wanted in containment(rule.given).parts[0] for token in wanted)


def safety_truth(rule: SafetyRule, treatment: Tokens, facts: Facts) -> Truth:
    """Return whether the rule fires for one decision; unknown when it cannot be checked (the plain evaluator)."""
    if not is_about(rule, treatment):
        return False
    if rule.unless and conjunction(rule.unless, facts, Reading.SAFETY) is True:
        return False
    return rule_truth(rule, facts)


def unchecked_reason(rule: SafetyRule) -> str:
    """Say that a rule could not be checked, and for want of which facts."""
    asked = sorted({fact for conditions in (rule.when, *rule.any) for fact in conditions})
    return f"Cannot be checked: {facts_in_words(asked)} not known. {rule.because}"


def answer(
    edition: Edition,
    active: Existing,
    decisions: pl.DataFrame,
    class_view: pl.DataFrame,
    situations: Situations,
) -> SafetyAnswers:
    """Apply the active safety rules of an edition to the decisions.

    `class_view` has the facts of a decision as known at the first dose of a drug (`seen_for`), where that was earlier.
    """
    rules = tuple(rule for rule in edition.safety if rule.id in active.ever)
    is_concerned = _concerned(rules, active, decisions, situations)
    if not is_concerned.any():
        return SafetyAnswers(rules, is_concerned, is_concerned)
    fired, unchecked = _apply(edition, rules, decisions)
    ids = decisions.select("decision_id", pl.int_range(pl.len()).alias("place"))
    earlier = class_view.join(ids, on="decision_id").sort("facts_date")
    then = _apply(edition, rules, earlier)
    watched = [_watched(rule, situations) for rule in rules]
    first = {drugs: _first_doses(drugs, earlier) for drugs in set(watched)}
    for number, drugs in enumerate(watched):
        rows, seen = first[drugs]
        fired[seen, number], unchecked[seen, number] = (found[rows, number] for found in then)
    return SafetyAnswers(rules, fired & is_concerned, unchecked & is_concerned)


def _concerned(rules: Sequence[SafetyRule], active: Existing, decisions: pl.DataFrame, situations: Situations) -> Flags:
    """Return, per decision and rule, whether the rule exists that day and is about what was given."""
    given_no = situations.given_no[decisions.get_column("situation_no").to_numpy()]
    concerned = [
        np.array([is_about(rule, given.treatment) for given in situations.given], bool)[given_no] & active.has(rule.id)
        for rule in rules
    ]
    return np.reshape(concerned, (len(rules), decisions.height)).astype(bool).T


def _apply(edition: Edition, rules: Sequence[SafetyRule], facts: pl.DataFrame) -> tuple[Flags, Flags]:
    """Return, per row of facts and rule, whether the rule fires, and whether it cannot be told."""
    truths = _truths(edition)
    # Named as columns: a truth without conditions is a literal, which with_columns gives the height of the frame.
    found = facts.with_columns(truths[rule.id].alias(rule.id) for rule in rules).select(rule.id for rule in rules)
    fired, unchecked = found.select(pl.all().fill_null(value=False)), found.select(pl.all().is_null())
    return fired.to_numpy(writable=True), unchecked.to_numpy(writable=True)


def _watched(rule: SafetyRule, situations: Situations) -> Tokens:
    return Tokens().union(*(watched_drugs(rule, given.treatment) for given in situations.given))


def _first_doses(drugs: Tokens, earlier: pl.DataFrame) -> tuple[Numbers, Numbers]:
    """Return the rows of `earlier`, and the places of their decisions, at the first dose of one of the drugs."""
    rows = np.flatnonzero(earlier.get_column("seen_for").is_in(sorted(drugs)))
    seen, first = np.unique(earlier.get_column("place").to_numpy()[rows], return_index=True)
    return rows[first], seen


@lru_cache(maxsize=EDITIONS_KEPT)
def _truths(edition: Edition) -> dict[str, pl.Expr]:
    """Return whether each safety rule (id) holds of the facts; null where it cannot be told."""
    return {rule.id: _truth(rule) for rule in edition.safety}


def _truth(rule: SafetyRule) -> pl.Expr:
    holds = pl.any_horizontal(CompiledClauses(rule_clauses(rule, 0)).expressions)
    if not rule.unless:
        return holds
    excuse = Clause(0, None, tuple(Condition(fact, test, Reading.SAFETY) for fact, test in rule.unless.items()))
    return holds & ~pl.any_horizontal(CompiledClauses([excuse]).expressions).fill_null(value=False)
