"""The wordings of a label applied to many decisions: each distinct state of knowledge worked out once."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.bits import flagged, places
from crlm_pipeline.guidelines.clauses import clauses_of
from crlm_pipeline.guidelines.compile import CompiledClauses, as_words, is_open, packed, words_of
from crlm_pipeline.guidelines.labels import Covering, LabelOutcome, covering, label_outcome
from crlm_pipeline.guidelines.model import EDITIONS_KEPT, Edition
from crlm_pipeline.guidelines.situations import Situations, numbered
from crlm_pipeline.guidelines.states import Numbers, columns_of, distinct_rows, numbers_of, still_unknown
from crlm_pipeline.guidelines.truth import Truth
from crlm_pipeline.guidelines.variants import Existing

_STATES_KEPT: Final = 1 << 14


@dataclass(frozen=True, slots=True)
class LabelState:
    """What a label says in one state of knowledge, and the wordings (numbers) that the patient meets in it."""

    outcome: LabelOutcome
    met: tuple[int, ...]


def label_states(
    edition: Edition, active: Existing, decisions: pl.DataFrame, situations: Situations
) -> tuple[Numbers, list[LabelState]]:
    """Return the state of each decision (aligned with them) under the active wordings, and the states.

    A wording that is open matters only where it covers a drug that was given.
    """
    clauses = _clauses(edition)
    of_given, uses = numbered(covering(edition, given.treatment) for given in situations.given)
    use_no = of_given[situations.given_no][decisions.get_column("situation_no").to_numpy()]
    covered = np.stack([as_words(_clauses_that_cover(clauses, use), clauses.word_count) for use in uses])
    in_force = active.words([edition.wordings[clause.rule_no].id for clause in clauses.clauses], clauses.word_count)
    true, unsettled = clauses.evaluate(decisions)
    true, unsettled = true & in_force, unsettled & in_force & covered[use_no]
    unknown = words_of(decisions.select(packed([is_open(fact) for fact in clauses.facts], "unknown")), "unknown")
    keys = {
        **columns_of("true", true),
        **columns_of("open", unsettled),
        **columns_of("unknown", still_unknown(clauses.asking, unsettled, unknown)),
        "use_no": use_no,
    }
    state_no, states = distinct_rows(pl.DataFrame(keys))
    parts = [numbers_of(words_of(states, name)) for name in ("true", "open", "unknown")]
    return state_no, [
        _state(edition, uses[use], *bits) for use, *bits in zip(states.get_column("use_no"), *parts, strict=True)
    ]


@lru_cache(maxsize=EDITIONS_KEPT)
def _clauses(edition: Edition) -> CompiledClauses:
    return CompiledClauses(clauses_of(edition.wordings))


@lru_cache(maxsize=EDITIONS_KEPT)
def _own_clauses(edition: Edition) -> tuple[int, ...]:
    clauses = _clauses(edition).clauses
    return tuple(flagged(c.rule_no == wording for c in clauses) for wording in range(len(edition.wordings)))


def _clauses_that_cover(clauses: CompiledClauses, use: Covering) -> int:
    wordings = {wording for _, own in use for wording in own}
    return flagged(clause.rule_no in wordings for clause in clauses.clauses)


@lru_cache(maxsize=_STATES_KEPT)
def _state(edition: Edition, use: Covering, true: int, unsettled: int, unknown: int) -> LabelState:
    clauses = _clauses(edition)
    truths: list[Truth] = []
    facts: list[frozenset[str]] = []
    for own in _own_clauses(edition):
        truths.append(True if true & own else None if unsettled & own else False)
        facts.append(frozenset(clauses.facts[fact] for fact in places(clauses.asked(unsettled & own) & unknown)))
    met = tuple(wording for wording, truth in enumerate(truths) if truth is True)
    return LabelState(label_outcome(edition, use, truths, facts), met)
