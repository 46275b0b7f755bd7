"""Judges every decision by every guideline that applies: the edition in force that day, the facts known that day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from crlm_pipeline.cohort.build import Cohort
from crlm_pipeline.errors import UsageError
from crlm_pipeline.guidelines.earlier import SHARED_MODELS, Earlier
from crlm_pipeline.guidelines.judging import Judgement, judge, safety_findings, worst_safety
from crlm_pipeline.guidelines.load import Knowledge, Series
from crlm_pipeline.guidelines.model import Edition
from crlm_pipeline.guidelines.numbering import number_states
from crlm_pipeline.guidelines.pathway import patient_pathways
from crlm_pipeline.guidelines.situations import Situations, number_situations
from crlm_pipeline.guidelines.variants import Existing, Variant, active_rules, judged_by
from crlm_pipeline.guidelines.verdicts import final_verdicts, kinder, not_in_force
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
    frames = _judge_all(judging, decisions, situations, cohort.class_view, settings, as_of)
    outcomes = what_if(knowledge.chosen_series(settings.guidelines), decisions, cohort.class_view, situations, as_of)
    applies_in = {
        series.guideline: series.countries if settings.judge_by is None else ()
        for series in judging
        if series.kind == "recommendation"
    }
    frames[PatientPathway] = patient_pathways(cohort.patient, cohort.decision, frames[PatientPathway], applies_in)
    frames[EditionState], frames[StateOption] = number_states(frames[EditionState], frames[StateOption])
    frames[WhatIf], frames[WhatIfOutcome] = numbered(outcomes)
    typed = {model: _typed(model, frame) for model, frame in frames.items()}
    if earlier:
        kept = earlier.judgement_of(unchanged)
        typed = {model: pl.concat([frame, kept[model]]) for model, frame in typed.items()}
        typed |= {model: typed[model].unique() for model in SHARED_MODELS}
    return Annotation(typed, anew.height)


def _judge_all(
    judging: Sequence[Series],
    decisions: pl.DataFrame,
    situations: Situations,
    class_view: pl.DataFrame,
    settings: Settings,
    as_of: date,
) -> dict[type[Table], pl.DataFrame]:
    judged = [_judge_series(series, decisions, class_view, situations, settings, as_of) for series in judging]
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


def _judge_series(
    series: Series,
    decisions: pl.DataFrame,
    class_view: pl.DataFrame,
    situations: Situations,
    settings: Settings,
    as_of: date,
) -> dict[type[Table], pl.DataFrame]:
    """Return the rows of one series for every table; decisions to which it does not apply have none."""
    if settings.judge_by is not None:
        concerned = decisions
        variants = list(judged_by(series.editions[0], decisions, as_of))
    else:
        concerned = decisions.filter(_applies(series))
        variants = list(_in_force(series, concerned.filter(~pl.col("is_relative_calendar")), settings.grace_days))
    verdicts = [not_in_force(concerned.head(0), series.guideline)]
    findings, states, options = [], [], []
    for variant in variants:
        judgement = judge(variant.edition, variant.active, variant.decisions, class_view, situations)
        ids = variant.decisions.get_column("decision_id")
        labels = {"guideline": pl.lit(series.guideline), "edition_id": pl.lit(variant.edition.edition)}
        verdicts.append(
            final_verdicts(judgement, worst_safety(judgement), variant.decisions, is_older=variant.is_older)
        )
        findings.append(safety_findings(judgement, ids).with_columns(**labels))
        states.append(_states(judgement, ids, is_older=variant.is_older).with_columns(**labels))
        options.append(judgement.options.with_columns(**labels))
    evaluated = pl.concat(verdicts)
    outside = concerned.join(evaluated.select("decision_id"), on="decision_id", how="anti")
    kept = pl.concat([kinder(evaluated), not_in_force(outside, series.guideline)])
    numbered, numbered_options = _renumbered(states, options)
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


def _states(judgement: Judgement, decision_ids: pl.Series, *, is_older: bool) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "decision_id": decision_ids,
            "state_no": judgement.ladder.get_column("state_no"),
            "tests_required": pl.Series(judgement.tests_required, dtype=pl.Int64),
            "tests_unknown": pl.Series(judgement.tests_unknown, dtype=pl.Int64),
        }
    ).with_columns(is_older=pl.lit(is_older))


def _renumbered(states: list[pl.DataFrame], options: list[pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Number the states through all variants of a series; with the edition they are unique in the warehouse."""
    if not states:
        return _empty(EditionState), _empty(StateOption)
    shifted_states, shifted_options, offset = [], [], 0
    for own, held_out in zip(states, options, strict=True):
        shifted_states.append(own.with_columns(pl.col("state_no") + offset))
        shifted_options.append(held_out.with_columns(pl.col("state_no") + offset))
        offset += int(own.get_column("state_no").max() or 0) + 1  # type: ignore[arg-type]  # an integer column
    return pl.concat(shifted_states), pl.concat(shifted_options)
