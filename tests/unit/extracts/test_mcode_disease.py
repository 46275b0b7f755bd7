"""mCODE on FHIR: tumours, work-ups of metastases and outcomes."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.extracts.fhir_resources import (
    ICD,
    ICD_O,
    LOINC,
    MCODE,
    SNOMED,
    Resource,
    coded,
    component,
    done,
    drug,
    metastasis,
    noticed,
    observed,
    only,
    resource,
    rows,
    taken,
    tumour,
    unmapped,
)


@pytest.mark.parametrize(
    ("elements", "topography"),
    [
        ({"code": coded(ICD, "C18.7")}, "C18.7"),
        ({"code": coded("http://hl7.org/fhir/sid/icd-10", "C187")}, "C18.7"),
        ({"code": coded(ICD, "C20")}, "C20.9"),
        ({"code": coded("urn:oid:2.16.840.1.113883.6.90", "C19")}, "C19.9"),
        ({"code": coded(SNOMED, "363406005")}, "C18.9"),
        ({"code": coded(SNOMED, "363406005"), "bodySite": [coded(SNOMED, "60184004")]}, "C18.7"),
        ({"code": coded(ICD, "C18.9"), "bodySite": [coded(ICD_O, "C18.2")]}, "C18.2"),
        ({"code": coded(ICD, "C18.2"), "bodySite": [coded(SNOMED, "71854001")]}, "C18.2"),
        ({"code": coded(SNOMED, "93984006")}, "C20.9"),
        ({"code": coded(SNOMED, "363406005"), "bodySite": [{"text": "Splenic Flexure"}]}, "C18.5"),
        ({"code": {"text": "Adenocarcinoma"}, "bodySite": [coded(SNOMED, "34402009")],
          "meta": {"profile": [MCODE + "primary-cancer-condition|4.0.0"]}}, "C20.9"),
    ],
)  # fmt: skip
def test_a_colorectal_cancer_is_told_by_its_codes(tmp_path: Path, elements: Resource, topography: str) -> None:
    extract = taken(tmp_path, tumour(**elements))
    row = only(extract, "tumour")
    assert (row["topography"], row["diagnosis_date"], row["tumour_id"]) == (topography, "2020-02-01", "t1")
    assert "not_colorectal" not in noticed(extract)


@pytest.mark.parametrize(
    "elements",
    [{"code": coded(ICD, "C50.9")}, {"code": coded(ICD, "C22.0"), "bodySite": [coded(SNOMED, "34402009")]},
     {"code": {"text": "x"}, "meta": {"profile": [MCODE + "primary-cancer-condition"]}}],
)  # fmt: skip
def test_a_cancer_elsewhere_makes_no_tumour_and_is_noticed(tmp_path: Path, elements: Resource) -> None:
    extract = taken(tmp_path, tumour(**elements))
    assert not rows(extract, "tumour")
    assert "not_colorectal" in noticed(extract)
    assert unmapped(extract) == 1


def test_a_disease_that_is_no_cancer_makes_no_tumour_whatever_its_site(tmp_path: Path) -> None:
    extract = taken(tmp_path, tumour(code=coded(ICD, "K57.3"), bodySite=[coded(SNOMED, "60184004")]))
    assert not rows(extract, "tumour")
    assert noticed(extract) == {"resource_not_mapped"}


@pytest.mark.parametrize(
    ("status", "is_told"),
    [("confirmed", True), ("refuted", False), ("entered-in-error", False), ("provisional", False), ("other", True)],
)
def test_only_a_confirmed_diagnosis_makes_a_tumour(tmp_path: Path, status: str, *, is_told: bool) -> None:
    extract = taken(tmp_path, tumour(verificationStatus=coded("urn:x", status)))
    assert len(rows(extract, "tumour")) == int(is_told)
    assert ("condition_not_confirmed" in noticed(extract)) is not is_told


def test_conditions_of_one_site_are_one_tumour_and_of_two_sites_are_two(tmp_path: Path) -> None:
    later = tumour("t2", onsetDateTime="2020-06-01")
    extract = taken(tmp_path, later, tumour(), tumour("t3", "C20"))
    assert [(r["tumour_id"], r["diagnosis_date"]) for r in rows(extract, "tumour")] == [
        ("t1", "2020-02-01"), ("t3", "2020-02-01"),
    ]  # fmt: skip
    assert unmapped(extract) == 0


@pytest.mark.parametrize(
    ("elements", "day"),
    [
        ({"onsetDateTime": "2020-02"}, "2020-02"),
        ({"onsetPeriod": {"start": "2020-02-03"}}, "2020-02-03"),
        ({"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/condition-assertedDate",
                         "valueDateTime": "2020-02-04"}], "recordedDate": "2021-01-01"}, "2020-02-04"),
        ({"recordedDate": "2021-01-01T00:00:00+01:00"}, "2021-01-01"),
        ({}, None),
    ],
)  # fmt: skip
def test_the_diagnosis_has_the_day_of_onset_else_of_its_record(
    tmp_path: Path, elements: Resource, day: str | None
) -> None:
    found = {**tumour(), **elements}
    if "onsetDateTime" not in elements:
        del found["onsetDateTime"]
    assert only(taken(tmp_path, found), "tumour").get("diagnosis_date") == day


@pytest.mark.parametrize(
    ("histology", "morphology"),
    [(coded(ICD_O, "8480/3"), "8480/3"), (coded(SNOMED, "35917007"), "8140/3"), (coded(SNOMED, "1"), None)],
)
def test_the_morphology_is_that_of_the_histology_extension(
    tmp_path: Path, histology: Resource, morphology: str | None
) -> None:
    told = [{"url": MCODE + "histology-morphology-behavior", "valueCodeableConcept": histology}]
    assert only(taken(tmp_path, tumour(extension=told)), "tumour").get("morphology") == morphology


@pytest.mark.parametrize(
    ("code", "value", "column", "expected"),
    [
        ("21899-0", coded("http://cancerstaging.org", "pT4a"), "t_category", "T4a"),
        ("21905-5", coded(SNOMED, "1228938002"), "t_category", "T3"),
        (
            "21906-3",
            coded(SNOMED, "0", "American Joint Committee on Cancer cN1c (qualifier value)"),
            "n_category",
            "N1c",
        ),
        ("21901-4", {"text": "ypM1b"}, "m_category", "M1b"),
        ("21899-0", {"text": "pTis"}, "t_category", "Tis"),
        ("21905-5", coded(SNOMED, "1222604002"), "t_category", None),
        ("21905-5", {"text": "T3 or so"}, "t_category", "T3"),
        ("21905-5", {"text": "pN1"}, "t_category", None),
        ("21905-5", {"text": "stage II"}, "t_category", None),
    ],
)
def test_categories_are_read_in_any_spelling(
    tmp_path: Path, code: str, value: Resource, column: str, expected: str | None
) -> None:
    extract = taken(tmp_path, tumour(), observed(code, valueCodeableConcept=value))
    assert only(extract, "tumour").get(column) == expected
    assert unmapped(extract) == 0


def test_pathology_goes_before_the_clinic_and_m1_before_m0(tmp_path: Path) -> None:
    def found(code: str, id_: str, value: str, day: str) -> Resource:
        return observed(code, id_, valueCodeableConcept={"text": value}, effectiveDateTime=day)

    extract = taken(
        tmp_path,
        tumour(),
        found("21905-5", "a", "cT4", "2020-01-01"),
        found("21899-0", "b", "pT3", "2020-03-01"),
        found("21899-0", "c", "pT2", "2020-04-01"),
        found("21901-4", "d", "pM0", "2020-03-01"),
        found("21907-1", "e", "cM1a", "2020-01-01"),
        observed("21893-3", "f", valueQuantity={"value": 4}),
        observed("21908-9", "g", valueCodeableConcept={"text": "4"}),
    )
    row = only(extract, "tumour")
    assert (row["t_category"], row["m_category"], row["nodes_positive"]) == ("T3", "M1a", "4")
    assert unmapped(extract) == 1
    assert noticed(extract) == {"resource_not_mapped"}


@pytest.mark.parametrize("count", [0, 2])
def test_a_category_that_names_no_tumour_needs_a_patient_with_just_one(tmp_path: Path, count: int) -> None:
    tumours = [tumour(), tumour("t2", "C20")][:count]
    extract = taken(tmp_path, *tumours, observed("21899-0", valueCodeableConcept={"text": "pT3"}))
    assert all("t_category" not in row for row in rows(extract, "tumour"))
    assert "staging_not_linked" in noticed(extract)


def test_what_is_about_another_cancer_is_left_out_and_noticed(tmp_path: Path) -> None:
    breast = tumour("b1", "C50.9")
    about = {"focus": [{"reference": "Condition/b1"}]}
    reason = {"reasonReference": [{"reference": "Condition/b1"}]}
    extract = taken(
        tmp_path, tumour(), breast, observed("21899-0", "a", valueCodeableConcept={"text": "pT1"}, **about),
        observed("97509-4", "b", valueCodeableConcept=coded(SNOMED, "359746009"), **about),
        drug(**reason), done(code={"text": "Hepatectomy"}, **reason),
    )  # fmt: skip
    assert "t_category" not in only(extract, "tumour")
    assert not [name for name in ("outcome", "drug_exposure", "procedure") if rows(extract, name)]
    assert sum(len(n.rows) for n in extract.notices if n.check_name == "of_other_cancer") == 4


def test_a_work_up_merges_what_was_found_on_a_day(tmp_path: Path) -> None:
    size = {"value": 2.5, "unit": "cm", "code": "cm"}
    extract = taken(
        tmp_path, metastasis(), metastasis("m2", "C78.0", "2020-03-05"),
        observed("2039-6", "a", valueQuantity={"value": 12.5, "unit": "ug/L"}),
        observed("89247-1", "b", valueInteger=1),
        observed("21889-1", "c", bodySite=coded(SNOMED, "10200004"), valueQuantity=size),
        observed("21889-1", "d", focus=[{"reference": "Condition/m1"}], component=[
            component("33728-7", valueQuantity={"value": 31, "unit": "mm"})]),
        observed("21889-1", "e", bodySite=coded(SNOMED, "39607008"), valueQuantity={"value": 90, "unit": "mm"}),
    )  # fmt: skip
    first, second = sorted(rows(extract, "assessment"), key=lambda row: row["assessment_date"])
    assert first.items() >= {"assessment_date": "2020-03-01", "mets_sites": "liver"}.items()
    assert second.items() >= {
        "assessment_date": "2020-03-05", "first_metastasis_date": "2020-03-01", "mets_diagnosis_date": "2020-03-01",
        "mets_sites": "liver;lung", "cea_ng_ml": "12.5", "ecog": "1", "crlm_max_mm": "31.0",
    }.items()  # fmt: skip
    assert unmapped(extract) == 1


@pytest.mark.parametrize(
    ("elements", "value"),
    [
        ({"valueQuantity": {"value": 3.10, "unit": "ng/mL"}}, "3.1"),
        ({"valueQuantity": {"value": 3, "code": "ug/L", "unit": "microgram per litre"}}, "3"),
        ({"valueQuantity": {"value": 3, "unit": "U/L"}}, None),
        ({"valueQuantity": {"value": 3}}, None),
        ({"valueQuantity": {"value": 0.5, "unit": "ng/mL", "comparator": "<"}}, None),
        ({"dataAbsentReason": coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown")}, None),
    ],
)
def test_cea_needs_a_number_in_a_unit_that_is_known(tmp_path: Path, elements: Resource, value: str | None) -> None:
    extract = taken(tmp_path, metastasis(), observed("2039-6", **elements))
    row = next(row for row in rows(extract, "assessment") if row["assessment_date"] == "2020-03-05")
    assert row.get("cea_ng_ml") == value
    assert ("value_not_used" in noticed(extract)) is (value is None)


@pytest.mark.parametrize(
    ("day", "is_kept"), [("2020-02-29", False), ("2020-03-01", True), ("2020-03-02T08:00:00Z", True)]
)
def test_measurements_before_metastases_make_no_work_up(tmp_path: Path, day: str, *, is_kept: bool) -> None:
    extract = taken(tmp_path, metastasis(), observed("89247-1", valueInteger=0, effectiveDateTime=day))
    assert any("ecog" in row for row in rows(extract, "assessment")) is is_kept
    assert ("measured_before_metastases" in noticed(extract)) is not is_kept


def test_m1_at_diagnosis_is_metastatic_by_itself(tmp_path: Path) -> None:
    m1 = observed("21907-1", "m", valueCodeableConcept={"text": "cM1"})
    extract = taken(tmp_path, tumour(), m1, observed("89247-1", valueInteger=2))
    assert only(extract, "assessment")["ecog"] == "2"


def test_ecog_may_be_an_answer_of_loinc(tmp_path: Path) -> None:
    extract = taken(
        tmp_path, metastasis(day="2020-03-05"), observed("89247-1", valueCodeableConcept=coded(LOINC, "LA9624-3"))
    )
    assert only(extract, "assessment")["ecog"] == "2"


@pytest.mark.parametrize("unknown", [{"code": "C77.2"}, {"code": "C78.0", "day": None}])
def test_organs_are_unknown_where_one_metastasis_has_no_organ_or_day(tmp_path: Path, unknown: dict[str, Any]) -> None:
    extract = taken(tmp_path, metastasis(), metastasis("m2", **unknown))
    row = next(row for row in rows(extract, "assessment") if "mets_diagnosis_date" in row)
    assert row["mets_diagnosis_date"] == "2020-03-01"
    assert "mets_sites" not in row
    assert noticed(extract) & {"metastasis_organ_unknown", "metastasis_undated"}


@pytest.mark.parametrize(
    ("elements", "organ"),
    [
        ({"code": coded(SNOMED, "94381002")}, "liver"),
        ({"code": coded(ICD, "C78.02")}, "lung"),
        ({"code": coded(SNOMED, "128462008"), "bodySite": [coded(SNOMED, "12738006")]}, "brain"),
        ({"code": {"text": "x"}, "bodySite": [coded(SNOMED, "15497006")],
          "meta": {"profile": [MCODE + "secondary-cancer-condition"]}}, "ovary"),
    ],
)  # fmt: skip
def test_a_metastasis_is_told_by_code_or_profile_and_site(tmp_path: Path, elements: Resource, organ: str) -> None:
    extract = taken(tmp_path, resource("Condition", "m1", onsetDateTime="2020-03-01", **elements))
    assert only(extract, "assessment")["mets_sites"] == organ


def test_values_of_one_day_that_differ_are_noticed(tmp_path: Path) -> None:
    ecog = [observed("89247-1", id_, valueInteger=n) for id_, n in (("a", 1), ("b", 2))]
    extract = taken(tmp_path, metastasis(day="2020-03-05"), *ecog)
    assert only(extract, "assessment")["ecog"] == "1"
    assert noticed(extract) == {"measurements_differ"}


@pytest.mark.parametrize(
    ("code", "outcome"),
    [("281900007", "complete_response"), ("268910001", "partial_response"), ("359746009", "stable_disease"),
     ("271299001", "progression"), ("709137006", None), ("1", "1")],
)  # fmt: skip
def test_a_judgement_of_the_disease_is_an_outcome_unless_it_is_undetermined(
    tmp_path: Path, code: str, outcome: str | None
) -> None:
    extract = taken(tmp_path, observed("97509-4", valueCodeableConcept=coded(SNOMED, code)))
    assert [row["outcome"] for row in rows(extract, "outcome")] == ([outcome] if outcome else [])
    assert ("disease_status_undetermined" in noticed(extract)) is (outcome is None)
