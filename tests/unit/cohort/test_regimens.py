import polars as pl
import pytest

from crlm_pipeline.cohort.regimens import name_regimen, name_regimens


@pytest.mark.parametrize(
    ("regimen", "name"),
    [
        ("fluorouracil+oxaliplatin", "FOLFOX"),
        ("cetuximab+fluorouracil+oxaliplatin", "FOLFOX + cetuximab"),
        ("bevacizumab+fluorouracil+irinotecan+oxaliplatin", "FOLFOXIRI + bevacizumab"),
        ("capecitabine+oxaliplatin", "CAPOX"),
        ("fluorouracil", "FULV"),
        ("cetuximab+irinotecan", "irinotecan + cetuximab"),
        ("cetuximab+irinotecan+vemurafenib", "VIC"),
        ("cetuximab+encorafenib+fluorouracil+oxaliplatin", "FOLFOX + cetuximab + encorafenib"),
        ("binimetinib+cetuximab+encorafenib", "encorafenib + binimetinib + cetuximab"),
        ("bevacizumab+trifluridine/tipiracil", "trifluridine/tipiracil + bevacizumab"),
        ("ipilimumab+nivolumab", "ipilimumab + nivolumab"),
        ("pembrolizumab", "pembrolizumab"),
    ],
)
def test_a_regimen_is_named_by_its_backbone_and_its_targeted_drugs(regimen: str, name: str) -> None:
    assert name_regimen(regimen) == name


def test_an_unknown_regimen_has_no_name() -> None:
    assert name_regimens(pl.Series(["pembrolizumab", None])).to_list() == ["pembrolizumab", None]
