"""mCODE on FHIR: files, references and patients, written here by hand; samples agree across layouts."""

import gzip
import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.synthetic import write_sample
from crlm_pipeline.synthetic.layouts import mcode as layout
from crlm_pipeline.validation import validate
from tests.unit.extracts.fhir_resources import (
    ICD,
    PERSON,
    SNOMED,
    Resource,
    coded,
    done,
    drug,
    metastasis,
    ndjson,
    noticed,
    observed,
    only,
    resource,
    rows,
    taken,
    tumour,
    unmapped,
    variant,
)
from tests.unit.extracts.files import read


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mcode")
    write_sample(folder, 60, 3, "mcode")
    return folder


def of_sample(folder: Path) -> list[Resource]:
    return [json.loads(line) for path in sorted(folder.glob("*.ndjson")) for line in path.read_text().splitlines()]


def same(first: Extract, second: Extract) -> None:
    for name in ("patient", "tumour", "assessment", "biomarker", "drug_exposure", "procedure", "outcome"):
        tables = []
        for extract in (first, second):
            frames = [part.frame.drop("source_row") for part in extract.tables if part.table_name == name]
            frame = pl.concat(frames)
            tables.append(frame.select(sorted(frame.columns)).sort(pl.all()))
        assert tables[0].height > 0, name
        assert tables[0].equals(tables[1]), name


def test_a_bundle_tells_what_the_bulk_files_tell(sample: Path, tmp_path: Path) -> None:
    bundle = layout.bundle(iter(of_sample(sample)))
    together = read(tmp_path, {"bundle.json": json.dumps(bundle, indent=1)})
    same(read_sources([sample]), together)
    assert not noticed(together)


def test_a_bundle_per_patient_tells_what_the_bulk_files_tell(sample: Path, tmp_path: Path) -> None:
    of_patient: dict[str, list[Resource]] = {}
    for each in of_sample(sample):
        who = each["id"] if each["resourceType"] == "Patient" else each.get("subject", {}).get("reference", "/")
        of_patient.setdefault(who.split("/")[-1], []).append(each)
    files = {f"{who or 'centres'}.json": json.dumps(layout.bundle(iter(own))) for who, own in of_patient.items()}
    same(read_sources([sample]), read(tmp_path, files))


def test_gzipped_files_under_any_name_tell_what_plain_ones_do(sample: Path, tmp_path: Path) -> None:
    packed = {f"{n}.gz": gzip.compress(path.read_bytes()) for n, path in enumerate(sorted(sample.glob("*.ndjson")))}
    same(read_sources([sample]), read(tmp_path, packed))


def test_the_sample_tells_what_the_canonical_tables_of_it_tell(sample: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, 60, 3, "canonical")
    carried = {
        "patient": ["patient_id", "centre_id", "country", "birth_year", "sex", "vital_status", "death_date"],
        "tumour": ["patient_id", "diagnosis_date", "topography", "morphology", "t_category", "n_category", "m_category",
                   "nodes_positive", "resection_date"],
        "biomarker": ["patient_id", "specimen_id", "specimen_site", "sample_date", "report_date", "analyte", "method",
                      "result", "hgvs_p", "vaf_percent"],
        "drug_exposure": ["patient_id", "drug", "atc", "start_date", "end_date"],
        "procedure": ["patient_id", "procedure_date", "procedure"],
        "outcome": ["patient_id", "outcome_date", "outcome"],
    }  # fmt: skip
    ours, theirs = (validate(read_sources([folder]), today=date(2026, 11, 23)) for folder in (sample, tmp_path))
    assert ours.rejected_row.height == theirs.rejected_row.height == 0
    for name, columns in carried.items():
        pair = [found.tables[name].select(columns).sort(pl.all()) for found in (ours, theirs)]
        assert pair[0].height > 5
        assert pair[0].equals(pair[1]), name
    measured = ["patient_id", "assessment_date", "cea_ng_ml", "ecog", "crlm_max_mm"]
    kept = [found.tables["assessment"].select(measured).filter(pl.any_horizontal(pl.col(measured[2:]).is_not_null()))
            .sort(pl.all()) for found in (ours, theirs)]  # fmt: skip
    assert kept[0].equals(kept[1])


def test_every_record_of_the_sample_makes_a_row_or_completes_one(sample: Path) -> None:
    extract = read_sources([sample])
    assert sum(file.row_count for file in extract.files) == len(of_sample(sample))
    assert unmapped(extract) == 0


def test_the_rows_of_ndjson_are_its_lines(tmp_path: Path) -> None:
    extract = read(tmp_path, {"Patient.ndjson": ndjson(*({**PERSON, "id": f"p{i}"} for i in range(3)))})
    assert [(row["source_row"], row["patient_id"]) for row in rows(extract, "patient")] == [
        (1, "p0"), (2, "p1"), (3, "p2"),
    ]  # fmt: skip


def test_a_delivery_without_patients_is_read_and_its_rows_are_rejected(tmp_path: Path) -> None:
    extract = read(tmp_path, {"a.json": json.dumps(tumour())})
    found = validate(extract, today=date(2026, 11, 23))
    assert found.rejected_row["check_name"].to_list() == ["patient_missing"]


def test_types_without_a_place_are_counted_and_unknown_ones_are_not_repeated(tmp_path: Path) -> None:
    extract = taken(tmp_path, resource("Appointment"), resource("Appointment"), resource("SECRET"), {})
    told = {n.message for n in extract.notices if n.check_name == "resource_not_mapped"}
    assert told == {
        "all.ndjson: 2 records of type Appointment have no place in the contract, or complete no row.",
        "all.ndjson: 2 records of an unknown type or without a resource have no place in the contract, or complete no "
        "row.",
    }
    assert unmapped(extract) == 4


@pytest.mark.parametrize(
    "odd",
    [
        {"resourceType": "Observation", "code": "x", "subject": "y", "component": [1, None, "z"], "status": 5},
        {"resourceType": "Observation", "code": {"coding": {"code": ["a"]}}, "valueQuantity": [[]], "status": "final"},
        {"resourceType": "Condition", "code": {"coding": [None, {"system": 1, "code": {}}]}, "extension": {"url": 3}},
        {"resourceType": "Patient", "id": {}, "address": "x", "deceasedBoolean": "maybe", "birthDate": 7},
        {"resourceType": "MedicationRequest", "dosageInstruction": "x", "contained": 1, "medicationReference": []},
        {"resourceType": ["Patient"], "entry": {}},
        {"resourceType": "Specimen", "collection": [{"bodySite": 3}], "type": True},
        {"resourceType": "Bundle", "entry": [[], 3, {"resource": 4}]},
    ],
)
def test_elements_of_another_shape_count_as_not_there(tmp_path: Path, odd: Resource) -> None:
    extract = read(tmp_path, {"odd.json": json.dumps({"resourceType": "Bundle", "entry": [{"resource": odd}]}),
                              "patient.json": json.dumps(PERSON)})  # fmt: skip
    validate(extract, today=date(2026, 11, 23))


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("Patient/p1", "p1"),
        ("http://server/fhir/Patient/p1/_history/3", "p1"),
        ("urn:uuid:7d", "p1"),
        ("urn:uuid:p1", "p1"),
        ("Patient/p9", "p9"),
        ("#gone", "#gone"),
    ],
)
def test_a_reference_to_a_patient_is_resolved_or_kept(tmp_path: Path, reference: str, expected: str) -> None:
    entries = [
        {"resource": resource("Condition", "t1", reference, code=coded(ICD, "C18.7"))},
        {"fullUrl": "urn:uuid:7d", "resource": PERSON},
    ]
    extract = read(tmp_path, {"b.json": json.dumps({"resourceType": "Bundle", "entry": entries})})
    assert only(extract, "tumour")["patient_id"] == expected


def test_a_resource_without_an_id_has_that_of_its_full_url(tmp_path: Path) -> None:
    entries = [{"fullUrl": "urn:uuid:7d", "resource": {"resourceType": "Patient"}}]
    extract = read(tmp_path, {"b.json": json.dumps({"resourceType": "Bundle", "entry": entries})})
    assert only(extract, "patient")["patient_id"] == "7d"


def test_a_subject_may_be_named_by_identifier(tmp_path: Path) -> None:
    named = {**tumour(), "subject": {"identifier": {"system": "urn:x", "value": "p1"}}}
    assert only(taken(tmp_path, named), "tumour")["patient_id"] == "p1"


def test_references_hold_across_files_and_by_full_url(tmp_path: Path) -> None:
    entries = [
        {"fullUrl": "urn:uuid:a", "resource": {**PERSON, "id": "p1"}},
        {"fullUrl": "urn:uuid:b", "resource": resource("Condition", "t1", "urn:uuid:a", code=coded(ICD, "C18.7"))},
        {"resource": observed("21899-0", subject={"reference": "urn:uuid:a"}, focus=[{"reference": "urn:uuid:b"}],
                              valueCodeableConcept=coded("http://cancerstaging.org", "pT3"))},
    ]  # fmt: skip
    second = observed("21900-6", "o2", focus=[{"reference": "Condition/t1"}], valueCodeableConcept={"text": "pN1b"})
    extract = read(
        tmp_path, {"b.json": json.dumps({"resourceType": "Bundle", "entry": entries}), "o.json": json.dumps(second)}
    )
    row = only(extract, "tumour")
    assert (row["t_category"], row["n_category"]) == ("T3", "N1b")


def test_contained_drugs_specimens_and_organisations_are_found(tmp_path: Path) -> None:
    person = {**PERSON, "managingOrganization": {"reference": "#c"},
              "contained": [{"resourceType": "Organization", "id": "c", "identifier": [{"value": "H7"}]}]}  # fmt: skip
    given = drug(medicationReference={"reference": "#m"},
                 contained=[{"resourceType": "Medication", "id": "m", "code": {"text": "cetuximab"}}])  # fmt: skip
    del given["medicationCodeableConcept"]
    taken_from = {"resourceType": "Specimen", "id": "s", "collection": {
        "collectedDateTime": "2020-03-01", "bodySite": coded(SNOMED, "10200004")}}  # fmt: skip
    assay = variant("KRAS", specimen={"reference": "#s"}, contained=[taken_from])
    extract = read(tmp_path, {"all.ndjson": ndjson(person, given, assay)})
    assert only(extract, "patient")["centre_id"] == "H7"
    assert only(extract, "drug_exposure")["drug"] == "cetuximab"
    found = only(extract, "biomarker")
    assert (found["specimen_site"], found["sample_date"]) == ("liver", "2020-03-01")


@pytest.mark.parametrize(
    ("elements", "status", "died"),
    [
        ({"deceasedBoolean": True}, "dead", None),
        ({"deceasedBoolean": False}, "alive", None),
        ({"deceasedDateTime": "2021-05-03T10:00:00Z"}, "dead", "2021-05-03"),
        ({}, None, None),
    ],
)
def test_the_dead_are_told_from_the_living_and_the_unknown(
    tmp_path: Path, elements: Resource, status: str | None, died: str | None
) -> None:
    row = only(read(tmp_path, {"p.json": json.dumps({**PERSON, **elements})}), "patient")
    assert (row.get("vital_status"), row.get("death_date")) == (status, died)


@pytest.mark.parametrize(("gender", "sex"), [("female", "female"), ("other", "other"), ("unknown", None), ("x", "x")])
def test_an_unknown_gender_is_unknown(tmp_path: Path, gender: str, sex: str | None) -> None:
    assert only(read(tmp_path, {"p.json": json.dumps({**PERSON, "gender": gender})}), "patient").get("sex") == sex


@pytest.mark.parametrize(
    ("country", "expected", "is_noticed"),
    [("NL", "NL", False), ("usa", "US", False), ("Ruritania", "ZZ", True), (None, "ZZ", False)],
)
def test_the_country_is_that_of_the_address(
    tmp_path: Path, country: str | None, expected: str, *, is_noticed: bool
) -> None:
    address = [{"city": "x"}, {"country": country}] if country else []
    extract = read(tmp_path, {"p.json": json.dumps({**PERSON, "address": address})})
    assert only(extract, "patient")["country"] == expected
    assert ("country_not_known" in noticed(extract)) is is_noticed


def test_the_centre_is_the_managing_organisation_else_that_of_the_first_encounter(tmp_path: Path) -> None:
    def seen(id_: str, day: str, centre: str, status: str = "finished") -> Resource:
        return resource("Encounter", id_, status=status, period={"start": day},
                        serviceProvider={"reference": f"Organization/{centre}"})  # fmt: skip

    visits = [seen("e1", "2021-01-05", "B"), seen("e2", "2020-01-05", "A"), seen("e3", "2019-01-01", "C", "cancelled")]
    extract = taken(tmp_path / "a", *visits)
    assert only(extract, "patient")["centre_id"] == "A"
    assert only(extract, "patient")["last_contact_date"] == "2021-01-05"
    assert unmapped(extract) == 1
    managed = {**PERSON, "managingOrganization": {"reference": "Organization/Z"}}
    assert only(read(tmp_path / "b", {"a.ndjson": ndjson(managed, *visits)}), "patient")["centre_id"] == "Z"


def test_no_notice_holds_a_value(tmp_path: Path) -> None:
    secret = "Q7SECRET"  # noqa: S105  # a marker
    person = {**PERSON, "id": secret, "name": [{"text": secret}], "address": [{"country": secret}], "gender": secret}
    who = {"subject": {"reference": f"Patient/{secret}"}}
    extract = read(tmp_path, {"a.ndjson": ndjson(
        person, {**tumour(secret, "C50.9"), **who}, {**metastasis(day=None), **who}, {**variant(secret), **who},
        {**drug(status="not-done"), **who}, {**done(code={"text": secret}), **who}, {"resourceType": secret},
        {**observed("21899-0", valueString=secret), **who}, {**observed("2039-6", valueString=secret), **who},
    )})  # fmt: skip
    assert len(extract.notices) >= 9
    assert not [n for n in extract.notices if secret.lower() in n.message.lower()]
