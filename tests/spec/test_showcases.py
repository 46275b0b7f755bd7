"""The showcases, with the verdicts that clinical knowledge and semantics demand of them."""

import pytest

from crlm_pipeline.guidelines.load import load_editions
from crlm_pipeline.guidelines.showcases import SHOWCASES, show

EXPECTED = {
    "Right-sided RAS wild-type disease on FOLFOX and cetuximab, as the edition changes": [
        ("esmo_2016_07", "concordant_preferred", False),
        ("esmo_2016_07", "concordant_preferred", True),
        ("esmo_2016_07", "concordant_preferred", True),
        ("esmo_2022_10", "discordant_not_recommended", False),
    ],
    "First-line encorafenib, cetuximab and FOLFOX in the United States": [
        ("fda_labels", "off_label", False),
        ("fda_labels", "on_label", False),
    ],
    "The same in France": [("ema_labels", "off_label", False), ("ema_labels", "off_label", False)],
    "Microsatellite status unknown, and then known": [
        ("esmo_2022_10", "not_evaluable", False),
        ("esmo_2022_10", "concordant_preferred", False),
        ("esmo_2022_10", "discordant_not_given", False),
    ],
    "Major resection of a normal liver on either side of the remnant threshold": [
        ("crlm_editorial_2023_12", "contraindicated", False),
        ("crlm_editorial_2023_12", "concordant_preferred", False),
    ],
    "Major resection of a cirrhotic liver on either side of the remnant threshold": [
        ("crlm_editorial_2023_12", "contraindicated", False),
        ("crlm_editorial_2023_12", "concordant_preferred", False),
    ],
    "Ablation of small resectable metastases before and after COLLISION": [
        ("evidence_digest", "no_rule", False),
        ("evidence_digest", "concordant_preferred", False),
    ],
}


@pytest.mark.parametrize("showcase", SHOWCASES, ids=lambda showcase: showcase.title)
def test_the_showcase_holds(showcase: object) -> None:
    shown = show(load_editions(), showcase)
    assert [(each.edition_id, each.verdict, each.is_older) for each in shown] == EXPECTED[showcase.title]


def test_what_is_missing_is_named() -> None:
    unknown = next(each for each in SHOWCASES if each.title.startswith("Microsatellite"))
    assert show(load_editions(), unknown)[0].missing == ("msi",)
