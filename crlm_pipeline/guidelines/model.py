"""What an edition file may say: frozen models that refuse unknown fields and values outside a vocabulary.

The file is written to be reviewed by clinicians; `docs/adding.md` explains each field. Rules that need more than one
field (references, reachability, dates) are checked in `load`.
"""

from datetime import date
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas import vocabulary as v
from schemas.cohort import Decision
from schemas.column import Column, describe

State = Literal["verified", "unverified"]
Preference = Literal["preferred", "alternative", "investigational"]
Verdict = Literal[v.VERDICT]  # type: ignore[valid-type]  # the vocabulary is the one source
SafetyVerdict = Literal[v.SAFETY_VERDICT]  # type: ignore[valid-type]
Pathway = Literal[v.PATHWAY]  # type: ignore[valid-type]
TestAnalyte = Literal[v.TEST_ANALYTE]  # type: ignore[valid-type]
TestDue = Literal[v.TEST_DUE]  # type: ignore[valid-type]

UNKNOWN = "unknown"


class Model(BaseModel):
    """Base of every part of an edition: nothing undeclared, nothing changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Range(Model):
    """An open or closed interval of a numeric fact; every bound given must hold."""

    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("a range needs at least one of gt, gte, lt, lte")
        return self

    def holds(self, value: float) -> bool:
        """Whether the value lies inside the range."""
        return (
            (self.gt is None or value > self.gt)
            and (self.gte is None or value >= self.gte)
            and (self.lt is None or value < self.lt)
            and (self.lte is None or value <= self.lte)
        )


@cache
def fact_columns() -> dict[str, Column]:
    """Return the columns of `cohort.decision` that a condition may name."""
    return {column.name: column for column in describe(Decision).columns if column.fact}


def _listed(value: Any) -> Any:
    return (
        tuple(value) if isinstance(value, list) else (value,) if not isinstance(value, (dict, Range, tuple)) else value
    )


Scalar = bool | int | float | str
Test = Annotated[Range | tuple[Scalar, ...], BeforeValidator(_listed)]
Conditions = dict[str, Test]


def _refuse_unusable(conditions: Conditions, *, may_ask_unknown: bool) -> None:
    for name, test in conditions.items():
        column = fact_columns().get(name)
        if column is None:
            raise ValueError(f"{name} is not a fact of cohort.decision")
        if isinstance(test, Range):
            if column.dtype.is_numeric() is False:
                raise ValueError(f"{name} is not a number, so it cannot lie in a range")
            continue
        for value in test:
            if value == UNKNOWN and may_ask_unknown:
                continue
            _refuse_value(column, value, may_ask_unknown=may_ask_unknown)


def _refuse_value(column: Column, value: Scalar, *, may_ask_unknown: bool) -> None:
    if column.values is not None:
        allowed = set(column.values) if may_ask_unknown else set(column.values) - set(v.UNDECIDED)
        if value not in allowed:
            raise ValueError(f"{column.name} cannot be {value!r} here; one of {sorted(allowed)}")
    elif str(column.dtype) == "Boolean":
        if not isinstance(value, bool):
            raise ValueError(f"{column.name} is true or false")
    elif isinstance(value, (bool, str)):
        raise ValueError(f"{column.name} is a number")


class Citation(Model):
    """Where an edition was published."""

    title: str
    reference: str
    doi: str | None = None
    accessed: date


class Review(Model):
    """A clinician's signature under an edition."""

    name: str
    role: str
    date: date


class Period(Model):
    """Days on which an edition or rule holds: from the first, up to but not including `to`."""

    from_: date = Field(alias="from")
    to: date | None = None

    @model_validator(mode="after")
    def _is_forward(self) -> Self:
        if self.to is not None and self.to <= self.from_:
            raise ValueError("`to` must be later than `from`")
        return self


class Example(Model):
    """A situation and what the rule makes of it; facts that are not stated are unknown (`explain.example_decision`).

    `fires` says whether the rule is true of the facts. `verdict` and `missing` are those of the whole edition for the
    treatment `given` (a regimen pattern that names one regimen, or procedures); `rule` names the deciding rule where
    it is not this one. `decided` is the decision date, for rules with dates of their own.
    """

    facts: dict[str, Any]
    fires: bool = True
    given: str | None = None
    verdict: Verdict | None = None
    rule: str | None = None
    missing: tuple[str, ...] | None = None
    decided: date | None = None

    @model_validator(mode="after")
    def _has_known_facts(self) -> Self:
        unknown = sorted(set(self.facts) - set(fact_columns()) - {"failed_classes"})
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: not a fact of cohort.decision")
        return self


class Option(Model):
    """A treatment that a rule holds out; `when` restricts it, e.g. a triplet to fit patients of at most 75 years."""

    treatment: str
    preference: Preference
    when: Conditions = Field(default_factory=dict)
    grade: str | None = None
    state: State | None = None
    note: str | None = None


class Rule(Model):
    """What ladder, safety and test rules share. Conditions: all of `when`, and at least one of `any` if given."""

    id: str
    title: str
    when: Conditions = Field(default_factory=dict)
    any: tuple[Conditions, ...] = ()
    from_: date | None = Field(default=None, alias="from")
    to: date | None = None
    state: State | None = None
    source: str
    evidence: tuple[str, ...] = ()
    note: str | None = None
    examples: tuple[Example, ...] = ()


class LadderRule(Rule):
    """A rule of the ladder. Conditions under `known` are false when the fact is unknown."""

    known: Conditions = Field(default_factory=dict)
    pathway: Pathway | None = None
    options: tuple[Option, ...] = ()
    not_recommended: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _has_usable_conditions(self) -> Self:
        for conditions in (self.when, self.known, *self.any, *(option.when for option in self.options)):
            _refuse_unusable(conditions, may_ask_unknown=False)
        if not self.options and not self.not_recommended:
            raise ValueError("a ladder rule needs an option or something not recommended")
        return self


class SafetyRule(Rule):
    """A rule about what was given. `when` may ask for `unknown`; `unless` must be known to hold to excuse."""

    unless: Conditions = Field(default_factory=dict)
    given: str
    verdict: SafetyVerdict
    because: str

    @model_validator(mode="after")
    def _has_usable_conditions(self) -> Self:
        for conditions in (self.when, self.unless, *self.any):
            _refuse_unusable(conditions, may_ask_unknown=True)
        return self


class TestRule(Rule):
    """A test that must have been reported by a day."""

    analyte: TestAnalyte
    by: TestDue
    grade: str | None = None

    @model_validator(mode="after")
    def _has_usable_conditions(self) -> Self:
        for conditions in (self.when, *self.any):
            _refuse_unusable(conditions, may_ask_unknown=True)
        return self


class LabelWording(Rule):
    """A wording of a drug label: met when the targeted drugs are exactly `targeted` and the cytotoxics allowed.

    `cytotoxics` lists what may accompany them: `none`, `any`, or patterns such as `folfox | folfiri`.
    """

    drug: str
    targeted: tuple[str, ...]
    cytotoxics: tuple[str, ...]
    pathway: Pathway | None = None

    @model_validator(mode="after")
    def _has_usable_conditions(self) -> Self:
        for conditions in (self.when, *self.any):
            _refuse_unusable(conditions, may_ask_unknown=False)
        return self


class Edition(Model):
    """An edition of a series: its period, safety rules, ladder and required tests, or the wordings of a label."""

    edition: str
    guideline: str
    kind: Literal["recommendation", "label"]
    in_force: Period | None = None
    rolling: bool = False
    superseded_from: date | None = None
    applies_in: tuple[str, ...] = ()
    on_request_only: bool = False
    citation: Citation
    state: State
    reviewed: tuple[Review, ...] = ()
    note: str | None = None
    safety: tuple[SafetyRule, ...] = ()
    ladder: tuple[LadderRule, ...] = ()
    tests: tuple[TestRule, ...] = ()
    listed_drugs: tuple[str, ...] = ()
    wordings: tuple[LabelWording, ...] = ()

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        if self.rolling == (self.in_force is not None):
            raise ValueError("an edition is either in force for a period or rolling with dated rules")
        if self.kind == "label" and (self.ladder or not self.listed_drugs):
            raise ValueError("a label has listed_drugs and wordings, and no ladder")
        if self.kind == "recommendation" and (self.wordings or self.listed_drugs):
            raise ValueError("a recommendation has a ladder, not wordings")
        return self

    def __hash__(self) -> int:
        """Return the hash of the id, so that what is made of an edition is made once."""
        return hash(self.edition)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, of whatever section."""
        return (*self.safety, *self.ladder, *self.tests, *self.wordings)


# What is made ready of an edition is kept for so many of them; those held number about a dozen.
EDITIONS_KEPT = 64
