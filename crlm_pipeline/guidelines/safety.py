"""Safety rules over many decisions: each sees the results known at the first dose of the drug it is about."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.clauses import Clause, Condition, rule_clauses
from crlm_pipeline.guidelines.compile import CompiledClauses
from crlm_pipeline.guidelines.model import EDITIONS_KEPT, Edition, SafetyRule
from crlm_pipeline.guidelines.patterns import Tokens, containment
from crlm_pipeline.guidelines.situations import Situations
from crlm_pipeline.guidelines.truth import Facts, Reading, Truth, conjunction, rule_truth
from crlm_pipeline.guidelines.variants import Existing
from crlm_pipeline.guidelines.wording import facts_in_words


@dataclass(frozen=True, slots=True)
class SafetyAnswers:
    """Per decision and safety rule, in the edition's order: whether it fired or could not be checked."""

    rules: tuple[SafetyRule, ...]
    fired: np.ndarray[tuple[int, int], np.dtype[np.bool_]]
    unchecked: np.ndarray[tuple[int, int], np.dtype[np.bool_]]


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
    fired = np.zeros((decisions.height, len(rules)), bool)
    unchecked = np.zeros_like(fired)
    situation_no = decisions.get_column("situation_no").to_numpy()
    numbered = decisions.with_row_index("place")
    for number, rule in enumerate(rules):
        about = np.array([is_about(rule, given.treatment) for given in situations.given], bool)
        is_concerned = about[situations.given_no][situation_no] & active.has(rule.id)
        if not is_concerned.any():
            continue
        concerned = numbered.select("place", "decision_id", *_facts_of(rule)).filter(is_concerned)
        seen = _as_seen(rule, concerned, class_view, situations)
        truth = seen.with_columns(_truths(edition)[rule.id].alias("truth")).get_column("truth")
        places = seen.get_column("place").to_numpy()
        fired[places, number] = truth.fill_null(value=False).to_numpy()
        unchecked[places, number] = truth.is_null().to_numpy()
    return SafetyAnswers(rules, fired, unchecked)


def _as_seen(
    rule: SafetyRule, concerned: pl.DataFrame, class_view: pl.DataFrame, situations: Situations
) -> pl.DataFrame:
    """Return the decisions with the facts that were known at the first dose of the class."""
    drugs = sorted({drug for given in situations.given for drug in watched_drugs(rule, given.treatment)})
    earlier = (
        class_view.filter(pl.col("seen_for").is_in(drugs))
        .sort("facts_date")
        .unique("decision_id", keep="first", maintain_order=True)
        .join(concerned.select("decision_id", "place"), on="decision_id")
    )
    as_decided = concerned.join(earlier, on="decision_id", how="anti")
    columns = ["place", *_facts_of(rule)]
    return pl.concat([as_decided.select(columns), earlier.select(columns)])


def _facts_of(rule: SafetyRule) -> list[str]:
    return sorted({fact for conditions in (rule.when, rule.unless, *rule.any) for fact in conditions})


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
