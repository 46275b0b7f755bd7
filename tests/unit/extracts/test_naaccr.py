"""NAACCR XML, written here by hand: patients, tumours, assessments, biomarkers, and what is noticed."""

import gzip
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.validation import validate
from tests.unit.extracts.files import checks, read, table

Items = Mapping[str, str]
PATIENT: Items = {
    "patientIdNumber": "00000007",
    "nameLast": "Marker",
    "sex": "2",
    "dateOfBirth": "19500331",
    "vitalStatus": "1",
    "dateOfLastContact": "20240105",
}
TUMOUR: Items = {
    "tumorRecordNumber": "01",
    "primarySite": "C187",
    "histologicTypeIcdO3": "8140",
    "behaviorCodeIcdO3": "3",
    "dateOfDiagnosis": "20220511",
    "reportingFacility": "0000012345",
    "addrAtDxCountry": "USA",
}
NO_METASTASES: Items = {f"metsAtDx{organ}": "0" for organ in ("Liver", "Lung", "DistantLn", "Bone", "Brain", "Other")}


def items(cells: Items) -> str:
    return "".join(f'<Item naaccrId="{name}">{text}</Item>' for name, text in cells.items())


def patient(*tumours: Items, **changes: str) -> str:
    """Return a patient with tumours that differ from TUMOUR as given; without any, one tumour as it is."""
    inner = "".join(f"<Tumor>{items({**TUMOUR, **tumour})}</Tumor>" for tumour in tumours or ({},))
    return f"<Patient>{items({**PATIENT, **changes})}{inner}</Patient>"


def document(*patients: str, version: str = "240", registry: str = "", namespace: bool = True) -> str:
    xmlns = ' xmlns="http://naaccr.org/naaccrxml"' if namespace else ""
    uri = f"http://naaccr.org/naaccrxml/naaccr-dictionary-{version}.xml"
    head = f'<Item naaccrId="registryId">{registry}</Item>' if registry else ""
    return (
        f'<?xml version="1.0"?>\n<NaaccrData baseDictionaryUri="{uri}" recordType="I"{xmlns}>'
        f"{head}{''.join(patients)}</NaaccrData>"
    )


def extract(folder: Path, *patients: str, registry: str = "") -> Extract:
    return read(folder, {"delivery.xml": document(*patients, registry=registry)})


def one(folder: Path, name: str, *tumours: Items, **changes: str) -> dict[str, object]:
    """Return the only row of a table that one patient makes."""
    (row,) = table(extract(folder, patient(*tumours, **changes)), name).to_dicts()
    return row


def genes(folder: Path, **codes: str) -> dict[tuple[str, str], tuple[str, str | None, str | None]]:
    rows = table(extract(folder, patient(codes)), "biomarker")
    columns = ("analyte", "registry_code", "result", "hgvs_p", "missing_reason")
    return {(analyte, code): tuple(rest) for analyte, code, *rest in rows.select(columns).iter_rows()}  # type: ignore[misc]


@pytest.mark.parametrize("version", ["210", "220", "230", "240", "250"])
def test_versions_21_to_25_are_read(tmp_path: Path, version: str) -> None:
    found = read(tmp_path, {"x.xml": document(patient(), version=version)})
    assert [(file.format, file.row_count, file.unmapped_count) for file in found.files] == [("naaccr", 2, 0)]


@pytest.mark.parametrize("version", ["180", "200", "260", "2400", ""])
def test_another_version_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(SourceError, match=r"x\.xml: .*210, 220, 230, 240, 250"):
        read(tmp_path, {"x.xml": document(patient(), version=version)})


def test_gzipped_and_plain_files_hold_the_same(tmp_path: Path) -> None:
    plain = read(tmp_path / "a", {"x.xml": document(patient({"kras": "1"}))})
    packed = read(tmp_path / "b", {"x.dat.gz": gzip.compress(document(patient({"kras": "1"})).encode())})
    assert [part.frame.to_dicts() for part in plain.tables] == [part.frame.to_dicts() for part in packed.tables]


def test_a_file_without_namespace_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, {"x.xml": document(patient(), namespace=False)})
    assert table(found, "tumour").height == 1


def test_a_gzipped_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(document(*(patient(patientIdNumber=str(i)) for i in range(200))).encode())
    with pytest.raises(SourceError, match=r"x\.xml\.gz: The gzip file is cut off"):
        read(tmp_path, {"x.xml.gz": whole[: len(whole) // 2]})


def test_a_patient_is_read_from_its_items(tmp_path: Path) -> None:
    assert one(tmp_path, "patient") == {
        "source_row": 1,
        "patient_id": "00000007",
        "centre_id": "0000012345",
        "country": "US",
        "birth_year": "1950",
        "sex": "female",
        "vital_status": "alive",
        "last_contact_date": "2024-01-05",
        "death_date": None,
    }


def test_the_last_contact_of_the_dead_is_their_death(tmp_path: Path) -> None:
    row = one(tmp_path, "patient", vitalStatus="0", dateOfLastContact="202401")
    assert (row["vital_status"], row["last_contact_date"], row["death_date"]) == ("dead", "2024-01", "2024-01")


@pytest.mark.parametrize(("code", "sex"), [("1", "male"), ("2", "female"), ("3", "other"), ("9", None), ("", None)])
def test_sex_by_its_code(tmp_path: Path, code: str, sex: str | None) -> None:
    assert one(tmp_path, "patient", sex=code)["sex"] == sex


@pytest.mark.parametrize(("home", "country"), [("USA", "US"), ("CAN", "CA"), ("MEX", "ZZ"), ("ZZU", "ZZ"), ("", "ZZ")])
def test_country_is_the_address_where_the_format_is_at_home(tmp_path: Path, home: str, country: str) -> None:
    assert one(tmp_path, "patient", {"addrAtDxCountry": home})["country"] == country


def test_the_centre_is_the_first_facility_named_else_the_registry_else_unknown(tmp_path: Path) -> None:
    nobody = {"reportingFacility": "0000000000"}
    unknown = {"reportingFacility": "0099999999"}
    by_facility = patient(nobody, {"tumorRecordNumber": "02"})
    assert (
        table(extract(tmp_path / "a", by_facility, registry="0000001544"), "patient")["centre_id"].item()
        == "0000012345"
    )
    by_registry = extract(tmp_path / "b", patient(unknown), patient(nobody, patientIdNumber="8"), registry="0000001544")
    assert table(by_registry, "patient")["centre_id"].to_list() == ["0000001544"] * 2
    by_nobody = extract(tmp_path / "c", patient(unknown))
    assert table(by_nobody, "patient")["centre_id"].item() == "unknown"
    assert "centre_not_named" in checks(by_nobody)


def test_a_tumour_is_read_from_its_items(tmp_path: Path) -> None:
    staged = {
        "ajccTnmClinT": "cT2", "ajccTnmPathT": "pT4a", "ajccTnmClinN": "cN1b", "ajccTnmPathN": "pNX",
        "ajccTnmClinM": "cM1a", "ajccTnmPathM": "cM0", "regionalNodesPositive": "03",
        "rxDateMostDefinSurg": "20220601", "rxSummSurgicalMargins": "2",
    }  # fmt: skip
    assert one(tmp_path, "tumour", staged) == {
        "source_row": 1,
        "patient_id": "00000007",
        "tumour_id": "01",
        "diagnosis_date": "2022-05-11",
        "topography": "C18.7",
        "morphology": "8140/3",
        "t_category": "T4a",
        "n_category": "N1b",
        "m_category": "M1a",
        "nodes_positive": "3",
        "resection_date": "2022-06-01",
        "resection_margin": "r1",
    }


@pytest.mark.parametrize(
    ("code", "count"), [("00", "0"), ("89", "89"), ("90", "90"), ("95", None), ("98", None), ("99", None)]
)
def test_only_counts_of_nodes_are_counts(tmp_path: Path, code: str, count: str | None) -> None:
    assert one(tmp_path, "tumour", {"regionalNodesPositive": code})["nodes_positive"] == count


@pytest.mark.parametrize(
    ("code", "margin"), [("0", "r0"), ("1", None), ("2", "r1"), ("3", "r2"), ("8", None), ("9", None)]
)
def test_margin_by_its_code(tmp_path: Path, code: str, margin: str | None) -> None:
    assert one(tmp_path, "tumour", {"rxSummSurgicalMargins": code})["resection_margin"] == margin


@pytest.mark.parametrize("site", ["C180", "C181", "C189", "C199", "C209", "C260"])
def test_colon_rectum_and_intestine_nos_make_a_tumour(tmp_path: Path, site: str) -> None:
    assert one(tmp_path, "tumour", {"primarySite": site})["topography"] == f"{site[:3]}.{site[3]}"


@pytest.mark.parametrize("site", ["C170", "C210", "C218", "C268", "C509", ""])
def test_any_other_site_makes_no_tumour_but_its_patient_stays(tmp_path: Path, site: str) -> None:
    found = extract(tmp_path, patient({"primarySite": site, "kras": "1", "metsAtDxLiver": "1"}))
    assert {part.table_name: part.frame.height for part in found.tables} == {
        "patient": 1, "tumour": 0, "assessment": 0, "biomarker": 0,
    }  # fmt: skip
    assert checks(found) == ["no_colorectal_tumour", "not_colorectal"]
    assert found.files[0].unmapped_count == 1


def test_a_second_primary_elsewhere_leaves_the_colorectal_one(tmp_path: Path) -> None:
    found = extract(tmp_path, patient({"primarySite": "C509"}, {"tumorRecordNumber": "02"}))
    assert table(found, "tumour")["tumour_id"].to_list() == ["02"]
    assert table(found, "tumour")["source_row"].to_list() == [2]
    assert checks(found) == ["not_colorectal", "treatment_not_carried"]


def test_kras_by_its_code(tmp_path: Path) -> None:
    mutated, unknown = ("mutated", None, None), ("indeterminate", None, "not_recorded")
    meaning = {"0": ("not_detected", None, None), **dict.fromkeys("1234", mutated), **dict.fromkeys("789", unknown)}
    for code, expected in meaning.items():
        assert genes(tmp_path, kras=code) == {("kras", code): expected}


def test_a_negative_gene_never_says_which_codons_were_examined(tmp_path: Path) -> None:
    rows = table(extract(tmp_path, patient({"kras": "0", "nrasMutationalAnalysis": "0"})), "biomarker")
    assert "region_tested" not in rows.columns
    assert rows["result"].to_list() == ["not_detected"] * 2


def test_only_code_1_of_braf_is_v600e(tmp_path: Path) -> None:
    found = {code: genes(tmp_path, brafMutationalAnalysis=code)["braf", code] for code in "0124789"}
    assert found["0"] == ("not_detected", None, None)
    assert found["1"] == ("mutated", "p.Val600Glu", None)
    assert found["2"] == found["4"] == ("mutated", None, None)
    assert found["7"] == found["8"] == found["9"] == ("indeterminate", None, "not_recorded")


def test_msi_by_its_code(tmp_path: Path) -> None:
    found = [genes(tmp_path, microsatelliteInstability=code)["msi", code][0] for code in "01289"]
    assert found == ["mss", "msi_l", "msi_h", "indeterminate", "indeterminate"]


def test_a_blank_item_makes_no_biomarker(tmp_path: Path) -> None:
    assert genes(tmp_path, kras=" ", microsatelliteInstability="") == {}


def test_a_code_outside_the_standard_is_rejected_and_kept_on_record(tmp_path: Path) -> None:
    found = validate(extract(tmp_path, patient({"kras": "5"})), today=date(2026, 11, 23))
    rejected = found.rejected_row.select("table_name", "scope", "check_name", "column_name").rows()
    assert rejected == [("biomarker", "row", "not_in_vocabulary", "result")]


def test_a_gene_filled_before_its_item_existed_is_noticed_and_kept(tmp_path: Path) -> None:
    early, due = {"dateOfDiagnosis": "20201231"}, {"dateOfDiagnosis": "2021"}
    both = {"nrasMutationalAnalysis": "9", "brafMutationalAnalysis": "0"}
    found = extract(tmp_path, patient({**early, **both}), patient({**due, **both}, patientIdNumber="8"))
    rows = {notice.check_name: notice.rows for notice in found.notices}
    assert rows["nras_before_2021"] == rows["braf_before_2021"] == (1,)
    assert table(found, "biomarker").height == 4


def test_mutations_outside_the_named_codons_are_noticed(tmp_path: Path) -> None:
    found = extract(tmp_path, patient({"kras": "3"}), patient({"nrasMutationalAnalysis": "2"}, patientIdNumber="8"))
    rows = {notice.check_name: notice.rows for notice in found.notices}
    assert (rows["kras_mutated_elsewhere"], rows["nras_mutated_elsewhere"]) == ((1,), (2,))


def test_metastases_at_diagnosis_make_a_work_up(tmp_path: Path) -> None:
    answers = {**NO_METASTASES, "metsAtDxLiver": "1", "metsAtDxOther": "2", "ceaPretreatmentLabValue": "12.5"}
    assert one(tmp_path, "assessment", answers) == {
        "source_row": 1,
        "patient_id": "00000007",
        "centre_id": "0000012345",
        "assessment_date": "2022-05-11",
        "first_metastasis_date": "2022-05-11",
        "mets_diagnosis_date": "2022-05-11",
        "mets_sites": "liver;other",
        "cea_ng_ml": "12.5",
    }


@pytest.mark.parametrize("unknown", ["8", "9", ""])
def test_an_organ_that_is_unknown_leaves_the_list_of_organs_unknown(tmp_path: Path, unknown: str) -> None:
    found = extract(tmp_path, patient({**NO_METASTASES, "metsAtDxLiver": "1", "metsAtDxLung": unknown}))
    row = table(found, "assessment").row(0, named=True)
    assert (row["mets_sites"], row["mets_diagnosis_date"]) == (None, "2022-05-11")
    assert "mets_sites_incomplete" in checks(found)


def test_no_metastases_on_record_make_no_work_up(tmp_path: Path) -> None:
    found = extract(tmp_path, patient({**NO_METASTASES, "ajccTnmClinM": "cM0", "ceaPretreatmentLabValue": "3.0"}))
    assert table(found, "assessment").is_empty()
    assert "cea_not_mapped" in checks(found)


@pytest.mark.parametrize("answers", [{**NO_METASTASES, "metsAtDxLiver": "1"}, {"ajccTnmClinM": "cM1a"}])
def test_metastases_of_an_unknown_day_make_no_work_up_and_are_noticed(tmp_path: Path, answers: Items) -> None:
    found = extract(tmp_path, patient({**answers, "dateOfDiagnosis": ""}), patient(answers, patientIdNumber="8"))
    assert table(found, "assessment")["patient_id"].to_list() == ["8"]
    assert {n.check_name: n.rows for n in found.notices}["metastases_without_date"] == (1,)


def test_m1_without_its_organs_makes_a_work_up_of_unknown_sites(tmp_path: Path) -> None:
    row = one(tmp_path, "assessment", {"ajccTnmPathM": "pM1a", "ceaPretreatmentLabValue": "XXXX.1"})
    assert (row["first_metastasis_date"], row["mets_diagnosis_date"], row["mets_sites"]) == ("2022-05-11", None, None)
    assert row["cea_ng_ml"] == "10000"


@pytest.mark.parametrize(("code", "value"), [("0.0", "0.0"), ("9999.9", "9999.9"), ("XXXX.7", None), ("XXXX.9", None)])
def test_cea_is_a_number_or_unknown(tmp_path: Path, code: str, value: str | None) -> None:
    row = one(tmp_path, "assessment", {"ajccTnmClinM": "cM1a", "ceaPretreatmentLabValue": code})
    assert row["cea_ng_ml"] == value


def test_two_tumours_of_one_day_share_a_work_up(tmp_path: Path) -> None:
    first = {**NO_METASTASES, "metsAtDxLiver": "1"}
    second = {**NO_METASTASES, "metsAtDxLung": "1", "tumorRecordNumber": "02"}
    assert one(tmp_path, "assessment", first, second)["mets_sites"] == "liver;lung"


def recurrence(folder: Path, type_: str, day: str = "20240315", **items: str) -> Extract:
    return extract(folder, patient({**NO_METASTASES, "recurrenceType1st": type_, "recurrenceDate1st": day, **items}))


@pytest.mark.parametrize(
    ("type_", "site"),
    [("51", "peritoneum"), ("52", "lung"), ("53", "other"), ("54", "liver"), ("55", "bone"), ("56", "brain"),
     ("57", "other"), ("58", "distant_nodes"), ("40", None), ("59", None), ("60", None), ("62", None)],
)  # fmt: skip
def test_a_distant_recurrence_makes_a_work_up_of_its_organ(tmp_path: Path, type_: str, site: str | None) -> None:
    found = recurrence(tmp_path, type_)
    row = table(found, "assessment").row(0, named=True)
    assert (row["assessment_date"], row["first_metastasis_date"], row["mets_sites"]) == (
        "2024-03-15",
        "2024-03-15",
        site,
    )
    assert row["mets_diagnosis_date"] == ("2024-03-15" if site == "liver" else None)
    assert ("recurrence_organ_unknown" in checks(found)) == (site is None)


@pytest.mark.parametrize("type_", ["00", "10", "22", "36", "46", "70", "88", "99", ""])
def test_any_other_type_of_recurrence_is_no_metastasis(tmp_path: Path, type_: str) -> None:
    assert table(recurrence(tmp_path, type_), "assessment").is_empty()


def test_a_distant_recurrence_without_a_date_is_noticed(tmp_path: Path) -> None:
    found = recurrence(tmp_path, "54", day="")
    assert table(found, "assessment").is_empty()
    assert "recurrence_without_date" in checks(found)


def test_a_recurrence_keeps_the_first_metastases_of_the_diagnosis(tmp_path: Path) -> None:
    found = recurrence(tmp_path, "52", metsAtDxLiver="1")
    columns = ("assessment_date", "first_metastasis_date", "mets_diagnosis_date", "mets_sites")
    assert table(found, "assessment").select(columns).rows() == [
        ("2022-05-11", "2022-05-11", "2022-05-11", "liver"),
        ("2024-03-15", "2022-05-11", "2022-05-11", "lung"),
    ]


@pytest.mark.parametrize(
    ("birth", "age", "year"), [("", "072", "1950"), ("1949", "072", "1949"), ("", "120", "1902"), ("", "999", None)]
)
def test_the_age_stands_in_for_a_date_of_birth_that_is_not_told(
    tmp_path: Path, birth: str, age: str, year: str | None
) -> None:
    found = extract(tmp_path, patient({"ageAtDiagnosis": age}, dateOfBirth=birth))
    assert table(found, "patient")["birth_year"].item() == year
    assert ("birth_year_from_age" in checks(found)) == (not birth and year is not None)


def test_treatment_makes_no_row_and_says_so(tmp_path: Path) -> None:
    found = extract(tmp_path, patient({"rxSummChemo": "03", "rxSummSurgOthRegDis": "4"}))
    assert {part.table_name for part in found.tables} == {"patient", "tumour", "assessment", "biomarker"}
    assert checks(found) == ["treatment_not_carried"]


def test_names_and_other_items_never_leave_the_file(tmp_path: Path) -> None:
    found = extract(tmp_path, patient({"textRemarks": "Marker"}))
    for part in found.tables:
        held = pl.concat([part.raw, part.frame], how="diagonal").write_csv()
        assert "Marker" not in held


def test_an_accepted_delivery_balances(tmp_path: Path) -> None:
    answers = {"kras": "1", "metsAtDxLiver": "1", "ceaPretreatmentLabValue": "7.1", "ajccTnmPathT": "pT3"}
    found = validate(extract(tmp_path, patient(answers)), today=date(2026, 11, 23))
    assert found.rejected_row.is_empty()
    assert {name: frame.height for name, frame in found.tables.items() if frame.height} == {
        "patient": 1, "tumour": 1, "assessment": 1, "biomarker": 1,
    }  # fmt: skip
