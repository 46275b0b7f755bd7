"""Judges every decision by every guideline that applies: the edition in force that day, the facts known that day."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl

from crlm_pipeline.cohort.build import Cohort
from crlm_pipeline.errors import UsageError
from crlm_pipeline.guidelines.earlier import SHARED_MODELS, Earlier
from crlm_pipeline.guidelines.judging import Judgement, judge, safety_findings
from crlm_pipeline.guidelines.load import Knowledge, Series
from crlm_pipeline.guidelines.model import Edition
from crlm_pipeline.guidelines.numbering import number_states
from crlm_pipeline.guidelines.pathway import patient_pathways
from crlm_pipeline.guidelines.situations import Situations, number_situations
from crlm_pipeline.guidelines.states import Numbers
from crlm_pipeline.guidelines.variants import Existing, Variant, active_rules, judged_by
from crlm_pipeline.guidelines.verdicts import Verdicts, final_verdicts, kinder, not_in_force
from crlm_pipeline.guidelines.what_if import numbered, what_if
from crlm_pipeline.settings import Settings
from schemas.cohort import (
    EditionState,
    EditionVerdict,
    PatientPathway,
    SafetyFinding,
    StateOption,
    Verdict,
    WhatIf,
    WhatIfOutcome,
)
from schemas.column import Table, describe

_STATES_OF_A_VARIANT: Final = 1 << 32  # more than there can be
_DATED: Final = ("place", "decision_id", "patient_id", "country", "decision_date", "is_relative_calendar")


@dataclass(frozen=True, slots=True)
class Annotation:
    """The judged cohort, ready for the warehouse: a frame per table model; `judged_anew` counts decisions."""

    frames: dict[type[Table], pl.DataFrame]
    judged_anew: int


def annotate(
    cohort: Cohort, knowledge: Knowledge, settings: Settings, as_of: date, earlier: Earlier | None = None
) -> Annotation:
    """Judge the decisions of a cohort.

    `earlier`: what a run of the same judgement key judged; decisions that stand unchanged keep its judgement.
    Raises `UsageError` for a guideline or edition that is not held.
    """
    judging = judging_series(knowledge, settings)
    unchanged = earlier.unchanged(cohort) if earlier else pl.Series("decision_id", [], pl.String)
    anew = cohort.decision.filter(~pl.col("decision_id").is_in(unchanged.implode()))
    decisions, situations = number_situations(anew, knowledge)
    work = _Work(decisions.with_row_index("place"), cohort.class_view, situations, settings, as_of)
    throughout = _judge_throughout(knowledge.chosen_series(settings.guidelines), work)
    frames = _judge_all(judging, work, throughout)
    applies_in = {
        series.guideline: series.countries if settings.judge_by is None else ()
        for series in judging
        if series.kind == "recommendation"
    }
    frames[PatientPathway] = patient_pathways(cohort.patient, cohort.decision, frames[PatientPathway], applies_in)
    frames[WhatIf], frames[WhatIfOutcome] = _what_ifs(throughout, decisions.get_column("decision_id"))
    typed = {model: _typed(model, frame) for model, frame in frames.items()}
    if earlier:
        kept = earlier.judgement_of(unchanged)
        typed = {model: pl.concat([frame, kept[model]]) for model, frame in typed.items()}
        typed |= {model: typed[model].unique() for model in SHARED_MODELS}
    return Annotation(typed, anew.height)


@dataclass(frozen=True)
class _Work:
    """What is judged: decisions numbered by `number_situations`, with the `place` of each, and by what settings.

    `dated`: what tells of a decision which editions judge it, and names it in their answers.
    """

    decisions: pl.DataFrame
    class_view: pl.DataFrame
    situations: Situations
    settings: Settings
    as_of: date

    @cached_property
    def dated(self) -> pl.DataFrame:
        return self.decisions.select(_DATED)

    def judge(self, variant: Variant) -> "_Judged":
        judgement = judge(variant.edition, variant.active, variant.decisions, self.class_view, self.situations)
        return _Judged(judgement, final_verdicts(judgement, variant.decisions))


@dataclass(frozen=True, slots=True)
class _Judged:
    """What an edition says of decisions, and the verdicts that follow."""

    judgement: Judgement
    verdicts: Verdicts

    def of(self, places: Numbers) -> "_Judged":
        return _Judged(self.judgement.of(places), self.verdicts.of(places))


def _judge_throughout(series: Iterable[Series], work: _Work) -> dict[str, _Judged]:
    """Judge every decision by every recommendation edition (by id), whatever its day and country."""
    return {
        variant.edition.edition: work.judge(variant)
        for one in series
        if one.kind == "recommendation"
        for edition in one.editions
        for variant in judged_by(edition, work.decisions, work.as_of)
    }


def _what_ifs(throughout: Mapping[str, _Judged], decision_ids: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    if not throughout:
        return _empty(WhatIf), _empty(WhatIfOutcome)
    judged = [throughout[edition_id] for edition_id in sorted(throughout)]
    return numbered(decision_ids, [what_if(each.judgement, each.verdicts) for each in judged])


def _judge_all(
    judging: Sequence[Series], work: _Work, throughout: Mapping[str, _Judged]
) -> dict[type[Table], pl.DataFrame]:
    judged = [_judge_series(series, work, throughout) for series in judging]
    # Diagonal, since a series that applies nowhere, as a label in a registry of one country, has bare empty tables.
    parts = {model: [part[model] for part in judged] for model in judged[0]}
    return {model: pl.concat(found, how="diagonal_relaxed") for model, found in parts.items()}


def _typed(model: type[Table], frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in describe(model).polars_schema.items())


def judging_series(knowledge: Knowledge, settings: Settings) -> Sequence[Series]:
    """Return the series that judge a run; raises `UsageError` for one, or an edition, that is not held."""
    if settings.judge_by is None:
        return knowledge.chosen_series(settings.guidelines)
    if settings.guidelines:
        raise UsageError("--judge-by names one edition for every decision; leave out --guideline.")
    edition = knowledge.edition(settings.judge_by)
    return (Series(edition.guideline, (edition,)),)


def _judge_series(series: Series, work: _Work, throughout: Mapping[str, _Judged]) -> dict[type[Table], pl.DataFrame]:
    """Return the rows of one series for every table; decisions to which it does not apply have none."""
    if work.settings.judge_by is not None:
        concerned = work.dated
        variants = list(judged_by(series.editions[0], concerned, work.as_of))
    else:
        concerned = work.dated.filter(_applies(series))
        dated = concerned.filter(~pl.col("is_relative_calendar"))
        variants = list(_in_force(series, dated, work.settings.grace_days))
    judged = [_judged(variant, work, throughout) for variant in variants]
    verdicts = [not_in_force(concerned.head(0), series.guideline)]
    findings = []
    for variant, said in zip(variants, judged, strict=True):
        verdicts.append(said.verdicts.rows(variant.decisions, is_older=variant.is_older))
        found = safety_findings(said.judgement, variant.decisions.get_column("decision_id"))
        findings.append(found.with_columns(**_labels(variant)))
    evaluated = pl.concat(verdicts)
    outside = concerned.filter(~pl.col("place").is_in(_places(variants).implode()))
    kept = pl.concat([kinder(evaluated), not_in_force(outside, series.guideline)])
    numbered, numbered_options = _states(variants, [said.judgement for said in judged])
    return {
        Verdict: kept.with_columns(is_within_grace=pl.col("is_older")),
        EditionVerdict: evaluated,
        SafetyFinding: pl.concat(findings).unique(["decision_id", "edition_id", "rule_id"])
        if findings
        else _empty(SafetyFinding),
        EditionState: numbered,
        StateOption: numbered_options,
        PatientPathway: kept if series.kind == "recommendation" else kept.head(0),
    }


def _judged(variant: Variant, work: _Work, throughout: Mapping[str, _Judged]) -> _Judged:
    """Judge a variant; where the edition has judged every decision by the same rules, that is taken."""
    known = throughout.get(variant.edition.edition)
    if known is None or variant.edition.rolling:
        return work.judge(replace(variant, decisions=work.decisions[variant.decisions.get_column("place")]))
    return known.of(variant.decisions.get_column("place").to_numpy())


def _empty(model: type[Table]) -> pl.DataFrame:
    return pl.DataFrame(schema=describe(model).polars_schema)


def _applies(series: Series) -> pl.Expr:
    return pl.col("country").is_in(list(series.countries)) if series.countries else pl.lit(value=True)


def _in_force(series: Series, decisions: pl.DataFrame, grace_days: int) -> Iterator[Variant]:
    """Yield what was in force on each decision's date and, within the grace period, what had been before."""
    changes = pl.Series(series.changes, dtype=pl.Date)
    dated = decisions.with_columns(
        now=changes.search_sorted(decisions.get_column("decision_date"), side="right"),
        before=changes.search_sorted(
            decisions.get_column("decision_date").dt.offset_by(f"-{grace_days}d"), side="right"
        ),
    )
    # The first edition, or a rolling edition's first rules, have no grace: nothing older stands in for them.
    dated = dated.with_columns(before=pl.min_horizontal("now", pl.max_horizontal("before", pl.lit(1, pl.UInt32))))
    for column, is_older in (("now", False), ("before", True)):
        rows = dated.filter(pl.col("now") != pl.col("before")) if is_older else dated
        for edition, spans in _spans(series, changes.to_list()):
            concerned = rows.filter(pl.col(column).is_in(list(spans)))
            if concerned.height:
                sets = dict.fromkeys(spans.values())
                place = {one: number for number, one in enumerate(sets)}
                numbers = concerned.get_column(column).replace_strict({span: place[one] for span, one in spans.items()})
                active = Existing(tuple(sets), numbers.to_numpy())
                yield Variant(edition, active, is_older, concerned.drop("now", "before"))


def _spans(series: Series, changes: list[date]) -> list[tuple[Edition, dict[int, frozenset[str]]]]:
    """Return each edition that is ever in force, with the rules that exist in each span between two changes, from 1."""
    spans: dict[Edition, dict[int, frozenset[str]]] = {}
    for span, day in enumerate(changes, 1):
        edition = series.in_force(day)
        if edition is not None:
            spans.setdefault(edition, {})[span] = active_rules(edition, day)
    return list(spans.items())


def _places(variants: Sequence[Variant]) -> pl.Series:
    parts = [variant.decisions.get_column("place") for variant in variants]
    return pl.concat([pl.Series("place", dtype=pl.UInt32), *parts])


def _labels(variant: Variant) -> dict[str, pl.Expr]:
    return {"guideline": pl.lit(variant.edition.guideline), "edition_id": pl.lit(variant.edition.edition)}


def _states(variants: Sequence[Variant], judgements: Sequence[Judgement]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the state of each decision in each variant, and the options of the states, numbered by content."""
    if not variants:
        return _empty(EditionState), _empty(StateOption)
    met = [np.flatnonzero(np.bincount(judgement.state_no)) for judgement in judgements]
    told = [pl.DataFrame({"state_no": numbers}) for numbers in met]
    numbered, options = number_states(
        *(
            # Told apart through all variants first: each counts its states from 0.
            pl.concat(
                frame.with_columns(pl.col("state_no") + place * _STATES_OF_A_VARIANT, **_labels(variant))
                for place, (frame, variant) in enumerate(zip(frames, variants, strict=True))
            )
            for frames in (told, [judgement.options for judgement in judgements])
        )
    )
    numbers = np.split(numbered.get_column("state_no").to_numpy(), np.cumsum([len(each) for each in met])[:-1])
    states = pl.concat(map(_states_of, variants, judgements, met, numbers))
    return states, options


def _states_of(variant: Variant, judgement: Judgement, met: Numbers, numbers: Numbers) -> pl.DataFrame:
    number_of = np.zeros(met.max() + 1, np.int64)
    number_of[met] = numbers
    return pl.DataFrame(
        {
            "decision_id": variant.decisions.get_column("decision_id"),
            "state_no": number_of[judgement.state_no],
            "tests_required": judgement.tests_required,
            "tests_unknown": judgement.tests_unknown,
        }
    ).with_columns(is_older=pl.lit(variant.is_older), **_labels(variant))
