"""The walk down the ladder, one sentence of the semantics at a time."""

from crlm_pipeline.guidelines.load import shipped_knowledge
from tests.unit.guidelines.builders import edition, judged, rule

MSI_FIRST = rule("msi", {"msi": "msi_h"}, ("pembrolizumab", "preferred"), pathway="immunotherapy")
RAS_MUTANT = rule("ras", {"ras": "mutant"}, ("folfox + bevacizumab", "preferred"), pathway="anti_vegf_chemotherapy")
RAS_WILD = rule(
    "wild",
    {"ras": "wild_type"},
    ("folfox + cetuximab", "preferred"),
    ("folfox + bevacizumab", "alternative"),
    ("nivolumab", "investigational"),
    not_recommended=["sotorasib"],
    pathway="anti_egfr_chemotherapy",
)
HER2 = rule(
    "her2",
    {"her2": "positive"},
    ("lapatinib + trastuzumab", "alternative"),
    not_recommended=["panitumumab"],
)
LADDER = edition(MSI_FIRST, RAS_MUTANT, RAS_WILD)


def test_a_preferred_option_is_concordant_and_definite() -> None:
    answer = judged(LADDER, "folfox + cetuximab", msi="mss", ras="wild_type")
    assert (answer.verdict, answer.rule_id) == ("concordant_preferred", "toy.wild")
    assert answer.outcome.is_definite


def test_an_alternative_an_investigational_a_refused_and_another_treatment_differ() -> None:
    known = {"msi": "mss", "ras": "wild_type"}
    given = ("folfox + bevacizumab", "nivolumab", "sotorasib", "folfiri")
    verdicts = [judged(LADDER, treatment, **known).verdict for treatment in given]
    assert verdicts == [
        "concordant_alternative",
        "no_rule",
        "discordant_not_recommended",
        "discordant_not_given",
    ]


def test_a_ladder_without_a_true_rule_ends_in_no_rule() -> None:
    answer = judged(edition(MSI_FIRST), "folfox", msi="mss")
    assert (answer.verdict, answer.rule_id) == ("no_rule", None)


def test_candidates_that_disagree_make_the_verdict_not_evaluable_and_name_what_is_missing() -> None:
    answer = judged(LADDER, "folfox + cetuximab", ras="wild_type")
    assert (answer.verdict, answer.rule_id) == ("not_evaluable", None)
    assert answer.outcome.missing_facts == ("msi",)
    assert answer.outcome.unlocking_facts == ("msi",)
    assert answer.outcome.would_be == "not given if msi is msi_h; otherwise preferred"
    assert answer.outcome.pathway == "test_first"


def test_candidates_that_agree_leave_the_verdict_standing() -> None:
    either = edition(
        rule("left", {"side": "left"}, ("folfox", "preferred"), pathway="chemotherapy"),
        rule("right", {"side": "right"}, ("folfox", "preferred"), pathway="chemotherapy"),
        rule("rest", {}, ("folfox", "preferred"), pathway="chemotherapy"),
    )
    answer = judged(either, "folfox")
    assert answer.verdict == "concordant_preferred"
    assert not answer.outcome.is_definite


def test_an_undecided_value_counts_as_unknown() -> None:
    answer = judged(LADDER, "folfox + cetuximab", msi="mss", ras="partial_wild_type")
    assert (answer.verdict, answer.outcome.missing_facts) == ("not_evaluable", ("ras",))


def test_a_condition_under_known_is_false_when_unknown() -> None:
    unfit = rule("unfit", {}, ("none", "preferred"), known={"fitness": "unfit"})
    ladder = edition(unfit, rule("all", {}, ("folfox", "preferred")))
    assert judged(ladder, "folfox").verdict == "concordant_preferred"
    assert judged(ladder, "folfox", fitness="unfit").verdict == "discordant_not_given"


def test_a_rule_without_a_preferred_option_adds_its_options_to_the_next_true_rule() -> None:
    ladder = edition(HER2, rule("late", {}, ("regorafenib", "preferred")))
    verdicts = [
        judged(ladder, given, her2="positive").verdict
        for given in ("lapatinib + trastuzumab", "regorafenib", "panitumumab", "folfox")
    ]
    assert verdicts == [
        "concordant_alternative",
        "concordant_preferred",
        "discordant_not_recommended",
        "discordant_not_given",
    ]


def test_added_options_alone_demand_nothing() -> None:
    ladder = edition(
        rule("her2", {"her2": "positive"}, ("lapatinib + trastuzumab", "alternative"), not_recommended=["panitumumab"])
    )
    assert judged(ladder, "lapatinib + trastuzumab", her2="positive").verdict == "concordant_alternative"
    assert judged(ladder, "panitumumab", her2="positive").verdict == "no_rule"


def test_an_unknown_rule_that_demands_nothing_matters_only_to_a_treatment_it_speaks_of() -> None:
    ladder = edition(HER2, rule("late", {}, ("regorafenib", "preferred")))
    assert judged(ladder, "regorafenib").verdict == "concordant_preferred"
    assert judged(ladder, "folfox").verdict == "discordant_not_given"
    assert judged(ladder, "lapatinib + trastuzumab").outcome.missing_facts == ("her2",)
    assert judged(ladder, "panitumumab").verdict == "not_evaluable"


def test_alternatives_of_a_rule_are_joined_by_or() -> None:
    either = rule(
        "any", {"ras": "mutant"}, ("folfox", "preferred"), any=[{"msi": "mss"}, {"prior_checkpoint_inhibitor": True}]
    )
    ladder = edition(either, rule("rest", {}, ("folfiri", "preferred")))
    assert judged(ladder, "folfox", ras="mutant", msi="mss").verdict == "concordant_preferred"
    assert judged(ladder, "folfox", ras="mutant", prior_checkpoint_inhibitor=True).verdict == "concordant_preferred"
    assert judged(ladder, "folfox", ras="mutant").outcome.missing_facts == ("msi",)


def test_an_option_with_a_condition_is_dropped_when_it_does_not_hold() -> None:
    triplet = {"treatment": "folfoxiri", "preference": "preferred", "when": {"fitness": "fit", "age": {"lte": 75}}}
    ladder = edition(rule("one", {}, options=[{"treatment": "folfox", "preference": "preferred"}, triplet]))
    assert judged(ladder, "folfoxiri", fitness="fit", age=75).verdict == "concordant_preferred"
    assert judged(ladder, "folfoxiri", fitness="fit", age=76).verdict == "discordant_not_given"
    assert judged(ladder, "folfoxiri", fitness="fit").outcome.missing_facts == ("age",)
    assert judged(ladder, "folfox").verdict == "concordant_preferred"


def test_a_contraindicated_drug_removes_the_option_and_a_rule_with_none_left_is_passed_over() -> None:
    known = {"msi": "msi_h", "ras": "mutant", "contraindications": ["transplant"]}
    assert judged(LADDER, "folfox + bevacizumab", **known).rule_id == "toy.ras"
    assert judged(LADDER, "pembrolizumab", **known).verdict == "discordant_not_given"


def test_a_class_that_failed_is_not_recommended_again_with_the_stated_exceptions() -> None:
    ladder = edition(
        rule("one", {}, ("cetuximab", "preferred")),
        rule("two", {}, ("folfiri + bevacizumab", "preferred"), ("irinotecan + panitumumab", "alternative")),
    )
    assert judged(ladder, "cetuximab").verdict == "concordant_preferred"
    failed = {"failed_classes": ["anti_egfr"], "prior_anti_egfr": True}
    assert judged(ladder, "cetuximab", **failed).verdict == "discordant_not_given"
    assert (
        judged(ladder, "folfiri + bevacizumab", failed_classes=["anti_vegf", "fluoropyrimidine"]).rule_id == "toy.one"
    )
    only = edition(rule("two", {}, ("irinotecan + panitumumab", "preferred"), ("folfiri", "alternative")))
    assert judged(only, "irinotecan + panitumumab", failed_classes=["irinotecan"]).verdict == "concordant_preferred"
    again = {"failed_classes": ["irinotecan"], "prior_anti_egfr": True}
    assert judged(only, "irinotecan + panitumumab", **again).verdict == "no_rule"


def test_a_drug_without_access_is_not_demanded_but_concordant_when_given() -> None:
    ladder = edition(rule("g12c", {"kras_g12c": True}, ("adagrasib + cetuximab", "preferred")))
    unavailable = frozenset({"adagrasib"})
    assert judged(ladder, "folfox", kras_g12c=True).verdict == "discordant_not_given"
    assert judged(ladder, "folfox", unavailable, kras_g12c=True).verdict == "no_rule"
    assert judged(ladder, "adagrasib + cetuximab", unavailable, kras_g12c=True).verdict == "concordant_preferred"


def test_a_local_option_matches_when_all_its_procedures_were_done_and_more_do_not_unmake_it() -> None:
    ladder = edition(
        rule("local", {"setting": "local"}, ("resection", "preferred"), ("resection + rfa | mwa", "alternative"))
    )
    assert judged(ladder, "resection + rfa", setting="local").verdict == "concordant_preferred"
    assert judged(ladder, "sbrt", setting="local").verdict == "discordant_not_given"


def test_a_closed_local_window_with_nothing_done_is_judged_only_where_a_procedure_is_preferred() -> None:
    procedure = edition(rule("local", {"setting": "local"}, ("resection", "preferred")))
    drugs = edition(rule("local", {"setting": "local"}, ("systemic", "preferred")))
    assert judged(procedure, "none", setting="local").verdict == "discordant_not_given"
    assert judged(drugs, "none", setting="local").verdict == "no_rule"
    assert judged(procedure, None, setting="local").verdict == "open"


def test_what_a_verdict_would_be_names_the_condition_of_an_option_where_the_rule_itself_is_true() -> None:
    esmo = next(each for each in shipped_knowledge().editions if each.edition == "esmo_2016_07")
    known = {"age": 75, "ras": "wild_type", "braf": "v600e", "treatment_setting": "unresectable"}
    answer = judged(esmo, "pembrolizumab", chemotherapy_line=1, **known)
    assert answer.outcome.missing_facts == ("fitness",)
    assert answer.outcome.would_be == "not given if fitness is fit; otherwise not judged"
