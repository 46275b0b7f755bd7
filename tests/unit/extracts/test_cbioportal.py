"""cBioPortal study folders."""

from pathlib import Path

import pytest

from crlm_pipeline.errors import SourceError
from tests.unit.extracts.files import checks, read, tab, table
from tests.unit.extracts.studies import (
    COMMENTS,
    KRAS_G12C,
    MAF_HEADER,
    META,
    ONE_PATIENT,
    SINCE_SEQUENCING,
    patients,
    rows_of,
    sample,
    samples,
    study,
)


def test_the_study_is_the_centre_and_the_country_is_unknown(tmp_path: Path) -> None:
    patient = table(study(tmp_path), "patient").row(0, named=True)
    assert (patient["patient_id"], patient["centre_id"], patient["country"], patient["sex"]) == (
        "P1",
        "study_x",
        "ZZ",
        "female",
    )


def test_without_a_meta_file_the_folder_names_the_centre_and_that_is_noticed(tmp_path: Path) -> None:
    extract = read(
        tmp_path / "my_study",
        {"p.txt": ONE_PATIENT, "s.txt": samples(sample()), "m.txt": tab(MAF_HEADER, KRAS_G12C)},
    )
    assert table(extract, "patient")["centre_id"].to_list() == ["my_study"]
    assert checks(extract) == ["study_not_named"]


@pytest.mark.parametrize(
    ("months", "status", "expected"),
    [
        ("2", "0:LIVING", ("alive", "2000-03-02", None)),  # 60.875 days
        ("2", "1:DECEASED", ("dead", None, "2000-03-02")),
        ("", "1:DECEASED", ("dead", None, None)),
        ("8", "1:DECEASED", ("dead", None, "2000-09-01")),  # 243.5 days: half a day counts as one
    ],
)
def test_survival_since_the_specimen_gives_the_last_day(
    tmp_path: Path, months: str, status: str, expected: tuple[str | None, ...]
) -> None:
    extract = study(tmp_path, data_clinical_patient=patients(("P1", "Male", months, status, "60")))
    row = table(extract, "patient").row(0, named=True)
    assert (row["vital_status"], row["last_contact_date"], row["death_date"]) == expected
    assert {file.calendar for file in extract.files} == {"relative"}


def test_survival_since_another_day_is_not_placed_on_the_calendar(tmp_path: Path) -> None:
    since_diagnosis = SINCE_SEQUENCING.replace("date of sequencing", "initial diagnosis")
    clinical = patients(("P1", "Male", "2", "1:DECEASED", "60"), descriptions=since_diagnosis)
    extract = study(tmp_path, data_clinical_patient=clinical)
    row = table(extract, "patient").row(0, named=True)
    assert (row["vital_status"], row["death_date"], row["birth_year"]) == ("dead", None, None)
    assert table(extract, "biomarker")["sample_date"].null_count() == table(extract, "biomarker").height
    assert {file.calendar for file in extract.files} == {"real"}


def test_the_year_of_birth_follows_from_the_age_at_sequencing(tmp_path: Path) -> None:
    assert table(study(tmp_path), "patient")["birth_year"].to_list() == ["1940"]


def test_the_first_specimen_stands_on_the_first_day_and_others_by_difference(tmp_path: Path) -> None:
    header = "PATIENT_ID START_DATE STOP_DATE EVENT_TYPE SAMPLE_ID"
    events = tab(header, ("P1", "20010", "", "SEQUENCING", "S2"), ("P1", "20000", "", "SEQUENCING", "S1"))
    clinical = samples(sample(), sample(name="S2", sample_type="Metastasis", metastatic_site="Liver"))
    extract = study(tmp_path, data_timeline=events, data_clinical_sample=clinical)
    days = table(extract, "biomarker").select("specimen_id", "sample_date").unique().sort("specimen_id").rows()
    assert days == [("S1", "2000-01-01"), ("S2", "2000-01-11")]
    timeline = next(file for file in extract.files if file.file_name == "data_timeline.txt")
    assert (timeline.row_count, timeline.unmapped_count) == (2, 0)


def test_one_of_two_samples_without_a_day_has_no_date(tmp_path: Path) -> None:
    extract = study(tmp_path, data_clinical_sample=samples(sample(), sample(name="S2")))
    assert table(extract, "biomarker")["sample_date"].null_count() == table(extract, "biomarker").height


def test_a_status_event_dates_the_last_contact_where_survival_does_not(tmp_path: Path) -> None:
    events = tab(
        "PATIENT_ID START_DATE EVENT_TYPE SAMPLE_ID STATUS",
        ("P1", "20000", "SEQUENCING", "S1", ""),
        ("P1", "20030", "STATUS", "", "DECEASED"),
    )
    clinical = patients(("P1", "Male", "", "", "60"), descriptions="x")
    row = table(study(tmp_path, data_timeline=events, data_clinical_patient=clinical), "patient").row(0, named=True)
    assert (row["vital_status"], row["death_date"]) == ("dead", "2000-01-31")


def test_surgery_without_a_type_is_unmapped_and_noticed(tmp_path: Path) -> None:
    extract = study(tmp_path, surgery=tab("PATIENT_ID START_DATE EVENT_TYPE", ("P1", "10", "SURGERY")))
    assert "procedure" not in {part.table_name for part in extract.tables}
    (notice,) = [notice for notice in extract.notices if notice.check_name == "surgery_not_mapped"]
    assert notice.rows == (1,)
    surgery = next(file for file in extract.files if file.file_name == "surgery.txt")
    assert (surgery.row_count, surgery.unmapped_count) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "metastasis", "expected"),
    [
        ("Primary", '""', "primary"),
        ("Metastasis", "Liver", "liver"),
        ("Metastasis", "Lung", "other_metastasis"),
        ("Metastasis", '""', None),
        ("Local Recurrence", "Liver", None),
    ],
)
def test_specimen_sites(tmp_path: Path, kind: str, metastasis: str, expected: str | None) -> None:
    extract = study(tmp_path, data_clinical_sample=samples(sample(sample_type=kind, metastatic_site=metastasis)))
    assert set(table(extract, "biomarker")["specimen_site"]) == {expected}


def test_site_text_becomes_topography_and_unknown_text_is_noticed(tmp_path: Path) -> None:
    clinical = samples(sample(primary_site="Sigmoid colon"), sample("P2", "S2", primary_site="Pancreas"))
    extract = study(tmp_path, data_clinical_sample=clinical)
    assert table(extract, "tumour").select("patient_id", "topography").rows() == [("P1", "C18.7"), ("P2", "C26.0")]
    (notice,) = [notice for notice in extract.notices if notice.check_name == "site_unknown"]
    assert notice.rows == (2,)
    assert "Pancreas" not in notice.message


def test_a_vague_site_beside_an_exact_one_is_the_same_tumour(tmp_path: Path) -> None:
    clinical = samples(
        sample(primary_site="Colon"), sample(name="S2", primary_site="Cecum"), sample(name="S3", primary_site="Rectum")
    )
    tumours = table(study(tmp_path, data_clinical_sample=clinical), "tumour")
    assert tumours["topography"].to_list() == ["C18.0", "C20.9"]


def test_a_variant_without_protein_change_is_read_from_its_position(tmp_path: Path) -> None:
    row = table(study(tmp_path), "biomarker").filter(result="mutated").row(0, named=True)
    assert (row["analyte"], row["hgvs_p"], row["region_tested"], row["method"], row["vaf_percent"]) == (
        "kras",
        "p.Gly12Cys",
        "all",
        "ngs",
        "25.0",
    )


def test_genes_of_the_panel_without_a_variant_are_not_detected_and_others_are_not_tested(tmp_path: Path) -> None:
    negative = table(study(tmp_path), "biomarker").filter(result="not_detected")
    assert sorted(negative["analyte"]) == ["braf", "hras", "nras", "pik3ca"]
    assert set(negative["region_tested"]) == {"all"}


@pytest.mark.parametrize("panel", ["NA", "PANEL_X", ""])
def test_an_unknown_panel_is_not_tested(tmp_path: Path, panel: str) -> None:
    extract = study(tmp_path, data_clinical_sample=samples(sample(gene_panel=panel)))
    biomarker = table(extract, "biomarker")
    assert biomarker.filter(result="not_detected").is_empty()
    assert biomarker.filter(result="mutated")["region_tested"].to_list() == [None]
    assert "panel_unknown" in checks(extract)


def test_the_panel_matrix_decides_whether_mutations_were_called(tmp_path: Path) -> None:
    matrix = tab("SAMPLE_ID mutations", ("S1", "NA"), ("S2", "IMPACT341"))
    clinical = samples(sample(), sample("P2", "S2", gene_panel=""))
    extract = study(tmp_path, panels=matrix, data_clinical_sample=clinical)
    negative = table(extract, "biomarker").filter(result="not_detected")
    assert set(negative["specimen_id"]) == {"S2"}


@pytest.mark.parametrize("maf", [tab(MAF_HEADER), None])
def test_a_study_without_any_variant_makes_nobody_wild_type(tmp_path: Path, maf: str | None) -> None:
    files = {"meta.txt": META, "p.txt": ONE_PATIENT, "s.txt": samples(sample())} | ({"m.txt": maf} if maf else {})
    extract = read(tmp_path, files)
    assert set(table(extract, "biomarker")["analyte"]) == {"tmb"}
    assert checks(extract) == ["variants_absent"]


def test_a_record_of_an_unknown_sample_is_unmapped_and_noticed(tmp_path: Path) -> None:
    extract = study(tmp_path, data_mutations=tab(MAF_HEADER, KRAS_G12C, (*KRAS_G12C[:5], "S9", "1", "1")))
    assert table(extract, "biomarker").filter(result="mutated").height == 1
    (notice,) = [notice for notice in extract.notices if notice.check_name == "sample_unknown"]
    assert notice.rows == (2,)


def test_a_meta_file_may_name_an_absent_file(tmp_path: Path) -> None:
    extract = study(tmp_path, meta_cna="cancer_study_identifier: study_x\ndata_filename: data_cna.txt\n")
    (notice,) = [notice for notice in extract.notices if notice.check_name == "meta_names_absent_file"]
    assert "data_cna.txt" in notice.message


def test_a_study_without_patients_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no patient table"):
        read(tmp_path, {"meta.txt": META, "s.txt": samples(sample())})


@pytest.mark.parametrize(
    ("stage", "expected"),
    [("IV", "M1"), ("Stage IVA", "M1"), ("III", "M0"), ("IIC", "M0"), ("0", "M0"), ("NA", None), ("V", None)],
)
def test_stage_four_is_metastatic_and_a_lower_one_is_not(tmp_path: Path, stage: str, expected: str | None) -> None:
    extract = study(tmp_path, data_clinical_sample=samples(sample(stage_at_diagnosis=stage)))
    assert table(extract, "tumour")["m_category"].to_list() == [expected]


@pytest.mark.parametrize(
    ("site", "location", "topography", "check"),
    [
        ("Cecum", "Right", "C18.0", None),
        ("Cecum", "Left", "C18.0", "side_contradicts_site"),
        ("Transverse Colon", "Left", "C18.4", None),
        ("NA", "Sigmoid Colon", "C18.7", None),
        ("NA", "Left", "C26.0", "site_unknown"),
    ],
)
def test_a_side_is_no_site(tmp_path: Path, site: str, location: str, topography: str, check: str | None) -> None:
    clinical = samples(sample(primary_site=site, primary_tumor_location=location))
    extract = study(tmp_path, data_clinical_sample=clinical)
    assert table(extract, "tumour")["topography"].to_list() == [topography]
    assert {"side_contradicts_site", "site_unknown"} & set(checks(extract)) == ({check} if check else set())


def test_metastases_and_their_operation_without_a_date_are_noticed(tmp_path: Path) -> None:
    rows = (sample(metastasectomy="1", first_site_of_mets="Liver"), sample("P2", "S2", metastasectomy="0"))
    extract = study(tmp_path, data_clinical_sample=samples(*rows))
    assert rows_of(extract, "metastasectomy_not_dated") == rows_of(extract, "metastases_not_dated") == (1,)
    assert {"procedure", "assessment"}.isdisjoint(part.table_name for part in extract.tables)


def test_the_patient_file_that_a_meta_file_declares_goes_before_tables_of_survival(tmp_path: Path) -> None:
    meta = "cancer_study_identifier: study_x\ndatatype: PATIENT_ATTRIBUTES\ndata_filename: data_clinical_patient.txt\n"
    supplement = COMMENTS.format(descriptions="x") + tab("PATIENT_ID OS_MONTHS", ("P1", "3"))
    extract = study(tmp_path, meta_patient=meta, data_clinical_supp_survival=supplement)
    assert table(extract, "patient").height == 1
    assert "file_not_used" in checks(extract)
