import polars as pl
import pytest

from crlm_pipeline import resources
from crlm_pipeline.cohort import drugs
from crlm_pipeline.cohort.drugs import recognise
from crlm_pipeline.errors import KnowledgeError


def _inn(drug: str, atc: str | None = None) -> str | None:
    return recognise(pl.DataFrame({"drug": [drug], "atc": [atc]}, schema={"drug": pl.String, "atc": pl.String}))[
        "inn"
    ].item()


@pytest.mark.parametrize(
    ("name", "inn"),
    [
        ("Oxaliplatin", "oxaliplatin"),
        ("  OXALIPLATIN ", "oxaliplatin"),
        ("Avastin", "bevacizumab"),
        ("Mvasi®", "bevacizumab"),
        ("bevacizumab-awwb", "bevacizumab"),
        ("trastuzumab-dkst", "trastuzumab"),
        ("irinotecan hydrochloride", "irinotecan"),
        ("Irinotecan HCl trihydrate", "irinotecan"),
        ("dabrafenib mesylate", "dabrafenib"),
        ("leucovorin calcium", "folinic acid"),
        ("calcium folinate", "folinic acid"),
        ("sodium levofolinate", "levofolinic acid"),
        ("5-FU", "fluorouracil"),
        ("5 FU", "fluorouracil"),
        ("TAS-102", "trifluridine/tipiracil"),
        ("trifluridine / tipiracil", "trifluridine/tipiracil"),
        ("S-1", "tegafur"),
        ("DS-8201", "trastuzumab deruxtecan"),
        ("fam-trastuzumab deruxtecan-nxki", "trastuzumab deruxtecan"),
        ("Phesgo", "pertuzumab/trastuzumab"),
        ("trastuzumab/pertuzumab", "pertuzumab/trastuzumab"),
        ("cetuximab (Erbitux)", "cetuximab"),
        ("oxaliplatin 5 mg/ml concentrate", "oxaliplatin"),
        ("ziv-aflibercept", "aflibercept"),
        ("TheraSphere", "yttrium-90 microspheres"),
    ],
)
def test_a_name_as_delivered_is_the_substance(name: str, inn: str) -> None:
    assert _inn(name) == inn


@pytest.mark.parametrize("name", ["trastuzumab emtansine", "gemcitabine", "cetuximab + irinotecan", "-", ""])
def test_a_drug_in_no_list_stays_unknown(name: str) -> None:
    assert _inn(name) is None


@pytest.mark.parametrize(
    ("atc", "inn"),
    [("L01FE01", "cetuximab"), ("L01XC06", "cetuximab"), ("l01xx19", "irinotecan"), (" V03AF10 ", "levofolinic acid")],
)
def test_an_atc_code_old_or_new_wins_over_the_name(atc: str, inn: str) -> None:
    assert _inn("oxaliplatin", atc) == inn


def test_an_atc_code_in_no_list_leaves_it_to_the_name() -> None:
    assert _inn("oxaliplatin", "L01XA99") == "oxaliplatin"


@pytest.mark.parametrize(
    ("name", "atc", "inn"),
    [
        ("bevacizumab", "S01LA08", "bevacizumab (eye)"),
        ("Avastin", "S01LA99", "bevacizumab (eye)"),
        ("aflibercept", "S01LA05", "aflibercept (eye)"),
        ("Eylea", None, "aflibercept (eye)"),
        ("aflibercept-yszy", None, "aflibercept (eye)"),
        ("ranibizumab", "S01LA04", None),
        ("cetuximab", "S01LA99", None),
    ],
)
def test_a_drug_for_the_eye_is_never_a_cancer_drug(name: str, atc: str | None, inn: str | None) -> None:
    assert _inn(name, atc) == inn


def test_rows_and_their_order_stay_and_substances_that_may_be_swapped_share_a_family() -> None:
    names = ["capecitabine", "nobody knows", "fluorouracil", "raltitrexed", "oxaliplatin", "capecitabine"]
    found = recognise(
        pl.DataFrame({"row": range(6), "drug": names, "atc": [None] * 6}, schema_overrides={"atc": pl.String})
    )
    assert found["row"].to_list() == list(range(6))
    assert found["family"].to_list() == [
        "fluoropyrimidine",
        None,
        "fluoropyrimidine",
        "fluoropyrimidine",
        "oxaliplatin",
        "fluoropyrimidine",
    ]
    assert found["drug_class"].to_list()[3:5] == ["antifolate", "oxaliplatin"]


def test_no_rows_are_no_error() -> None:
    empty = recognise(pl.DataFrame(schema={"drug": pl.String, "atc": pl.String}))
    assert empty.height == 0
    assert {"inn", "drug_class", "family", "is_awaited"} <= set(empty.columns)


def test_every_name_and_code_of_the_list_finds_its_own_substance() -> None:
    for row in resources.reference("drugs"):
        for name in f"{row['inn']};{row['brands']};{row['aliases']}".split(";"):
            assert not name or _inn(name) == row["inn"], name
        for code in f"{row['atc']};{row['atc_old']}".split(";"):
            assert not code or _inn("unnamed", code) == row["inn"], code


def test_a_name_listed_for_two_substances_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"brands": "Twice", "aliases": ""}
    rows = ({**row, "inn": "one"}, {**row, "inn": "two"})
    monkeypatch.setattr(drugs.resources, "reference", lambda _: rows)
    drugs._names.cache_clear()
    try:
        with pytest.raises(KnowledgeError, match="'twice' names one and two"):
            drugs._names()
    finally:
        drugs._names.cache_clear()


def test_a_substance_listed_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"inn": "one", "drug_class": "c", "swap_group": ""}
    monkeypatch.setattr(drugs.resources, "reference", lambda _: (row, row))
    drugs.substances.cache_clear()
    try:
        with pytest.raises(KnowledgeError, match="lists a substance twice"):
            drugs.substances()
    finally:
        drugs.substances.cache_clear()
