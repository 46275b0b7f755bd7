"""Drug labels: whether every listed drug of a regimen was used within a wording in force (semantics, Labels)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from crlm_pipeline.guidelines.model import Edition, LabelWording
from crlm_pipeline.guidelines.patterns import NOTHING, Tokens, expand, expand_alternatives, targeted_drugs
from crlm_pipeline.guidelines.truth import Truth, either


@dataclass(frozen=True, slots=True)
class LabelOutcome:
    """What a label edition says of one regimen."""

    verdict: str
    rule_id: str | None
    reason: str
    missing_facts: tuple[str, ...]


def fits(wording: LabelWording, treatment: Tokens) -> bool:
    """Whether the regimen is the one the wording names: its targeted drugs exactly, its cytotoxics allowed."""
    targeted = treatment & targeted_drugs()
    cytotoxics = treatment - targeted
    named = [expand(" + ".join(wording.targeted))] if wording.targeted else [frozenset([frozenset[str]()])]
    if not any(targeted in sets for sets in named):
        return False
    return any(each == "any" or cytotoxics in _allowed(each) for each in wording.cytotoxics)


@cache
def _allowed(pattern: str) -> frozenset[Tokens]:
    return frozenset([frozenset[str]()]) if pattern == NOTHING else expand_alternatives(pattern)


@cache
def listed(edition_drugs: tuple[str, ...]) -> Tokens:
    """Return the substances that a label edition lists."""
    return frozenset(inn for drug in edition_drugs for each in expand_alternatives(drug) for inn in each)


def label_outcome(
    edition: Edition, treatment: Tokens, truths: Sequence[Truth], unknown: Sequence[frozenset[str]]
) -> LabelOutcome:
    """Judge one regimen; `truths` and `unknown` are per wording (false for one that is not in force)."""
    drugs = sorted(treatment & listed(edition.listed_drugs))
    if not drugs:
        return LabelOutcome("no_rule", None, "The regimen holds no drug that this label series lists.", ())
    missing: set[str] = set()
    used: list[str] = []
    covered: list[Truth] = []
    for drug in drugs:
        own = [n for n, w in enumerate(edition.wordings) if drug in listed((w.drug,)) and fits(w, treatment)]
        truth = either(truths[n] for n in own)
        covered.append(truth)
        used += [edition.wordings[n].id for n in own if truths[n] is True]
        if truth is None:
            missing |= {fact for n in own if truths[n] is None for fact in unknown[n]}
    if False in covered:
        outside = ", ".join(drug for drug, truth in zip(drugs, covered, strict=True) if truth is False)
        return LabelOutcome("off_label", None, f"No wording in force covers this use of {outside}.", ())
    if None in covered:
        facts = tuple(sorted(missing))
        return LabelOutcome(
            "not_evaluable", None, f"The label depends on {', '.join(facts)}, not known that day.", facts
        )
    return LabelOutcome("on_label", used[0], "Every listed drug was used within a wording in force.", ())
