"""What an earlier run judged: a decision whose facts stand unchanged is not judged again.

A verdict follows from the decision with its facts, from what was known at the first dose of each drug, and from the
knowledge and settings of the run (`provenance.judgement_key`); from nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from crlm_pipeline.cohort.build import Cohort
from crlm_pipeline.guidelines.pathway import basis_of_patients
from crlm_pipeline.guidelines.what_if import unnumbered
from crlm_pipeline.warehouse import Warehouse
from schemas.cohort import (
    ClassView,
    Decision,
    EditionState,
    EditionVerdict,
    PatientPathway,
    SafetyFinding,
    StateOption,
    Verdict,
    WhatIf,
    WhatIfOutcome,
)
from schemas.column import Table

_OF_DECISIONS: Final[tuple[type[Table], ...]] = (Verdict, EditionVerdict, SafetyFinding, EditionState, PatientPathway)
_JUDGED: Final[tuple[type[Table], ...]] = (*_OF_DECISIONS, StateOption, WhatIf, WhatIfOutcome)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The decisions of an earlier run, what was known at first doses, and how it judged them."""

    decision: pl.DataFrame
    class_view: pl.DataFrame
    frames: Mapping[type[Table], pl.DataFrame]

    def unchanged(self, cohort: Cohort) -> pl.Series:
        """Return the ids of decisions of the cohort whose judgement still stands.

        The decision that a patient's pathway rests on must have been that before: only of it the pathway is on record.
        """
        changed = [
            _changed(cohort.decision, self.decision, ["decision_id"]),
            _changed(cohort.class_view, self.class_view, ["decision_id", "seen_for"]),
            basis_of_patients(cohort.decision).join(basis_of_patients(self.decision), on="decision_id", how="anti"),
        ]
        anew = pl.concat([part.select("decision_id") for part in changed])
        return cohort.decision.join(anew, on="decision_id", how="anti").get_column("decision_id")

    def judgement_of(self, decision_ids: pl.Series) -> dict[type[Table], pl.DataFrame]:
        """Return the rows of these decisions, and the options of their states."""
        of_them = pl.col("decision_id").is_in(decision_ids.implode())
        kept = {model: self.frames[model].filter(of_them) for model in _OF_DECISIONS}
        states = kept[EditionState].select("edition_id", "state_no").unique()
        return {**kept, StateOption: self.frames[StateOption].join(states, on=states.columns, how="semi")}

    def what_if_of(self, decision_ids: pl.Series) -> pl.DataFrame:
        """Return what every edition would have said of these decisions."""
        return unnumbered(self.frames[WhatIf], self.frames[WhatIfOutcome], decision_ids)


def read_earlier(published: Warehouse) -> Earlier:
    """Read what the published run judged."""
    frames = {model: published.read(model) for model in _JUDGED}
    return Earlier(published.read(Decision), published.read(ClassView), frames)


def _changed(now: pl.DataFrame, before: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Return the keys of rows that are new, gone or different in any column."""
    marked = [frame.with_columns(pl.lit(value=True).alias("is_there")) for frame in (now, before)]
    both = marked[0].join(marked[1], on=key, how="full", coalesce=True, suffix="|before")
    columns = [name for name in marked[0].columns if name not in key]
    is_equal = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}|before")) for name in columns)
    return both.filter(~is_equal).select(key)


def number_states(states: pl.DataFrame, options: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Number the states of every edition by the options that they hold out, so that equal ones share a number.

    The numbers depend on nothing else: neither on the order of the decisions nor on what an earlier run judged.
    """
    key = ["edition_id", "state_no"]
    held = (
        options.sort("rule_id", "option_no", "certainty")
        .group_by(key)
        .agg(
            pl.concat_str("rule_id", "option_no", "certainty", separator=" ").unique(maintain_order=True).alias("held")
        )
        .with_columns(pl.col("held").list.join("; "))
    )
    told = states.join(held, on=key, how="left", maintain_order="left").with_columns(pl.col("held").fill_null(""))
    numbers = told.select("edition_id", "held").unique().sort(pl.all()).with_row_index("number")
    numbered = told.join(numbers, on=["edition_id", "held"], maintain_order="left")
    renumbering = numbered.select(*key, "number").unique()
    of_options = options.join(renumbering, on=key).with_columns(state_no=pl.col("number")).drop("number").unique()
    return numbered.with_columns(state_no=pl.col("number")).drop("number", "held"), of_options
