"""The loaded knowledge as the `guideline.*` tables."""

from collections.abc import Iterator

import polars as pl

from crlm_pipeline.guidelines.load import Knowledge
from crlm_pipeline.guidelines.model import Edition, LabelWording, LadderRule, Rule, SafetyRule
from crlm_pipeline.guidelines.patterns import expand, key
from crlm_pipeline.guidelines.wording import rule_in_words
from schemas import guideline
from schemas.column import Table, describe

_Row = tuple[object, ...]


def guideline_tables(knowledge: Knowledge) -> dict[type[Table], pl.DataFrame]:
    """Return a frame per model of `schemas.guideline`; the wordings of a label are rules with one option."""
    rows: dict[type[Table], list[_Row]] = {model: [] for model in guideline.GUIDELINE_MODELS}
    for edition in knowledge.editions:
        rows[guideline.Edition].append(_edition_row(edition, knowledge.hashes.get(edition.edition, "")))
        rows[guideline.Rule] += _rule_rows(edition)
        rows[guideline.Option] += _option_rows(edition)
        rows[guideline.OptionTreatment] += _treatment_rows(edition)
        rows[guideline.RequiredTestRule] += [
            (edition.edition, rule.id, place, rule.analyte, rule.by, rule.grade)
            for place, rule in enumerate(edition.tests, 1)
        ]
        rows[guideline.Evidence] += [
            (edition.edition, rule.id, trial) for rule in edition.rules for trial in rule.evidence
        ]
    return {model: pl.DataFrame(own, schema=describe(model).polars_schema, orient="row") for model, own in rows.items()}


def _edition_row(edition: Edition, sha256: str) -> _Row:
    period = edition.in_force
    return (
        edition.edition,
        edition.guideline,
        edition.kind,
        period.from_ if period else None,
        period.to if period else None,
        edition.superseded_from,
        edition.rolling,
        list(edition.applies_in),
        edition.citation.title,
        edition.citation.reference,
        edition.state,
        bool(edition.reviewed),
        sha256,
    )


def _sections(edition: Edition) -> Iterator[tuple[str, int, Rule]]:
    ladder: tuple[Rule, ...] = edition.ladder or edition.wordings
    for section, rules in (("safety", edition.safety), ("ladder", ladder), ("test", edition.tests)):
        for place, rule in enumerate(rules, 1):
            yield section, place, rule


def _rule_rows(edition: Edition) -> Iterator[_Row]:
    for section, place, rule in _sections(edition):
        yield (
            edition.edition,
            rule.id,
            section,
            place,
            rule.title,
            rule.pathway if isinstance(rule, (LadderRule, LabelWording)) else None,
            rule_in_words(rule),
            rule.verdict if isinstance(rule, SafetyRule) else None,
            _not_recommended(rule),
            rule.from_,
            rule.to,
            rule.state or edition.state,
            rule.source,
        )


def _not_recommended(rule: Rule) -> list[str]:
    if isinstance(rule, LadderRule):
        return list(rule.not_recommended)
    return [rule.given] if isinstance(rule, SafetyRule) else []


def _option_rows(edition: Edition) -> Iterator[_Row]:
    for rule in edition.ladder:
        for number, option in enumerate(rule.options, 1):
            state = option.state or rule.state or edition.state
            yield (edition.edition, rule.id, number, option.treatment, option.preference, option.grade, state)
    for wording in edition.wordings:
        state = wording.state or edition.state
        yield (edition.edition, wording.id, 1, wording_in_words(wording), "alternative", None, state)


def wording_in_words(wording: LabelWording) -> str:
    """Return what a label wording allows, as a pattern: the targeted drugs and the cytotoxics beside them."""
    beside = " or ".join(wording.cytotoxics)
    targeted = " + ".join(wording.targeted) or wording.drug
    return targeted if beside == "none" else f"{targeted} ({beside})"


def _treatment_rows(edition: Edition) -> Iterator[_Row]:
    for rule in edition.ladder:
        for number, option in enumerate(rule.options, 1):
            for treatment in sorted(key(each) for each in expand(option.treatment)):
                yield (edition.edition, rule.id, number, treatment)
