"""What every edition of the recommendations would have said of a decision, whatever its day and country."""

from collections.abc import Iterable
from datetime import date
from typing import Final

import polars as pl

from crlm_pipeline.guidelines.judging import Judgement, judge, worst_safety
from crlm_pipeline.guidelines.load import Series
from crlm_pipeline.guidelines.model import Edition, LadderRule
from crlm_pipeline.guidelines.numbering import content_numbers
from crlm_pipeline.guidelines.situations import Situations
from crlm_pipeline.guidelines.variants import judged_by
from crlm_pipeline.guidelines.verdicts import final_verdicts

# The rules stand as text while outcomes are compared, as lists once they are numbered.
_RULES: Final = ("due_rules", "possible_rules")
_OUTCOME: Final = ("edition_id", "verdict", "rule_id", "pathway", *_RULES)
_LONG: Final = pl.Schema(dict.fromkeys(("decision_id", *_OUTCOME), pl.String()))
_BETWEEN_RULES: Final = " "


def what_if(
    series: Iterable[Series], decisions: pl.DataFrame, class_view: pl.DataFrame, situations: Situations, as_of: date
) -> pl.DataFrame:
    """Return one row per decision and recommendation edition: verdict, rule, pathway and the rules that are due.

    A rolling edition judges as it stood at `as_of`, complete for relative dates. `decisions` are numbered by
    `number_situations`.
    """
    parts = [pl.DataFrame(schema=_LONG)]
    for edition in (edition for one in series if one.kind == "recommendation" for edition in one.editions):
        for variant in judged_by(edition, decisions, as_of):
            judgement = judge(edition, variant.active, variant.decisions, class_view, situations)
            parts.append(_under(judgement, variant.decisions))
    return pl.concat(parts)


def _under(judgement: Judgement, decisions: pl.DataFrame) -> pl.DataFrame:
    verdicts = final_verdicts(judgement, worst_safety(judgement), decisions, is_older=False)
    state = judgement.ladder.get_column("state_no")
    rules = _rules_of_states(judgement)
    return (
        verdicts.with_columns(state)
        .join(rules, on="state_no", how="left", maintain_order="left")
        .with_columns(pl.col(_RULES).fill_null(""))
        .select(_LONG.names())
    )


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


def numbered(outcomes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the number of each decision's outcomes (WhatIf), and the outcomes of each number (WhatIfOutcome).

    Decisions of which every edition says the same share a number (`content_numbers`).
    """
    told = pl.concat_str(*(pl.col(name).fill_null("-") for name in _OUTCOME), separator="|").alias("told")
    per_decision = (
        outcomes.sort("decision_id", "edition_id")
        .select("decision_id", told)
        .group_by("decision_id", maintain_order=True)
        .agg(pl.col("told").str.join("\n"))
    )
    of_decisions = per_decision.select("decision_id", content_numbers(per_decision["told"]).alias("what_if_no"))
    one_each = of_decisions.unique("what_if_no", keep="any")
    of_numbers = outcomes.join(one_each, on="decision_id").with_columns(
        pl.col(name).str.split(_BETWEEN_RULES).list.filter(pl.element() != "") for name in _RULES
    )
    return of_decisions, of_numbers.drop("decision_id")
