"""A folder as TCGA gives it: clinical form, MAF with protein changes, list of the sequenced patients.

The form tells of the primary tumour at diagnosis: no metastases, drugs or later events, and days instead of dates. Its
questions are those of its time: KRAS and BRAF by an assay of their own, five loci of microsatellites, four stains.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.synthetic.layouts import genomics

_PATIENT: Final = "Tumor_Sample_Barcode"
_PROTEINS: Final = ("mlh1", "msh2", "pms2", "msh6")
_ANSWERS: Final = {
    "kras_mutation_found": ("kras", {"mutated": "YES", "not_detected": "NO"}),
    "braf_gene_analysis_result": ("braf", {"mutated": "Abnormal", "not_detected": "Normal"}),
    "microsatellite_instability": ("msi", {"msi_h": "YES", "msi_l": "NO", "mss": "NO"}),
}


def write(folder: Path, tables: Mapping[str, pl.DataFrame]) -> None:
    """Write `clinical.tsv`, `mutations.maf.tsv` and `sequenced_patients.tsv`."""
    rows = genomics.sequenced(tables["biomarker"])
    sequenced = rows.select(cohort=pl.lit("COADREAD"), patient="patient_id").unique(maintain_order=True)
    variants = genomics.maf(rows, "patient_id").rename({"HGVSp_Short": "Protein_Change"})
    files = {
        "clinical": _form(tables),
        "mutations.maf": variants.drop("t_ref_count", "t_alt_count").with_columns(NCBI_Build=pl.lit("37")),
        "sequenced_patients": sequenced,
    }
    for name, frame in files.items():
        frame.write_csv(folder / f"{name}.tsv", separator="\t")


def _form(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return one record per patient, of the first tumour."""
    first = tables["tumour"].unique("patient_id", keep="first", maintain_order=True)
    form = tables["patient"].join(first, on="patient_id", how="left", maintain_order="left")
    form = form.join(_assays(tables["biomarker"]), on="patient_id", how="left", maintain_order="left")
    specimens = tables["biomarker"].unique("patient_id", keep="first", maintain_order=True)
    form = form.join(
        specimens.select("patient_id", "specimen_site"), on="patient_id", how="left", maintain_order="left"
    )
    texts = {row["topography"]: row["text"] for row in reversed(resources.reference("site_text"))}
    site = pl.col("topography").replace_strict(texts, default="colon")
    tnm = pl.concat_str("t_category", "n_category", pl.col("m_category").fill_null("MX"))
    return form.select(
        pl.col("patient_id").alias(_PATIENT),
        tumor_tissue_site=_tissue(),
        gender=pl.col("sex").str.to_uppercase(),
        vital_status=pl.col("vital_status").replace_strict({"alive": "0", "dead": "1"}, default=None),
        days_to_birth=_days(pl.date(pl.col("birth_year").cast(pl.Int32), 7, 1)),
        days_to_death=_days(_date("death_date")),
        days_to_last_followup=_days(_date("last_contact_date")),
        tissue_source_site="centre_id",
        icd_o_3_site="topography",
        icd_o_3_histology="morphology",
        days_to_initial_pathologic_diagnosis=pl.lit("0"),
        year_of_initial_pathologic_diagnosis=pl.col("diagnosis_date").str.slice(0, 4),
        residual_tumor=pl.col("resection_margin").str.to_uppercase(),
        anatomic_neoplasm_subdivision=site.str.to_titlecase().str.replace_all(" ", "_"),
        number_of_lymphnodes_positive_by_he="nodes_positive",
        stage_event_tnm_categories=tnm,
        kras_mutation_found="kras_mutation_found",
        braf_gene_analysis_result="braf_gene_analysis_result",
        microsatellite_instability=pl.col("microsatellite_instability").fill_null("NO"),
        # "NO" without a locus tested is how the form says that nobody asked.
        number_of_loci_tested=pl.when(pl.col("microsatellite_instability").is_not_null()).then(pl.lit("5")),
        loss_expression_of_mismatch_repair_proteins_by_ihc=pl.when(pl.col("stains").is_not_null())
        .then(pl.lit("YES"))
        .otherwise(pl.lit("NO")),
        loss_expression_of_mismatch_repair_proteins_by_ihc_results="stains",
    )


def _tissue() -> pl.Expr:
    """Return where the tissue came from: colon or rectum, or a metastasis."""
    primary = pl.when(pl.col("topography") == "C20.9").then(pl.lit("Rectum")).otherwise(pl.lit("Colon"))
    elsewhere = {"liver": "Liver", "other_metastasis": "Other"}
    return pl.col("specimen_site").replace_strict(elsewhere, default=None).fill_null(primary)


def _date(column: str) -> pl.Expr:
    return pl.col(column).str.to_date("%Y-%m-%d", strict=False)


def _days(day: pl.Expr) -> pl.Expr:
    return (day - _date("diagnosis_date")).dt.total_days().cast(pl.String)


def _assays(biomarkers: pl.DataFrame) -> pl.DataFrame:
    """Return the answers of the form by patient: assays other than sequencing, and the four stains in one text."""
    patients = biomarkers.select("patient_id").unique(maintain_order=True)
    for column, (analyte, answers) in _ANSWERS.items():
        asked = biomarkers.filter(pl.col("analyte") == analyte, pl.col("method") == "pcr")
        told = asked.with_columns(pl.col("result").replace_strict(answers, default=None).alias(column))
        told = told.drop_nulls(column).unique("patient_id", keep="first", maintain_order=True)
        patients = patients.join(told.select("patient_id", column), on="patient_id", how="left", maintain_order="left")
    return patients.join(_stains(biomarkers), on="patient_id", how="left", maintain_order="left")


def _stains(biomarkers: pl.DataFrame) -> pl.DataFrame:
    words = {"retained": "Expressed", "lost": "Not_Expressed"}
    stained = biomarkers.filter(pl.col("analyte").is_in(list(_PROTEINS)), pl.col("result").is_in(list(words)))
    text = pl.format("{}-{}", pl.col("analyte").str.to_uppercase(), pl.col("result").replace(words))
    return stained.group_by("patient_id", maintain_order=True).agg(stains=text.str.join(""))
