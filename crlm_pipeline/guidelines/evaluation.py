"""One edition applied to many decisions: clauses as bits, then each distinct state of knowledge worked out once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.compile import WORD, CompiledClauses, Words, is_open
from crlm_pipeline.guidelines.outcome import Ladder, Outcome, State, outcome
from crlm_pipeline.guidelines.standing import Given, Profile
from crlm_pipeline.guidelines.truth import Truth

# The profile that removes nothing; rules below the first true one cannot matter to it.
PLAIN_PROFILE_NO = 0


@dataclass(frozen=True, slots=True)
class Situations:
    """What the decisions share: every distinct treatment and profile, numbered as in the decisions' columns."""

    given: tuple[Given, ...]
    profiles: tuple[Profile, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The state of each decision (aligned with the frame evaluated) and the outcome of each state."""

    state_no: np.ndarray[tuple[int], np.dtype[np.uint32]]
    outcomes: tuple[Outcome, ...]


def evaluate(ladder: Ladder, active: frozenset[int], decisions: pl.DataFrame, situations: Situations) -> Evaluation:
    """Apply the active rules of a ladder; `decisions` has the facts, `given_no` and `profile_no`."""
    clauses = CompiledClauses(ladder.clauses)
    true, unknown = clauses.evaluate(decisions)
    in_play = clauses.mask(index for index, clause in enumerate(clauses.clauses) if clause.rule_no in active)
    kept = _kept(ladder, clauses, true & in_play, decisions.get_column("profile_no").to_numpy())
    state_no, states = distinct_states(clauses, decisions, true & in_play & kept, unknown & in_play & kept)
    outcomes = tuple(
        outcome(
            ladder,
            State(
                truths=state.truths,
                unknown=state.unknown,
                given=situations.given[state.given_no],
                profile=situations.profiles[state.profile_no],
                active=active,
            ),
        )
        for state in states
    )
    return Evaluation(state_no, outcomes)


@dataclass(frozen=True, slots=True)
class ClauseState:
    """The truth of each clause and the facts unknown to it, for one treatment and profile."""

    truths: tuple[Truth, ...]
    unknown: tuple[frozenset[str], ...]
    given_no: int
    profile_no: int


def distinct_states(
    clauses: CompiledClauses, decisions: pl.DataFrame, true: Words, unknown: Words
) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint32]], tuple[ClauseState, ...]]:
    """Return the state number of each decision and the states, in order of first appearance."""
    keys = _keys(clauses, decisions, true, unknown)
    states = keys.unique(maintain_order=True).with_row_index("state_no")
    joined = keys.join(states, on=keys.columns, how="left", maintain_order="left")
    return joined.get_column("state_no").to_numpy(), tuple(_state(clauses, row) for row in states.iter_rows(named=True))


def _kept(ladder: Ladder, clauses: CompiledClauses, true: Words, profile_no: np.ndarray) -> Words:
    """Return the bits down to the first true rule that surely demands something; what lies below cannot matter."""
    demanding = clauses.mask(
        index
        for index, clause in enumerate(clauses.clauses)
        if clause.option_no is None
        and any(o.preference == "preferred" and not o.when for o in ladder.rules[clause.rule_no].options)
    )
    kept = np.full_like(true, np.iinfo(np.uint64).max)
    is_over = np.zeros(len(true), bool)
    one = np.uint64(1)
    for word in range(clauses.word_count):
        hits = true[:, word] & demanding[word]
        lowest = hits & (~hits + one)
        kept[:, word] = np.where(is_over, 0, np.where(hits == 0, kept[:, word], (lowest << one) - one))
        is_over |= hits != 0
    kept[profile_no != PLAIN_PROFILE_NO] = np.iinfo(np.uint64).max
    return kept


def _keys(clauses: CompiledClauses, decisions: pl.DataFrame, true: Words, unknown: Words) -> pl.DataFrame:
    """Return the distinguishing columns of each decision: its bits, the facts that leave it open, given and profile."""
    words = {f"true_{n}": true[:, n] for n in range(clauses.word_count)}
    words |= {f"open_{n}": unknown[:, n] for n in range(clauses.word_count)}
    facts = clauses.facts
    assert len(facts) <= WORD, "an edition asks for more facts than one word holds"
    missing = np.zeros(decisions.height, np.uint64)
    is_null = decisions.select(is_open(fact).alias(fact) for fact in facts)
    for bit, fact in enumerate(facts):
        matters = ((unknown & clauses.uses(fact)) != 0).any(axis=1) & is_null.get_column(fact).to_numpy()
        missing |= matters.astype(np.uint64) << np.uint64(bit)
    return pl.DataFrame(
        {
            **words,
            "missing": missing,
            "given_no": decisions.get_column("given_no"),
            "profile_no": decisions.get_column("profile_no"),
        }
    )


def _state(clauses: CompiledClauses, row: dict[str, int]) -> ClauseState:
    count = range(clauses.word_count)
    truths = clauses.truths([row[f"true_{n}"] for n in count], [row[f"open_{n}"] for n in count])
    missing = frozenset(_named(row["missing"], clauses.facts))
    return ClauseState(
        truths=truths,
        unknown=tuple(
            clause.askable & missing if truth is None else frozenset()
            for clause, truth in zip(clauses.clauses, truths, strict=True)
        ),
        given_no=row["given_no"],
        profile_no=row["profile_no"],
    )


def _named(word: int, names: Sequence[str]) -> list[str]:
    return [name for bit, name in enumerate(names) if word >> bit & 1]
