"""What the samples of a cBioPortal study show: microsatellites, repair proteins, burden, copy numbers, fusions."""

from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline.extracts.tables import Extract
from tests.unit.extracts.files import checks, tab, table
from tests.unit.extracts.studies import rows_of, sample, samples, study, timeline

DISCRETE = (
    "cancer_study_identifier: study_x\ngenetic_alteration_type: COPY_NUMBER_ALTERATION\ndatatype: {}\n"
    "data_filename: data_cna.txt\n"
)


def answered(folder: Path, *answers: dict[str, str]) -> Extract:
    """Read a study whose samples S1, S2 ... of patients P1, P2 ... give these answers."""
    rows = [sample(f"P{i}", f"S{i}", **given) for i, given in enumerate(answers, start=1)]
    return study(folder, data_clinical_sample=samples(*rows))


def biomarkers(extract: Extract, analyte: str, *columns: str) -> list[tuple[object, ...]]:
    rows = table(extract, "biomarker").filter(pl.col("analyte") == analyte)
    return rows.select("result", *columns).rows()


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("MSI", "msi_h"), ("MSI-H", "msi_h"), ("Instable", "msi_h"), ("MSI-L", "msi_l"), ("MSS", "mss"),
        ("Stable", "mss"), ("Indeterminate", "indeterminate"), ("Do not report", "indeterminate"),
        ("a new word", "a new word"),
    ],
)  # fmt: skip
def test_each_word_for_microsatellites_has_one_meaning_and_a_new_one_is_left_to_validation(
    tmp_path: Path, status: str, result: str
) -> None:
    assert biomarkers(answered(tmp_path, {"msi_status": status}), "msi", "registry_code") == [(result, status)]
    by_type = biomarkers(answered(tmp_path, {"msi_type": status}), "msi", "registry_code", "method")
    assert by_type == [(result, status, "ngs")]


@pytest.mark.parametrize("status", ["NA", "", "Unknown", "Not tested"])
def test_nobody_is_stable_for_want_of_a_status(tmp_path: Path, status: str) -> None:
    assert biomarkers(answered(tmp_path, {"msi_status": status}), "msi") == []


@pytest.mark.parametrize("score", ["0", "3.4", "40"])
def test_a_score_without_a_status_is_kept_and_never_becomes_one(tmp_path: Path, score: str) -> None:
    extract = answered(tmp_path, {"msi_status": "NA", "msi_score": score})
    found = biomarkers(extract, "msi", "missing_reason", "value", "method", "registry_code")
    assert found == [("indeterminate", "not_recorded", score, "ngs", None)]
    assert rows_of(extract, "msi_score_without_status") == (1,)


def test_a_score_beside_its_status_is_its_value(tmp_path: Path) -> None:
    extract = answered(tmp_path, {"msi_status": "MSS", "msi_score": "0.3"}, {"msi_status": "MSS"})
    assert biomarkers(extract, "msi", "value", "method") == [("mss", "0.3", "ngs"), ("mss", None, None)]
    assert "msi_score_without_status" not in checks(extract)


def test_two_columns_that_agree_are_one_result_and_two_that_do_not_are_both_kept(tmp_path: Path) -> None:
    extract = answered(
        tmp_path,
        {"msi_status": "MSS", "msi_type": "Stable"},
        {"msi_status": "MSS", "msi_type": "Instable"},
    )
    rows = table(extract, "biomarker").filter(analyte="msi").select("specimen_id", "result").sort("specimen_id").rows()
    assert rows == [("S1", "mss"), ("S2", "mss"), ("S2", "msi_h")]


@pytest.mark.parametrize(("stable", "is_noticed"), [("11.9", False), ("12", True), ("30", True)])
def test_statuses_that_no_cut_off_of_the_score_explains_are_noticed(
    tmp_path: Path, stable: str, is_noticed: bool
) -> None:
    extract = answered(
        tmp_path,
        {"msi_status": "MSI", "msi_score": "12"},
        {"msi_status": "MSI-L", "msi_score": stable},
        {"msi_status": "MSI", "msi_score": "40"},
    )
    assert ("msi_status_contradicts_score" in checks(extract)) is is_noticed
    assert [result for (result,) in biomarkers(extract, "msi")] == ["msi_h", "msi_l", "msi_h"]


@pytest.mark.parametrize(
    ("status", "result"),
    [("Deficient", "msi_h"), ("dMMR", "msi_h"), ("Proficient", "mss"), ("pMMR", "mss"), ("Equivocal", "indeterminate")],
)
def test_a_repair_status_is_read_as_stained(tmp_path: Path, status: str, result: str) -> None:
    found = biomarkers(answered(tmp_path, {"mmr_status": status}), "msi", "method", "registry_code")
    assert found == [(result, "ihc", status)]


@pytest.mark.parametrize(
    ("staining", "result"),
    [
        ("Retained", "retained"),
        ("Intact", "retained"),
        ("Lost", "lost"),
        ("Absent", "lost"),
        ("Patchy", "indeterminate"),
    ],
)
def test_the_staining_of_a_repair_protein_is_its_own_result(tmp_path: Path, staining: str, result: str) -> None:
    extract = answered(tmp_path, {"msh6": staining, "mlh1": ""})
    assert biomarkers(extract, "msh6", "method") == [(result, "ihc")]
    assert biomarkers(extract, "mlh1") == []


def test_hypermutation_is_mutational_burden_and_not_microsatellites(tmp_path: Path) -> None:
    clinical = samples(sample(subtype_abbreviation="CRC HM", tmb_nonsynonymous="55.5"), sample("P2", "S2"))
    biomarker = table(study(tmp_path, data_clinical_sample=clinical), "biomarker")
    burden = biomarker.filter(analyte="tmb").select("result", "value", "registry_code").rows()
    assert burden == [("high", "55.5", "CRC HM"), ("low", None, "CRC MSS")]
    assert biomarker.filter(analyte="msi").is_empty()


def copies(
    folder: Path, header: str, *rows: tuple[str, ...], datatype: str | None = "DISCRETE", **files: str
) -> Extract:
    given = {"meta_cna": DISCRETE.format(datatype)} if datatype else {}
    two = samples(sample(), sample("P2", "S2"))
    return study(folder, **{"data_cna": tab(header, *rows), "data_clinical_sample": two, **given, **files})


@pytest.mark.parametrize(
    ("level", "result"),
    [("2", "amplified"), ("2.0", "amplified"), ("1", "not_amplified"), ("0", "not_amplified"),
     ("-1", "not_amplified"), ("-1.5", "not_amplified"), ("-2", "not_amplified"), ("3", "3")],
)  # fmt: skip
def test_only_high_level_amplification_of_erbb2_is_amplified(tmp_path: Path, level: str, result: str) -> None:
    extract = copies(tmp_path, "Hugo_Symbol Entrez_Gene_Id S1", ("ERBB2", "2064", level), ("EGFR", "1956", "2"))
    found = biomarkers(extract, "erbb2", "method", "specimen_id", "registry_code")
    assert found == [(result, "ngs", "S1", level.removesuffix(".0"))]
    matrix = next(file for file in extract.files if file.file_name == "data_cna.txt")
    assert (matrix.row_count, matrix.unmapped_count) == (2, 1)


@pytest.mark.parametrize("level", ["NA", ""])
def test_a_sample_without_a_level_is_not_tested_for_amplification(tmp_path: Path, level: str) -> None:
    assert biomarkers(copies(tmp_path, "Hugo_Symbol S1 S2", ("ERBB2", level, "0")), "erbb2", "specimen_id") == [
        ("not_amplified", "S2")
    ]


def test_the_panel_matrix_decides_who_was_profiled_for_copy_numbers(tmp_path: Path) -> None:
    matrix = tab("SAMPLE_ID mutations cna", ("S1", "IMPACT468", "NA"), ("S2", "NA", "IMPACT468"))
    extract = copies(tmp_path, "Hugo_Symbol S1 S2", ("ERBB2", "0", "0"), matrix=matrix)
    assert biomarkers(extract, "erbb2", "specimen_id") == [("not_amplified", "S2")]
    assert rows_of(extract, "copy_number_not_profiled") == (1,)


def test_a_sample_that_the_panel_matrix_does_not_list_counts_by_its_level(tmp_path: Path) -> None:
    matrix = tab("SAMPLE_ID mutations cna", ("S2", "IMPACT468", "IMPACT468"))
    extract = copies(tmp_path, "Hugo_Symbol S1 S2", ("ERBB2", "2", "0"), matrix=matrix)
    assert biomarkers(extract, "erbb2", "specimen_id") == [("amplified", "S1"), ("not_amplified", "S2")]


def test_a_mutation_panel_alone_says_nothing_of_amplification(tmp_path: Path) -> None:
    assert biomarkers(study(tmp_path), "erbb2") == []


@pytest.mark.parametrize("column", ["Sample_Id", "SAMPLE_ID"])
def test_copy_numbers_may_stand_one_per_record(tmp_path: Path, column: str) -> None:
    rows = (("ERBB2", "2064", "S1", "2"), ("ERBB2", "2064", "S9", "2"), ("EGFR", "1956", "S1", "2"))
    extract = copies(tmp_path, f"Hugo_Symbol Entrez_Gene_Id {column} Value", *rows, datatype="DISCRETE_LONG")
    assert biomarkers(extract, "erbb2", "specimen_id") == [("amplified", "S1")]
    assert rows_of(extract, "sample_unknown") == (2,)


@pytest.mark.parametrize(
    ("datatype", "level", "is_read"),
    [("CONTINUOUS", "2", False), ("LOG2-VALUE", "2", False), (None, "2", True), (None, "1.73", False)],
)
def test_only_discrete_copy_numbers_are_read(tmp_path: Path, datatype: str | None, level: str, is_read: bool) -> None:
    extract = copies(tmp_path, "Hugo_Symbol S1", ("ERBB2", level), datatype=datatype)
    assert (biomarkers(extract, "erbb2") == [("amplified",)]) is is_read
    assert ("file_not_used" in checks(extract)) is not is_read


def test_a_profile_without_erbb2_is_noticed(tmp_path: Path) -> None:
    assert "erbb2_not_profiled" in checks(copies(tmp_path, "Hugo_Symbol S1", ("EGFR", "2")))


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


@pytest.mark.parametrize(
    ("status", "frame", "expected"),
    [
        ("SOMATIC", "In_frame", ["ntrk3"]),
        ("", "", ["ntrk3"]),
        ("GERMLINE", "In_frame", []),
        ("SOMATIC", "Frame_shift", []),
    ],
)
def test_a_germline_or_out_of_frame_variant_is_no_fusion(
    tmp_path: Path, status: str, frame: str, expected: list[str]
) -> None:
    header = "Sample_Id Site1_Hugo_Symbol Site2_Hugo_Symbol Event_Info SV_Status Site2_Effect_On_Frame"
    variants = tab(header, ("S1", "ETV6", "NTRK3", "Fusion", status, frame))
    fusions = table(study(tmp_path, data_sv=variants), "biomarker").filter(result="fusion")
    assert fusions["analyte"].to_list() == expected


@pytest.mark.parametrize(
    ("gene", "fusion", "frame", "status", "expected"),
    [
        ("NTRK3", "ETV6-NTRK3 fusion", "in-frame", "", ["ntrk3"]),
        ("ETV6", "ETV6-NTRK3 fusion", "in-frame", "", []),  # the gene's own record counts
        ("RET", "Fusion", "unknown", "SOMATIC", ["ret"]),
        ("RET", "NCOA4-RET fusion", "frameshift", "", []),
        ("RET", "NCOA4-RET fusion out of frame", "unknown", "", []),
        ("NTRK1", "NTRK1-intragenic", "unknown", "", []),
        ("NTRK1", "LMNA-NTRK1 fusion", "in-frame", "GERMLINE", []),
        ("ERBB2", "ERBB2-GRB7 fusion", "in-frame", "", []),
    ],
)
def test_the_older_form_of_fusions_is_read_too(
    tmp_path: Path, gene: str, fusion: str, frame: str, status: str, expected: list[str]
) -> None:
    header = "Hugo_Symbol Entrez_Gene_Id Center Tumor_Sample_Barcode Fusion DNA_support RNA_support Method Frame"
    row = (gene, "1", "c", "S1", fusion, "yes", "no", "x", frame, status)
    extract = study(tmp_path, data_fusions=tab(f"{header} Fusion_Status", row))
    fusions = table(extract, "biomarker").filter(result="fusion")
    assert fusions["analyte"].to_list() == expected


def test_a_panel_delivered_in_the_folder_says_which_genes_were_examined(tmp_path: Path) -> None:
    panel = "stable_id: CENTRE-P1\ndescription: a panel\ngene_list:\tNRAS\tBRAF\tTP53\tERBB2\n"
    clinical = samples(sample(gene_panel="CENTRE-P1"))
    extract = study(tmp_path, data_gene_panel=panel, data_clinical_sample=clinical)
    negative = table(extract, "biomarker").filter(result="not_detected")
    assert sorted(negative["analyte"]) == ["braf", "nras"]
    assert "panel_unknown" not in checks(extract)


def test_no_result_is_known_before_the_specimen_was_sequenced(tmp_path: Path) -> None:
    events = timeline("", ("P1", "130", "", "SEQUENCING", "S1"))
    dates = table(study(tmp_path, data_timeline=events), "biomarker").select("sample_date", "report_date").unique()
    assert dates.rows() == [("2000-01-01", "2000-01-31")]
    only_sequenced = tab("PATIENT_ID START_DATE EVENT_TYPE SAMPLE_ID", ("P1", "130", "SEQUENCING", "S1"))
    dates = table(study(tmp_path, data_timeline=only_sequenced), "biomarker").select("sample_date", "report_date")
    assert dates.unique().rows() == [("2000-01-01", None)]
