"""Judging beside other ways to apply the same rules: plain Python, pandas row by row, zen-engine.

zen and pandas say which rules of the ladder match and which may match. `matching` is the pipeline's answer to the same
question, of every decision of a part: like theirs, its rules are compiled and its facts are in memory, unknown ones
told apart, before the clock starts. `annotate_part` reads Parquet, and adds the verdict, the reason, what is missing,
the options, safety rules and tests.
"""

from collections.abc import Mapping, Sequence

import pandas as pd
import polars as pl

from bench.harness import Comparison, here
from bench.scan import judged
from bench.work import Work
from bench.zen_table import Answer, ZenLadder, answer_of
from crlm_pipeline.guidelines.clauses import rule_truths
from crlm_pipeline.guidelines.compile import WORD, Words
from crlm_pipeline.guidelines.explain import judge_one
from crlm_pipeline.guidelines.ladder import ladder_of
from crlm_pipeline.guidelines.model import Edition
from crlm_pipeline.guidelines.situations import number_situations
from crlm_pipeline.guidelines.truth import Truth, rule_truth

SAMPLE = 1_000


def compare(work: Work) -> Comparison:
    """Return judging a part of the decisions against other evaluators on a sample of it."""
    edition, active = work.edition, work.active
    sample = work.cohort.decision.head(SAMPLE).to_dicts()
    ladder = ZenLadder(edition)
    contexts = [ladder.encode(row) for row in sample]
    facts = pd.DataFrame([{fact: row[fact] for fact in ladder.facts} for row in sample], dtype=object)
    expected = [answer_plainly(edition, row) for row in sample]
    assert list(map(answer_of, ladder.evaluate(contexts))) == expected, "zen differs"
    assert list(map(answer_of, ladder.evaluate_batch(contexts))) == expected, "zen differs in a batch"
    assert _by_pandas(edition, facts) == expected, "pandas differs"
    assert answers_by_words(edition, pl.DataFrame(sample, schema=work.cohort.decision.schema)) == expected, (
        "matching differs"
    )
    facts_coded, _ = number_situations(work.cohort.decision, work.knowledge)
    part, class_view, rows = work.decisions[0], work.cohort.class_view, work.cohort.decision.height
    tasks = {
        "annotate_part": here(lambda: judged(part, class_view), rows),
        "matching": here(lambda: _words(edition, facts_coded), rows),
        "plain": here(lambda: [judge_one(edition, active, row) for row in sample], len(sample)),
        "zen_single": here(lambda: ladder.evaluate(contexts), len(sample)),
        "zen_batch": here(lambda: ladder.evaluate_batch(contexts), len(sample)),
        "pandas_apply": here(lambda: _by_pandas(edition, facts), len(sample)),
    }
    return Comparison(
        tasks,
        {
            "matching_vs_zen_single": ("zen_single", "matching"),
            "matching_vs_zen_batch": ("zen_batch", "matching"),
            "matching_vs_pandas_apply": ("pandas_apply", "matching"),
            "vs_plain": ("plain", "annotate_part"),
            "vs_zen_single": ("zen_single", "annotate_part"),
            "vs_zen_batch": ("zen_batch", "annotate_part"),
            "vs_pandas_apply": ("pandas_apply", "annotate_part"),
            "explain_vs_zen_single": ("plain", "zen_single"),
        },
    )


def answer_plainly(edition: Edition, facts: Mapping[str, object]) -> Answer:
    """Return the rules of a ladder that match and those that match or may match."""
    return _answer(edition, [rule_truth(rule, facts) for rule in edition.ladder])


def _answer(edition: Edition, truths_of_rules: Sequence[Truth]) -> Answer:
    truths = {rule.id: truth for rule, truth in zip(edition.ladder, truths_of_rules, strict=True)}
    return (
        frozenset(rule_id for rule_id, truth in truths.items() if truth is True),
        frozenset(rule_id for rule_id, truth in truths.items() if truth is not False),
    )


def _by_pandas(edition: Edition, facts: pd.DataFrame) -> list[Answer]:
    return list(facts.apply(lambda row: answer_plainly(edition, row), axis=1))


def _words(edition: Edition, decisions: pl.DataFrame) -> tuple[Words, Words]:
    """Return the bits of the ladder's clauses that are true, and of those that are unknown."""
    return ladder_of(edition).compiled.evaluate(decisions)


def answers_by_words(edition: Edition, decisions: pl.DataFrame) -> list[Answer]:
    """Return the answers to a frame of decisions, read off the bits of the clauses."""
    clauses = ladder_of(edition).clauses
    rows = zip(*(words.tolist() for words in _words(edition, decisions)), strict=True)
    return [_answer(edition, rule_truths(clauses, _unpacked(*row, len(clauses)), len(edition.ladder))) for row in rows]


def _unpacked(true: list[int], unknown: list[int], count: int) -> list[Truth]:
    places = [(place // WORD, place % WORD) for place in range(count)]
    return [None if unknown[word] >> bit & 1 else bool(true[word] >> bit & 1) for word, bit in places]
