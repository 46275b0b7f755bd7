"""What every edition of the recommendations would have said of a decision, whatever its day and country."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from crlm_pipeline.guidelines.judging import Judgement
from crlm_pipeline.guidelines.model import Edition, LadderRule
from crlm_pipeline.guidelines.numbering import content_numbers
from crlm_pipeline.guidelines.states import Numbers, distinct_rows
from crlm_pipeline.guidelines.verdicts import Verdicts

# The rules stand as text while outcomes are compared, as lists once they are numbered.
_RULES: Final = ("due_rules", "possible_rules")
_OUTCOME: Final = ("edition_id", "verdict", "rule_id", "pathway", *_RULES)
_BETWEEN_RULES: Final = " "


@dataclass(frozen=True, slots=True)
class WhatIfs:
    """What one edition would have said: the outcome of each decision, as a row (`numbers`) of `outcomes`.

    `outcomes`: distinct rows of edition_id, verdict, rule_id, pathway, due_rules and possible_rules, all of them text.
    """

    numbers: Numbers
    outcomes: pl.DataFrame


def what_if(judgement: Judgement, verdicts: Verdicts) -> WhatIfs:
    """Return what an edition would have said of decisions: verdict, rule, pathway and the rules that are due."""
    said = (
        verdicts.said.join(_rules_of_states(judgement), on="state_no", how="left", maintain_order="left")
        .with_columns(pl.col(_RULES).fill_null(""), edition_id=pl.lit(judgement.edition.edition))
        .select(_OUTCOME)
    )
    outcome_no, outcomes = distinct_rows(said)
    return WhatIfs(outcome_no[verdicts.numbers], outcomes)


def _rules_of_states(judgement: Judgement) -> pl.DataFrame:
    """Return per state the rules whose best options are held out for certain, and those that only may be."""
    best = best_options(judgement.edition).select("rule_id", "option_no")
    held = judgement.options.join(best, on=["rule_id", "option_no"], how="semi")
    certain = held.filter(certainty="definite").select("state_no", "rule_id").unique()
    possible = held.select("state_no", "rule_id").unique().join(certain, on=["state_no", "rule_id"], how="anti")
    listed = [
        rows.sort("rule_id").group_by("state_no").agg(pl.col("rule_id").str.join(_BETWEEN_RULES).alias(name))
        for name, rows in zip(_RULES, (certain, possible), strict=True)
    ]
    return listed[0].join(listed[1], on="state_no", how="full", coalesce=True)


def best_options(edition: Edition) -> pl.DataFrame:
    """Return the options of each rule that it prefers, or its alternatives where it prefers none.

    Columns rule_id, option_no, preference, treatment; what is investigational only is not recommended.
    """
    rows = [
        (rule.id, number, option.preference, option.treatment)
        for rule in edition.ladder
        for number, option in enumerate(rule.options, 1)
        if option.preference == _best_preference(rule)
    ]
    schema = {"rule_id": pl.String, "option_no": pl.Int32, "preference": pl.String, "treatment": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _best_preference(rule: LadderRule) -> str | None:
    named = {option.preference for option in rule.options}
    return next((preference for preference in ("preferred", "alternative") if preference in named), None)


def numbered(decision_ids: pl.Series, editions: Sequence[WhatIfs]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the number of each decision's outcomes (WhatIf), and the outcomes of each number (WhatIfOutcome).

    Decisions of which every edition says the same share a number (`content_numbers`). The editions, one at least, stand
    in the order of their ids and are aligned with the decisions.
    """
    row_no, distinct = distinct_rows(pl.DataFrame({str(place): each.numbers for place, each in enumerate(editions)}))
    outcomes = [each.outcomes[rows.to_numpy()] for each, rows in zip(editions, distinct, strict=True)]
    told = [_told(rows).alias(str(place)) for place, rows in enumerate(outcomes)]
    together = pl.DataFrame(told).select(pl.concat_str(pl.all(), separator="\n")).to_series()
    numbers = content_numbers(together).alias("what_if_no")
    of_numbers = pl.concat([rows.with_columns(numbers) for rows in outcomes]).with_columns(
        pl.col(name).str.split(_BETWEEN_RULES).list.filter(pl.element() != "") for name in _RULES
    )
    return pl.DataFrame([decision_ids, numbers[row_no]]), of_numbers


def _told(outcomes: pl.DataFrame) -> pl.Series:
    return outcomes.select(
        pl.concat_str(*(pl.col(name).fill_null("-") for name in _OUTCOME), separator="|")
    ).to_series()
