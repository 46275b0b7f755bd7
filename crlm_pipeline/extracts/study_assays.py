"""What the samples of a cBioPortal study show: microsatellites, repair proteins, burden, genes, copies and fusions.

All frames are of one shape: `source_row`, PATIENT_ID, SAMPLE_ID, `specimen_site`, `sample_date`, `report_date`, and
`analyte`, `result` and what else is known. A score without a status (MSIsensor, MANTIS) is no status: clinical 3.7
leaves the cut-off to the laboratory. `CRC HM` and `CRC MSS` tell mutational burden, not microsatellites. High-level
amplification (2) of ERBB2 is `amplified`; any lower level of a sample that was profiled for copy numbers is
`not_amplified` (clinical 3.9, a panel decides alone). A panel of mutations alone says nothing of it.
"""

from typing import Final

import polars as pl

from crlm_pipeline.extracts import maf
from crlm_pipeline.extracts.source import Sheet
from crlm_pipeline.extracts.study import Study
from crlm_pipeline.extracts.study_files import SYMBOL, copy_number_levels, sample_column
from crlm_pipeline.extracts.text import SOURCE_ROW

UNTESTED: Final = ("UNKNOWN", "NOT AVAILABLE", "NOT TESTED", "NOT DONE", "NOT PERFORMED")
MSI: Final = {
    "MSI": "msi_h", "MSI-H": "msi_h", "MSI-HIGH": "msi_h", "INSTABLE": "msi_h", "UNSTABLE": "msi_h",
    "MSI-L": "msi_l", "MSI-LOW": "msi_l",
    "MSS": "mss", "STABLE": "mss",
    "INDETERMINATE": "indeterminate", "DO NOT REPORT": "indeterminate",
}  # fmt: skip
_REPAIR: Final = {
    "DMMR": "msi_h", "DEFICIENT": "msi_h", "MMR-D": "msi_h", "MMR DEFICIENT": "msi_h", "MMR-DEFICIENT": "msi_h",
    "PMMR": "mss", "PROFICIENT": "mss", "MMR-P": "mss", "MMR PROFICIENT": "mss", "MMR-PROFICIENT": "mss",
    "INTACT": "mss", "INDETERMINATE": "indeterminate", "EQUIVOCAL": "indeterminate",
}  # fmt: skip
_STAINING: Final = {
    "RETAINED": "retained", "INTACT": "retained", "PRESENT": "retained", "PRESERVED": "retained",
    "LOST": "lost", "LOSS": "lost", "ABSENT": "lost",
    "PATCHY": "indeterminate", "WEAK": "indeterminate", "INDETERMINATE": "indeterminate", "EQUIVOCAL": "indeterminate",
}  # fmt: skip
_PROTEINS: Final = ("MLH1", "PMS2", "MSH2", "MSH6")
_BURDEN: Final = {"CRC HM": "high", "CRC MSS": "low"}
_AMPLIFIED: Final = "2"
_NOT_AMPLIFIED: Final = ("-2", "-1.5", "-1", "0", "1")
_FUSION_GENES: Final = ("NTRK1", "NTRK2", "NTRK3", "RET")
_NO_FUSION: Final = "out of frame|out-of-frame|frameshift|frame_shift|frame shift|intragenic"
_FUSION_COLUMNS: Final = (
    "Site1_Hugo_Symbol", "Site2_Hugo_Symbol", "Event_Info", "SV_Status", "Site2_Effect_On_Frame",
    SYMBOL, "Fusion", "Frame", "Fusion_Status",
)  # fmt: skip
_FURTHER: Final = ("region_tested", "hgvs_p", "hgvs_c", "vaf_percent", "value", "missing_reason", "registry_code")


def biomarkers(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of assays in the names of the contract."""
    return maf.with_columns(rows, ("method", *_FURTHER)).select(
        SOURCE_ROW,
        "analyte",
        "method",
        "result",
        "specimen_site",
        "sample_date",
        "report_date",
        *_FURTHER,
        patient_id="PATIENT_ID",
        specimen_id="SAMPLE_ID",
    )


def _word(column: str) -> pl.Expr:
    """Return an answer in capitals; null where it says that nothing was tested."""
    word = pl.col(column).str.to_uppercase().str.replace_all("_", " ", literal=True)
    return pl.when(~word.is_in(list(UNTESTED))).then(word)


def _result(column: str, meanings: dict[str, str]) -> pl.Expr:
    """Return what an answer means; one in no list as delivered, so that validation shows it."""
    known = _word(column).replace_strict(meanings, default=None, return_dtype=pl.String)
    return pl.coalesce(known, pl.when(_word(column).is_not_null()).then(pl.col(column)))


def of_samples(samples: pl.DataFrame, study: Study, found: pl.DataFrame) -> pl.DataFrame:
    """Return the assays that the clinical file of samples answers, and the genes of its panels without a variant."""
    burden = samples.with_columns(
        analyte=pl.lit("tmb"),
        result=_word("SUBTYPE_ABBREVIATION").replace_strict(_BURDEN, default=None, return_dtype=pl.String),
        value=pl.when(pl.col("SUBTYPE_ABBREVIATION") == "CRC HM").then("TMB_NONSYNONYMOUS"),
        registry_code="SUBTYPE_ABBREVIATION",
        method=pl.lit("ngs"),
    )
    repair = samples.with_columns(
        analyte=pl.lit("msi"),
        result=_result("MMR_STATUS", _REPAIR),
        registry_code="MMR_STATUS",
        method=pl.lit("ihc"),
    )
    stained = [
        samples.with_columns(
            analyte=pl.lit(protein.lower()),
            result=_result(protein, _STAINING),
            registry_code=protein,
            method=pl.lit("ihc"),
        )
        for protein in _PROTEINS
    ]
    negatives = maf.negatives(_examined(samples, study), found, "SAMPLE_ID").with_columns(method=pl.lit("ngs"))
    rows = pl.concat([burden, *instability(samples), repair, *stained, negatives], how="diagonal")
    return rows.filter(pl.col("result").is_not_null())


def instability(samples: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the answers on microsatellites: of either column, once where both agree, and scores without a status.

    `value` is the score. A score without a status is a test whose result is not recorded.
    """
    scored = samples.with_columns(analyte=pl.lit("msi"), value=pl.coalesce("MSI_SCORE", "MSI_SENSOR_SCORE"))
    by_status = scored.with_columns(result=_result("MSI_STATUS", MSI), registry_code="MSI_STATUS")
    by_status = by_status.with_columns(method=pl.when(pl.col("value").is_not_null()).then(pl.lit("ngs")))
    by_type = scored.with_columns(result=_result("MSI_TYPE", MSI), registry_code="MSI_TYPE", method=pl.lit("ngs"))
    answered = pl.concat([by_status, by_type]).drop_nulls("result")
    answered = answered.unique(["SAMPLE_ID", "result"], keep="first", maintain_order=True)
    unanswered = scored.join(answered, on="SAMPLE_ID", how="anti", maintain_order="left").drop_nulls("value")
    return [
        answered,
        unanswered.with_columns(
            result=pl.lit("indeterminate"), missing_reason=pl.lit("not_recorded"), method=pl.lit("ngs")
        ),
    ]


def _examined(samples: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return one row per sample and gene that its panel covers; none when the study has no variants at all."""
    examined = samples.join(study.panel_genes, on="GENE_PANEL", maintain_order="left_right")
    return examined.with_columns(region_tested=pl.lit("all")) if study.has_variants else examined.clear()


def _with_sample(rows: pl.DataFrame, barcode: str, study: Study) -> pl.DataFrame:
    """Add the sample to rows that name it; rows of an unknown sample are dropped (counted as unmapped)."""
    samples = study.samples.select(
        "PATIENT_ID", "SAMPLE_ID", "specimen_site", "sample_date", "report_date", "GENE_PANEL", "has_copy_numbers"
    )
    return rows.rename({barcode: "SAMPLE_ID"}).join(samples, on="SAMPLE_ID", maintain_order="left")


def variants(sheet: Sheet, study: Study) -> pl.DataFrame:
    """Return variants with their sample; all codons of a gene on the sample's panel were examined."""
    rows = _with_sample(maf.variants(sheet.records), "barcode", study)
    covered = study.panel_genes.with_columns(region_tested=pl.lit("all"))
    rows = rows.join(covered, on=["GENE_PANEL", "gene"], how="left", maintain_order="left")
    return rows.with_columns(result=pl.lit("mutated"), method=pl.lit("ngs"))


def copy_numbers(sheet: Sheet, study: Study) -> pl.DataFrame:
    """Return the levels of ERBB2 of samples that were profiled for copy numbers; `registry_code` is the level.

    A level that the format does not know goes through as delivered.
    """
    rows = _with_sample(copy_number_levels(sheet), "SAMPLE_ID", study).filter("has_copy_numbers")
    meanings = {_AMPLIFIED: "amplified", **dict.fromkeys(_NOT_AMPLIFIED, "not_amplified")}
    return rows.with_columns(
        analyte=pl.lit("erbb2"),
        method=pl.lit("ngs"),
        result=pl.col("level").replace(meanings),
        registry_code="level",
    )


def fusions(sheet: Sheet, study: Study) -> pl.DataFrame:
    """Return fusions of NTRK1-3 and RET with another gene, somatic and not out of frame, of either form of the file.

    A structural variant is a fusion where the source calls it so; every record of the older form is one.
    """
    records = maf.with_columns(maf.known(sheet.records), _FUSION_COLUMNS)
    told = pl.concat_str("Event_Info", "Site2_Effect_On_Frame", "Fusion", "Frame", separator=" ", ignore_nulls=True)
    status = pl.coalesce("SV_Status", "Fusion_Status").str.to_lowercase()
    sites = ("Site1_Hugo_Symbol", "Site2_Hugo_Symbol", SYMBOL)
    gene = pl.coalesce(pl.when(pl.col(site).is_in(list(_FUSION_GENES))).then(site) for site in sites)
    joins_another = pl.col("Site1_Hugo_Symbol") != pl.col("Site2_Hugo_Symbol")
    is_fusion = joins_another & pl.col("Event_Info").str.to_lowercase().str.contains("fusion", literal=True)
    rows = records.filter(
        gene.is_not_null(),
        is_fusion.fill_null(value=False) | pl.col("Fusion").is_not_null(),
        ~told.str.to_lowercase().str.contains(_NO_FUSION).fill_null(value=False),
        (status != "germline").fill_null(value=True),
    ).with_columns(analyte=gene.str.to_lowercase(), result=pl.lit("fusion"), method=pl.lit("ngs"))
    return _with_sample(rows, sample_column(sheet), study)
