"""The counts that others computed from the same public data, reproduced from the text tables alone."""

import csv
import os
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline.extracts import hgvs
from crlm_pipeline.extracts.codons import HOTSPOT_CODONS
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.tables import TEXT, Extract
from crlm_pipeline.resources import reference
from tests.real.data import real_data


def read(folder: str) -> Extract:
    root = os.environ.get("CRLM_REAL_DATA")
    if not root:
        pytest.skip("CRLM_REAL_DATA names no folder with the real data")
    return read_sources([Path(root) / folder])


@pytest.fixture(scope="module")
def msk() -> Extract:
    return read("msk_met_crc")


@pytest.fixture(scope="module")
def tcga() -> Extract:
    return read("tcga_coadread")


@pytest.fixture(scope="module")
def excerpt() -> Extract:
    return read("crc_msk_2017_excerpt")


def table(extract: Extract, name: str) -> pl.DataFrame:
    return pl.concat(
        [part.frame.cast({TEXT: pl.String}) for part in extract.tables if part.table_name == name], how="diagonal"
    )


def mutations(extract: Extract, *analytes: str) -> pl.DataFrame:
    rows = table(extract, "biomarker").filter(
        pl.col("analyte").is_in(analytes), pl.col("result") == "mutated", pl.col("method") == "ngs"
    )
    return rows.join(hgvs.parse_all(rows["hgvs_p"]), on="hgvs_p", how="left")


def patients(rows: pl.DataFrame) -> int:
    return rows["patient_id"].n_unique()


def touching(rows: pl.DataFrame, *codons: int) -> pl.DataFrame:
    return rows.filter(pl.col("codons").list.set_intersection(list(codons)).list.len() > 0)


def both(first: pl.DataFrame, second: pl.DataFrame) -> int:
    return patients(first.join(second, on="patient_id", how="semi"))


V600E = pl.col("normal") == "p.Val600Glu"
G12C = pl.col("normal") == "p.Gly12Cys"


def test_every_patient_of_msk_is_read(msk: Extract) -> None:
    assert table(msk, "patient").height == patients(table(msk, "patient")) == 3480


def test_kras_of_msk_is_counted_by_codon(msk: Extract) -> None:
    kras = mutations(msk, "kras")
    counts = {codons: patients(touching(kras, *codons)) for codons in ((12, 13), (61,), (59,), (117,), (146,))}
    assert counts == {(12, 13): 1308, (61,): 67, (59,): 7, (117,): 16, (146,): 119}
    assert patients(kras) == 1545
    assert patients(touching(kras, *HOTSPOT_CODONS)) == 1511
    assert patients(kras.filter(G12C)) == 109


def test_a_rule_of_codons_12_and_13_alone_would_miss_203_patients_of_msk(msk: Extract) -> None:
    kras = mutations(msk, "kras")
    assert patients(touching(kras, *HOTSPOT_CODONS)) - patients(touching(kras, 12, 13)) == 203


def test_ras_of_msk_counts_kras_and_nras_together(msk: Extract) -> None:
    assert patients(touching(mutations(msk, "nras"), *HOTSPOT_CODONS)) == 138
    assert patients(touching(mutations(msk, "kras", "nras"), *HOTSPOT_CODONS)) == 1641


def test_braf_of_msk_is_v600e_in_241_of_351_patients(msk: Extract) -> None:
    braf = mutations(msk, "braf")
    assert patients(braf) == 351
    assert patients(braf.filter(V600E)) == 241
    assert both(touching(mutations(msk, "kras", "nras"), *HOTSPOT_CODONS), braf.filter(V600E)) == 2


def test_every_variant_of_msk_has_a_readable_protein_change(msk: Extract) -> None:
    assert mutations(msk, "kras", "nras", "braf")["normal"].null_count() == 0


def test_hypermutated_patients_of_msk_are_not_msi_h(msk: Extract) -> None:
    biomarker = table(msk, "biomarker")
    high = biomarker.filter(pl.col("analyte") == "tmb", pl.col("result") == "high")
    assert patients(high) == 348
    assert set(high["registry_code"]) == {"CRC HM"}
    assert high["value"].null_count() == 0
    assert biomarker.filter(pl.col("analyte") == "msi").height == 0


def test_sides_of_msk(msk: Extract) -> None:
    sides = pl.DataFrame(reference("topography")).select("topography", "side", "side_certainty")
    tumours = table(msk, "tumour").join(sides, on="topography", how="left")
    counts = {(side, certainty): n for side, certainty, n in tumours.group_by("side", "side_certainty").len().rows()}
    assert counts == {("right", "high"): 472, ("right", "low"): 115, ("left", "high"): 1642, ("", ""): 1251}
    assert table(msk, "tumour").filter(pl.col("topography") == "C18.1").height == 1


def test_seven_patients_of_msk_have_no_variant_and_were_examined_all_the_same(msk: Extract) -> None:
    (variants,) = [part for part in msk.tables if "Tumor_Sample_Barcode" in part.raw.columns]
    genes = table(msk, "biomarker").filter(pl.col("analyte") == "kras", pl.col("method") == "ngs")
    assert genes["specimen_id"].n_unique() == 3480
    assert len(set(genes["specimen_id"]) - set(variants.raw["Tumor_Sample_Barcode"])) == 7


def test_every_gene_of_every_msk_sample_is_either_mutated_or_not_detected(msk: Extract) -> None:
    panel = table(msk, "biomarker").filter(pl.col("region_tested") == "all")
    by_gene = panel.group_by("specimen_id", "analyte").agg(pl.col("result").n_unique())
    assert by_gene.height == 3480 * 5
    assert set(by_gene["result"]) == {1}


def test_deaths_of_msk_and_their_survival(msk: Extract) -> None:
    patient = table(msk, "patient")
    assert patient.filter(pl.col("vital_status") == "dead").height == 1156
    days = patient.select(
        (pl.coalesce("death_date", "last_contact_date").str.to_date() - pl.date(2000, 1, 1)).dt.total_days()
    ).to_series()
    assert days.null_count() == 7
    assert days.min() >= 0


def test_msk_stands_on_a_relative_calendar_whose_first_day_is_the_specimen(msk: Extract) -> None:
    assert {file.calendar for file in msk.files} == {"relative"}
    assert set(table(msk, "biomarker")["sample_date"]) == {"2000-01-01"}


def test_specimen_sites_of_msk_come_from_the_sample_type_and_the_liver(msk: Extract) -> None:
    sites = table(msk, "biomarker").filter(pl.col("analyte") == "tmb")["specimen_site"].value_counts()
    assert dict(sites.rows()) == {"primary": 2380, "liver": 583, "other_metastasis": 517}


def test_every_record_of_msk_is_counted_and_absent_files_are_noticed(msk: Extract) -> None:
    rows = {file.file_name: (file.row_count, file.unmapped_count) for file in msk.files}
    assert rows["data_clinical_patient.txt"] == (3480, 0)
    assert rows["data_timeline_surgery.txt"] == (3323, 3323)
    absent = [notice.message for notice in msk.notices if notice.check_name == "meta_names_absent_file"]
    assert len(absent) == 2
    assert {"procedure", "assessment", "drug_exposure"}.isdisjoint(part.table_name for part in msk.tables)


def test_tcga_counts_of_the_maf_alone(tcga: Extract) -> None:
    kras, nras, braf = mutations(tcga, "kras"), mutations(tcga, "nras"), mutations(tcga, "braf")
    assert patients(kras) == 231
    assert patients(touching(kras, *HOTSPOT_CODONS)) == 208
    assert patients(kras.filter(G12C)) == 12
    assert patients(touching(nras, *HOTSPOT_CODONS)) == 32
    ras = touching(mutations(tcga, "kras", "nras"), *HOTSPOT_CODONS)
    assert patients(ras) == 235
    assert patients(braf) == 109
    assert patients(braf.filter(V600E)) == 48
    assert both(ras, braf.filter(V600E)) == 4


def test_all_489_sequenced_patients_of_tcga_are_the_denominator(tcga: Extract) -> None:
    examined = table(tcga, "biomarker").filter(pl.col("analyte") == "kras", pl.col("method") == "ngs")
    assert patients(table(tcga, "patient")) == patients(examined) == 489


def test_kras_of_tcga_is_mutant_in_210_with_the_answers_of_the_forms(tcga: Extract) -> None:
    hotspot = touching(mutations(tcga, "kras"), *HOTSPOT_CODONS).select("patient_id")
    forms = table(tcga, "biomarker").filter(
        pl.col("analyte") == "kras", pl.col("method") == "pcr", pl.col("result") == "mutated"
    )
    assert patients(pl.concat([hotspot, forms.select("patient_id")])) == 210


def test_a_site_of_tcga_that_is_vague_or_elsewhere_is_read_from_the_subdivision(tcga: Extract) -> None:
    sites = dict(table(tcga, "tumour")["topography"].value_counts().rows())
    assert sites["C18.9"] == 3
    assert sites["C20.9"] == 58 + 6 + 3
    assert not {"C49.4", "C80.9"} & set(sites)


def test_loss_of_expression_of_tcga_is_read_from_the_result_and_not_from_the_question(tcga: Extract) -> None:
    stained = table(tcga, "biomarker").filter(pl.col("method") == "ihc")
    assert patients(stained) == 42


def test_the_portal_download_is_not_read_beside_the_forms(tcga: Extract) -> None:
    unused = [notice.message for notice in tcga.notices if notice.check_name == "file_not_used"]
    assert len(unused) == 2
    assert {file.calendar for file in tcga.files} == {"real"}


def test_the_excerpt_reads_without_making_anyone_wild_type(excerpt: Extract) -> None:
    assert table(excerpt, "patient").height == 28
    biomarker = table(excerpt, "biomarker")
    assert set(biomarker["analyte"]) == {"msi"}
    assert "variants_absent" in {notice.check_name for notice in excerpt.notices}


def test_the_microsatellites_of_the_excerpt_are_those_of_its_file(excerpt: Extract) -> None:
    lines = (real_data("crc_msk_2017_excerpt") / "data_clinical_sample.txt").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t"))
    status = Counter(row["MSI_STATUS"] for row in rows)
    unscored = sum(row["MSI_STATUS"] == "NA" and row["MSI_SCORE"] == "NA" for row in rows)
    biomarker = table(excerpt, "biomarker")
    results = dict(biomarker["result"].value_counts().rows())
    assert results == {"mss": status["MSS"], "msi_h": status["MSI"], "indeterminate": status["NA"] - unscored}
    assert (status["MSS"], status["MSI"], status["NA"], unscored) == (16, 1, 13, 1)
    scores = {row["SAMPLE_ID"]: row["MSI_SCORE"] for row in rows if row["MSI_SCORE"] != "NA"}
    assert dict(biomarker.select("specimen_id", "value").rows()) == scores
    unknown = biomarker.filter(result="indeterminate")
    assert unknown["registry_code"].null_count() == unknown.height
    assert set(unknown["missing_reason"]) == {"not_recorded"}


def test_a_caecum_on_the_left_of_the_excerpt_is_noticed(excerpt: Extract) -> None:
    (notice,) = [notice for notice in excerpt.notices if notice.check_name == "side_contradicts_site"]
    assert len(notice.rows) == 1
