"""OMOP CDM 5.4 tables, written here by hand: codes, ids and source texts, and what is noticed."""

import io
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pytest

from crlm_pipeline import resources
from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.synthetic import write_sample
from crlm_pipeline.validation import validate
from schemas import vocabulary
from tests.unit.extracts.files import PATIENT, checks, read, table

PERSON = "person_id,gender_concept_id,year_of_birth\n1,8532,1950\n"
CONDITION = "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_source_value\n"
COLON = CONDITION + "11,1,0,2020-05-15,C18.7\n"
MEASUREMENT = "person_id,measurement_concept_id,measurement_date,measurement_source_value,value_source_value,"
MEASUREMENT += (
    "value_as_number,value_as_concept_id,unit_source_value,measurement_event_id,meas_event_field_concept_id\n"
)
DRUG = "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,drug_source_value\n"
PROCEDURE = "person_id,procedure_concept_id,procedure_date,procedure_source_value\n"
CONCEPT = "concept_id,concept_name,vocabulary_id,concept_code\n"


def extract(folder: Path, person: str = PERSON, **tables: str) -> Extract:
    given = {"person": person, "condition_occurrence": COLON, **tables}
    return read(folder, {f"{name}.csv": content for name, content in given.items()})


def assay(text: str = "KRAS", said: str = "", number: str = "", coded: str = "", concept: str = "0") -> str:
    """One measurement of 2021-02-03."""
    return f"1,{concept},2021-02-03,{text},{said},{number},{coded},,,\n"


def result(folder: Path, *measurements: str, **tables: str) -> list[tuple[str, ...]]:
    """The biomarkers as analyte, result, protein change."""
    rows = table(extract(folder, measurement=MEASUREMENT + "".join(measurements), **tables), "biomarker")
    return rows.select("analyte", "result", "hgvs_p").rows()


def unmapped(found: Extract, name: str) -> int:
    return next(file.unmapped_count for file in found.files if file.file_name == f"{name}.csv")


def rows_by_table(found: Extract) -> dict[str, pl.DataFrame]:
    names = {part.table_name for part in found.tables}
    return {name: table(found, name).select(sorted(table(found, name).columns)).sort(pl.all()) for name in names}


# Persons


def test_a_person_is_a_patient_with_sex_year_centre_country_and_last_contact(tmp_path: Path) -> None:
    found = extract(
        tmp_path,
        person="person_id,gender_concept_id,year_of_birth,care_site_id\n1,8532,1950,7\n2,8507,1960,\n",
        care_site="care_site_id,care_site_name,care_site_source_value,location_id\n7,North,N1,3\n8,South,,4\n",
        location="location_id,location_source_value,country_source_value\n3,x,de\n4,y,Atlantis\n",
        visit_occurrence="visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date,care_site_id\n"
        "21,2,0,2020-01-01,2022-02-02,8\n",
        observation_period="person_id,observation_period_end_date\n1,2023-03-03\n2,2021-01-01\n",
        death="person_id,death_date\n2,2022-03-04\n",
    )
    known = table(found, "patient").drop("source_row").rows()
    assert known == [
        ("1", "N1", "DE", "1950", "female", "alive", "2023-03-03", None),
        ("2", "South", "ZZ", "1960", "male", "dead", "2022-02-02", "2022-03-04"),
    ]
    assert {"country_not_named", "no_colorectal_tumour"} <= set(checks(found))


def test_without_a_table_of_deaths_nobody_is_known_to_be_alive(tmp_path: Path) -> None:
    assert table(extract(tmp_path), "patient")["vital_status"].to_list() == [None]


def test_without_a_care_site_the_centre_is_unknown_and_noticed(tmp_path: Path) -> None:
    found = extract(tmp_path)
    assert table(found, "patient")["centre_id"].to_list() == ["unknown"]
    assert "centre_not_named" in checks(found)


def test_records_of_persons_without_a_colorectal_tumour_make_no_row_and_are_counted(tmp_path: Path) -> None:
    drugs = DRUG + "1,1,0,2021-01-01,2021-01-01,cetuximab\n2,2,0,2021-01-01,2021-01-01,cetuximab\n"
    found = extract(tmp_path, person=PERSON + "2,8507,1960\n", drug_exposure=drugs)
    assert table(found, "drug_exposure")["patient_id"].to_list() == ["1"]
    assert unmapped(found, "drug_exposure") == 1
    message = next(n.message for n in found.notices if n.check_name == "records_not_mapped")
    assert "1 of 2 records of drug_exposure" in message
    assert "(1 are of persons without" in message


# Ids and headers


LARGE = "9007199254740993"  # 2^53 + 1: the first whole number that a double cannot hold


def test_an_id_beyond_the_doubles_stays_exact_in_csv_and_parquet(tmp_path: Path) -> None:
    frames = {
        "person": pl.DataFrame({"person_id": [int(LARGE)], "gender_concept_id": [8532], "year_of_birth": [1950]}),
        "condition_occurrence": pl.DataFrame(
            {
                "person_id": [int(LARGE)],
                "condition_concept_id": [0],
                "condition_start_date": ["2020-05-15"],
                "condition_source_value": ["C18.7"],
            }
        ),
    }
    for kind in ("csv", "parquet"):
        content = {}
        for name, frame in frames.items():
            stream = io.BytesIO()
            frame.write_csv(stream) if kind == "csv" else frame.write_parquet(stream)
            content[f"{name}.{kind}"] = stream.getvalue()
        found = read(tmp_path / kind, content)
        assert table(found, "patient")["patient_id"].to_list() == [LARGE]
        assert table(found, "tumour")["patient_id"].to_list() == [LARGE]


def test_a_concept_id_written_as_a_decimal_is_the_whole_number(tmp_path: Path) -> None:
    found = extract(tmp_path, person="person_id,gender_concept_id,year_of_birth\n1,8532.0,1950\n")
    assert table(found, "patient")["sex"].to_list() == ["female"]


def test_headers_in_upper_case_are_the_same_table(tmp_path: Path) -> None:
    lower = {"person.csv": PERSON, "c.csv": COLON, "m.csv": MEASUREMENT + assay(said="Not detected")}
    upper = {name: _upper_header(content) for name, content in lower.items()}
    one, other = read(tmp_path / "lower", lower), read(tmp_path / "upper", upper)
    assert {name: frame.rows() for name, frame in rows_by_table(one).items()} == {
        name: frame.rows() for name, frame in rows_by_table(other).items()
    }


def _upper_header(content: str) -> str:
    header, _, body = content.partition("\n")
    return f"{header.upper()}\n{body}"


def test_a_column_in_both_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="twice"):
        extract(tmp_path, person="person_id,PERSON_ID,gender_concept_id,year_of_birth\n1,1,8532,1950\n")


def test_a_table_in_two_files_is_read_whole(tmp_path: Path) -> None:
    files = {
        "person.csv": PERSON,
        "c.csv": COLON,
        "part-0.csv": MEASUREMENT + assay("KRAS", "negative"),
        "part-1.csv": MEASUREMENT + assay("NRAS", "positive"),
    }
    found = table(read(tmp_path, files), "biomarker")
    assert found.select("source_row", "analyte", "result").rows() == [
        (1, "kras", "not_detected"),
        (1, "nras", "mutated"),
    ]


def test_a_day_loses_its_time_and_eight_digits_become_a_day(tmp_path: Path) -> None:
    conditions = CONDITION + "11,1,0,2020-05-15 00:00:00,C18.7\n12,1,0,20200401,C20\n"
    days = table(extract(tmp_path, condition_occurrence=conditions), "tumour").select("topography", "diagnosis_date")
    assert days.rows() == [("C18.7", "2020-05-15"), ("C20.9", "2020-04-01")]


# Formats that could be mixed up


def test_a_drug_table_of_the_model_is_none_of_the_contract(tmp_path: Path) -> None:
    drugs = "person_id,drug_concept_id,drug_exposure_start_date,stop_reason,drug_source_value\n"
    found = extract(tmp_path, drug_exposure=drugs + "1,0,2021-01-01,progression,Avastin\n")
    assert {file.format for file in found.files} == {"omop"}
    assert table(found, "drug_exposure").select("drug", "stop_reason").rows() == [("Avastin", "progression")]


def test_a_procedure_table_named_like_ours_is_read_as_the_model_has_it(tmp_path: Path) -> None:
    files = {"patient.csv": PERSON, "tumour.csv": COLON, "procedure.csv": PROCEDURE + "1,0,2021-01-01,hepatectomy\n"}
    found = read(tmp_path, files)
    assert {file.format for file in found.files} == {"omop"}
    assert table(found, "procedure")["procedure"].to_list() == ["resection"]


def test_a_canonical_table_with_columns_of_the_model_stays_canonical(tmp_path: Path) -> None:
    header = "patient_id,centre_id,country,person_id,gender_concept_id,year_of_birth\n"
    found = read(tmp_path, {"patient.csv": header + "p1,A,DE,1,8532,1950\n"})
    assert {file.format for file in found.files} == {"canonical"}
    assert checks(found) == ["unknown_column"] * 3


def test_of_a_mixed_folder_the_canonical_tables_are_read_and_the_others_noticed(tmp_path: Path) -> None:
    found = read(tmp_path, {"patient.csv": PATIENT, "person.csv": PERSON})
    assert {file.format for file in found.files} == {"canonical"}
    assert checks(found) == ["file_not_used"]


def test_a_folder_without_persons_is_no_delivery(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="OMOP CDM tables"):
        read(tmp_path, {"drug_exposure.csv": DRUG + "1,1,0,2021-01-01,2021-01-01,cetuximab\n"})


def test_a_folder_of_files_without_any_condition_keeps_its_patients(tmp_path: Path) -> None:
    found = read(tmp_path, {"person.csv": PERSON})
    assert table(found, "patient").height == 1
    assert "no_colorectal_tumour" in checks(found)


# Concepts


def test_codes_are_understood_with_the_vocabulary_and_counted_without(tmp_path: Path) -> None:
    measured = MEASUREMENT + "1,900,2021-02-03,local-1,Stable,,,,,\n"
    concepts = CONCEPT + "900,Microsatellite instability,LOINC,81695-9\n"
    with_it = extract(tmp_path / "with", measurement=measured, concept=concepts)
    assert table(with_it, "biomarker").select("analyte", "result").rows() == [("msi", "mss")]
    assert "vocabulary_not_delivered" not in checks(with_it)
    without = extract(tmp_path / "without", measurement=measured)
    assert unmapped(without, "measurement") == 1
    assert {"vocabulary_not_delivered", "records_not_mapped"} <= set(checks(without))


def test_a_listed_id_is_understood_without_the_vocabulary(tmp_path: Path) -> None:
    assert result(tmp_path, assay("local-1", coded="9191", concept="3012200")) == [("kras", "mutated", None)]


def test_the_source_s_own_concept_goes_before_the_standard_one(tmp_path: Path) -> None:
    conditions = "person_id,condition_concept_id,condition_start_date,condition_source_concept_id\n"
    conditions += "1,443390,2020-05-15,5\n"
    found = extract(tmp_path, condition_occurrence=conditions, concept=CONCEPT + "5,x,ICDO3,8480/3-C18.7\n")
    assert table(found, "tumour").select("topography", "morphology").rows() == [("C18.7", "8480/3")]


def test_concept_0_is_read_by_its_source_text_and_counted_where_that_says_nothing(tmp_path: Path) -> None:
    found = extract(tmp_path, measurement=MEASUREMENT + assay("KRAS", "negative") + assay("haemoglobin", "12"))
    assert table(found, "biomarker")["analyte"].to_list() == ["kras"]
    assert unmapped(found, "measurement") == 1


def test_a_code_as_source_text_is_understood_by_its_shape(tmp_path: Path) -> None:
    assert result(tmp_path, assay("81695-9", "MSI-H")) == [("msi", "msi_h", None)]


@pytest.mark.parametrize("text", ["RET", "T3", "M1", "POLEN", "Retic"])
def test_a_laboratory_test_of_a_like_name_is_no_finding(tmp_path: Path, text: str) -> None:
    found = extract(tmp_path, measurement=MEASUREMENT + assay(text, "5"))
    assert unmapped(found, "measurement") == 1
    assert "m_category" not in table(found, "tumour").drop_nulls().columns or table(found, "tumour")[
        "m_category"
    ].to_list() == [None]


def test_every_listed_value_is_a_word_of_the_contract() -> None:
    words = {
        "assessment.mets_sites": vocabulary.METASTASIS_SITE,
        "biomarker.analyte": vocabulary.ANALYTE,
        "biomarker.result": (*vocabulary.RESULT, "positive", "negative"),
        "biomarker.specimen_site": vocabulary.SPECIMEN_SITE,
        "outcome.outcome": vocabulary.OUTCOME,
        "patient.sex": vocabulary.SEX,
        "procedure.procedure": vocabulary.PROCEDURE,
        "drug_exposure.drug": tuple(row["inn"] for row in resources.reference("drugs")),
    }
    for row in resources.reference("omop_concepts"):
        assert row["source"], row
        assert row["concept_id"].isdigit() or row["concept_code"], row
        if row["target"] in words and row["value"]:
            assert row["value"] in words[row["target"]], row


# Disease


def test_the_source_text_goes_before_the_standard_concept_of_a_diagnosis(tmp_path: Path) -> None:
    conditions = CONDITION + "11,1,443390,2020-05-15,C18.7\n12,1,443390,2020-05-15,local\n"
    found = extract(tmp_path, condition_occurrence=conditions)
    assert sorted(table(found, "tumour")["topography"]) == ["C18.7", "C20.9"]


def test_a_diagnosis_repeated_at_visits_is_one_tumour_of_its_first_day(tmp_path: Path) -> None:
    conditions = CONDITION + "11,1,0,2020-06-01,C18.7\n12,1,0,2020-05-15,C187\n13,1,0,2020-05-01,C18.9\n"
    found = extract(tmp_path, condition_occurrence=conditions)
    assert table(found, "tumour").select("tumour_id", "topography", "diagnosis_date").rows() == [
        ("C18.7", "C18.7", "2020-05-01")
    ]
    assert unmapped(found, "condition_occurrence") == 0


def test_beside_two_exact_sites_a_vague_one_belongs_to_neither(tmp_path: Path) -> None:
    conditions = CONDITION + "11,1,0,2020-06-01,C18.7\n12,1,0,2020-06-01,C18.0\n13,1,0,2020-05-01,C18.9\n"
    found = extract(tmp_path, condition_occurrence=conditions)
    assert sorted(table(found, "tumour")["topography"]) == ["C18.0", "C18.7"]
    assert unmapped(found, "condition_occurrence") == 1


@pytest.mark.parametrize(("code", "is_tumour"), [("C20", True), ("C21.0", False), ("D01.0", False), ("C50.9", False)])
def test_only_colon_and_rectum_make_a_tumour(tmp_path: Path, code: str, is_tumour: bool) -> None:
    found = extract(tmp_path, condition_occurrence=CONDITION + f"11,1,0,2020-05-15,{code}\n")
    assert any(part.table_name == "tumour" for part in found.tables) is is_tumour
    assert ("no_colorectal_tumour" in checks(found)) is not is_tumour


def test_a_stage_belongs_to_the_condition_it_modifies_else_to_the_only_tumour(tmp_path: Path) -> None:
    two = CONDITION + "11,1,0,2020-06-01,C18.7\n12,1,0,2020-06-01,C18.0\n"
    linked = MEASUREMENT + "1,0,2020-06-02,pT3,,,,,12,1147127\n1,0,2020-06-02,pN1b,,,,,,\n"
    found = extract(tmp_path / "two", condition_occurrence=two, measurement=linked)
    rows = table(found, "tumour").select("topography", "t_category", "n_category").sort("topography").rows()
    assert rows == [("C18.0", "T3", None), ("C18.7", None, None)]
    assert unmapped(found, "measurement") == 1
    one = table(extract(tmp_path / "one", measurement=linked), "tumour").select("t_category", "n_category").rows()
    assert one == [("T3", "N1b")]


def test_pathology_goes_before_the_clinic_and_m1_before_m0(tmp_path: Path) -> None:
    staged = "".join(f"1,0,2020-06-0{day},{text},,,,,,\n" for day, text in enumerate(["cT2", "pT4a", "pM0", "cM1a"], 1))
    tumours = table(extract(tmp_path, measurement=MEASUREMENT + staged), "tumour")
    assert tumours.select("t_category", "m_category").rows() == [("T4a", "M1a")]


def test_categories_of_the_cancer_modifier_vocabulary_are_read_by_code(tmp_path: Path) -> None:
    concepts = CONCEPT + "71,AJCC/UICC 8th pathological N2a Category,Cancer Modifier,p-8th_AJCC/UICC-N2a\n"
    found = extract(tmp_path, measurement=MEASUREMENT + "1,71,2020-06-02,,,,,,,\n", concept=concepts)
    assert table(found, "tumour")["n_category"].to_list() == ["N2a"]


def test_an_organ_named_for_the_first_time_makes_a_work_up_and_one_named_again_none(tmp_path: Path) -> None:
    conditions = COLON + "12,1,0,2021-01-01,C78.7\n13,1,0,2021-02-01,C78.7\n14,1,0,2021-03-01,C78.00\n"
    found = extract(tmp_path, condition_occurrence=conditions)
    columns = ("assessment_date", "first_metastasis_date", "mets_diagnosis_date", "mets_sites")
    assert table(found, "assessment").select(columns).rows() == [
        ("2021-01-01", "2021-01-01", "2021-01-01", "liver"),
        ("2021-03-01", "2021-01-01", "2021-01-01", "liver;lung"),
    ]
    assert unmapped(found, "condition_occurrence") == 0


def test_a_metastasis_that_is_said_to_be_absent_is_no_site(tmp_path: Path) -> None:
    measured = MEASUREMENT + "1,36770544,2021-01-01,,,,9189,,,\n1,36770283,2021-01-02,,,,9191,,,\n"
    found = extract(tmp_path, measurement=measured)
    assert table(found, "assessment")["mets_sites"].to_list() == ["lung"]


def test_a_metastasis_without_organ_dates_the_disease_and_names_no_site(tmp_path: Path) -> None:
    found = table(extract(tmp_path, measurement=MEASUREMENT + "1,36769180,2021-01-01,,,,,,,\n"), "assessment")
    assert found.select("first_metastasis_date", "mets_diagnosis_date", "mets_sites").rows() == [
        ("2021-01-01", None, None)
    ]


LIVER = COLON + "12,1,0,2021-02-01,C78.7\n"


@pytest.mark.parametrize(("day", "cea"), [("2021-01-01", "7.5"), ("2020-12-31", None), ("2021-02-02", None)])
def test_a_cea_of_the_31_days_before_belongs_to_the_work_up(tmp_path: Path, day: str, cea: str | None) -> None:
    measured = MEASUREMENT + f"1,0,{day},CEA,,7.5,,ng/mL,,\n"
    found = extract(tmp_path, condition_occurrence=LIVER, measurement=measured)
    assert table(found, "assessment")["cea_ng_ml"].to_list() == [cea]
    assert unmapped(found, "measurement") == (cea is None)


@pytest.mark.parametrize(("unit", "cea"), [("ug/L", "7.5"), ("", "7.5"), ("IU/mL", None)])
def test_a_cea_in_another_unit_is_left_aside(tmp_path: Path, unit: str, cea: str | None) -> None:
    measured = MEASUREMENT + f"1,0,2021-02-01,CEA,,7.5,,{unit},,\n"
    found = extract(tmp_path, condition_occurrence=LIVER, measurement=measured)
    assert table(found, "assessment")["cea_ng_ml"].to_list() == [cea]


def test_a_cea_without_metastases_makes_no_work_up(tmp_path: Path) -> None:
    found = extract(tmp_path, measurement=MEASUREMENT + "1,0,2021-02-01,CEA,,7.5,,,,\n")
    assert not any(part.table_name == "assessment" for part in found.tables)
    assert unmapped(found, "measurement") == 1


def test_a_size_counts_only_where_it_modifies_a_liver_metastasis(tmp_path: Path) -> None:
    sizes = "1,0,2021-03-01,21889-1,,2.5,,cm,12,1147127\n1,0,2021-03-01,21889-1,,80,,mm,11,1147127\n"
    sizes += "1,0,2021-03-01,21889-1,,70,,mm,,\n1,0,2021-03-01,21889-1,,60,,,12,1147127\n"
    found = extract(tmp_path, condition_occurrence=LIVER, measurement=MEASUREMENT + sizes)
    assert table(found, "assessment").select("assessment_date", "crlm_max_mm").drop_nulls().rows() == [
        ("2021-03-01", "25.0")
    ]
    assert unmapped(found, "measurement") == 3


# Biomarkers


@pytest.mark.parametrize(
    ("measurement", "expected"),
    [
        (assay("KRAS", "Not detected"), ("kras", "not_detected", None)),
        (assay("KRAS", "wild type"), ("kras", "not_detected", None)),
        (assay("KRAS", "G12C"), ("kras", "mutated", "G12C")),
        (assay("BRAF", "p.(Val600Glu)"), ("braf", "mutated", "p.(Val600Glu)")),
        (assay("KRAS", coded="9189"), ("kras", "not_detected", None)),
        (assay("KRAS", "KRAS G12C"), ("kras", "mutated", "G12C")),
        (assay("BRAF V600E", "Detected"), ("braf", "mutated", "V600E")),
        (assay("NTRK1 fusion", "Positive"), ("ntrk1", "fusion", None)),
        (assay("NTRK1", "Positive"), ("ntrk1", "mutated", None)),
        (assay("ERBB2", coded="9191", concept="35955862"), ("erbb2", "mutated", None)),
        (assay("HER2 FISH", "negative"), ("erbb2", "not_amplified", None)),
        (assay("HER2", "3+"), ("erbb2", "ihc_3", None)),
        (assay("KRAS"), ("kras", "indeterminate", None)),
        (assay("MSI", "MSI-H"), ("msi", "msi_h", None)),
        (assay("MLH1", "loss of expression"), ("mlh1", "lost", None)),
        (assay("MSH6 IHC", coded="9191"), ("msh6", "retained", None)),
        (assay("HER2", "3+", concept="3019066"), ("erbb2", "ihc_3", None)),
        (assay("HER2", number="2", concept="3019066"), ("erbb2", "ihc_2", None)),
        (assay("31150-6", "positive"), ("erbb2", "amplified", None)),
        (assay("DPYD", "DPD partial"), ("dpyd", "dpd_partial", None)),
        (assay("TMB", "low"), ("tmb", "low", None)),
        (assay("TMB", number="12.5"), ("tmb", "indeterminate", None)),
    ],
)
def test_a_value_states_a_result(tmp_path: Path, measurement: str, expected: tuple[str, ...]) -> None:
    assert result(tmp_path, measurement) == [expected]


def test_a_variant_concept_names_its_protein_change(tmp_path: Path) -> None:
    concepts = CONCEPT + (
        "81,KRAS protein: Substitution in position 12 Gly replaced by Cys  measurement,OMOP Genomic,OMOP1\n"
        "82,NRAS (NRAS proto-oncogene) gene variant measurement,OMOP Genomic,7989\n"
        "83,TP53 (tumor protein p53) gene variant measurement,OMOP Genomic,11998\n"
    )
    measured = [assay("", coded="9191", concept="81"), assay("", coded="9189", concept="82"), assay("", concept="83")]
    assert result(tmp_path, *measured, concept=concepts) == [
        ("kras", "mutated", "p.Gly12Cys"),
        ("nras", "not_detected", None),
    ]


def test_a_result_of_unknown_meaning_is_rejected_with_its_reason(tmp_path: Path) -> None:
    delivered = extract(tmp_path, measurement=MEASUREMENT + assay("KRAS", "see report"))
    found = validate(delivered, today=date(2026, 1, 1))
    assert found.tables["biomarker"].is_empty()
    assert found.rejected_row.select("table_name", "column_name").rows() == [("biomarker", "result")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("MSI", "positive"),
        ("HER2", "positive"),
        ("MSH6", "positive"),
        ("KRAS", "0"),
        ("KRAS", "no G12C seen"),
        ("BRAF", "p.Val600="),
        ("HER2 FISH", "see report"),
    ],
)
def test_a_value_that_may_mean_two_things_becomes_no_result(tmp_path: Path, text: str, said: str) -> None:
    found = validate(extract(tmp_path, measurement=MEASUREMENT + assay(text, said)), today=date(2026, 1, 1))
    assert found.tables["biomarker"].is_empty()
    assert found.rejected_row["column_name"].to_list() == ["result"]


@pytest.mark.parametrize("measurement", [assay("KRAS G12C", "Not detected"), assay("KRAS", "p.Gly12Cys", coded="9189")])
def test_one_change_that_was_not_found_says_nothing_of_the_gene(tmp_path: Path, measurement: str) -> None:
    found = extract(tmp_path, measurement=MEASUREMENT + measurement)
    assert not any(part.table_name == "biomarker" for part in found.tables)
    assert unmapped(found, "measurement") == 1


def test_no_matching_concept_is_neither_a_drug_nor_a_result(tmp_path: Path) -> None:
    found = extract(
        tmp_path,
        measurement=MEASUREMENT + assay("KRAS", coded="0"),
        drug_exposure=DRUG + "1,1,0,2021-01-01,2021-01-01,\n",
        concept=CONCEPT + "0,No matching concept,None,No matching concept\n",
    )
    assert table(found, "biomarker")["result"].to_list() == ["indeterminate"]
    assert unmapped(found, "drug_exposure") == 1


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ('"KRAS codons 12, 13, 59, 61"', "12;13;59;61"),
        ('"KRAS exons 2, 3 and 4"', "exon2;exon3;exon4"),
        ("KRAS exon 2", "exon2"),
        ("KRAS", None),
    ],
)
def test_codons_are_those_that_the_source_text_names(tmp_path: Path, text: str, region: str | None) -> None:
    rows = table(extract(tmp_path, measurement=MEASUREMENT + assay(text, "negative")), "biomarker")
    assert rows["region_tested"].to_list() == [region]


def test_the_day_is_that_of_the_sample_and_no_report_is_claimed(tmp_path: Path) -> None:
    rows = table(extract(tmp_path, measurement=MEASUREMENT + assay(said="negative")), "biomarker")
    assert rows["sample_date"].to_list() == ["2021-02-03"]
    assert "report_date" not in rows.columns


def test_a_specimen_is_that_of_the_day_when_there_is_just_one(tmp_path: Path) -> None:
    header = "specimen_id,person_id,specimen_concept_id,specimen_date,anatomic_site_source_value\n"
    measured = MEASUREMENT + assay(said="negative")
    one = extract(tmp_path / "one", measurement=measured, specimen=header + "31,1,0,2021-02-03,Liver\n")
    assert table(one, "biomarker").select("specimen_id", "specimen_site").rows() == [("31", "liver")]
    both = header + "31,1,0,2021-02-03,Liver\n32,1,0,2021-02-03,Blood\n"
    two = extract(tmp_path / "two", measurement=measured, specimen=both)
    assert table(two, "biomarker").select("specimen_id", "specimen_site").rows() == [("2021-02-03", None)]


def test_an_observation_states_a_result_too(tmp_path: Path) -> None:
    header = "person_id,observation_concept_id,observation_date,observation_source_value,value_as_string\n"
    found = extract(tmp_path, observation=header + "1,0,2021-02-03,BRAF,V600E\n")
    assert table(found, "biomarker").select("analyte", "hgvs_p").rows() == [("braf", "V600E")]


# Treatment


@pytest.mark.parametrize(
    ("concept", "text", "drug"),
    [
        ("1397141", "DRG-1", "bevacizumab"),
        ("0", "OXALIPLATIN 100MG INJ", "oxaliplatin"),
        ("0", "10 ML bevacizumab-awwb 25 MG/ML [Mvasi]", "bevacizumab"),
        ("0", "5-FU", "5-FU"),
        ("1387104", "trastuzumab deruxtecan 100 mg", "trastuzumab deruxtecan"),
        ("0", "trastuzumab emtansine", "trastuzumab emtansine"),
        ("0", "aflibercept intravitreal 2 mg", "aflibercept intravitreal 2 mg"),
        ("36029751", "", "trifluridine/tipiracil"),
        ("0", "trial drug 7", "trial drug 7"),
    ],
)
def test_a_drug_is_the_substance_that_a_text_or_concept_names(
    tmp_path: Path, concept: str, text: str, drug: str
) -> None:
    found = extract(tmp_path, drug_exposure=DRUG + f"1,1,{concept},2021-01-01,2021-01-01,{text}\n")
    assert table(found, "drug_exposure")["drug"].to_list() == [drug]


def test_a_product_is_read_by_the_name_of_its_concept_and_an_atc_code_by_its_vocabulary(tmp_path: Path) -> None:
    drugs = "person_id,drug_concept_id,drug_source_concept_id,drug_exposure_start_date\n1,91,92,2021-01-01\n"
    concepts = CONCEPT + "91,cetuximab 2 MG/ML Injectable Solution,RxNorm,1\n92,cetuximab,ATC,L01FE01\n"
    found = extract(tmp_path, drug_exposure=drugs, concept=concepts)
    assert table(found, "drug_exposure").select("drug", "atc").rows() == [("cetuximab", "L01FE01")]


def test_a_drug_without_any_name_makes_no_row_and_is_counted(tmp_path: Path) -> None:
    found = extract(tmp_path, drug_exposure=DRUG + "1,1,0,2021-01-01,2021-01-01,\n")
    assert not any(part.table_name == "drug_exposure" for part in found.tables)
    assert unmapped(found, "drug_exposure") == 1


def test_the_verbatim_end_goes_before_the_required_one(tmp_path: Path) -> None:
    header = "person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,verbatim_end_date,"
    drugs = header + "drug_source_value,stop_reason\n1,0,2021-01-01,2021-01-01,2021-04-01,cetuximab,Regimen completed\n"
    drugs += "1,0,2021-01-01,2021-01-01,,cetuximab,\n"
    rows = table(extract(tmp_path, drug_exposure=drugs), "drug_exposure")
    assert rows.select("end_date", "stop_reason").rows() == [("2021-04-01", "completed"), ("2021-01-01", None)]


def test_a_treatment_regimen_numbers_the_line_of_its_drugs(tmp_path: Path) -> None:
    header = "episode_id,person_id,episode_concept_id,episode_start_date,episode_number\n"
    episodes = header + "51,1,32531,2021-01-01,1\n52,1,32531,2021-06-01,2\n53,1,32949,2021-05-01,\n"
    events = (
        "episode_id,event_id,episode_event_field_concept_id\n51,1,1147094\n52,2,1147094\n51,3,1147094\n52,3,1147094\n"
    )
    events += "51,4,1147127\n"
    drugs = DRUG + "".join(f"{number},1,0,2021-01-01,2021-01-01,cetuximab\n" for number in (1, 2, 3, 4))
    found = extract(tmp_path, drug_exposure=drugs, episode=episodes, episode_event=events)
    assert table(found, "drug_exposure")["line_registered"].to_list() == ["1", "2", None, None]
    assert table(found, "outcome").select("outcome_date", "outcome").rows() == [("2021-05-01", "progression")]
    assert unmapped(found, "episode") == 0


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("107963000", "resection"),
        ("Microwave ablation of lesion of liver", "mwa"),
        ("radiofrequency ablation of lung", None),
        ("5415002", None),
        ("Portal vein embolization", "pve"),
        ("18027006", "transplantation"),
    ],
)
def test_a_procedure_on_the_liver_is_told_by_code_or_words(tmp_path: Path, text: str, kind: str | None) -> None:
    found = extract(tmp_path, procedure_occurrence=PROCEDURE + f"1,0,2021-01-01,{text}\n")
    made = [row for part in found.tables if part.table_name == "procedure" for row in part.frame["procedure"]]
    assert made == ([kind] if kind else [])
    assert unmapped(found, "procedure_occurrence") == (kind is None)


def test_an_operation_on_the_bowel_dates_the_resection_of_the_only_tumour(tmp_path: Path) -> None:
    operated = PROCEDURE + "1,0,2021-03-01,43075005\n1,0,2021-02-01,43075005\n"
    one = extract(tmp_path / "one", procedure_occurrence=operated)
    assert table(one, "tumour")["resection_date"].to_list() == ["2021-02-01"]
    two = CONDITION + "11,1,0,2020-06-01,C18.7\n12,1,0,2020-06-01,C18.0\n"
    both = extract(tmp_path / "two", condition_occurrence=two, procedure_occurrence=operated)
    assert table(both, "tumour")["resection_date"].to_list() == [None, None]
    assert unmapped(both, "procedure_occurrence") == 2


def test_a_drug_given_elsewhere_bears_the_centre_of_its_visit(tmp_path: Path) -> None:
    drugs = "person_id,drug_concept_id,drug_exposure_start_date,drug_source_value,visit_occurrence_id\n"
    found = extract(
        tmp_path,
        drug_exposure=drugs + "1,0,2021-01-01,cetuximab,21\n1,0,2021-02-01,cetuximab,\n",
        visit_occurrence="visit_occurrence_id,person_id,visit_concept_id,visit_start_date,care_site_id\n"
        "21,1,0,2021-01-01,8\n",
        care_site="care_site_id,care_site_name\n8,South\n",
    )
    assert table(found, "drug_exposure")["centre_id"].to_list() == ["South", None]


# The sample


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {name: tmp_path_factory.mktemp(name) for name in ("canonical", "omop", "parquet")}
    for name in ("canonical", "omop"):
        write_sample(folders[name], 120, 3, name)
    for path in folders["omop"].glob("*.csv"):
        frame = pl.read_csv(path, infer_schema_length=0)
        ids = [name for name in frame.columns if name.endswith("_id")]
        numbers = [name for name in ids if not frame[name].str.contains("[A-Z]").any()]
        days = [name for name in frame.columns if name.endswith("_date")]
        typed = frame.with_columns(pl.col(numbers).cast(pl.Int64), pl.col(days).str.to_date())
        typed.write_parquet(folders["parquet"] / f"{path.stem}.parquet")
    return folders


def test_parquet_gives_the_rows_of_csv(samples: dict[str, Path]) -> None:
    csv, parquet = (rows_by_table(read_sources([samples[name]])) for name in ("omop", "parquet"))
    assert csv.keys() == parquet.keys()
    for name, frame in csv.items():
        assert frame.equals(parquet[name]), name


def _with_pseudonym(samples: dict[str, Path], name: str) -> pl.DataFrame:
    names = pl.read_csv(samples["omop"] / "person.csv", infer_schema_length=0)
    key = names.select(patient_id="person_id", pseudonym="person_source_value")
    rows = table(read_sources([samples["omop"]]), name).join(key, on="patient_id", how="left")
    return rows.with_columns(patient_id="pseudonym")


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("patient", ("patient_id", "centre_id", "birth_year", "sex", "vital_status", "last_contact_date")),
        ("tumour", ("patient_id", "diagnosis_date", "topography", "morphology", "t_category", "resection_date")),
        ("drug_exposure", ("patient_id", "drug", "atc", "start_date", "stop_reason")),
        ("biomarker", ("patient_id", "analyte", "method", "result", "hgvs_p", "sample_date", "specimen_site")),
        ("procedure", ("patient_id", "procedure_date", "procedure")),
        ("outcome", ("patient_id", "outcome_date", "outcome")),
    ],
)
def test_the_sample_holds_what_the_model_can_carry_of_the_canonical_rows(
    samples: dict[str, Path], name: str, columns: tuple[str, ...]
) -> None:
    canonical = table(read_sources([samples["canonical"]]), name)
    if name == "biomarker":
        canonical = canonical.filter(pl.col("sample_date").is_not_null())
    assert canonical.height
    whole_days = (cs.ends_with("_date") + "-01-01").str.slice(0, 10)
    expected = Counter(canonical.with_columns(whole_days).select(columns).rows())
    assert Counter(_with_pseudonym(samples, name).select(columns).rows()) == expected
