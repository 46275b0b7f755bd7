"""mCODE on FHIR, written here by hand: patients, tumours, work-ups, biomarkers, treatment, and what is noticed."""

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.synthetic import write_sample
from crlm_pipeline.synthetic.layouts import mcode as layout
from crlm_pipeline.validation import validate
from tests.unit.extracts.files import read

Resource = dict[str, Any]
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
ICD, ICD_O = "http://hl7.org/fhir/sid/icd-10-cm", "http://terminology.hl7.org/CodeSystem/icd-o-3"
MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-"
PERSON: Resource = {"resourceType": "Patient", "id": "p1"}


def coded(system: str, code: str, display: str | None = None) -> Resource:
    coding = {"system": system, "code": code}
    return {"coding": [coding | ({"display": display} if display else {})]}


def resource(type_: str, id_: str = "x", patient: str = "Patient/p1", **elements: Any) -> Resource:
    return {"resourceType": type_, "id": id_, "subject": {"reference": patient}, **elements}


def tumour(id_: str = "t1", icd: str = "C18.7", /, **elements: Any) -> Resource:
    return resource("Condition", id_, **{"code": coded(ICD, icd), "onsetDateTime": "2020-02-01", **elements})


def metastasis(id_: str = "m1", code: str = "C78.7", day: str | None = "2020-03-01", **elements: Any) -> Resource:
    return resource("Condition", id_, code=coded(ICD, code), **({"onsetDateTime": day} if day else {}), **elements)


def observed(loinc: str, id_: str = "o1", /, **elements: Any) -> Resource:
    about = {"status": "final", "effectiveDateTime": "2020-03-05", "code": coded(LOINC, loinc)}
    return resource("Observation", id_, **{**about, **elements})


def variant(gene: str, answer: str = "LA9633-4", *components: Resource, **elements: Any) -> Resource:
    named = {"code": coded(LOINC, "48018-6"), "valueCodeableConcept": {"text": gene}}
    value = coded(LOINC, answer)
    return observed("69548-6", **{"valueCodeableConcept": value, "component": [named, *components], **elements})


def component(code: str, **value: Any) -> Resource:
    return {"code": coded(LOINC, code), **value}


def drug(type_: str = "MedicationAdministration", id_: str = "d1", **elements: Any) -> Resource:
    given = {"status": "completed", "medicationCodeableConcept": {"text": "oxaliplatin"}}
    return resource(type_, id_, **{**given, "effectiveDateTime": "2020-04-01", **elements})


def done(id_: str = "l1", **elements: Any) -> Resource:
    return resource("Procedure", id_, **{"status": "completed", "performedDateTime": "2020-05-01", **elements})


def ndjson(*resources: Resource) -> str:
    return "\n".join(json.dumps(each) for each in resources)


def taken(folder: Path, *resources: Resource) -> Extract:
    """The resources, beside a patient, as one NDJSON file."""
    return read(folder, {"all.ndjson": ndjson(PERSON, *resources)})


def rows(extract: Extract, name: str) -> list[dict[str, Any]]:
    """The rows of a table over all files, without what is unknown."""
    frames = [part.frame for part in extract.tables if part.table_name == name]
    table = pl.concat(frames, how="diagonal").to_dicts() if frames else []
    return [{column: value for column, value in row.items() if value is not None} for row in table]


def only(extract: Extract, name: str) -> dict[str, Any]:
    (row,) = rows(extract, name)
    return row


def noticed(extract: Extract) -> set[str]:
    everyday = {"no_colorectal_tumour", "centre_not_named"}
    return {notice.check_name for notice in extract.notices} - everyday


def unmapped(extract: Extract) -> int:
    return sum(file.unmapped_count for file in extract.files)


# ---------------------------------------------------------------------------------------------------------------- files


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


# ----------------------------------------------------------------------------------------------------------- references


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


# -------------------------------------------------------------------------------------------------------------- patient


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


# -------------------------------------------------------------------------------------------------------------- tumours


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
        tmp_path, tumour(), found("21905-5", "a", "cT4", "2020-01-01"), found("21899-0", "b", "pT3", "2020-03-01"),
        found("21899-0", "c", "pT2", "2020-04-01"), found("21901-4", "d", "pM0", "2020-03-01"),
        found("21907-1", "e", "cM1a", "2020-01-01"),
        observed("21893-3", "f", valueQuantity={"value": 4}), observed("21908-9", "g", valueCodeableConcept={"text": "4"}),
    )  # fmt: skip
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


# ------------------------------------------------------------------------------------------------------------- work-ups


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


# ----------------------------------------------------------------------------------------------------------- biomarkers


@pytest.mark.parametrize(
    ("answer", "result", "reason"),
    [
        ("LA9633-4", "mutated", None),
        ("LA9634-2", "not_detected", None),
        ("LA18198-4", "failed", None),
        ("LA11884-6", "indeterminate", None),
        ("LA0000-0", "LA0000-0", None),
    ],
)
def test_the_result_of_a_variant_is_its_presence(tmp_path: Path, answer: str, result: str, reason: str | None) -> None:
    row = only(taken(tmp_path, variant("KRAS", answer)), "biomarker")
    assert (row["analyte"], row["result"], row.get("missing_reason")) == ("kras", result, reason)


def test_a_variant_bears_its_change_share_and_days(tmp_path: Path) -> None:
    extract = taken(
        tmp_path,
        variant(
            "KRAS", "LA9633-4",
            component("48005-3", valueCodeableConcept=coded("http://varnomen.hgvs.org", "p.Gly12Cys")),
            component("48004-6", valueCodeableConcept={"text": "c.34G>T"}),
            component("81258-6", valueQuantity={"value": 0.31}),
            issued="2020-03-09T10:00:00.000+01:00", method={"text": "Next generation sequencing"},
        ),
    )  # fmt: skip
    assert only(extract, "biomarker").items() >= {
        "hgvs_p": "p.Gly12Cys", "hgvs_c": "c.34G>T", "vaf_percent": "31", "sample_date": "2020-03-05",
        "report_date": "2020-03-09", "method": "ngs", "specimen_id": "o1",
    }.items()  # fmt: skip


@pytest.mark.parametrize(
    ("quantity", "percent"),
    [({"value": 31, "unit": "%"}, "31"), ({"value": 0.31, "code": "1"}, "31"), ({"value": 0.5, "code": "%"}, "0.5"),
     ({"value": 31}, "31"), ({"value": "x"}, "x")],
)  # fmt: skip
def test_a_share_of_alleles_is_in_percent(tmp_path: Path, quantity: Resource, percent: str) -> None:
    extract = taken(tmp_path, variant("KRAS", "LA9633-4", component("81258-6", valueQuantity=quantity)))
    assert only(extract, "biomarker")["vaf_percent"] == percent


@pytest.mark.parametrize(
    ("gene", "analyte"),
    [(coded("http://www.genenames.org/geneId", "HGNC:7989"), "nras"), (coded("http://www.genenames.org", "1097"), "braf"),
     ({"text": "braf"}, "braf"), (coded("urn:x", "y", "PIK3CA"), "pik3ca")],
)  # fmt: skip
def test_a_gene_is_told_by_number_or_symbol(tmp_path: Path, gene: Resource, analyte: str) -> None:
    found = observed("69548-6", valueCodeableConcept=coded(LOINC, "LA9634-2"),
                     component=[component("48018-6", valueCodeableConcept=gene)])  # fmt: skip
    assert only(taken(tmp_path, found), "biomarker")["analyte"] == analyte


@pytest.mark.parametrize(
    ("found", "check"), [(variant("TP53"), "gene_not_in_contract"), (observed("69548-6"), "gene_not_named")]
)
def test_a_variant_of_no_gene_of_the_contract_is_noticed(tmp_path: Path, found: Resource, check: str) -> None:
    extract = taken(tmp_path, found)
    assert not rows(extract, "biomarker")
    assert (noticed(extract), unmapped(extract)) == ({check}, 1)


@pytest.mark.parametrize(
    ("answer", "change", "result"),
    [("LA9633-4", "SO:0001742", "amplified"), ("LA9634-2", "SO:0001742", "not_amplified"),
     ("LA9633-4", "SO:0001565", "fusion"), ("LA9634-2", "SO:0001565", "not_detected"),
     ("LA9633-4", "SO:0001483", "mutated"), ("LA18198-4", "SO:0001742", "failed")],
)  # fmt: skip
def test_amplification_and_fusion_are_told_from_mutation(tmp_path: Path, answer: str, change: str, result: str) -> None:
    kind = component("48019-4", valueCodeableConcept=coded("http://www.sequenceontology.org", change))
    assert only(taken(tmp_path, variant("ERBB2", answer, kind)), "biomarker")["result"] == result


@pytest.mark.parametrize(
    ("elements", "result", "reason"),
    [
        ({}, "indeterminate", "not_recorded"),
        ({"status": "registered"}, "indeterminate", "pending"),
        ({"dataAbsentReason": coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "not-performed")},
         "indeterminate", "not_done"),
        ({"dataAbsentReason": coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "asked-declined")},
         "indeterminate", "refused"),
        ({"valueCodeableConcept": coded(LOINC, "LA14122-8")}, "mss", None),
        ({"valueCodeableConcept": coded(LOINC, "LA26203-2")}, "msi_h", None),
        ({"valueCodeableConcept": {"text": "MSI-L"}}, "msi_l", None),
        ({"valueString": "Stable"}, "mss", None),
        ({"valueCodeableConcept": coded(LOINC, "LA11884-6")}, "indeterminate", None),
        ({"valueCodeableConcept": {"text": "perhaps"}}, "perhaps", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("code", ["81695-9", "43368-0", "62862-8"])
def test_no_answer_is_never_a_negative_one(
    tmp_path: Path, code: str, elements: Resource, result: str, reason: str | None
) -> None:
    row = only(taken(tmp_path, observed(code, **elements)), "biomarker")
    assert (row["analyte"], row["result"], row.get("missing_reason")) == ("msi", result, reason)


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_an_assay_that_was_not_made_makes_no_row_and_is_noticed(tmp_path: Path, status: str) -> None:
    extract = taken(tmp_path, variant("KRAS", status=status))
    assert not rows(extract, "biomarker")
    assert noticed(extract) == {"observation_not_made"}


@pytest.mark.parametrize(
    ("code", "elements", "expected"),
    [
        ("72383-3", {"valueString": "2+"}, {"result": "ihc_2", "method": "ihc"}),
        ("72383-3", {"valueCodeableConcept": {"text": "3+"}}, {"result": "ihc_3"}),
        ("48676-1", {"valueInteger": 0}, {"result": "ihc_0"}),
        ("48676-1", {"valueCodeableConcept": {"text": "Positive"}}, {"result": "Positive"}),
        ("49683-6", {"valueQuantity": {"value": 2.0}}, {"result": "amplified", "ish_ratio": "2.0", "method": "ish"}),
        ("49683-6", {"valueQuantity": {"value": 1.99}}, {"result": "not_amplified", "ish_ratio": "1.99"}),
        ("49683-6", {"valueQuantity": {"value": 1.9}, "interpretation": [
            coded("http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "POS")]}, {"result": "amplified"}),
        ("49683-6", {"valueQuantity": {"value": 2.5, "comparator": "<"}}, {"result": "indeterminate"}),
        ("74860-8", {"valueQuantity": {"value": 7}}, {"result": "indeterminate", "copy_number": "7"}),
        ("94076-7", {"valueQuantity": {"value": 10}}, {"analyte": "tmb", "result": "high", "value": "10"}),
        ("94076-7", {"valueQuantity": {"value": 9.9}}, {"analyte": "tmb", "result": "low", "value": "9.9"}),
    ],
)  # fmt: skip
def test_her2_and_burden_keep_their_numbers(
    tmp_path: Path, code: str, elements: Resource, expected: dict[str, str]
) -> None:
    assert only(taken(tmp_path, observed(code, **elements)), "biomarker").items() >= expected.items()


@pytest.mark.parametrize(
    ("name", "value", "analyte", "result"),
    [("MLH1 protein expression", {"text": "Lost"}, "mlh1", "lost"), ("MSH6 [Presence]", {"text": "Retained"}, "msh6",
     "retained"), ("DPYD phenotype", coded(LOINC, "LA10317-8"), "dpyd", "dpd_partial")],
)  # fmt: skip
def test_repair_proteins_and_dpyd_are_told_by_name(
    tmp_path: Path, name: str, value: Resource, analyte: str, result: str
) -> None:
    row = only(taken(tmp_path, observed("0", code={"text": name}, valueCodeableConcept=value)), "biomarker")
    assert (row["analyte"], row["result"]) == (analyte, result)


@pytest.mark.parametrize(
    ("described", "region"),
    [("Codons 12, 13, 59, 61, 117 and 146", "12;13;59;61;117;146"), ("exon 2 (codons 12/13)", "12;13"),
     ("exons 2, 3 and 4", "exon2;exon3;exon4"), ("the whole gene", None)],
)  # fmt: skip
def test_a_region_studied_completes_the_result_of_its_gene_and_specimen(
    tmp_path: Path, described: str, region: str | None
) -> None:
    gene = component("48018-6", valueCodeableConcept={"text": "KRAS"})
    studied = observed("53041-0", "r", component=[gene, component("81293-3", valueString=described)],
                       specimen={"reference": "Specimen/s1"})  # fmt: skip
    assays = [variant("KRAS", "LA9634-2", specimen={"reference": f"Specimen/{s}"}, id=s) for s in ("s1", "s2")]
    extract = taken(tmp_path, *assays, studied)
    assert [row.get("region_tested") for row in rows(extract, "biomarker")] == [region, None]
    assert unmapped(extract) == 0


def test_a_region_studied_without_a_result_says_nothing(tmp_path: Path) -> None:
    gene = component("48018-6", valueCodeableConcept={"text": "KRAS"})
    extract = taken(tmp_path, observed("53041-0", component=[gene]))
    assert not rows(extract, "biomarker")
    assert noticed(extract) == {"region_without_result"}


def test_a_report_lends_specimen_and_day_to_its_results(tmp_path: Path) -> None:
    specimen = resource(
        "Specimen", "s1", collection={"collectedDateTime": "2020-03-02", "bodySite": coded(SNOMED, "60184004")}
    )
    report = resource("DiagnosticReport", "r1", issued="2020-03-12T00:00:00Z", specimen=[{"reference": "Specimen/s1"}],
                      result=[{"reference": "Observation/o1"}])  # fmt: skip
    extract = taken(tmp_path, variant("KRAS"), specimen, report)
    assert only(extract, "biomarker").items() >= {
        "specimen_id": "s1", "specimen_site": "primary", "sample_date": "2020-03-02", "report_date": "2020-03-12",
    }.items()  # fmt: skip
    assert unmapped(extract) == 0


@pytest.mark.parametrize(
    ("elements", "site"),
    [({"collection": {"bodySite": coded(SNOMED, "10200004")}}, "liver"), ({"type": coded(SNOMED, "119361006")}, "plasma"),
     ({"type": {"text": "Whole blood"}}, "blood"), ({"collection": {"bodySite": coded(SNOMED, "39607008")}},
     "other_metastasis"), ({"type": {"text": "Tissue"}}, None)],
)  # fmt: skip
def test_the_place_of_a_specimen_is_that_of_its_fluid_or_site(
    tmp_path: Path, elements: Resource, site: str | None
) -> None:
    assay = variant("KRAS", specimen={"reference": "Specimen/s1"})
    assert (
        only(taken(tmp_path, assay, resource("Specimen", "s1", **elements)), "biomarker").get("specimen_site") == site
    )


# ------------------------------------------------------------------------------------------------------------ treatment


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
    why = [{"url": MCODE + "procedure-intent", "valueCodeableConcept": coded(SNOMED, "363676003")},
           {"url": MCODE + "treatment-termination-reason", "valueCodeableConcept": coded(SNOMED, "407563006")}]  # fmt: skip
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


def request(id_: str = "r1", **elements: Any) -> Resource:
    ordered = {"intent": "order", "status": "active", "authoredOn": "2020-04-02T00:00:00Z"}
    return {k: v for k, v in drug("MedicationRequest", id_).items() if k != "effectiveDateTime"} | ordered | elements


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
        ({"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": "2020-04-05", "end": "2020-06-01"}}}}]},
         ("2020-04-05", "2020-06-01")),
        ({"dispenseRequest": {"validityPeriod": {"start": "2020-04-05"}}}, ("2020-04-05", None)),
        ({"status": "completed"}, ("2020-04-02", "2020-04-02")),
        ({}, ("2020-04-02", None)),
    ],
)  # fmt: skip
def test_the_period_of_a_request_is_that_which_it_orders(
    tmp_path: Path, elements: Resource, period: tuple[str, str | None]
) -> None:
    row = only(taken(tmp_path, request(**elements)), "drug_exposure")
    assert (row["start_date"], row.get("end_date")) == period


@pytest.mark.parametrize(
    ("elements", "treatment"),
    [
        ({"code": coded(SNOMED, "107963000")}, "resection"),
        ({"code": {"text": "Two-stage hepatectomy"}}, "two_stage"),
        ({"code": {"text": "Microwave ablation of liver tumour"}}, "mwa"),
        ({"code": {"text": "Radiofrequency ablation"}, "bodySite": [coded(SNOMED, "10200004")]}, "rfa"),
        ({"code": {"text": "Radiofrequency ablation"}, "bodySite": [coded(SNOMED, "39607008")]}, None),
        ({"code": {"text": "Radiofrequency ablation"}}, None),
        ({"code": coded(SNOMED, "1217123003"), "bodySite": [coded(SNOMED, "10200004")], "extension": [
            {"url": MCODE + "radiotherapy-modality-and-technique", "extension": [
                {"url": MCODE + "radiotherapy-modality", "valueCodeableConcept": coded(SNOMED, "10611004")}]}]}, "proton"),
        ({"code": {"text": "Portal vein embolisation"}}, "pve"),
        ({"code": coded(SNOMED, "18027006")}, "transplantation"),
        ({"code": {"text": "Wedge resection of lung"}}, None),
        ({"code": {"text": "Hepatectomy"}, "status": "not-done"}, None),
    ],
)  # fmt: skip
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


# ------------------------------------------------------------------------------------------------------------- outcomes


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
