"""From what an edition says to the verdict: scope, safety, ladder, recorded reasons, grace (semantics, order 1-7)."""

from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from crlm_pipeline.guidelines.judging import Judgement, worst_safety
from crlm_pipeline.guidelines.model import Edition
from crlm_pipeline.guidelines.states import Numbers, distinct_codes, distinct_rows

# Kinder first (semantics, Series and editions); what is decided before any edition is equal under both.
KINDNESS: Final = (
    "open",
    "out_of_scope",
    "concordant_preferred",
    "concordant_alternative",
    "on_label",
    "no_rule",
    "not_evaluable",
    "off_label",
    "discordant_not_given",
    "discordant_not_recommended",
    "contraindicated",
)

SCOPE_SENTENCES: Final = {
    "trial": "Treated within a trial.",
    "under_18": "Younger than 18 years.",
    "other_tumour": "The tumour is not a colorectal carcinoma.",
    "reassessed": "Assessed again before anything was started.",
    "died": "Died before anything was started.",
}

DEVIATION_SENTENCES: Final = {
    "patient_choice": "The record holds a reason to depart from it: the patient's choice.",
    "comorbidity": "The record holds a reason to depart from it: comorbidity.",
    "toxicity": "The record holds a reason to depart from it: toxicity.",
    "trial": "The record holds a reason to depart from it: a trial.",
    "access": "The record holds a reason to depart from it: access.",
    "urgent": "The record holds a reason to depart from it: urgency.",
}

COLUMNS: Final = (
    "decision_id",
    "patient_id",
    "guideline",
    "edition_id",
    "verdict",
    "rule_id",
    "reason",
    "missing_facts",
    "unlocking_facts",
    "would_be",
    "is_older",
    "is_edition_superseded",
    "pathway",
    "pathway_missing",
    "best_option",
)

# What follows from what is weighed; the other columns are of the decision or of the edition.
SAID: Final = (
    "verdict",
    "rule_id",
    "reason",
    "missing_facts",
    "unlocking_facts",
    "would_be",
    "pathway",
    "pathway_missing",
    "best_option",
    "state_no",
)

# What is weighed beside the ladder and the safety rules.
_WEIGHED: Final = ("out_of_scope_reason", "is_open", "deviation_reason")
_NO_FACTS = pl.lit([], dtype=pl.List(pl.String))


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The verdicts of one edition: what it says of each decision as a row (`numbers`) of `said` (SAID)."""

    edition: Edition
    numbers: Numbers
    said: pl.DataFrame

    def of(self, places: Numbers) -> "Verdicts":
        """Return the verdicts of the decisions at these places."""
        return replace(self, numbers=self.numbers[places])

    def rows(self, decisions: pl.DataFrame, *, is_older: bool) -> pl.DataFrame:
        """Return them in full (COLUMNS), aligned with the decisions."""
        since = self.edition.superseded_from
        return pl.concat(
            [
                decisions.select(
                    "decision_id",
                    "patient_id",
                    guideline=pl.lit(self.edition.guideline),
                    edition_id=pl.lit(self.edition.edition),
                    is_older=pl.lit(is_older),
                    is_edition_superseded=pl.lit(value=False) if since is None else pl.col("decision_date") >= since,
                ),
                self.said[self.numbers],
            ],
            how="horizontal",
        ).select(COLUMNS)


def final_verdicts(judgement: Judgement, decisions: pl.DataFrame) -> Verdicts:
    """Weigh what an edition says of the decisions; each distinct combination of what is weighed is looked at once."""
    weighed_no, weighed = distinct_rows(decisions.select(_WEIGHED))
    # Counted from 0 for no safety rule.
    numbers, (of_weighed, state_no, safety_no) = distinct_codes(
        [weighed_no, judgement.state_no, worst_safety(judgement) + 1]
    )
    parts = [
        weighed[of_weighed].with_columns(state_no=state_no),
        judgement.said[state_no],
        _safety_table(judgement)[safety_no],
    ]
    said = (
        pl.concat(parts, how="horizontal")
        .with_columns(decided_by=_decided_by())
        .with_columns(verdict=_verdict(), rule_id=_rule_id(), reason=_reason())
        .with_columns(
            missing_facts=_if_not_evaluable(pl.col("missing_facts"), _NO_FACTS),
            unlocking_facts=_if_not_evaluable(pl.col("unlocking_facts"), _NO_FACTS),
            would_be=_if_not_evaluable(pl.col("would_be"), pl.lit(None, pl.String)),
        )
        .select(SAID)
    )
    return Verdicts(judgement.edition, numbers, said)


def _safety_table(judgement: Judgement) -> pl.DataFrame:
    """Return verdict, id and reason of the safety rules; the first row stands for none."""
    rows = [(None, None, None), *((rule.verdict, rule.id, rule.because) for rule in judgement.safety.rules)]
    schema = {"safety_verdict": pl.String, "safety_rule_id": pl.String, "safety_reason": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _decided_by() -> pl.Expr:
    """Return which step of the order of judgement decides: scope, open, safety, reason or ladder."""
    verdict = pl.col("ladder_verdict")
    safety = pl.col("safety_verdict").fill_null("")
    is_preferred = (verdict == "concordant_preferred") & pl.col("is_definite")
    is_safety = (
        (safety == "contraindicated")
        | (safety == "off_label")
        | ((safety == "discordant_not_recommended") & ~is_preferred)
    )
    is_discordant = (
        pl.when(is_safety).then(safety == "discordant_not_recommended").otherwise(verdict.str.starts_with("discordant"))
    )
    return (
        pl.when(pl.col("out_of_scope_reason").is_not_null())
        .then(pl.lit("scope"))
        .when(pl.col("is_open"))
        .then(pl.lit("open"))
        .when(is_discordant & pl.col("deviation_reason").is_not_null())
        .then(pl.lit("recorded_reason"))
        .when(is_safety)
        .then(pl.lit("safety"))
        .otherwise(pl.lit("ladder"))
    )


def _by(step: str) -> pl.Expr:
    return pl.col("decided_by") == step


def _verdict() -> pl.Expr:
    return (
        pl.when(_by("scope") | _by("recorded_reason"))
        .then(pl.lit("out_of_scope"))
        .when(_by("open"))
        .then(pl.lit("open"))
        .when(_by("safety"))
        .then(pl.col("safety_verdict"))
        .otherwise(pl.col("ladder_verdict"))
    )


def _rule_id() -> pl.Expr:
    is_safety_first = pl.col("safety_verdict").fill_null("") == "discordant_not_recommended"
    return (
        pl.when(_by("scope"))
        .then(pl.lit(None, pl.String))
        .when(_by("safety") | (_by("recorded_reason") & is_safety_first))
        .then(pl.col("safety_rule_id"))
        .otherwise(pl.col("ladder_rule_id"))
    )


def _reason() -> pl.Expr:
    discordance = (
        pl.when(pl.col("safety_verdict").fill_null("") == "discordant_not_recommended")
        .then(pl.col("safety_reason"))
        .otherwise(pl.col("ladder_reason"))
    )
    return (
        pl.when(_by("scope"))
        .then(pl.col("out_of_scope_reason").replace_strict(SCOPE_SENTENCES, default=None))
        .when(_by("open"))
        .then(pl.lit("Nothing was given yet. ") + pl.col("ladder_reason"))
        .when(_by("recorded_reason"))
        .then(discordance + pl.lit(" ") + pl.col("deviation_reason").replace_strict(DEVIATION_SENTENCES, default=None))
        .when(_by("safety"))
        .then(pl.col("safety_reason"))
        .otherwise(pl.col("ladder_reason"))
    )


def _if_not_evaluable(kept: pl.Expr, otherwise: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("verdict") == "not_evaluable").then(kept).otherwise(otherwise)


def not_in_force(decisions: pl.DataFrame, guideline: str) -> pl.DataFrame:
    """Return the verdicts (COLUMNS) of decisions that no edition of the series can judge."""
    reason = (
        pl.when(pl.col("is_relative_calendar"))
        .then(pl.lit("The dates stand on a pseudo-calendar: judged only by a chosen edition (--judge-by)."))
        .otherwise(pl.lit("No edition of this guideline was in force that day."))
    )
    return decisions.with_columns(
        guideline=pl.lit(guideline),
        edition_id=pl.lit(None, pl.String),
        verdict=pl.lit("not_in_force"),
        rule_id=pl.lit(None, pl.String),
        reason=reason,
        missing_facts=_NO_FACTS,
        unlocking_facts=_NO_FACTS,
        would_be=pl.lit(None, pl.String),
        is_older=pl.lit(value=False),
        is_edition_superseded=pl.lit(value=False),
        pathway=pl.lit(None, pl.String),
        pathway_missing=_NO_FACTS,
        best_option=pl.lit(None, pl.String),
    ).select(COLUMNS)


def kinder(evaluated: pl.DataFrame) -> pl.DataFrame:
    """Return one row per decision: the kinder verdict of the editions evaluated; of equals, the newer edition's."""
    rank = pl.col("verdict").replace_strict(
        {verdict: place for place, verdict in enumerate(KINDNESS)}, return_dtype=pl.Int8
    )
    # Most decisions were judged by one edition only: they need no sorting.
    is_choice = pl.col("decision_id").is_in(evaluated.filter("is_older").get_column("decision_id").implode())
    chosen = (
        evaluated.filter(is_choice)
        .with_columns(kindness=rank)
        .sort("decision_id", "kindness", "is_older")
        .unique("decision_id", keep="first", maintain_order=True)
        .drop("kindness")
    )
    return pl.concat([evaluated.filter(~is_choice), chosen])
