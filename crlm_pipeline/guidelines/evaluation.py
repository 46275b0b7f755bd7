"""One edition applied to many decisions: clauses as bits, then each distinct state of knowledge worked out once.

What cannot matter to the outcome is cleared from the bits first, in two steps: what one decision tells of itself while
it is read (`_clearing`), and what follows from how its treatment stands to the options (`_states`), worked out for the
decisions that the first step does not tell apart together. `docs/compile-step.md` says why each clearing is safe.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.bits import places
from crlm_pipeline.guidelines.compile import WORD, Words, as_words, is_open, packed, words_of, words_of_each
from crlm_pipeline.guidelines.ladder import Ladder, State
from crlm_pipeline.guidelines.outcome import Outcome, outcome
from crlm_pipeline.guidelines.situations import Situations
from crlm_pipeline.guidelines.standing import Fit
from crlm_pipeline.guidelines.states import Numbers, any_of, columns_of, distinct_rows, numbers_of, still_unknown
from crlm_pipeline.guidelines.variants import Existing

# Ladders with the sets of rules that exist on the days of a run.
_LADDERS_AT_ONCE: Final = 128


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The state of each decision (aligned with the frame evaluated) and the outcome of each state."""

    state_no: Numbers
    outcomes: tuple[Outcome, ...]


def evaluate(ladder: Ladder, active: Existing, decisions: pl.DataFrame, situations: Situations) -> Evaluation:
    """Apply the active rules of a ladder; `decisions` has the facts and `situation_no`."""
    fits = _fits(ladder, situations)
    fit_no = fits.numbers[decisions.get_column("situation_no").to_numpy()]
    existing = active.words([rule.id for rule in ladder.rules], 1)[:, 0]
    prepared = decisions.with_columns(surely_due=fits.surely_due[fit_no], existing=existing)
    found = ladder.compiled.truths(prepared)
    for step in _clearing(ladder, active.always, active.ever):
        found = found.with_columns(step)
    known_no, known = distinct_rows(found.select(_words(ladder)).collect().with_columns(fit_no=fit_no))
    state_no, states = distinct_rows(_states(ladder, known, fits))
    return Evaluation(state_no[known_no], tuple(outcome(ladder, state) for state in _read(states)))


@dataclass(frozen=True, slots=True)
class _Fits:
    """The distinct fits of situations to a ladder, as words, a row per fit.

    `numbers`: the fit of each situation; `surely_due`: the rules that, once true, demand something.
    """

    numbers: Numbers
    surely_due: np.ndarray[tuple[int], np.dtype[np.uint64]]
    kept: Words
    due: Words
    given: Words
    advised_against: np.ndarray[tuple[int], np.dtype[np.uint64]]
    is_nothing_given: np.ndarray[tuple[int], np.dtype[np.bool_]]


@lru_cache(maxsize=_LADDERS_AT_ONCE)
def _fits(ladder: Ladder, situations: Situations) -> _Fits:
    numbers, fits = ladder.options.fits(situations)
    kept, due, given = (
        words_of_each([getattr(fit, name) for fit in fits], ladder.options.word_count)
        for name in ("kept", "due", "given")
    )
    advised_against = np.array([fit.advised_against for fit in fits], np.uint64)
    unconditional = as_words(ladder.options.unconditional, ladder.options.word_count)
    return _Fits(
        numbers=numbers,
        surely_due=_rules_among(ladder, due & unconditional),
        kept=kept,
        due=due,
        given=given,
        advised_against=advised_against,
        is_nothing_given=np.array([fit.is_nothing_given for fit in fits], bool),
    )


def _rules_among(ladder: Ladder, options: Words) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Return the rules that have one of the options, as bits."""
    rules = np.zeros(len(options), np.uint64)
    for number in range(len(ladder.rules)):
        rules |= any_of(options, ladder.options.of_rule(number)).astype(np.uint64) << np.uint64(number)
    return rules


@lru_cache(maxsize=_LADDERS_AT_ONCE)
def _clearing(ladder: Ladder, always: frozenset[str], ever: frozenset[str]) -> tuple[list[pl.Expr], ...]:
    """Return the steps from the truths of the clauses to those that still matter.

    First the truths of the rules, those that do not exist that day being false; then `last`, the first true rule of
    which something is surely due; then the clauses. Cleared are those below `last`, the other clauses of a rule that is
    true, and the options of one that is false.
    """
    assert len(ladder.rules) <= WORD, "an edition has more rules than one word holds"
    rules = [_rule(ladder, number, always, ever) for number in range(len(ladder.rules))]
    (true_rules,) = packed([pl.col(f"rule_{number}") for number in range(len(ladder.rules))], "true_rules")
    last = (true_rules & pl.col("surely_due")).bitwise_trailing_zeros().cast(pl.UInt8).alias("last")
    clauses = [clause for number in range(len(ladder.rules)) for clause in _cleared(ladder, number)]
    return rules, [last], clauses


def _rule(ladder: Ladder, number: int, always: frozenset[str], ever: frozenset[str]) -> pl.Expr:
    rule_id = ladder.rules[number].id
    truth = pl.any_horizontal(_names(ladder, ladder.own[number]))
    exists = pl.lit(value=rule_id in ever) if rule_id in always or rule_id not in ever else _has_bit("existing", number)
    return (truth & exists).alias(f"rule_{number}")


def _has_bit(column: str, place: int) -> pl.Expr:
    return (pl.col(column) & pl.lit(1 << place, pl.UInt64)) != 0


@lru_cache(maxsize=_LADDERS_AT_ONCE)
def _words(ladder: Ladder) -> tuple[pl.Expr, ...]:
    leaving_open = [_leaves_open(ladder, fact) for fact in range(len(ladder.facts))]
    return (*ladder.compiled.words, *packed(leaving_open, "unknown"))


def _names(ladder: Ladder, bits: int) -> list[str]:
    return [ladder.compiled.names[place] for place in places(bits)]


def _cleared(ladder: Ladder, number: int) -> Iterator[pl.Expr]:
    """Yield the clauses of a rule: the first own one stands for a true rule, all of them for an open one."""
    first, *others = _names(ladder, ladder.own[number])
    truth, is_above = pl.col(f"rule_{number}"), pl.col("last") >= number
    is_true = truth.fill_null(value=False) & is_above
    is_open = truth.is_null() & is_above
    yield (pl.col(first) & is_open) | is_true
    yield from (pl.col(name) & is_open for name in others)
    yield from (pl.col(name) & (is_true | is_open) for name in _names(ladder, ladder.conditional[number]))


def _leaves_open(ladder: Ladder, fact: int) -> pl.Expr:
    asking = [pl.col(name).is_null() for name in _names(ladder, ladder.compiled.asking[fact])]
    return pl.any_horizontal(asking) & is_open(ladder.facts[fact])


def _states(ladder: Ladder, known: pl.DataFrame, fits: _Fits) -> pl.DataFrame:
    """Return the states of what is known under a fit, cleared of what the fit makes idle.

    Cleared are: open rules of whose options none was given or is due, and which do not advise against the treatment;
    what stands below a true rule of which something is due; how the treatment stands to options that are not held out.
    """
    fit_no = known.get_column("fit_no").to_numpy()
    true, unsettled = (words_of(known, name).copy("F") for name in ("true", "open"))
    kept, due, given = fits.kept[fit_no], fits.due[fit_no], fits.given[fit_no]
    advised_against = fits.advised_against[fit_no]
    options, rules = np.zeros_like(kept), np.zeros_like(advised_against)
    is_over = np.zeros(known.height, bool)
    for number in range(len(ladder.rules)):
        bit = np.uint64(1 << number)
        # The rule is false to all other rows, and its clauses were cleared from them while they were read.
        rows = np.flatnonzero(any_of(true | unsettled, ladder.own[number]))
        is_open = any_of(unsettled[rows], ladder.own[number])
        held, certain = _held_out(ladder, number, true[rows], unsettled[rows])
        can_change = (((given | due)[rows] & held) != 0).any(axis=1) | (advised_against[rows] & bit != 0)
        is_out = is_over[rows] | (is_open & ~can_change)
        out, in_play = rows[is_out], rows[~is_out]
        others = as_words(~ladder.clauses_of(number), true.shape[1])
        true[out] &= others
        unsettled[out] &= others
        options[in_play] |= held[~is_out]
        rules[in_play] |= bit
        is_over[rows] |= ~is_open & ((due[rows] & certain) != 0).any(axis=1)
    return pl.DataFrame(
        {
            **columns_of("true", true),
            **columns_of("open", unsettled),
            **columns_of("unknown", still_unknown(ladder.compiled.asking, unsettled, words_of(known, "unknown"))),
            **columns_of("kept", kept & options),
            **columns_of("due", due & options),
            **columns_of("given", given & options),
            "advised_against": advised_against & rules,
            "is_nothing_given": fits.is_nothing_given[fit_no],
        }
    )


def _held_out(ladder: Ladder, number: int, true: Words, unsettled: Words) -> tuple[Words, Words]:
    """Return the options that a rule holds out if it is true, open ones included, and without them."""
    words = ladder.options.word_count
    held = np.tile(as_words(ladder.options.of_rule(number), words), (len(true), 1))
    certain = held.copy()
    for place in places(ladder.conditional[number]):
        others = as_words(~(1 << ladder.options.first[number] + (ladder.clauses[place].option_no or 0)), words)
        certain[~any_of(true, 1 << place)] &= others
        held[~any_of(true | unsettled, 1 << place)] &= others
    return held, certain


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
