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

_OF_DECISIONS: Final[tuple[type[Table], ...]] = (
    Verdict,
    EditionVerdict,
    SafetyFinding,
    EditionState,
    WhatIf,
    PatientPathway,
)
# What decisions share by number, the rows that hold the number, and the columns of it.
SHARED: Final[tuple[tuple[type[Table], type[Table], list[str]], ...]] = (
    (StateOption, EditionState, ["edition_id", "state_no"]),
    (WhatIfOutcome, WhatIf, ["what_if_no"]),
)
SHARED_MODELS: Final = tuple(shared for shared, _, _ in SHARED)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The decisions of an earlier run, what was known at first doses, and how it judged them."""

    decision: pl.DataFrame
    class_view: pl.DataFrame
    frames: Mapping[type[Table], pl.DataFrame]

    def unchanged(self, cohort: Cohort) -> pl.Series:
        """Return the ids of decisions of the cohort whose judgement still stands.

        Nor does that of a decision that a patient's pathway rests on now and did not before, or the other way round:
        only of this one the pathway is on record.
        """
        now, before = basis_of_patients(cohort.decision), basis_of_patients(self.decision)
        changed = [
            _changed(cohort.decision, self.decision, ["decision_id"]),
            _changed(cohort.class_view, self.class_view, ["decision_id", "seen_for"]),
            now.join(before, on="decision_id", how="anti"),
            before.join(now, on="decision_id", how="anti"),
        ]
        anew = pl.concat([part.select("decision_id") for part in changed])
        return cohort.decision.join(anew, on="decision_id", how="anti").get_column("decision_id")

    def judgement_of(self, decision_ids: pl.Series) -> dict[type[Table], pl.DataFrame]:
        """Return the rows of these decisions, the options of their states and the outcomes of their what-ifs."""
        of_them = pl.col("decision_id").is_in(decision_ids.implode())
        kept = {model: self.frames[model].filter(of_them) for model in _OF_DECISIONS}
        for shared, rows, key in SHARED:
            kept[shared] = self.frames[shared].join(kept[rows], on=key, how="semi")
        return kept


def read_earlier(published: Warehouse, patients: pl.DataFrame) -> Earlier:
    """Read what the published run judged of these patients (`patient_id`)."""
    decision, class_view = (published.read(model, among=patients) for model in (Decision, ClassView))
    of_decisions = {model: published.read(model, among=decision.select("decision_id")) for model in _OF_DECISIONS}
    shared = {model: published.read(model) for model in SHARED_MODELS}
    return Earlier(decision, class_view, of_decisions | shared)


def _changed(now: pl.DataFrame, before: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Return the keys of rows that are new, gone or different in any column."""
    marked = [frame.with_columns(pl.lit(value=True).alias("is_there")) for frame in (now, before)]
    both = marked[0].join(marked[1], on=key, how="full", coalesce=True, suffix="|before")
    columns = [name for name in marked[0].columns if name not in key]
    is_equal = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}|before")) for name in columns)
    return both.filter(~is_equal).select(key)
