"""Small editions for tests: a ladder of rules as short mappings."""

from typing import Any

from crlm_pipeline.guidelines.explain import EditionAnswer, example_decision, judge_one
from crlm_pipeline.guidelines.model import Edition

CITATION = {"title": "A guideline", "reference": "none", "accessed": "2026-11-23"}


def rule(number: str, when: dict[str, Any], *options: tuple[str, str], **more: Any) -> dict[str, Any]:
    """Return a ladder rule; `options` are pairs of treatment and preference."""
    return {
        "id": f"toy.{number}",
        "title": f"Rule {number}.",
        "source": "test",
        "when": when,
        "options": [{"treatment": treatment, "preference": preference} for treatment, preference in options],
        **more,
    }


def edition(*ladder: dict[str, Any], **more: Any) -> Edition:
    """Return an edition with this ladder, in force from 2020."""
    content = {
        "edition": "toy_2020",
        "guideline": "toy",
        "kind": "recommendation",
        "in_force": {"from": "2020-01-01"},
        "citation": CITATION,
        "state": "unverified",
        "ladder": list(ladder),
    }
    return Edition.model_validate(content | more)


def judged(of: Edition, given: str | None, unavailable: frozenset[str] = frozenset(), **facts: Any) -> EditionAnswer:
    """Return what the edition says of a decision with these facts; everything else is unknown."""
    decision = example_decision({"setting": "systemic", "line": 1} | facts, given)
    return judge_one(of, frozenset(each.id for each in of.rules), decision, unavailable=unavailable)
