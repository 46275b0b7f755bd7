"""Loads the editions and refuses what cannot be right, naming the file and the rule."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crlm_pipeline import resources, strict_yaml
from crlm_pipeline.errors import KnowledgeError, UsageError
from crlm_pipeline.guidelines.clauses import Clause, Condition, clauses_of
from crlm_pipeline.guidelines.domain import possible_values
from crlm_pipeline.guidelines.model import Edition, LabelWording, LadderRule, Rule, SafetyRule
from crlm_pipeline.guidelines.patterns import containment, expand
from crlm_pipeline.guidelines.truth import Reading, Truth, holds


@dataclass(frozen=True)
class Series:
    """The editions of one guideline or label, oldest first."""

    guideline: str
    editions: tuple[Edition, ...]

    @property
    def kind(self) -> str:
        """`recommendation` or `label`."""
        return self.editions[0].kind

    def applies_in(self, country: str) -> bool:
        """Whether the series judges care given in the country."""
        countries = self.editions[0].applies_in
        return not countries or country in countries

    @property
    def countries(self) -> tuple[str, ...]:
        """Where it applies; empty means everywhere."""
        return self.editions[0].applies_in

    @property
    def changes(self) -> list[date]:
        """Every day on which what is in force changes, sorted."""
        days: set[date] = set()
        for edition in self.editions:
            periods = [edition.in_force] if edition.in_force else []
            days.update(day for p in periods for day in (p.from_, p.to) if day)
            days.update(day for rule in edition.rules for day in (rule.from_, rule.to) if day)
        return sorted(days)

    def in_force(self, day: date) -> Edition | None:
        """Return the edition in force on the day; none before the first edition or a rolling edition's first rule."""
        for edition in reversed(self.editions):
            if edition.in_force is not None:
                if edition.in_force.from_ <= day and (edition.in_force.to is None or day < edition.in_force.to):
                    return edition
            elif any(is_active(rule, day) for rule in edition.rules):
                return edition
        return None


def is_active(rule: Rule, day: date) -> bool:
    """Whether the rule exists on the day; a rule without dates exists as long as its edition."""
    return (rule.from_ is None or rule.from_ <= day) and (rule.to is None or day < rule.to)


@dataclass(frozen=True)
class Knowledge:
    """Every edition that was loaded, and the hash of each file."""

    editions: tuple[Edition, ...]
    hashes: Mapping[str, str]

    @cached_property
    def series(self) -> Mapping[str, Series]:
        """The series by name, sorted."""
        names = sorted({edition.guideline for edition in self.editions})
        return {
            name: Series(
                name,
                tuple(
                    sorted(
                        (e for e in self.editions if e.guideline == name),
                        key=lambda e: e.in_force.from_ if e.in_force else date.min,
                    )
                ),
            )
            for name in names
        }

    def last_change(self, day: date) -> date | None:
        """Return the last day up to this one on which what is in force changed in any series."""
        return max((each for series in self.series.values() for each in series.changes if each <= day), default=None)

    def edition(self, edition_id: str) -> Edition:
        """Return an edition; `UsageError` when there is none of that id."""
        for edition in self.editions:
            if edition.edition == edition_id:
                return edition
        known = ", ".join(e.edition for e in self.editions)
        raise UsageError(f"There is no edition {edition_id!r}. Editions: {known}.")

    def chosen_series(self, requested: Sequence[str]) -> tuple[Series, ...]:
        """Return the series that judge: those requested, else all that are not on request only."""
        for name in requested:
            if name not in self.series:
                raise UsageError(f"There is no guideline {name!r}. Guidelines: {', '.join(self.series)}.")
        if requested:
            return tuple(self.series[name] for name in sorted(set(requested)))
        return tuple(s for s in self.series.values() if not s.editions[0].on_request_only)


@cache
def shipped_knowledge() -> Knowledge:
    """Return every edition that ships, loaded once per process."""
    return load_editions()


def load_editions(paths: Sequence[Path] | None = None) -> Knowledge:
    """Load every edition, or those in `paths`; raises `KnowledgeError` for the first that cannot be right."""
    editions: list[Edition] = []
    hashes: dict[str, str] = {}
    for path in resources.edition_files() if paths is None else paths:
        edition = load_edition(path)
        editions.append(edition)
        hashes[edition.edition] = hashlib.sha256(path.read_bytes()).hexdigest()
    knowledge = Knowledge(tuple(editions), hashes)
    _refuse_overlaps(knowledge)
    return knowledge


def load_edition(path: Path) -> Edition:
    """Load one edition file and check it; raises `KnowledgeError` naming the file and the rule."""
    try:
        content = strict_yaml.load(path.read_bytes())
        edition = Edition.model_validate(content)
    except strict_yaml.YamlError as error:
        raise KnowledgeError(f"{path.name}: not readable as YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise KnowledgeError(f"{path.name}: {_place(content, first['loc'])}: {first['msg']}") from None
    if edition.edition != path.stem:
        raise KnowledgeError(f"{path.name}: the file must bear the name of its edition, {edition.edition}.yaml.")
    for complaint in complaints(edition):
        raise KnowledgeError(f"{path.name}: {complaint}")
    return edition


def _place(content: Any, location: tuple[int | str, ...]) -> str:
    """Name the rule in which a validation error stands."""
    where = content
    for step in location:
        try:
            where = where[step]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(where, dict) and "id" in where:
            return f"rule {where['id']}, {'.'.join(map(str, location[location.index(step) + 1 :]))}"
    return ".".join(map(str, location)) or "edition"


def complaints(edition: Edition) -> Iterator[str]:
    """Yield everything that is wrong with an edition beyond its shape."""
    counts = Counter(rule.id for rule in edition.rules)
    yield from (f"rule {rule_id} is given twice." for rule_id, count in counts.items() if count > 1)
    for rule in edition.rules:
        yield from (f"rule {rule.id} {complaint}" for complaint in _rule_complaints(edition, rule))
    yield from _shadowed(edition)


def _rule_complaints(edition: Edition, rule: Rule) -> Iterator[str]:
    if not rule.id.startswith(f"{edition.guideline}."):
        yield f"must begin with {edition.guideline}."
    if not any(example.fires for example in rule.examples):
        yield "needs an example in which it fires."
    if edition.rolling and rule.from_ is None:
        yield "needs the day from which it holds: the edition is rolling."
    if not any(_is_satisfiable(clause) for clause in clauses_of([rule]) if clause.option_no is None):
        yield "can never fire: its conditions exclude each other."
    yield from _pattern_complaints(rule)
    yield from (
        f"cites {key}, which is not in data/reference/trials.csv." for key in rule.evidence if key not in _trials()
    )


def _trials() -> frozenset[str]:
    return frozenset(row["trial"] for row in resources.reference("trials"))


def _pattern_complaints(rule: Rule) -> Iterator[str]:
    patterns: list[tuple[Any, str]] = []
    if isinstance(rule, LadderRule):
        patterns += [(expand, option.treatment) for option in rule.options]
        patterns += [(containment, pattern) for pattern in rule.not_recommended]
    if isinstance(rule, SafetyRule):
        patterns.append((containment, rule.given))
    if isinstance(rule, LabelWording):
        patterns += [(expand, drug) for drug in (rule.drug, *rule.targeted)]
        patterns += [(expand, each) for each in rule.cytotoxics if each != "any"]
    for read, pattern in patterns:
        try:
            read(pattern)
        except KnowledgeError as error:
            yield f"has a pattern that cannot be read: {error}"


def _is_satisfiable(clause: Clause) -> bool:
    by_fact: dict[str, list[Condition]] = {}
    for condition in clause.conditions:
        by_fact.setdefault(condition.fact, []).append(condition)
    return all(
        any(all(_admits(c, value) for c in conditions) for value in _values(conditions))
        for conditions in by_fact.values()
    )


def _values(conditions: Sequence[Condition]) -> list[Any]:
    values = possible_values(conditions[0].fact, [c.test for c in conditions])
    if conditions[0].reading is Reading.SAFETY:
        named = [v for c in conditions if not hasattr(c.test, "holds") for v in c.test]
        values += [None, *named]
    return values


def _admits(condition: Condition, value: Any) -> bool:
    truth: Truth = holds(condition.test, value, condition.reading)
    return truth is True


def _shadowed(edition: Edition) -> Iterator[str]:
    """Yield rules that a higher, demanding rule always forestalls."""
    ladder = [rule for rule in edition.ladder if rule.from_ is None and rule.to is None]
    clauses = [[c for c in clauses_of([rule]) if c.option_no is None] for rule in ladder]
    for place, rule in enumerate(ladder):
        for higher in range(place):
            is_demanding = any(o.preference == "preferred" and not o.when for o in ladder[higher].options)
            if is_demanding and all(any(_implies(c, h) for h in clauses[higher]) for c in clauses[place]):
                yield f"rule {rule.id} can never be reached: {ladder[higher].id} above it always applies first."


def _implies(clause: Clause, other: Clause) -> bool:
    """Whether the other clause holds whenever this one does, fact by fact."""
    return all(
        any(
            mine.fact == theirs.fact
            and mine.reading is theirs.reading
            and all(
                _admits(theirs, value)
                for value in possible_values(mine.fact, [mine.test, theirs.test])
                if _admits(mine, value)
            )
            for mine in clause.conditions
        )
        for theirs in other.conditions
    )


def _refuse_overlaps(knowledge: Knowledge) -> None:
    for series in knowledge.series.values():
        for older, newer in pairwise(series.editions):
            if older.in_force is None or newer.in_force is None:
                raise KnowledgeError(
                    f"{newer.edition}: a rolling edition stands alone in its series {series.guideline}."
                )
            if older.in_force.to is None or older.in_force.to > newer.in_force.from_:
                raise KnowledgeError(
                    f"{newer.edition}: overlaps {older.edition}; end that edition on {newer.in_force.from_} or before."
                )
            if older.applies_in != newer.applies_in or older.kind != newer.kind:
                raise KnowledgeError(f"{newer.edition}: applies elsewhere or is of another kind than {older.edition}.")
