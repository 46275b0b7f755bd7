"""A cBioPortal study of one registry: clinical files, MAF, panel, copy numbers, structural variants and timelines.

Every date is a count of days from diagnosis, as the File-Formats page of the portal asks. Event types and columns are
those of the GENIE BPC and MSK-CHORD releases. A patient without any assay has the specimen of the diagnosis.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.synthetic.layouts import genomics
from crlm_pipeline.synthetic.layouts.study_timelines import timelines

STUDY: Final = "synthetic_crlm"
_PANEL: Final = "SYNTHETIC-4"
_DAYS_PER_MONTH: Final = 30.4375
_PARTNERS: Final = {"NTRK1": "TPM3", "NTRK3": "ETV6", "RET": "NCOA4"}
_METAS: Final = {
    "clinical_patient": ("CLINICAL", "PATIENT_ATTRIBUTES"),
    "clinical_sample": ("CLINICAL", "SAMPLE_ATTRIBUTES"),
    "mutations": ("MUTATION_EXTENDED", "MAF"),
    "cna": ("COPY_NUMBER_ALTERATION", "DISCRETE"),
    "sv": ("STRUCTURAL_VARIANT", "SV"),
    "gene_panel_matrix": ("GENE_PANEL_MATRIX", "GENE_PANEL_MATRIX"),
}
_MSI: Final = {"msi_h": "Instable", "msi_l": "MSI-L", "mss": "Stable", "failed": "Do not report"}
_STAINS: Final = {"retained": "Retained", "lost": "Lost", "indeterminate": "Equivocal"}


def write(folder: Path, tables: Mapping[str, pl.DataFrame]) -> None:
    """Write the study: `meta_*.txt` and `data_*.txt`, tab-delimited."""
    samples = _samples(tables)
    rows = genomics.sequenced(tables["biomarker"])
    _write_clinical(folder, "clinical_patient", _patients(tables, samples))
    _write_clinical(folder, "clinical_sample", _clinical_samples(tables, samples, rows))
    data = {
        "mutations": genomics.maf(rows, "specimen_id"),
        "cna": _copy_numbers(tables["biomarker"], samples),
        "sv": _structural_variants(tables["biomarker"]),
        "gene_panel_matrix": _panel_matrix(tables["biomarker"], samples, rows),
    }
    events = timelines(tables, samples)
    for name, frame in {**data, **events}.items():
        frame.write_csv(folder / f"data_{name}.txt", separator="\t")
    genes = "\t".join(genomics.PANEL_GENES)
    (folder / f"data_gene_panel_{_PANEL}.txt").write_text(
        f"stable_id: {_PANEL}\ndescription: genes that every specimen was sequenced for\ngene_list:\t{genes}\n",
        encoding="utf-8",
    )
    _write_metas(folder, {**_METAS, **dict.fromkeys(events, ("CLINICAL", "TIMELINE"))})


def _write_metas(folder: Path, kinds: Mapping[str, tuple[str, str]]) -> None:
    study = f"type_of_cancer: coadread\ncancer_study_identifier: {STUDY}\nname: Synthetic registry\n"
    (folder / "meta_study.txt").write_text(study, encoding="utf-8")
    for name, (alteration, datatype) in kinds.items():
        (folder / f"meta_{name}.txt").write_text(
            f"cancer_study_identifier: {STUDY}\ngenetic_alteration_type: {alteration}\ndatatype: {datatype}\n"
            f"data_filename: data_{name}.txt\n",
            encoding="utf-8",
        )


def _write_clinical(folder: Path, name: str, frame: pl.DataFrame) -> None:
    """Write a clinical file below its four lines: names, descriptions, types, priorities."""
    told = {"OS_MONTHS": "Overall survival in months since the specimen was taken"}
    lines = (
        [column.replace("_", " ").title() for column in frame.columns],
        [told.get(column, column) for column in frame.columns],
        ["STRING" for _ in frame.columns],
        ["1" for _ in frame.columns],
    )
    head = "".join("#" + "\t".join(cells) + "\n" for cells in lines)
    body = frame.write_csv(separator="\t")
    (folder / f"data_{name}.txt").write_text(head + body, encoding="utf-8")


def _samples(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the first specimen of each patient: patient_id, specimen_id, specimen_site, taken, known, origin (dates).

    `known` is the latest day on which a result of it came; `origin` the day from which the study counts.
    """
    tumours = tables["tumour"].unique("patient_id", keep="first", maintain_order=True)
    diagnosis = tumours.select("patient_id", origin=_date("diagnosis_date"))
    specimens = tables["biomarker"].group_by("patient_id", "specimen_id", maintain_order=True).agg(
        pl.col("specimen_site").first(), taken=_date("sample_date").min(), known=_date("report_date").max()
    )  # fmt: skip
    specimens = specimens.unique("patient_id", keep="first", maintain_order=True)
    rows = tables["patient"].select("patient_id").join(diagnosis, on="patient_id", how="left", maintain_order="left")
    rows = rows.join(specimens, on="patient_id", how="left", maintain_order="left")
    return rows.with_columns(
        pl.col("specimen_id").fill_null(pl.format("{}-S1", "patient_id")),
        pl.col("specimen_site").fill_null("primary"),
        taken=pl.coalesce("taken", "origin"),
        origin=pl.coalesce("origin", "taken"),
    )


def _date(column: str) -> pl.Expr:
    return pl.col(column).str.to_date("%Y-%m-%d", strict=False)


def _patients(tables: Mapping[str, pl.DataFrame], samples: pl.DataFrame) -> pl.DataFrame:
    rows = tables["patient"].join(samples, on="patient_id", how="left", maintain_order="left")
    last = pl.coalesce(_date("death_date"), _date("last_contact_date"))
    survival = (last - pl.col("taken")).dt.total_days() / _DAYS_PER_MONTH
    birth = pl.date(pl.col("birth_year").cast(pl.Int32), 7, 1)
    return rows.select(
        PATIENT_ID="patient_id",
        SEX=pl.col("sex").str.to_titlecase(),
        OS_MONTHS=pl.when(survival >= 0).then(survival.round(2).cast(pl.String)),
        OS_STATUS=pl.col("vital_status").replace_strict({"alive": "0:LIVING", "dead": "1:DECEASED"}, default=None),
        AGE_AT_SEQUENCING=((pl.col("taken") - birth).dt.total_days() / 365.25).round(2).cast(pl.String),
    )


def _clinical_samples(
    tables: Mapping[str, pl.DataFrame], samples: pl.DataFrame, sequenced: pl.DataFrame
) -> pl.DataFrame:
    tumours = tables["tumour"].unique("patient_id", keep="first", maintain_order=True)
    rows = samples.join(tumours, on="patient_id", how="left", maintain_order="left")
    texts = {row["topography"]: row["text"].title() for row in reversed(resources.reference("site_text"))}
    is_primary = pl.col("specimen_site") == "primary"
    is_profiled = pl.col("specimen_id").is_in(sequenced["specimen_id"].implode())
    clinical = rows.select(
        PATIENT_ID="patient_id",
        SAMPLE_ID="specimen_id",
        ONCOTREE_CODE=pl.lit("COADREAD"),
        SAMPLE_TYPE=pl.when(is_primary).then(pl.lit("Primary")).otherwise(pl.lit("Metastasis")),
        PRIMARY_SITE=pl.col("topography").replace_strict(texts, default=None),
        METASTATIC_SITE=pl.col("specimen_site").replace_strict(
            {"liver": "Liver", "other_metastasis": "Other"}, default=None
        ),
        STAGE_AT_DIAGNOSIS=_stage(),
        GENE_PANEL=pl.when(is_profiled).then(pl.lit(_PANEL)),
    )
    for column, answers in _answers(tables["biomarker"]).items():
        clinical = clinical.join(answers.rename({"result": column}), on="SAMPLE_ID", how="left", maintain_order="left")
    return clinical


def _stage() -> pl.Expr:
    """Return the stage by TNM; unknown without the categories that decide it."""
    return (
        pl.when(pl.col("m_category").str.starts_with("M1"))
        .then(pl.lit("IV"))
        .when(pl.col("m_category") == "M0", pl.col("n_category").str.contains("^N[12]"))
        .then(pl.lit("III"))
        .when(pl.col("m_category") == "M0", pl.col("n_category") == "N0", pl.col("t_category").str.contains("^T[34]"))
        .then(pl.lit("II"))
        .when(pl.col("m_category") == "M0", pl.col("n_category") == "N0", pl.col("t_category").str.contains("^T[12]"))
        .then(pl.lit("I"))
    )


def _answers(biomarkers: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return what the clinical file answers beside sequencing: SAMPLE_ID and `result` by column."""
    instability = biomarkers.filter(pl.col("analyte") == "msi")
    burden = biomarkers.filter(pl.col("analyte") == "tmb")
    subtype = {"high": "CRC HM", "low": "CRC MSS"}
    found = {
        "MSI_STATUS": (instability.filter(pl.col("method") != "ngs"), _MSI),
        "MSI_TYPE": (instability.filter(pl.col("method") == "ngs"), _MSI),
        "SUBTYPE_ABBREVIATION": (burden, subtype),
        **{
            protein: (biomarkers.filter(pl.col("analyte") == protein.lower()), _STAINS)
            for protein in ("MLH1", "PMS2", "MSH2", "MSH6")
        },
    }
    answers = {
        column: rows.unique("specimen_id", keep="first", maintain_order=True).select(
            SAMPLE_ID="specimen_id", result=pl.col("result").replace_strict(words, default=None)
        )
        for column, (rows, words) in found.items()
    }
    value = burden.unique("specimen_id", keep="first", maintain_order=True)
    return {**answers, "TMB_NONSYNONYMOUS": value.select(SAMPLE_ID="specimen_id", result="value")}


def _levels(biomarkers: pl.DataFrame) -> pl.DataFrame:
    levels = {"amplified": "2", "not_amplified": "0"}
    rows = biomarkers.filter(
        pl.col("analyte") == "erbb2", pl.col("method") == "ngs", pl.col("result").is_in(list(levels))
    )
    return rows.select("specimen_id", level=pl.col("result").replace(levels))


def _copy_numbers(biomarkers: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """Return the matrix of ERBB2, one column per sample; NA where the laboratory did not look."""
    known = dict(_levels(biomarkers).iter_rows())
    levels = {sample: [known.get(sample, "NA")] for sample in samples["specimen_id"]}
    return pl.DataFrame({"Hugo_Symbol": ["ERBB2"], "Entrez_Gene_Id": ["2064"], **levels})


def _panel_matrix(biomarkers: pl.DataFrame, samples: pl.DataFrame, sequenced: pl.DataFrame) -> pl.DataFrame:
    profiled = {"mutations": sequenced["specimen_id"], "cna": _levels(biomarkers)["specimen_id"]}
    return samples.select(
        pl.col("specimen_id").alias("SAMPLE_ID"),
        *(
            pl.when(pl.col("specimen_id").is_in(ids.implode())).then(pl.lit(_PANEL)).otherwise(pl.lit("NA")).alias(name)
            for name, ids in profiled.items()
        ),
    )


def _structural_variants(biomarkers: pl.DataFrame) -> pl.DataFrame:
    fused = biomarkers.filter(pl.col("result") == "fusion")
    gene = pl.col("analyte").str.to_uppercase()
    partner = gene.replace_strict(_PARTNERS, default=None, return_dtype=pl.String)
    return fused.select(
        Sample_Id="specimen_id",
        SV_Status=pl.lit("SOMATIC"),
        Site1_Hugo_Symbol=partner,
        Site2_Hugo_Symbol=gene,
        Event_Info=pl.format("Protein fusion: in frame ({}-{})", partner, gene),
    )
