"""Drug labels: whether every listed drug of a regimen was used within a wording in force (semantics, Labels)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from crlm_pipeline.guidelines.model import Edition, LabelWording
from crlm_pipeline.guidelines.patterns import NOTHING, Tokens, expand, expand_alternatives, targeted_drugs
from crlm_pipeline.guidelines.truth import Truth, either
from crlm_pipeline.guidelines.wording import rule_in_words


@dataclass(frozen=True, slots=True)
class LabelOutcome:
    """What a label edition says of one regimen."""

    verdict: str
    rule_id: str | None
    reason: str
    missing_facts: tuple[str, ...]
    would_be: str | None = None


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


_USES_KEPT: Final = 4096

# Each listed drug of a regimen, with the numbers of the wordings that cover its use.
Covering = tuple[tuple[str, tuple[int, ...]], ...]


@lru_cache(maxsize=_USES_KEPT)
def covering(edition: Edition, treatment: Tokens) -> Covering:
    """Return the listed drugs of a regimen, alphabetical, with the wordings that cover their use, met or not."""
    return tuple(
        (drug, tuple(n for n, w in enumerate(edition.wordings) if drug in listed((w.drug,)) and fits(w, treatment)))
        for drug in sorted(treatment & listed(edition.listed_drugs))
    )


def label_outcome(
    edition: Edition, use: Covering, truths: Sequence[Truth], unknown: Sequence[frozenset[str]]
) -> LabelOutcome:
    """Judge the use of the drugs of one regimen.

    `truths` and `unknown` are per wording (false for one that is not in force); only those that cover a drug matter,
    and of `unknown` only those that are open.
    """
    if not use:
        return LabelOutcome("no_rule", None, "The regimen holds no drug that this label series lists.", ())
    covered = {drug: either(truths[n] for n in own) for drug, own in use}
    outside = [drug for drug, truth in covered.items() if truth is False]
    if outside:
        return LabelOutcome("off_label", None, f"No wording in force covers this use of {', '.join(outside)}.", ())
    unsettled = [[n for n in own if truths[n] is None] for drug, own in use if covered[drug] is None]
    if unsettled:
        facts = tuple(sorted({fact for own in unsettled for n in own for fact in unknown[n]}))
        conditions = [
            " or ".join(dict.fromkeys(rule_in_words(edition.wordings[n], unknown[n]) for n in own)) for own in unsettled
        ]
        would_be = f"on label if {' and '.join(dict.fromkeys(conditions))}; otherwise off label"
        reason = f"The label depends on {', '.join(facts)}, not known that day."
        return LabelOutcome("not_evaluable", None, reason, facts, would_be)
    used = next(edition.wordings[n].id for n in use[0][1] if truths[n] is True)
    return LabelOutcome("on_label", used, "Every listed drug was used within a wording in force.", ())
