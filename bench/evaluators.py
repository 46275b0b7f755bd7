"""Judging beside other ways to apply the same rules: plain Python, pandas row by row, zen-engine.

zen and pandas say which rules of the ladder match and which may match. The pipeline says that and the verdict, the
reason, the facts that are missing and what else there was to choose, so its part of the ratios does more.
"""

from collections.abc import Mapping

import pandas as pd

from bench.harness import Comparison, here
from bench.scan import judged
from bench.work import Work
from bench.zen_table import Answer, ZenLadder, answer_of
from crlm_pipeline.guidelines.explain import judge_one
from crlm_pipeline.guidelines.model import Edition
from crlm_pipeline.guidelines.truth import rule_truth

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
    tasks = {
        "annotate_part": here(lambda: judged(work.decisions[0], work.cohort.class_view), work.cohort.decision.height),
        "plain": here(lambda: [judge_one(edition, active, row) for row in sample], len(sample)),
        "zen_single": here(lambda: ladder.evaluate(contexts), len(sample)),
        "zen_batch": here(lambda: ladder.evaluate_batch(contexts), len(sample)),
        "pandas_apply": here(lambda: _by_pandas(edition, facts), len(sample)),
    }
    return Comparison(
        tasks,
        {
            "vs_plain": ("plain", "annotate_part"),
            "vs_zen_single": ("zen_single", "annotate_part"),
            "vs_zen_batch": ("zen_batch", "annotate_part"),
            "vs_pandas_apply": ("pandas_apply", "annotate_part"),
            "explain_vs_zen_single": ("plain", "zen_single"),
        },
    )


def answer_plainly(edition: Edition, facts: Mapping[str, object]) -> Answer:
    """Return the rules of a ladder that match and those that match or may match."""
    truths = {rule.id: rule_truth(rule, facts) for rule in edition.ladder}
    return (
        frozenset(rule_id for rule_id, truth in truths.items() if truth is True),
        frozenset(rule_id for rule_id, truth in truths.items() if truth is not False),
    )


def _by_pandas(edition: Edition, facts: pd.DataFrame) -> list[Answer]:
    return list(facts.apply(lambda row: answer_plainly(edition, row), axis=1))
