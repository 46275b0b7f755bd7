"""The wordings of a label applied to many decisions: each distinct state of knowledge worked out once."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.bits import flagged, places
from crlm_pipeline.guidelines.clauses import clauses_of
from crlm_pipeline.guidelines.compile import CompiledClauses, as_words, is_open, packed, words_of
from crlm_pipeline.guidelines.labels import Covering, LabelOutcome, covering, label_outcome
from crlm_pipeline.guidelines.model import Edition
from crlm_pipeline.guidelines.situations import Numbers, Situations, numbered
from crlm_pipeline.guidelines.states import columns_of, distinct_rows, numbers_of, still_unknown


@dataclass(frozen=True, slots=True)
class LabelState:
    """What a label says in one state of knowledge, and the wordings (numbers) that the patient meets in it."""

    outcome: LabelOutcome
    met: tuple[int, ...]


def label_states(
    edition: Edition, active: frozenset[str], decisions: pl.DataFrame, situations: Situations
) -> tuple[Numbers, list[LabelState]]:
    """Return the state of each decision (aligned with them) under the active wordings, and the states.

    A wording that is open matters only where it covers a drug that was given.
    """
    clauses = CompiledClauses(clauses_of(edition.wordings))
    of_given, uses = numbered(covering(edition, given.treatment) for given in situations.given)
    use_no = of_given[situations.given_no][decisions.get_column("situation_no").to_numpy()]
    covered = np.stack([as_words(_clauses_that_cover(clauses, use), clauses.word_count) for use in uses])
    in_force = as_words(
        flagged(edition.wordings[clause.rule_no].id in active for clause in clauses.clauses), clauses.word_count
    )
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
        _state(edition, clauses, uses[use], *bits)
        for use, *bits in zip(states.get_column("use_no"), *parts, strict=True)
    ]


def _clauses_that_cover(clauses: CompiledClauses, use: Covering) -> int:
    wordings = {wording for _, own in use for wording in own}
    return flagged(clause.rule_no in wordings for clause in clauses.clauses)


def _state(
    edition: Edition, clauses: CompiledClauses, use: Covering, true: int, unsettled: int, unknown: int
) -> LabelState:
    own = [flagged(clause.rule_no == wording for clause in clauses.clauses) for wording in range(len(edition.wordings))]
    truths = [True if true & each else None if unsettled & each else False for each in own]
    facts = [
        frozenset(clauses.facts[fact] for fact in places(clauses.asked(unsettled & each) & unknown)) for each in own
    ]
    met = tuple(wording for wording, truth in enumerate(truths) if truth is True)
    return LabelState(label_outcome(edition, use, truths, facts), met)
