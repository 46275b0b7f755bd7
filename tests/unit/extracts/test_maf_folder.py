"""Folders with a MAF file and registry-style clinical forms."""

from pathlib import Path

import pytest

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.tables import Extract
from tests.unit.extracts.files import checks, read, tab, table

FORM = {
    "Tumor_Sample_Barcode": "P1",
    "icd_o_3_site": "C18.7",
    "gender": "FEMALE",
    "vital_status": "0",
    "days_to_birth": "-20000",
    "days_to_death": "",
    "days_to_last_followup": "100",
    "tissue_source_site": "AA",
    "icd_o_3_histology": "8140/3",
    "year_of_initial_pathologic_diagnosis": "2008",
    "residual_tumor": "R0",
    "anatomic_neoplasm_subdivision": "Sigmoid_Colon",
    "tumor_tissue_site": "Colon",
    "number_of_lymphnodes_positive_by_he": "3",
    "stage_event_tnm_categories": "T4aN1bMX",
    "kras_mutation_found": "",
    "kras_mutation_codon": "",
    "braf_gene_analysis_result": "",
    "microsatellite_instability": "",
    "number_of_loci_tested": "",
    "loss_expression_of_mismatch_repair_proteins_by_ihc": "",
    "loss_expression_of_mismatch_repair_proteins_by_ihc_results": "",
}
MAF_HEADER = (
    "Hugo_Symbol Start_Position Reference_Allele Tumor_Seq_Allele2 Variant_Classification Tumor_Sample_Barcode "
    "NCBI_Build Protein_Change"
)


def forms(*answers: dict[str, str]) -> str:
    return tab(" ".join(FORM), *(tuple({**FORM, **given}.values()) for given in answers))


def variant(gene: str = "KRAS", change: str = "p.G12D", kind: str = "Missense_Mutation", patient: str = "P1",
            place: tuple[str, str, str] = ("25398284", "C", "T"), build: str = "37") -> tuple[str, ...]:  # fmt: skip
    return gene, *place, kind, patient, build, change


def folder(
    path: Path,
    *answers: dict[str, str],
    maf: tuple[tuple[str, ...], ...] = (),
    sequenced: tuple[str, ...] | None = None,
) -> Extract:
    """Read forms, a MAF with KRAS and NRAS rows of another patient, and a sequenced list if given."""
    others = (variant(patient="P9"), variant("NRAS", patient="P9"))
    files = {"form.tsv": forms(*answers or ({},)), "maf.tsv": tab(MAF_HEADER, *others, *maf)}
    if sequenced is not None:
        files["sequenced.tsv"] = tab("cohort patient", *(("X", patient) for patient in sequenced))
    return read(path, files)


def of_p1(extract: Extract, **wanted: str) -> list[dict[str, object]]:
    return table(extract, "biomarker").filter(patient_id="P1", **wanted).to_dicts()


def test_a_form_is_a_patient_with_dates_counted_from_the_year_of_diagnosis(tmp_path: Path) -> None:
    assert table(folder(tmp_path), "patient").row(0, named=True) == {
        "source_row": 1,
        "patient_id": "P1",
        "centre_id": "AA",
        "country": "ZZ",
        "birth_year": "1953",
        "sex": "female",
        "vital_status": "alive",
        "last_contact_date": "2008-04-10",
        "death_date": None,
    }


def test_without_the_day_of_birth_the_age_gives_the_year(tmp_path: Path) -> None:
    header = "Tumor_Sample_Barcode icd_o_3_site tissue_source_site year_of_initial_pathologic_diagnosis "
    form = tab(header + "age_at_initial_pathologic_diagnosis", ("P1", "C20.9", "AA", "2008", "60"))
    extract = read(tmp_path, {"form.tsv": form, "maf.tsv": tab(MAF_HEADER, variant())})
    assert table(extract, "patient")["birth_year"].to_list() == ["1948"]


def test_a_form_is_a_tumour_whose_x_categories_are_unknown(tmp_path: Path) -> None:
    row = table(folder(tmp_path), "tumour").row(0, named=True)
    assert row["diagnosis_date"] == "2008"
    assert (row["t_category"], row["n_category"], row["m_category"]) == ("T4a", "N1b", None)
    assert (row["nodes_positive"], row["resection_margin"], row["morphology"]) == ("3", "r0", "8140/3")


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [
        ("C18.7", "Cecum", "C18.7"),
        ("C18.9", "Cecum", "C18.0"),
        ("C18.9", "", "C18.9"),
        ("C80.9", "Rectum", "C20.9"),
        ("C49.4", "", "C49.4"),
        ("", "Rectum", "C20.9"),
        ("", "", "C26.0"),
    ],
)
def test_the_subdivision_stands_in_only_for_a_vague_or_foreign_code(
    tmp_path: Path, code: str, words: str, expected: str
) -> None:
    extract = folder(tmp_path, {"icd_o_3_site": code, "anatomic_neoplasm_subdivision": words})
    assert table(extract, "tumour")["topography"].to_list() == [expected]
    assert ("site_unknown" in checks(extract)) == (expected in {"C49.4", "C26.0"})


def test_a_protein_change_stays_as_delivered_and_carries_no_date(tmp_path: Path) -> None:
    (row,) = of_p1(folder(tmp_path, maf=(variant(change="p.12_12G>GAG", kind="In_Frame_Ins"),)), result="mutated")
    assert row["hgvs_p"] == "p.12_12G>GAG"
    assert (row["analyte"], row["method"], row["region_tested"], row["specimen_site"]) == (
        "kras",
        "ngs",
        "all",
        "primary",
    )
    assert "sample_date" not in row


@pytest.mark.parametrize("kind", ["Silent", "Intron", "3'UTR", "5'Flank", "RNA", "IGR"])
def test_variants_that_change_no_protein_make_no_biomarker(tmp_path: Path, kind: str) -> None:
    extract = folder(tmp_path, maf=(variant(change="p.A146A", kind=kind),), sequenced=("P1",))
    assert {row["result"] for row in of_p1(extract, analyte="kras")} == {"not_detected"}


def test_a_silent_change_without_a_class_makes_no_biomarker(tmp_path: Path) -> None:
    silent = (variant(change="p.A146A", kind=""), variant(change="", kind="", place=("25378560", "T", "C")))
    assert of_p1(folder(tmp_path, maf=silent), result="mutated") == []


@pytest.mark.parametrize("build", ["37", "GRCh37", "hg19"])
def test_an_absent_protein_change_is_derived_under_any_name_of_the_build(tmp_path: Path, build: str) -> None:
    (row,) = of_p1(folder(tmp_path, maf=(variant(change="", build=build),)), result="mutated")
    assert row["hgvs_p"] == "p.Gly12Asp"


def test_an_absent_protein_change_of_another_gene_is_elsewhere_and_of_an_unknown_build_unknown(tmp_path: Path) -> None:
    extract = folder(tmp_path, maf=(variant("PIK3CA", change=""), variant(change="", build="")))
    found = {row["analyte"]: row["hgvs_p"] for row in of_p1(extract, result="mutated")}
    assert found == {"pik3ca": "p.?", "kras": None}


def test_genes_outside_the_contract_and_repair_genes_are_unmapped(tmp_path: Path) -> None:
    extract = folder(tmp_path, maf=(variant("TP53"), variant("MLH1"), variant("ERBB2")), sequenced=("P1",))
    assert [row["analyte"] for row in of_p1(extract, result="mutated")] == ["erbb2"]
    counts = {file.file_name: (file.row_count, file.unmapped_count) for file in extract.files}
    assert counts["maf.tsv"] == (5, 2)


def test_the_sequenced_list_is_the_denominator(tmp_path: Path) -> None:
    extract = folder(tmp_path, {}, {"Tumor_Sample_Barcode": "P2"}, sequenced=("P1",))
    negative = table(extract, "biomarker").filter(result="not_detected")
    assert sorted(negative.select("patient_id", "analyte").rows()) == [("P1", "kras"), ("P1", "nras")]


def test_without_a_sequenced_list_only_patients_of_the_maf_were_tested(tmp_path: Path) -> None:
    extract = folder(tmp_path, {}, {"Tumor_Sample_Barcode": "P2"}, maf=(variant("TP53"),))
    negative = table(extract, "biomarker").filter(result="not_detected")
    assert sorted(negative.select("patient_id", "analyte").rows()) == [("P1", "kras"), ("P1", "nras")]


def test_a_gene_that_the_maf_never_names_was_not_examined(tmp_path: Path) -> None:
    extract = folder(tmp_path, sequenced=("P1",))
    assert "braf" not in set(table(extract, "biomarker")["analyte"])
    (notice,) = [notice for notice in extract.notices if notice.check_name == "gene_not_examined"]
    assert notice.message.startswith("HRAS, BRAF, PIK3CA")


def test_a_long_tcga_barcode_is_of_its_patient(tmp_path: Path) -> None:
    extract = folder(
        tmp_path, {"Tumor_Sample_Barcode": "TCGA-AA-3819"}, maf=(variant(patient="TCGA-AA-3819-01A-01D-1167-02"),)
    )
    assert "TCGA-AA-3819" in set(table(extract, "biomarker")["patient_id"])


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"kras_mutation_found": "YES", "kras_mutation_codon": "12"}, ("kras", "pcr", "mutated", "12")),
        ({"kras_mutation_found": "NO"}, ("kras", "pcr", "not_detected", "NO")),
        ({"braf_gene_analysis_result": "Abnormal"}, ("braf", "pcr", "mutated", "Abnormal")),
        ({"braf_gene_analysis_result": "Normal"}, ("braf", "pcr", "not_detected", "Normal")),
        ({"microsatellite_instability": "YES", "number_of_loci_tested": "5"}, ("msi", "pcr", "msi_h", "YES")),
        ({"microsatellite_instability": "NO", "number_of_loci_tested": "5"}, ("msi", "pcr", "mss", "NO")),
    ],
)
def test_answers_of_the_form_are_assays_of_their_own(
    tmp_path: Path, answers: dict[str, str], expected: tuple[str, ...]
) -> None:
    (row,) = of_p1(folder(tmp_path, answers))
    assert (row["analyte"], row["method"], row["result"], row["registry_code"]) == expected
    assert row.get("hgvs_p") is None


@pytest.mark.parametrize(
    "answers",
    [
        {"microsatellite_instability": "NO"},
        {"microsatellite_instability": "NO", "number_of_loci_tested": "0"},
        {"loss_expression_of_mismatch_repair_proteins_by_ihc": "YES"},
    ],
)
def test_a_question_without_its_answer_is_unknown(tmp_path: Path, answers: dict[str, str]) -> None:
    assert of_p1(folder(tmp_path, answers)) == []


def test_staining_is_read_protein_by_protein(tmp_path: Path) -> None:
    answer = {"loss_expression_of_mismatch_repair_proteins_by_ihc_results": "MLH1-Not_ExpressedMSH2-Expressed"}
    rows = of_p1(folder(tmp_path, answer))
    assert {(row["analyte"], row["method"], row["result"]) for row in rows} == {
        ("mlh1", "ihc", "lost"),
        ("msh2", "ihc", "retained"),
    }


def test_a_portal_download_beside_the_forms_is_not_used(tmp_path: Path) -> None:
    files = {
        "form.tsv": forms({}),
        "maf.tsv": tab(MAF_HEADER, variant()),
        "portal.tsv": "Study ID\tPatient ID\nx\tP1\n",
    }
    extract = read(tmp_path, files)
    assert "portal.tsv: nothing of it was used." in [notice.message for notice in extract.notices]


def test_a_maf_without_forms_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no patient table"):
        read(tmp_path, {"maf.tsv": tab(MAF_HEADER, variant())})


@pytest.mark.parametrize("days", ["60001", "-60001", "1e18", "9223372036854775808", "inf"])
def test_a_number_of_days_that_no_life_has_is_set_aside_and_not_lost(tmp_path: Path, days: str) -> None:
    extract = folder(tmp_path, {"days_to_death": days, "days_to_birth": "60000"})
    assert table(extract, "patient").select("death_date", "birth_year").row(0) == (days, "2172")


@pytest.mark.parametrize("year", ["1899", "2101", "2147483647", "-1"])
def test_a_year_of_diagnosis_that_cannot_be_places_no_day(tmp_path: Path, year: str) -> None:
    extract = folder(tmp_path, {"year_of_initial_pathologic_diagnosis": year, "days_to_death": "5"})
    assert table(extract, "patient")["death_date"].to_list() == [None]
    assert table(extract, "tumour")["diagnosis_date"].to_list() == [year]
