"""One edition applied to many decisions: clauses as bits, then each distinct state of knowledge worked out once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.compile import WORD, CompiledClauses, Words, is_open
from crlm_pipeline.guidelines.outcome import Ladder, Outcome, State, brief_outcome, outcome
from crlm_pipeline.guidelines.standing import Given, Profile, is_demanded
from crlm_pipeline.guidelines.truth import Truth

_NOTHING: Final = frozenset[str]()


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


def evaluate(
    ladder: Ladder,
    active: frozenset[int],
    decisions: pl.DataFrame,
    situations: Situations,
    *,
    is_brief: bool = False,
) -> Evaluation:
    """Apply the active rules of a ladder; `decisions` has the facts, `given_no` and `profile_no`.

    `is_brief`: leave out the sentences and the missing facts; far fewer states differ then.
    """
    decisions, profiles = _with_profiles_of(ladder, decisions, situations)
    clauses = CompiledClauses(ladder.clauses)
    true, unknown = clauses.evaluate(decisions)
    in_play = clauses.mask(index for index, clause in enumerate(clauses.clauses) if clause.rule_no in active)
    kept = _kept(ladder, clauses, profiles, true & in_play, decisions.get_column("profile_no").to_numpy())
    true, unknown = true & in_play & kept, unknown & in_play & kept
    if is_brief:
        state_no, states = _distinct(clauses, _brief_keys(ladder, clauses, decisions, true, unknown))
    else:
        state_no, states = distinct_states(clauses, decisions, true, unknown)
    work_out = brief_outcome if is_brief else outcome
    outcomes = tuple(
        work_out(
            ladder,
            State(
                truths=state.truths,
                unknown=state.unknown,
                given=situations.given[state.given_no],
                profile=profiles[state.profile_no],
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
    return _distinct(clauses, _keys(clauses, decisions, true, unknown))


def _distinct(
    clauses: CompiledClauses, keys: pl.DataFrame
) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint32]], tuple[ClauseState, ...]]:
    states = keys.unique(maintain_order=True).with_row_index("state_no")
    joined = keys.join(states, on=keys.columns, how="left", maintain_order="left")
    truths = clauses.truths(_words(states, "true"), _words(states, "open"))
    return joined.get_column("state_no").to_numpy(), tuple(
        _state(clauses, of_state, row) for of_state, row in zip(truths, states.iter_rows(named=True), strict=True)
    )


def _words(states: pl.DataFrame, prefix: str) -> Words:
    return states.select(f"^{prefix}_\\d+$").to_numpy().astype(np.uint64, copy=False)


def _with_profiles_of(
    ladder: Ladder, decisions: pl.DataFrame, situations: Situations
) -> tuple[pl.DataFrame, tuple[Profile, ...]]:
    """Number the profiles anew by what matters to the ladder's options; the plain one keeps its number."""
    seen = [profile.among(ladder.drugs) for profile in situations.profiles]
    numbers = {profile: number for number, profile in enumerate(dict.fromkeys(seen))}
    renumbered = pl.Series([numbers[profile] for profile in seen], dtype=pl.UInt32)
    return decisions.with_columns(renumbered.gather(decisions.get_column("profile_no")).alias("profile_no")), tuple(
        numbers
    )


def _brief_keys(
    ladder: Ladder, clauses: CompiledClauses, decisions: pl.DataFrame, true: Words, unknown: Words
) -> pl.DataFrame:
    """Return the keys for outcomes that name no facts: one alternative of a rule is as good as another.

    The first clause of a rule stands for the rule; the rest of its clauses, the options of a rule that is false, and
    the facts unknown are left out.
    """
    for own_places, option_places in zip(ladder.own_clauses, ladder.option_clauses, strict=True):
        own, first = clauses.mask(own_places), clauses.mask(own_places[:1])
        holds = ((true & own) != 0).any(axis=1)
        may_hold = ((unknown & own) != 0).any(axis=1) & ~holds
        dropped: Words = _where(~(holds | may_hold), clauses.mask(option_places)) | own
        kept: Words = ~dropped
        true = _where(holds, first) | (true & kept)
        unknown = _where(may_hold, first) | (unknown & kept)
    keys = _keys(clauses, decisions, true, unknown)
    return keys.with_columns(missing=pl.lit(0, pl.UInt64))


def _where(is_met: np.ndarray, words: np.ndarray) -> Words:
    """Return the words in the rows where something is met, none elsewhere."""
    rows: Words = np.where(is_met[:, None], words, np.zeros_like(words))
    return rows


def _kept(
    ladder: Ladder, clauses: CompiledClauses, profiles: Sequence[Profile], true: Words, profile_no: np.ndarray
) -> Words:
    """Return the bits down to the first true rule that surely demands something; what lies below cannot matter."""
    demanding = np.stack([clauses.mask(_demanding_clauses(ladder, profile)) for profile in profiles])[profile_no]
    kept = np.full_like(true, np.iinfo(np.uint64).max)
    is_over = np.zeros(len(true), bool)
    one = np.uint64(1)
    for word in range(clauses.word_count):
        hits = true[:, word] & demanding[:, word]
        lowest = hits & (~hits + one)
        kept[:, word] = np.where(is_over, 0, np.where(hits == 0, kept[:, word], (lowest << one) - one))
        is_over |= hits != 0
    return kept


def _demanding_clauses(ladder: Ladder, profile: Profile) -> list[int]:
    """Return the places of the clauses of rules that, once true, demand something of a patient of this profile."""
    return [
        place
        for places, rule in zip(ladder.own_clauses, ladder.rules, strict=True)
        if any(not option.when and is_demanded(option, profile) for option in rule.options)
        for place in places
    ]


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


def _state(clauses: CompiledClauses, truths: tuple[Truth, ...], row: dict[str, int]) -> ClauseState:
    missing = frozenset(_named(row["missing"], clauses.facts))
    return ClauseState(
        truths=truths,
        unknown=tuple(
            askable & missing if truth is None else _NOTHING
            for askable, truth in zip(clauses.askable, truths, strict=True)
        )
        if missing
        else (_NOTHING,) * len(truths),
        given_no=row["given_no"],
        profile_no=row["profile_no"],
    )


def _named(word: int, names: Sequence[str]) -> list[str]:
    return [name for bit, name in enumerate(names) if word >> bit & 1]
