"""Labels: every listed drug within a wording, and what the answer hangs on when a fact is missing."""

from crlm_pipeline.guidelines.explain import EditionAnswer
from crlm_pipeline.guidelines.model import Edition
from tests.unit.guidelines.builders import CITATION, judged


def wording(drug: str, when: dict[str, object], targeted: list[str], *cytotoxics: str) -> dict[str, object]:
    return {
        "id": f"toy.{drug}",
        "title": f"Wording for {drug}.",
        "source": "test",
        "from": "2020-01-01",
        "drug": drug,
        "targeted": targeted,
        "cytotoxics": list(cytotoxics),
        "when": when,
    }


LABEL = Edition.model_validate(
    {
        "edition": "toy_labels",
        "guideline": "toy",
        "kind": "label",
        "rolling": True,
        "citation": CITATION,
        "state": "unverified",
        "listed_drugs": ["cetuximab", "encorafenib"],
        "wordings": [
            wording("cetuximab", {"ras": "wild_type"}, ["cetuximab"], "any"),
            wording("encorafenib", {"braf": "v600e"}, ["encorafenib", "cetuximab"], "none"),
        ],
    }
)


def said(given: str, **facts: object) -> EditionAnswer:
    return judged(LABEL, given, **facts)


def test_a_regimen_without_a_listed_drug_is_not_judged() -> None:
    assert said("folfox + bevacizumab").verdict == "no_rule"


def test_a_listed_drug_is_on_label_within_its_wording_and_off_label_outside() -> None:
    assert said("folfox + cetuximab", ras="wild_type").verdict == "on_label"
    assert said("folfox + cetuximab", ras="mutant").verdict == "off_label"


def test_every_listed_drug_must_be_covered() -> None:
    # The wording of encorafenib names cetuximab, but is not thereby a wording of cetuximab.
    assert said("encorafenib + cetuximab", braf="v600e", ras="wild_type").verdict == "off_label"


def test_cytotoxics_that_a_wording_does_not_allow_are_off_label() -> None:
    assert said("encorafenib + cetuximab + folfox", braf="v600e", ras="wild_type").verdict == "off_label"


def test_a_missing_fact_is_named_with_what_it_decides() -> None:
    outcome = said("folfox + cetuximab").outcome
    assert (outcome.verdict, outcome.missing_facts) == ("not_evaluable", ("ras",))
    assert outcome.would_be == "on label if ras is wild_type; otherwise off label"
