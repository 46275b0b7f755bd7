"""One edition applied to many decisions: clauses as bits, then each distinct state of knowledge worked out once.

What cannot matter to the outcome is cleared from the bits first, in two steps: what one decision tells of itself while
it is read (`_known`), and what follows from how its treatment stands to the options (`_states`), worked out for the
decisions that the first step does not tell apart together. `docs/compile-step.md` says why each clearing is safe.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.bits import places
from crlm_pipeline.guidelines.compile import WORD, Words, as_words, is_open, packed, words_of
from crlm_pipeline.guidelines.ladder import Ladder, State
from crlm_pipeline.guidelines.outcome import Outcome, outcome
from crlm_pipeline.guidelines.situations import Numbers, Situations
from crlm_pipeline.guidelines.standing import Fit
from crlm_pipeline.guidelines.states import any_of, columns_of, distinct_rows, numbers_of, still_unknown

# Ladders with the sets of rules that exist on the days of a run.
_LADDERS_AT_ONCE: Final = 128


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The state of each decision (aligned with the frame evaluated) and the outcome of each state."""

    state_no: Numbers
    outcomes: tuple[Outcome, ...]


def evaluate(ladder: Ladder, active: frozenset[int], decisions: pl.DataFrame, situations: Situations) -> Evaluation:
    """Apply the active rules of a ladder; `decisions` has the facts and `situation_no`."""
    fits = _fits(ladder, situations)
    fit_no = fits.numbers[decisions.get_column("situation_no").to_numpy()]
    known = _known(ladder, active, decisions.with_columns(surely_due=fits.surely_due[fit_no]))
    known_no, distinct = distinct_rows(known.with_columns(fit_no=fit_no))
    state_no, states = distinct_rows(_states(ladder, distinct, fits))
    return Evaluation(state_no[known_no], tuple(outcome(ladder, state) for state in _read(states)))


@dataclass(frozen=True, slots=True)
class _Fits:
    """The distinct fits of situations to a ladder, as words, a row per fit.

    `numbers`: the fit of each situation; `surely_due`: the rules that, once true, demand something; `idle`: the rules
    that, while open, can change nothing.
    """

    numbers: Numbers
    surely_due: np.ndarray[tuple[int], np.dtype[np.uint64]]
    idle: np.ndarray[tuple[int], np.dtype[np.uint64]]
    kept: Words
    due: Words
    given: Words
    advised_against: np.ndarray[tuple[int], np.dtype[np.uint64]]
    is_nothing_given: np.ndarray[tuple[int], np.dtype[np.bool_]]


@lru_cache(maxsize=_LADDERS_AT_ONCE)
def _fits(ladder: Ladder, situations: Situations) -> _Fits:
    numbers, fits = ladder.options.fits(situations)
    option_words = ladder.options.word_count
    return _Fits(
        numbers=numbers,
        surely_due=np.array(
            [ladder.options.rules_among(fit.due & ladder.options.unconditional) for fit in fits], np.uint64
        ),
        idle=np.array([ladder.idle(fit) for fit in fits], np.uint64),
        kept=np.stack([as_words(fit.kept, option_words) for fit in fits]),
        due=np.stack([as_words(fit.due, option_words) for fit in fits]),
        given=np.stack([as_words(fit.given, option_words) for fit in fits]),
        advised_against=np.array([fit.advised_against for fit in fits], np.uint64),
        is_nothing_given=np.array([fit.is_nothing_given for fit in fits], bool),
    )


def _known(ladder: Ladder, active: frozenset[int], decisions: pl.DataFrame) -> pl.DataFrame:
    """Return what is known of the active rules: `true_N` and `open_N` of the clauses, `unknown_N` of the facts.

    Cleared are: what stands below the first true rule of which something is surely due; the other clauses of a rule
    that is true; the options of one that is false.
    """
    found = ladder.compiled.truths(decisions)
    for step in _clearing(ladder, active):
        found = found.with_columns(step)
    known: pl.DataFrame = found.select(_words(ladder)).collect()
    return known


@lru_cache(maxsize=_LADDERS_AT_ONCE)
def _clearing(ladder: Ladder, active: frozenset[int]) -> tuple[list[pl.Expr], ...]:
    """Return the steps from the truths of clauses to those that still matter: the rules, the last of them, clauses."""
    count = len(ladder.rules)
    assert count <= WORD, "an edition has more rules than one word holds"
    rules = [pl.any_horizontal(_names(ladder, ladder.own[n])).alias(f"rule_{n}") for n in sorted(active)]
    truths = [pl.col(f"rule_{number}") if number in active else pl.lit(value=False) for number in range(count)]
    (true_rules,) = packed(truths, "true_rules")
    last = (true_rules & pl.col("surely_due")).bitwise_trailing_zeros().cast(pl.UInt8).alias("last")
    clauses = [each for n in range(count) for each in _cleared(ladder, n, is_active=n in active)]
    return rules, [last], clauses


@lru_cache(maxsize=_LADDERS_AT_ONCE)
def _words(ladder: Ladder) -> tuple[pl.Expr, ...]:
    leaving_open = [_leaves_open(ladder, fact) for fact in range(len(ladder.facts))]
    return (*ladder.compiled.words, *packed(leaving_open, "unknown"))


def _names(ladder: Ladder, bits: int) -> list[str]:
    return [ladder.compiled.names[place] for place in places(bits)]


def _cleared(ladder: Ladder, number: int, *, is_active: bool) -> Iterator[pl.Expr]:
    """Yield the clauses of a rule: the first true one stands for all of them, a false rule has no options."""
    first, *others = _names(ladder, ladder.own[number])
    conditional = _names(ladder, ladder.conditional[number])
    if not is_active:
        yield pl.lit(value=False).alias(first)
        yield from (pl.lit(value=False).alias(name) for name in (*others, *conditional))
        return
    truth, is_in_play = pl.col(f"rule_{number}"), pl.col("last") >= number
    is_true = truth.fill_null(value=False)
    yield (pl.col(first) | is_true) & is_in_play
    yield from (pl.col(name) & ~is_true & is_in_play for name in others)
    yield from (pl.col(name) & truth.fill_null(value=True) & is_in_play for name in conditional)


def _leaves_open(ladder: Ladder, fact: int) -> pl.Expr:
    asking = [pl.col(name).is_null() for name in _names(ladder, ladder.compiled.asking[fact])]
    return pl.any_horizontal(asking) & is_open(ladder.facts[fact])


def _states(ladder: Ladder, known: pl.DataFrame, fits: _Fits) -> pl.DataFrame:
    """Return the states of what is known under a fit, cleared of what the fit makes idle.

    Cleared are: open rules that can change nothing, with the facts that only they ask for; how the treatment stands to
    the options of rules that are not in play.
    """
    fit_no = known.get_column("fit_no").to_numpy()
    true, unsettled = words_of(known, "true").copy(), words_of(known, "open").copy()
    idle = fits.idle[fit_no][:, None]
    options = np.zeros((known.height, ladder.options.word_count), np.uint64)
    rules = np.zeros(known.height, np.uint64)
    for number in range(len(ladder.rules)):
        own = ladder.own[number]
        is_idle = any_of(idle, 1 << number) & any_of(unsettled, own) & ~any_of(true, own)
        others = as_words(~ladder.clauses_of(number), true.shape[1])
        true[is_idle] &= others
        unsettled[is_idle] &= others
        is_in_play = any_of(true | unsettled, own)
        options[is_in_play] |= as_words(ladder.options.of_rule(number), options.shape[1])
        rules[is_in_play] |= np.uint64(1 << number)
    return pl.DataFrame(
        {
            **columns_of("true", true),
            **columns_of("open", unsettled),
            **columns_of("unknown", still_unknown(ladder.compiled.asking, unsettled, words_of(known, "unknown"))),
            **columns_of("kept", fits.kept[fit_no] & options),
            **columns_of("due", fits.due[fit_no] & options),
            **columns_of("given", fits.given[fit_no] & options),
            "advised_against": fits.advised_against[fit_no] & rules,
            "is_nothing_given": fits.is_nothing_given[fit_no],
        }
    )


def _read(states: pl.DataFrame) -> Iterator[State]:
    """Yield the states as the plain evaluator takes them."""
    parts = {name: numbers_of(words_of(states, name)) for name in ("true", "open", "unknown", "kept", "due", "given")}
    for true, unsettled, unknown, kept, due, given, advised_against, is_nothing_given in zip(
        parts["true"],
        parts["open"],
        parts["unknown"],
        parts["kept"],
        parts["due"],
        parts["given"],
        states.get_column("advised_against"),
        states.get_column("is_nothing_given"),
        strict=True,
    ):
        yield State(true, unsettled, unknown, Fit(kept, due, given, advised_against, is_nothing_given))
