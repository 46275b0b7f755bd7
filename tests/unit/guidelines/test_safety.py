"""Safety rules: they may ask for unknown, their exceptions must be known, and they outrank the ladder."""

from crlm_pipeline.guidelines.explain import example_decision, judge_one
from tests.unit.guidelines.builders import edition, judged, rule

UNTESTED = {
    "id": "toy.x02",
    "title": "Untested.",
    "source": "test",
    "when": {"ras": ["unknown", "partial_wild_type"]},
    "given": "anti_egfr",
    "verdict": "contraindicated",
    "because": "RAS was not known.",
}
MUTANT = UNTESTED | {"id": "toy.x01", "when": {"ras": "mutant"}, "given": "anti_egfr - kras_g12c_inhibitor"}
ICI = {
    "id": "toy.x06",
    "title": "Checkpoint inhibitor in MSS.",
    "source": "test",
    "when": {"msi": "mss"},
    "unless": {"has_pole_variant": True},
    "given": "checkpoint_inhibitor",
    "verdict": "discordant_not_recommended",
    "because": "It does not work.",
}
UNTESTED_MSI = ICI | {"id": "toy.x06u", "when": {"msi": "unknown"}}
LADDER = edition(
    rule("one", {"msi": "mss"}, ("folfox + cetuximab", "preferred"), ("pembrolizumab", "preferred")),
    safety=[MUTANT, UNTESTED, ICI, UNTESTED_MSI],
)


def test_a_contraindicated_finding_is_the_verdict_even_of_a_preferred_treatment() -> None:
    assert judged(LADDER, "folfox + cetuximab", msi="mss", ras="mutant").rule_id == "toy.x01"
    assert judged(LADDER, "folfox + cetuximab", msi="mss").rule_id == "toy.x02"
    assert judged(LADDER, "folfox + cetuximab", msi="mss", ras="partial_wild_type").rule_id == "toy.x02"
    assert judged(LADDER, "folfox + cetuximab", msi="mss", ras="wild_type").verdict == "concordant_preferred"


def test_an_excluded_partner_excuses() -> None:
    answer = judged(LADDER, "sotorasib + panitumumab", msi="mss", ras="mutant")
    assert [each.rule.id for each in answer.safety] == []


def test_a_rule_that_does_not_ask_for_unknown_cannot_be_checked_then() -> None:
    answer = judged(LADDER, "folfox + cetuximab", msi="mss")
    assert {each.rule.id: each.truth for each in answer.safety} == {"toy.x01": None, "toy.x02": True}


def test_a_conflict_is_not_unknown_to_a_safety_rule() -> None:
    answer = judged(LADDER, "pembrolizumab", msi="conflict", ras="wild_type")
    assert {each.rule.id: each.truth for each in answer.safety} == {"toy.x06": None}


def test_an_exception_must_be_known_to_hold() -> None:
    without_preference = edition(rule("one", {"msi": "msi_h"}, ("pembrolizumab", "preferred")), safety=[ICI])
    assert judged(without_preference, "pembrolizumab", msi="mss").verdict == "discordant_not_recommended"
    assert judged(without_preference, "pembrolizumab", msi="mss", has_pole_variant=False).rule_id == "toy.x06"
    assert judged(without_preference, "pembrolizumab", msi="mss", has_pole_variant=True).verdict == "no_rule"


def test_a_definite_preference_outranks_a_finding_that_only_advises_against() -> None:
    assert judged(LADDER, "pembrolizumab", msi="mss", ras="mutant").verdict == "concordant_preferred"


def test_a_finding_is_never_a_verdict() -> None:
    noted = edition(
        rule("one", {}, ("folfox", "preferred")), safety=[ICI | {"verdict": "finding", "given": "oxaliplatin"}]
    )
    answer = judged(noted, "folfox", msi="mss")
    assert (answer.verdict, len(answer.safety)) == ("concordant_preferred", 1)


def test_a_rule_about_a_class_sees_only_what_was_known_at_its_first_dose() -> None:
    decision = example_decision(
        {"setting": "systemic", "line": 1, "msi": "mss", "ras": "wild_type"}, "folfox + cetuximab"
    )
    earlier = decision | {"ras": None, "seen_for": "cetuximab", "facts_date": "2020-01-01"}
    ids = frozenset(each.id for each in LADDER.rules)
    assert judge_one(LADDER, ids, decision, class_views=[earlier]).rule_id == "toy.x02"
    other = earlier | {"seen_for": "oxaliplatin"}
    assert judge_one(LADDER, ids, decision, class_views=[other]).verdict == "concordant_preferred"


def test_a_recorded_reason_excuses_discordance_but_never_harm() -> None:
    ids = frozenset(each.id for each in LADDER.rules)
    reason = {"deviation_reason": "toxicity"}
    mild = example_decision({"setting": "systemic", "line": 1, "msi": "mss", "ras": "mutant"}, "folfiri") | reason
    harmful = example_decision({"setting": "systemic", "line": 1, "msi": "mss", "ras": "mutant"}, "cetuximab") | reason
    assert judge_one(LADDER, ids, mild).verdict == "out_of_scope"
    assert judge_one(LADDER, ids, harmful).verdict == "contraindicated"
