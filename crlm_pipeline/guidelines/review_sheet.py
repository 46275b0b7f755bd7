"""A sheet for the clinicians who sign an edition: every rule, its source and state, its examples, space to sign."""

from collections.abc import Iterator

from crlm_pipeline.guidelines.comparison import statements
from crlm_pipeline.guidelines.explanation import value_in_words
from crlm_pipeline.guidelines.model import Edition, Example, Rule


def review_sheet(edition: Edition) -> str:
    """Return the sheet as Markdown."""
    return "\n".join(
        [*_heading(edition), *(line for rule in edition.rules for line in _rule(edition, rule)), *_signature()]
    )


def _heading(edition: Edition) -> Iterator[str]:
    yield f"# Review of {edition.edition}"
    yield ""
    yield f"{edition.citation.title} ({edition.citation.reference}). State: {edition.state}."
    yield ""
    yield "For each rule: agree, or say what the source states and where. A signature covers the rules marked `agree`."


def _rule(edition: Edition, rule: Rule) -> Iterator[str]:
    yield ""
    yield f"## {rule.id}: {rule.title}"
    yield ""
    yield f"- source: {rule.source}; state: {rule.state or edition.state}"
    for what, said in statements(rule).items():
        yield f"- {what}: {said}"
    if rule.note:
        yield f"- note: {rule.note}"
    for example in rule.examples:
        yield f"- example: {example_in_words(example)}"
    yield "- [ ] agree   [ ] disagree, because: ______________________________________"


def example_in_words(example: Example) -> str:
    """Return an example as a sentence: the situation, what was given, what the edition says."""
    situation = ", ".join(f"{fact} {value_in_words(value)}" for fact, value in example.facts.items())
    given = f"; given {example.given}" if example.given is not None else ""
    on = f"; decided {example.decided}" if example.decided else ""
    fires = "the rule applies" if example.fires else "the rule does not apply"
    verdict = f", verdict {example.verdict}" if example.verdict else ""
    missing = f", missing {', '.join(example.missing)}" if example.missing else ""
    return f"{situation}{given}{on}: {fires}{verdict}{missing}"


def _signature() -> Iterator[str]:
    yield ""
    yield "## Signature"
    yield ""
    yield "Name: ____________________   Role: ____________________   Date: ____________________"
    yield ""
    yield "Enter it in the edition file under `reviewed: [{name, role, date}]`."
    yield ""
