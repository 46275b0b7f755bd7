"""Sites of the primary, by code and in words."""

import polars as pl
import pytest

from crlm_pipeline.extracts.topography import dotted, from_site_text
from crlm_pipeline.resources import reference


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C187", "C18.7"),
        ("C18.7", "C18.7"),
        ("c187", "C18.7"),
        ("C20", "C20.9"),
        (" C199 ", "C19.9"),
        ("colon", "colon"),
    ],
)
def test_icd_o_3_gets_its_dot_and_other_text_stays(text: str, expected: str) -> None:
    assert pl.DataFrame({"t": [text]}).select(dotted("t")).item() == expected


def test_an_unknown_topography_stays_unknown() -> None:
    assert pl.DataFrame({"t": [None]}, schema={"t": pl.String}).select(dotted("t")).item() is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Cecum", "C18.0"),
        ("Ileocecal Valve", "C18.0"),
        ("Sigmoid colon", "C18.7"),
        ("Sigmoid_Colon", "C18.7"),
        ("Rectosigmoid_Junction", "C19.9"),
        ("Colon", "C18.9"),
        ("Liver", None),
        (None, None),
    ],
)
def test_a_site_in_words_becomes_its_code_whatever_case_or_underscore(text: str | None, expected: str | None) -> None:
    assert pl.DataFrame({"t": [text]}, schema={"t": pl.String}).select(from_site_text("t")).item() == expected


def test_every_site_in_words_has_a_side_or_is_known_to_have_none() -> None:
    assert {row["topography"] for row in reference("site_text")} <= {
        row["topography"] for row in reference("topography")
    }


def test_the_side_of_the_transverse_colon_alone_is_uncertain() -> None:
    low = [row["topography"] for row in reference("topography") if row["side_certainty"] == "low"]
    assert low == ["C18.4"]


def test_thirty_countries_are_of_the_eu_or_the_eea() -> None:
    countries = {row["alpha_2"]: row["is_eu_eea"] for row in reference("countries")}
    assert list(countries.values()).count("true") == 30
    assert (countries["DE"], countries["NO"], countries["CH"], countries["GB"], countries["ZZ"]) == (
        "true",
        "true",
        "false",
        "false",
        "false",
    )
