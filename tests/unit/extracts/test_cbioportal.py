"""cBioPortal study folders."""

from pathlib import Path

import pytest

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.tables import Extract
from tests.unit.extracts.files import checks, read, tab, table

COMMENTS = "#a\n#{descriptions}\n#STRING\n#1\n"
SINCE_SEQUENCING = "\t".join(("id", "sex", "Overall survival in months since date of sequencing", "status", "age"))
PATIENT_HEADER = "PATIENT_ID SEX OS_MONTHS OS_STATUS AGE_AT_SEQUENCING"
SAMPLE = {
    "PATIENT_ID": "P1",
    "SAMPLE_ID": "S1",
    "SAMPLE_TYPE": "Primary",
    "PRIMARY_SITE": "Cecum",
    "METASTATIC_SITE": '""',
    "SUBTYPE_ABBREVIATION": "CRC MSS",
    "GENE_PANEL": "IMPACT468",
    "TMB_NONSYNONYMOUS": "5.5",
}
MAF_HEADER = (
    "Hugo_Symbol NCBI_Build Start_Position Reference_Allele Tumor_Seq_Allele2 "
    "Tumor_Sample_Barcode t_ref_count t_alt_count"
)
META = "type_of_cancer: coadread\ncancer_study_identifier: study_x\nname: A study, of some kind\n"
KRAS_G12C = ("KRAS", "GRCh37", "25398285", "C", "A", "S1", "75", "25")


def patients(*rows: tuple[str, ...], descriptions: str = SINCE_SEQUENCING) -> str:
    return COMMENTS.format(descriptions=descriptions) + tab(PATIENT_HEADER, *rows)


def samples(*rows: dict[str, str]) -> str:
    return COMMENTS.format(descriptions="x") + tab(
        " ".join(SAMPLE), *(tuple({**SAMPLE, **row}.values()) for row in rows)
    )


def sample(patient: str = "P1", name: str = "S1", **cells: str) -> dict[str, str]:
    """Return a sample; a further cell is given by its column's name in lower case."""
    return {"PATIENT_ID": patient, "SAMPLE_ID": name, **{column.upper(): cell for column, cell in cells.items()}}


ONE_PATIENT = patients(("P1", "Female", "2", "0:LIVING", "60"))


def study(folder: Path, **files: str) -> Extract:
    """Read a study of one patient and sample, with these files replaced or added (`maf`, `sequencing` …)."""
    given = {
        "meta_study": META,
        "data_clinical_patient": ONE_PATIENT,
        "data_clinical_sample": samples(sample()),
        "data_mutations": tab(MAF_HEADER, KRAS_G12C),
    }
    return read(folder, {f"{name}.txt": content for name, content in {**given, **files}.items()})


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


def test_treatment_events_become_exposures_and_radiation_does_not(tmp_path: Path) -> None:
    events = tab(
        "PATIENT_ID START_DATE STOP_DATE EVENT_TYPE SAMPLE_ID AGENT TREATMENT_TYPE",
        ("P1", "100", "", "SPECIMEN", "S1", "", ""),
        ("P1", "110", "120", "TREATMENT", "", "OXALIPLATIN", "Medical Therapy"),
        ("P1", "130", "", "TREATMENT", "", "PHOTONS", "Radiation Therapy"),
        ("P9", "130", "", "TREATMENT", "", "OXALIPLATIN", "Medical Therapy"),
    )
    extract = study(tmp_path, data_timeline=events)
    assert table(extract, "drug_exposure").rows() == [(2, "P1", "OXALIPLATIN", "2000-01-11", "2000-01-21")]
    timeline = next(file for file in extract.files if file.file_name == "data_timeline.txt")
    assert (timeline.row_count, timeline.unmapped_count) == (4, 2)


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


def test_hypermutation_is_mutational_burden_and_not_microsatellites(tmp_path: Path) -> None:
    clinical = samples(sample(subtype_abbreviation="CRC HM", tmb_nonsynonymous="55.5"), sample("P2", "S2"))
    biomarker = table(study(tmp_path, data_clinical_sample=clinical), "biomarker")
    burden = biomarker.filter(analyte="tmb").select("result", "value", "registry_code").rows()
    assert burden == [("high", "55.5", "CRC HM"), ("low", None, "CRC MSS")]
    assert biomarker.filter(analyte="msi").is_empty()


def test_a_microsatellite_status_is_read_and_na_is_unknown(tmp_path: Path) -> None:
    header = "PATIENT_ID SAMPLE_ID SAMPLE_TYPE PRIMARY_SITE MSI_STATUS MSI_SCORE"
    rows = [("P1", f"S{i}", "Primary", "Cecum", status, "20") for i, status in enumerate(("MSI", "MSS", "NA"))]
    clinical = COMMENTS.format(descriptions="x") + tab(header, *rows)
    biomarker = table(study(tmp_path, data_clinical_sample=clinical), "biomarker").filter(analyte="msi")
    assert biomarker.select("result", "registry_code").rows() == [("msi_h", "MSI"), ("mss", "MSS")]


@pytest.mark.parametrize(
    ("sites", "info", "expected"),
    [
        (("ETV6", "NTRK3"), "Protein Fusion: in frame {ETV6:NTRK3}", ["ntrk3"]),
        (("RET", "NCOA4"), "RET-NCOA4 fusion - Archer", ["ret"]),
        (("NTRK3", "NTRK3"), "NTRK3-intragenic Fusion", []),
        (("RET", "TIMM23B"), "Protein Fusion: out of frame {RET:TIMM23B}", []),
        (("ERBB2", "GRB7"), "Protein fusion: mid-exon (ERBB2-GRB7)", []),
    ],
)
def test_what_the_source_calls_a_fusion_of_ntrk_or_ret_is_one(
    tmp_path: Path, sites: tuple[str, str], info: str, expected: list[str]
) -> None:
    variants = tab(
        "Sample_Id Site1_Hugo_Symbol Site2_Hugo_Symbol Event_Info SV_Status", ("S1", *sites, info, "SOMATIC")
    )
    fusions = table(study(tmp_path, data_sv=variants), "biomarker").filter(result="fusion")
    assert fusions["analyte"].to_list() == expected


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
