"""One edition, as it stood on some days, applied to decisions: ladder or label, safety rules, required tests."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl

from crlm_pipeline.guidelines.clauses import clauses_of
from crlm_pipeline.guidelines.compile import CompiledClauses, packed
from crlm_pipeline.guidelines.evaluation import evaluate
from crlm_pipeline.guidelines.label_states import label_states
from crlm_pipeline.guidelines.ladder import ladder_of
from crlm_pipeline.guidelines.model import EDITIONS_KEPT, Edition
from crlm_pipeline.guidelines.outcome import Outcome
from crlm_pipeline.guidelines.safety import SafetyAnswers, answer, unchecked_reason
from crlm_pipeline.guidelines.situations import Situations
from crlm_pipeline.guidelines.states import Numbers
from crlm_pipeline.guidelines.variants import Existing, existing_throughout

# What the ladder, or a label, says of a decision before scope, safety and recorded reasons are weighed.
LADDER_SCHEMA: Final = pl.Schema(
    {
        "ladder_verdict": pl.String(),
        "is_definite": pl.Boolean(),
        "ladder_rule_id": pl.String(),
        "ladder_reason": pl.String(),
        "missing_facts": pl.List(pl.String()),
        "unlocking_facts": pl.List(pl.String()),
        "would_be": pl.String(),
        "pathway": pl.String(),
        "pathway_missing": pl.List(pl.String()),
        "best_option": pl.String(),
    }
)
_BETWEEN: Final = " "


@dataclass(frozen=True, slots=True)
class Judgement:
    """An edition's answers. What decisions in one state share is kept once, as `said` and `options`.

    `state_no`: the state of each decision judged; `said`: LADDER_SCHEMA per state; `options`: those held out per state
    (`state_no`); `safety`: the safety rules that fired or could not be checked; `tests_required`, `tests_unknown`: bits
    of the required tests of each decision.
    """

    edition: Edition
    state_no: Numbers
    said: pl.DataFrame
    options: pl.DataFrame
    safety: SafetyAnswers
    tests_required: np.ndarray[tuple[int], np.dtype[np.int64]]
    tests_unknown: np.ndarray[tuple[int], np.dtype[np.int64]]

    @property
    def ladder(self) -> pl.DataFrame:
        """What the ladder says of each decision: LADDER_SCHEMA."""
        return self.said[self.state_no]

    def of(self, places: Numbers) -> "Judgement":
        """Return the judgement of the decisions at these places."""
        return replace(
            self,
            state_no=self.state_no[places],
            safety=self.safety.of(places),
            tests_required=self.tests_required[places],
            tests_unknown=self.tests_unknown[places],
        )


def judge(
    edition: Edition,
    active: frozenset[str] | Existing,
    decisions: pl.DataFrame,
    class_view: pl.DataFrame,
    situations: Situations,
) -> Judgement:
    """Apply the active rules (ids, for all or for each) of an edition to decisions numbered by `number_situations`."""
    if isinstance(active, frozenset):
        active = existing_throughout(active, decisions.height)
    if edition.kind == "label":
        state_no, said, options = _by_label(edition, active, decisions, situations)
    else:
        state_no, said, options = _by_ladder(edition, active, decisions, situations)
    required, unknown = _tests(edition, active, decisions)
    safety = answer(edition, active, decisions, class_view, situations)
    return Judgement(edition, state_no, said, options, safety, required, unknown)


def _by_ladder(
    edition: Edition, active: Existing, decisions: pl.DataFrame, situations: Situations
) -> tuple[Numbers, pl.DataFrame, pl.DataFrame]:
    evaluation = evaluate(ladder_of(edition), active, decisions, situations)
    said = _said(_ladder_row(each) for each in evaluation.outcomes)
    options = [
        (state_no, edition.ladder[held.rule_no].id, held.option_no + 1, held.certainty)
        for state_no, each in enumerate(evaluation.outcomes)
        for held in each.held_out
    ]
    return evaluation.state_no, said, _options(options)


def _ladder_row(each: Outcome) -> tuple[object, ...]:
    return (
        each.verdict,
        each.is_definite,
        each.rule_id,
        each.reason,
        _BETWEEN.join(each.missing_facts),
        _BETWEEN.join(each.unlocking_facts),
        each.would_be,
        each.pathway,
        _BETWEEN.join(each.pathway_missing),
        each.best_option,
    )


def _said(rows: Iterable[tuple[object, ...]]) -> pl.DataFrame:
    """Return rows as LADDER_SCHEMA; lists come as text, since Polars takes rows of lists ten times more slowly."""
    lists = [name for name, dtype in LADDER_SCHEMA.items() if dtype == pl.List]
    told = pl.DataFrame(list(rows), schema=LADDER_SCHEMA | dict.fromkeys(lists, pl.String()), orient="row")
    return told.with_columns(pl.col(lists).str.split(_BETWEEN).list.filter(pl.element() != ""))


def _options(rows: list[tuple[int, str, int, str]]) -> pl.DataFrame:
    schema = pl.Schema({"state_no": pl.Int64, "rule_id": pl.String, "option_no": pl.Int32, "certainty": pl.String})
    return pl.DataFrame(rows, schema=schema, orient="row")


def _by_label(
    edition: Edition, active: Existing, decisions: pl.DataFrame, situations: Situations
) -> tuple[Numbers, pl.DataFrame, pl.DataFrame]:
    state_no, states = label_states(edition, active, decisions, situations)
    rows: list[tuple[object, ...]] = []
    for said in (state.outcome for state in states):
        missing = _BETWEEN.join(said.missing_facts)
        rows.append((said.verdict, True, said.rule_id, said.reason, missing, missing, said.would_be, None, "", None))
    options = [
        (number, edition.wordings[wording].id, 1, "definite")
        for number, state in enumerate(states)
        for wording in state.met
    ]
    return state_no, _said(rows), _options(options)


def _tests(
    edition: Edition, active: Existing, decisions: pl.DataFrame
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    if not edition.tests:
        return np.zeros(decisions.height, np.int64), np.zeros(decisions.height, np.int64)
    truths, words = _test_expressions(edition)
    existing = active.words([rule.id for rule in edition.tests], 1)[:, 0]
    found = decisions.lazy().with_columns(truths).select(words).collect()
    required, unknown = ((found.get_column(name).to_numpy() & existing).astype(np.int64) for name in found.columns)
    return required, unknown


@lru_cache(maxsize=EDITIONS_KEPT)
def _test_expressions(edition: Edition) -> tuple[list[pl.Expr], list[pl.Expr]]:
    """Return the truths of the tests' conditions, and the bits of those that hold and those that are unknown."""
    # Named as columns: a truth without conditions is a literal, which with_columns gives the height of the frame.
    truths = [
        pl.any_horizontal(CompiledClauses(clauses_of([rule])).expressions).alias(rule.id) for rule in edition.tests
    ]
    columns = [pl.col(rule.id) for rule in edition.tests]
    return truths, [*packed(columns, "required"), *packed([column.is_null() for column in columns], "unknown")]


def safety_findings(judgement: Judgement, decision_ids: pl.Series) -> pl.DataFrame:
    """Return the findings of a judgement: decision_id, rule_id, verdict (null: could not be checked) and reason."""
    safety = judgement.safety
    told = pl.DataFrame(
        [
            *((rule.id, rule.verdict, rule.because) for rule in safety.rules),
            *((rule.id, None, unchecked_reason(rule)) for rule in safety.rules),
        ],
        schema={"rule_id": pl.String, "verdict": pl.String, "reason": pl.String},
        orient="row",
    )
    number, place = np.nonzero(np.concatenate([safety.fired.T, safety.unchecked.T]))
    return pl.concat([decision_ids[place].to_frame("decision_id"), told[number]], how="horizontal")


def worst_safety(judgement: Judgement) -> Numbers:
    """Return, per decision, the place of the safety rule that weighs most among those that fired; -1: none did."""
    safety = judgement.safety
    chosen = np.full(len(judgement.state_no), -1, np.int64)
    for verdict in ("off_label", "discordant_not_recommended", "contraindicated"):
        for number in reversed(range(len(safety.rules))):
            if safety.rules[number].verdict == verdict:
                chosen[safety.fired[:, number]] = number
    return chosen
