"""The plain evaluator: one decision, judged rule by rule in plain Python, with the reason for every answer.

It holds the same rules to the same meaning as the vectorised evaluator, shares the walk down the ladder with it, and
is what property tests hold the vectorised truth of rules against.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from crlm_pipeline.guidelines.bits import flagged
from crlm_pipeline.guidelines.clauses import clauses_of, unknown_facts
from crlm_pipeline.guidelines.labels import LabelOutcome, covering, label_outcome
from crlm_pipeline.guidelines.ladder import State, ladder_of
from crlm_pipeline.guidelines.load import Knowledge, Series, is_active
from crlm_pipeline.guidelines.model import Edition, SafetyRule, TestRule, fact_columns
from crlm_pipeline.guidelines.outcome import Outcome, outcome
from crlm_pipeline.guidelines.patterns import expand, key, tokens
from crlm_pipeline.guidelines.safety import is_about, safety_truth, watched_drugs
from crlm_pipeline.guidelines.situations import profile_of, unavailable_drugs
from crlm_pipeline.guidelines.standing import Given, Profile
from crlm_pipeline.guidelines.truth import Facts, Truth, is_unknown, rule_truth

_DISCORDANT = ("discordant_not_given", "discordant_not_recommended")


@dataclass(frozen=True, slots=True)
class SafetyAnswer:
    """A safety rule about a drug that was given; truth unknown: it could not be checked."""

    rule: SafetyRule
    truth: Truth


@dataclass(frozen=True, slots=True)
class EditionAnswer:
    """What one edition says of one decision, and how it got there."""

    edition: Edition
    active: frozenset[str]
    is_older: bool
    verdict: str
    rule_id: str | None
    outcome: Outcome | LabelOutcome
    safety: tuple[SafetyAnswer, ...]
    tests: tuple[tuple[TestRule, Truth], ...]


def given_of(decision: Facts) -> Given:
    """Return what a decision gave."""
    return Given(tokens(decision["treatment"]), decision["setting"], bool(decision["is_open"]))


def judge_one(
    edition: Edition,
    active: frozenset[str],
    decision: Facts,
    *,
    unavailable: frozenset[str] = frozenset(),
    class_views: Sequence[Facts] = (),
    is_older: bool = False,
) -> EditionAnswer:
    """Judge one row of `cohort.decision` by the active rules of an edition.

    `class_views`: the rows of `cohort.class_view` of the same decision.
    """
    given = given_of(decision)
    said: Outcome | LabelOutcome
    if edition.kind == "label":
        said = _label(edition, active, decision, given)
        is_definite = True
    else:
        said = _ladder(edition, active, decision, given, profile_of(decision, unavailable))
        is_definite = said.is_definite
    safety = tuple(
        answer
        for rule in edition.safety
        if rule.id in active
        and is_about(rule, given.treatment)
        and (answer := _safety(rule, given, decision, class_views)).truth is not False
    )
    verdict, rule_id = _verdict(decision, said, safety, is_definite=is_definite)
    tests = tuple((rule, rule_truth(rule, decision)) for rule in edition.tests if rule.id in active)
    return EditionAnswer(edition, active, is_older, verdict, rule_id, said, safety, tests)


def _ladder(edition: Edition, active: frozenset[str], decision: Facts, given: Given, profile: Profile) -> Outcome:
    ladder = ladder_of(edition)
    truths = [
        clause.truth(decision) if edition.ladder[clause.rule_no].id in active else False for clause in ladder.clauses
    ]
    return outcome(
        ladder,
        State(
            true=flagged(truth is True for truth in truths),
            open=flagged(truth is None for truth in truths),
            unknown=flagged(is_unknown(decision.get(fact)) for fact in ladder.facts),
            fit=ladder.options.fit(given, profile),
        ),
    )


def _label(edition: Edition, active: frozenset[str], decision: Facts, given: Given) -> LabelOutcome:
    truths = [rule_truth(rule, decision) if rule.id in active else False for rule in edition.wordings]
    unknown = [frozenset[str]().union(*unknown_facts(clauses_of([rule]), decision)) for rule in edition.wordings]
    return label_outcome(edition, covering(edition, given.treatment), truths, unknown)


def _safety(rule: SafetyRule, given: Given, decision: Facts, class_views: Sequence[Facts]) -> SafetyAnswer:
    watched = watched_drugs(rule, given.treatment)
    earlier = sorted(
        (view for view in class_views if view["seen_for"] in watched), key=lambda view: str(view["facts_date"])
    )
    return SafetyAnswer(rule, safety_truth(rule, given.treatment, earlier[0] if earlier else decision))


def _verdict(
    decision: Facts, said: Outcome | LabelOutcome, safety: Sequence[SafetyAnswer], *, is_definite: bool
) -> tuple[str, str | None]:
    """Weigh scope, safety, ladder and recorded reasons, in the order of judgement."""
    if decision["out_of_scope_reason"] is not None:
        return "out_of_scope", None
    if decision["is_open"]:
        return "open", said.rule_id
    verdict, rule_id = said.verdict, said.rule_id
    is_preferred = verdict == "concordant_preferred" and is_definite
    for weight in ("contraindicated", "discordant_not_recommended", "off_label"):
        fired = [a.rule.id for a in safety if a.truth is True and a.rule.verdict == weight]
        if fired and not (weight == "discordant_not_recommended" and is_preferred):
            verdict, rule_id = weight, fired[0]
            break
    if verdict in _DISCORDANT and decision["deviation_reason"] is not None:
        return "out_of_scope", rule_id
    return verdict, rule_id


def editions_for(series: Series, decision: Facts, *, grace_days: int) -> list[tuple[Edition, frozenset[str], bool]]:
    """Return what judges a decision: the edition in force with its active rules, and the older one within grace."""
    if decision["is_relative_calendar"]:
        return []
    day: date = decision["decision_date"]
    found: list[tuple[Edition, frozenset[str], bool]] = []
    # The first edition, or a rolling edition's first rules, have no grace: nothing older stands in for them.
    earlier = min(day, max(day - timedelta(days=grace_days), series.changes[0]))
    for when, is_older in ((day, False), (earlier, True)):
        edition = series.in_force(when)
        if edition is None:
            continue
        active = frozenset(rule.id for rule in edition.rules if not edition.rolling or is_active(rule, when))
        is_same = bool(found) and (edition.edition, active) == (found[0][0].edition, found[0][1])
        if not is_same:
            found.append((edition, active, is_older))
    return found


def judge_decision(
    knowledge: Knowledge,
    series: Series,
    decision: Facts,
    class_views: Sequence[Facts] = (),
    *,
    grace_days: int = 90,
) -> list[EditionAnswer]:
    """Return the answer of each edition of a series that judges the decision, the newer first."""
    unavailable = unavailable_drugs(knowledge, decision["country"], decision["decision_date"])
    return [
        judge_one(edition, active, decision, unavailable=unavailable, class_views=class_views, is_older=is_older)
        for edition, active, is_older in editions_for(series, decision, grace_days=grace_days)
    ]


def example_decision(facts: Mapping[str, object], given: str | None) -> dict[str, object]:
    """Return a decision as an edition's example states it.

    What the record always knows (earlier treatment, contraindications) is `no` unless stated; `chemotherapy_line` is
    the line unless stated; every other fact that is not stated is unknown.
    """
    decision: dict[str, object] = dict.fromkeys(fact_columns())
    decision |= {name: False for name in decision if name.startswith("prior_")}
    decision |= {
        "contraindications": [],
        "failed_classes": [],
        "previous_backbone": "none",
        "chemotherapy_line_count": 0,
        "had_anti_egfr_response": False,
        "is_liver_recurrence": False,
        "is_first_line_ongoing": False,
        "out_of_scope_reason": None,
        "deviation_reason": None,
    }
    decision |= facts
    decision["chemotherapy_line"] = facts.get("chemotherapy_line", facts.get("line"))
    sets = sorted(key(each) for each in expand(given)) if given is not None else [None]
    decision["treatment"] = sets[0] or None
    decision["is_open"] = given is None
    return decision
