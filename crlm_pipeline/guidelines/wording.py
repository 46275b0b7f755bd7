"""Conditions, facts and verdicts in words, for reasons, explanations and the generated guideline pages."""

from collections.abc import Collection, Sequence

from crlm_pipeline.guidelines.model import Conditions, Range, Rule, Scalar, fact_columns

_VERDICT_WORDS = {
    "concordant_preferred": "preferred",
    "concordant_alternative": "alternative",
    "discordant_not_given": "not given",
    "discordant_not_recommended": "not recommended",
    "no_rule": "not judged",
}

_BOUND_WORDS = {"gt": "more than", "gte": "at least", "lt": "less than", "lte": "at most"}


def verdict_in_words(verdict: str) -> str:
    """Return the short form of a verdict, as in `preferred if msi is mss`."""
    return _VERDICT_WORDS.get(verdict, verdict.replace("_", " "))


def facts_in_words(facts: Sequence[str]) -> str:
    """Return facts as a list in a sentence."""
    if len(facts) < 2:  # noqa: PLR2004  # a list of one needs no conjunction
        return "".join(facts)
    return f"{', '.join(facts[:-1])} and {facts[-1]}"


def test_in_words(fact: str, test: Range | tuple[Scalar, ...]) -> str:
    """Return one condition in words, e.g. `flr_percent is more than 25 %`."""
    unit = fact_columns()[fact].unit
    if isinstance(test, Range):
        bounds = [
            f"{words} {getattr(test, name):g}{f' {unit}' if unit else ''}"
            for name, words in _BOUND_WORDS.items()
            if getattr(test, name) is not None
        ]
        return f"{fact} is {' and '.join(bounds)}"
    values = " or ".join(_scalar(value) for value in test)
    return f"{fact} {'includes' if fact_columns()[fact].is_list else 'is'} {values}"


def _scalar(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def conditions_in_words(conditions: Conditions, only: Collection[str] | None = None) -> str:
    """Return conditions in words, joined by `and`; `only` restricts them to some facts."""
    return " and ".join(test_in_words(fact, test) for fact, test in conditions.items() if only is None or fact in only)


def rule_in_words(rule: Rule, only: Collection[str] | None = None) -> str:
    """Return a rule's conditions in words, alternatives included."""
    common = {**rule.when, **getattr(rule, "known", {})}
    alternatives = [words for each in rule.any if (words := conditions_in_words(each, only))]
    parts = [
        conditions_in_words(common, only),
        f"({' or '.join(alternatives)})" if len(alternatives) > 1 else "".join(alternatives),
    ]
    unless = getattr(rule, "unless", {})
    sentence = " and ".join(part for part in parts if part) or "always"
    return f"{sentence}, unless {conditions_in_words(unless)}" if unless and only is None else sentence
