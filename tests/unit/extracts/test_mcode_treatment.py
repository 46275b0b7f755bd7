"""mCODE on FHIR: drugs, requests, local treatments and resections of the primary."""

from pathlib import Path

import pytest

from tests.therapy import given, lines_of, progression
from tests.unit.extracts.fhir_resources import (
    MCODE,
    SNOMED,
    Resource,
    coded,
    done,
    drug,
    noticed,
    only,
    request,
    rows,
    taken,
    tumour,
    unmapped,
)


@pytest.mark.parametrize(
    ("type_", "status", "is_given"),
    [
        ("MedicationAdministration", "completed", True), ("MedicationAdministration", "stopped", True),
        ("MedicationAdministration", "not-done", False), ("MedicationAdministration", "entered-in-error", False),
        ("MedicationStatement", "active", True), ("MedicationStatement", "not-taken", False),
        ("MedicationStatement", "intended", False),
    ],
)  # fmt: skip
def test_only_a_drug_that_was_given_makes_an_exposure(
    tmp_path: Path, type_: str, status: str, *, is_given: bool
) -> None:
    extract = taken(tmp_path, drug(type_, status=status))
    assert len(rows(extract, "drug_exposure")) == int(is_given)
    assert ("treatment_not_given" in noticed(extract)) is not is_given


@pytest.mark.parametrize(
    ("elements", "end"),
    [
        ({"effectiveDateTime": "2020-04-01T09:00:00Z"}, "2020-04-01"),
        ({"effectiveDateTime": "2020-04-01", "status": "in-progress"}, None),
        ({"effectivePeriod": {"start": "2020-04-01", "end": "2020-07-01"}}, "2020-07-01"),
        ({"effectivePeriod": {"start": "2020-04-01"}}, None),
    ],
)
def test_a_drug_ends_with_its_period_or_its_day(tmp_path: Path, elements: Resource, end: str | None) -> None:
    given = {k: v for k, v in drug().items() if k != "effectiveDateTime"} | elements
    row = only(taken(tmp_path, given), "drug_exposure")
    assert (row["start_date"], row.get("end_date")) == ("2020-04-01", end)


def test_an_exposure_bears_code_intent_dose_and_why_it_ended(tmp_path: Path) -> None:
    why = [
        {"url": MCODE + "procedure-intent", "valueCodeableConcept": coded(SNOMED, "363676003")},
        {"url": MCODE + "treatment-termination-reason", "valueCodeableConcept": coded(SNOMED, "407563006")},
    ]
    given = drug(extension=why, medicationCodeableConcept=coded("http://www.whocc.no/atc", "L01XA03", "Oxaliplatin"),
                 dosage={"dose": {"value": 150, "unit": "mg"}})  # fmt: skip
    assert only(taken(tmp_path, given), "drug_exposure").items() >= {
        "drug": "Oxaliplatin", "atc": "L01XA03", "intent": "palliative", "stop_reason": "toxicity", "dose_mg": "150",
    }.items()  # fmt: skip


@pytest.mark.parametrize(
    ("concept", "name"),
    [({"text": "FOLFOX"}, "FOLFOX"), (coded("http://www.nlm.nih.gov/research/umls/rxnorm", "32592", "oxaliplatin"),
     "oxaliplatin"), (coded("http://www.nlm.nih.gov/research/umls/rxnorm", "32592"), "RxNorm 32592")],
)  # fmt: skip
def test_a_drug_is_named_by_text_display_or_code(tmp_path: Path, concept: Resource, name: str) -> None:
    assert only(taken(tmp_path, drug(medicationCodeableConcept=concept)), "drug_exposure")["drug"] == name


def test_a_medication_resource_names_the_drug(tmp_path: Path) -> None:
    given = drug(medicationReference={"reference": "Medication/m1"})
    del given["medicationCodeableConcept"]
    known = {"resourceType": "Medication", "id": "m1", "code": {"text": "irinotecan"}}
    extract = taken(tmp_path, given, known)
    assert only(extract, "drug_exposure")["drug"] == "irinotecan"
    assert unmapped(extract) == 0


@pytest.mark.parametrize(
    ("beside", "is_used"),
    [
        ([], True),
        ([drug()], False),
        ([drug("MedicationStatement", medicationCodeableConcept={"text": "Oxaliplatin"})], False),
        ([drug(medicationCodeableConcept={"text": "irinotecan"})], True),
        ([drug(status="not-done")], True),
        ([drug(subject={"reference": "Patient/p2"})], True),
    ],
)
def test_a_request_counts_only_where_nothing_else_tells_of_the_drug(
    tmp_path: Path, beside: list[Resource], *, is_used: bool
) -> None:
    extract = taken(tmp_path, request(), *beside)
    assert ("2020-04-02" in {row["start_date"] for row in rows(extract, "drug_exposure")}) is is_used
    assert {"request_taken_as_given", "request_not_used"} & noticed(extract) == {
        "request_taken_as_given" if is_used else "request_not_used"
    }


@pytest.mark.parametrize(
    "elements",
    [{"status": "draft"}, {"status": "cancelled"}, {"intent": "proposal"}, {"intent": "plan"}, {"doNotPerform": True}],
)
def test_a_request_that_orders_nothing_is_none(tmp_path: Path, elements: Resource) -> None:
    extract = taken(tmp_path, request(**elements))
    assert not rows(extract, "drug_exposure")
    assert noticed(extract) == {"treatment_not_given"}


@pytest.mark.parametrize(
    ("elements", "period"),
    [
        (
            {
                "dosageInstruction": [
                    {"timing": {"repeat": {"boundsPeriod": {"start": "2020-04-05", "end": "2020-06-01"}}}}
                ]
            },
            ("2020-04-05", "2020-06-01"),
        ),
        ({"dispenseRequest": {"validityPeriod": {"start": "2020-04-05"}}}, ("2020-04-05", None)),
        ({"status": "completed"}, ("2020-04-02", "2020-04-02")),
        ({}, ("2020-04-02", None)),
    ],
)
def test_the_period_of_a_request_is_that_which_it_orders(
    tmp_path: Path, elements: Resource, period: tuple[str, str | None]
) -> None:
    row = only(taken(tmp_path, request(**elements)), "drug_exposure")
    assert (row["start_date"], row.get("end_date")) == period


def test_single_administrations_make_the_lines_that_their_periods_make() -> None:
    """Two lines of oxaliplatin with capecitabine, then irinotecan, every 14 days, and the same as three periods."""
    single = [each for day in range(0, 168, 14) for each in given("oxaliplatin + capecitabine", day, day)]
    single += [each for day in range(200, 300, 14) for each in given("irinotecan", day, day)]
    periods = [*given("oxaliplatin + capecitabine", 0, 154), *given("irinotecan", 200, 298)]
    one, other = (lines_of(rows, outcomes=[progression(180)]).line_of_therapy for rows in (single, periods))
    assert one.height == 2
    assert one.equals(other)


@pytest.mark.parametrize(
    ("elements", "treatment"),
    [
        ({"code": coded(SNOMED, "107963000")}, "resection"),
        ({"code": {"text": "Two-stage hepatectomy"}}, "two_stage"),
        ({"code": {"text": "Microwave ablation of liver tumour"}}, "mwa"),
        ({"code": {"text": "Radiofrequency ablation"}, "bodySite": [coded(SNOMED, "10200004")]}, "rfa"),
        ({"code": {"text": "Radiofrequency ablation"}, "bodySite": [coded(SNOMED, "39607008")]}, None),
        ({"code": {"text": "Radiofrequency ablation"}}, None),
        (
            {
                "code": coded(SNOMED, "1217123003"),
                "bodySite": [coded(SNOMED, "10200004")],
                "extension": [
                    {
                        "url": MCODE + "radiotherapy-modality-and-technique",
                        "extension": [
                            {"url": MCODE + "radiotherapy-modality", "valueCodeableConcept": coded(SNOMED, "10611004")}
                        ],
                    }
                ],
            },
            "proton",
        ),
        ({"code": {"text": "Portal vein embolisation"}}, "pve"),
        ({"code": coded(SNOMED, "18027006")}, "transplantation"),
        ({"code": {"text": "Wedge resection of lung"}}, None),
        ({"code": {"text": "Hepatectomy"}, "status": "not-done"}, None),
    ],
)
def test_a_local_treatment_of_the_liver_is_told_by_code_or_words(
    tmp_path: Path, elements: Resource, treatment: str | None
) -> None:
    extract = taken(tmp_path, done(**elements))
    assert [row["procedure"] for row in rows(extract, "procedure")] == ([treatment] if treatment else [])
    assert bool(noticed(extract) & {"procedure_not_mapped", "procedure_not_done"}) is (treatment is None)


def test_a_resection_of_the_primary_completes_its_tumour(tmp_path: Path) -> None:
    right = done("a", code={"text": "Laparoscopic right hemicolectomy"}, performedPeriod={"start": "2020-05-02"})
    del right["performedDateTime"]
    rectum = done("b", code=coded(SNOMED, "4558008"), reasonReference=[{"reference": "Condition/t2"}])
    extract = taken(tmp_path / "a", tumour(), right)
    assert only(extract, "tumour")["resection_date"] == "2020-05-02"
    assert unmapped(extract) == 0
    both = taken(tmp_path / "b", tumour(), tumour("t2", "C20"), right, rectum)
    assert {row["tumour_id"]: row.get("resection_date") for row in rows(both, "tumour")} == {
        "t1": None,
        "t2": "2020-05-01",
    }
    assert noticed(both) == {"procedure_not_mapped"}
