"""A cBioPortal study folder: clinical files with four `#` lines, MAF, gene panels, structural variants and timelines.

Centre is the study; country is unknown (`ZZ`). Days of timelines become a pseudo-calendar (`study_calendar`). Sites of
metastases are undated in these files, so they make no assessment; surgery without a type makes no procedure.
`CRC HM` and `CRC MSS` are statements about mutational burden, not about microsatellites.
"""

from typing import Final

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.extracts import maf
from crlm_pipeline.extracts.format import Mapped, Reading, warning
from crlm_pipeline.extracts.source import Group, Sheet
from crlm_pipeline.extracts.study import Study, is_part, meta_keys
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.extracts.text import SOURCE_ROW
from crlm_pipeline.extracts.topography import SITE_UNKNOWN

NAME: Final = "cbioportal"
_UNKNOWN_COUNTRY: Final = "ZZ"
_PATIENT_COLUMNS: Final = (
    "PATIENT_ID", "SEX", "OS_MONTHS", "OS_STATUS", "VITAL_STATUS", "AGE_AT_SEQUENCING", "AGE_AT_SEQ_REPORT",
)  # fmt: skip
_VAGUE_SITES: Final = ("C18.9", SITE_UNKNOWN)
_SUBTYPES: Final = {"CRC HM": "high", "CRC MSS": "low"}
_MSI: Final = {"MSI": "msi_h", "MSI-H": "msi_h", "MSI-L": "msi_l", "MSS": "mss"}
_FUSION_GENES: Final = ("NTRK1", "NTRK2", "NTRK3", "RET")


def recognises(group: Group) -> bool:
    """Whether any file of the folder tells a study."""
    return any(is_part(sheet) for sheet in group.sheets)


def read(group: Group) -> Reading:
    """Make patients, tumours, biomarkers and drug exposures of a study."""
    study = Study.of(group)
    variants = {sheet.file.name: _variants(sheet, study) for sheet in study.mafs}
    found = pl.concat([_no_variants(), *variants.values()], how="diagonal")
    mapped = [Mapped(sheet, {"patient": _patients(sheet, study)}) for sheet in study.patients]
    mapped += [Mapped(sheet, _sample_tables(sheet, study, found)) for sheet in study.clinical_samples]
    mapped += [Mapped(sheet, {"biomarker": _biomarkers(variants[sheet.file.name])}) for sheet in study.mafs]
    mapped += [Mapped(sheet, {"biomarker": _fusions(sheet, study)}) for sheet in study.fusions]
    mapped += [Mapped(sheet, completing=_of_samples(sheet, study)) for sheet in study.panels]
    mapped += [_events(sheet, study) for sheet in study.events]
    return Reading(study.calendar.kind, tuple(mapped), study.metas, tuple(_notices(study)))


def _no_variants() -> pl.DataFrame:
    return pl.DataFrame(schema={"SAMPLE_ID": pl.String, "gene": pl.String})


def _patients(sheet: Sheet, study: Study) -> pl.DataFrame:
    records = study.calendar.with_last_days(maf.with_columns(maf.known(sheet.records), _PATIENT_COLUMNS))
    return records.select(
        SOURCE_ROW,
        patient_id="PATIENT_ID",
        centre_id=pl.lit(study.centre_id),
        country=pl.lit(_UNKNOWN_COUNTRY),
        birth_year=study.calendar.birth_year(),
        sex=pl.col("SEX").str.to_lowercase(),
        vital_status="vital_status",
        last_contact_date="last_contact_date",
        death_date="death_date",
    )


def _sample_tables(sheet: Sheet, study: Study, found: pl.DataFrame) -> dict[str, pl.DataFrame]:
    samples = study.samples.filter(pl.col("file") == sheet.file.name)
    return {"tumour": _tumours(samples), "biomarker": _sample_biomarkers(samples, study, found)}


def _tumours(samples: pl.DataFrame) -> pl.DataFrame:
    """Return one tumour per patient and site; a vague site of a patient with an exact one is the same tumour."""
    is_vague = pl.col("topography").is_in(list(_VAGUE_SITES))
    tumours = samples.filter(~is_vague | is_vague.all().over("PATIENT_ID"))
    return tumours.unique(["PATIENT_ID", "topography"], keep="first", maintain_order=True).select(
        SOURCE_ROW, patient_id="PATIENT_ID", tumour_id="topography", topography="topography"
    )


def _sample_biomarkers(samples: pl.DataFrame, study: Study, found: pl.DataFrame) -> pl.DataFrame:
    burden = samples.with_columns(
        analyte=pl.lit("tmb"),
        result=_recode("SUBTYPE_ABBREVIATION", _SUBTYPES),
        value=pl.when(pl.col("SUBTYPE_ABBREVIATION") == "CRC HM").then("TMB_NONSYNONYMOUS"),
        registry_code="SUBTYPE_ABBREVIATION",
        method=pl.lit("ngs"),
    )
    instability = samples.with_columns(
        analyte=pl.lit("msi"), result=_recode("MSI_STATUS", _MSI), registry_code="MSI_STATUS"
    )
    negatives = maf.negatives(_examined(samples, study), found, "SAMPLE_ID").with_columns(method=pl.lit("ngs"))
    rows = pl.concat([burden, instability, negatives], how="diagonal").filter(pl.col("result").is_not_null())
    return _biomarkers(rows)


def _examined(samples: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return one row per sample and gene that its panel covers; none when the study has no variants at all."""
    genes = pl.DataFrame(resources.reference("gene_panels")).select(GENE_PANEL="panel", gene="gene")
    examined = samples.join(genes, on="GENE_PANEL", maintain_order="left_right")
    return examined.with_columns(region_tested=pl.lit("all")) if study.has_variants else examined.clear()


def _recode(column: str, values: dict[str, str]) -> pl.Expr:
    return pl.col(column).str.to_uppercase().replace_strict(values, default=None, return_dtype=pl.String)


def _with_sample(rows: pl.DataFrame, barcode: str, study: Study) -> pl.DataFrame:
    """Add the sample to rows that name it; rows of an unknown sample are dropped (counted as unmapped)."""
    samples = study.samples.select("PATIENT_ID", "SAMPLE_ID", "specimen_site", "sample_date", "GENE_PANEL")
    return rows.join(samples, left_on=barcode, right_on="SAMPLE_ID", maintain_order="left").rename(
        {barcode: "SAMPLE_ID"}
    )


def _variants(sheet: Sheet, study: Study) -> pl.DataFrame:
    """Return variants with their sample; all codons of a gene on the sample's panel were examined."""
    rows = _with_sample(maf.variants(sheet.records), "barcode", study)
    covered = pl.DataFrame(resources.reference("gene_panels")).select(
        GENE_PANEL="panel", gene="gene", region_tested=pl.lit("all")
    )
    rows = rows.join(covered, on=["GENE_PANEL", "gene"], how="left", maintain_order="left")
    return rows.with_columns(result=pl.lit("mutated"), method=pl.lit("ngs"))


def _fusions(sheet: Sheet, study: Study) -> pl.DataFrame:
    """Return fusions of NTRK1-3 and RET with another gene that the source calls fusions, not out of frame."""
    records = maf.with_columns(maf.known(sheet.records), ("Event_Info", "SV_Status"))
    event = pl.col("Event_Info").str.to_lowercase()
    gene = pl.coalesce(
        pl.when(pl.col(site).is_in(list(_FUSION_GENES))).then(site)
        for site in ("Site1_Hugo_Symbol", "Site2_Hugo_Symbol")
    )
    is_fusion = event.str.contains("fusion", literal=True) & ~event.str.contains("out of frame|intragenic")
    rows = records.filter(
        gene.is_not_null(),
        pl.col("Site1_Hugo_Symbol") != pl.col("Site2_Hugo_Symbol"),
        is_fusion.fill_null(value=False),
        (pl.col("SV_Status").str.to_lowercase() != "germline").fill_null(value=True),
    ).with_columns(analyte=gene.str.to_lowercase(), result=pl.lit("fusion"), method=pl.lit("ngs"))
    return _biomarkers(_with_sample(rows, "Sample_Id", study))


def _biomarkers(rows: pl.DataFrame) -> pl.DataFrame:
    names = ("region_tested", "hgvs_p", "hgvs_c", "vaf_percent", "value", "registry_code")
    return maf.with_columns(rows, names).select(
        SOURCE_ROW,
        "analyte",
        "method",
        "result",
        "specimen_site",
        "sample_date",
        *names,
        patient_id="PATIENT_ID",
        specimen_id="SAMPLE_ID",
    )


def _of_samples(sheet: Sheet, study: Study) -> pl.Series:
    return sheet.records.filter(sheet.records["SAMPLE_ID"].is_in(study.samples["SAMPLE_ID"].implode()))[SOURCE_ROW]


def _events(sheet: Sheet, study: Study) -> Mapped:
    records = maf.known(sheet.records)
    exposures = study.calendar.exposures(records)
    tables = {"drug_exposure": exposures} if exposures.height else {}
    return Mapped(sheet, tables, study.calendar.completing(records, study.samples))


def _notices(study: Study) -> list[Notice]:
    notices = [notice for sheet in study.metas for notice in _absent_file(sheet, study)]
    notices += [notice for sheet in study.clinical_samples for notice in _sample_notices(sheet, study)]
    notices += [notice for sheet in (*study.mafs, *study.fusions) for notice in _unknown_samples(sheet, study)]
    notices += [notice for sheet in study.events for notice in _untyped_surgery(sheet)]
    if not study.metas:
        message = f"No meta file names the study; the folder's name {study.centre_id} stands in for the centre."
        notices.append(Notice("study_not_named", "warning", None, "patient", "centre_id", message))
    if not study.has_variants:
        message = "The study holds no variant, so nobody counts as examined for mutations."
        notices.append(Notice("variants_absent", "warning", None, "biomarker", None, message))
    return notices


def _absent_file(sheet: Sheet, study: Study) -> list[Notice]:
    named = meta_keys(sheet).get("data_filename")
    if named is None or named in study.file_names:
        return []
    return [warning("meta_names_absent_file", sheet, f"{sheet.file.name} names {named}, which is not there.")]


def _sample_notices(sheet: Sheet, study: Study) -> list[Notice]:
    samples = study.samples.filter(pl.col("file") == sheet.file.name)
    panels = {row["panel"] for row in resources.reference("gene_panels")}
    unknown_site = samples.filter(pl.col("topography") == SITE_UNKNOWN)[SOURCE_ROW]
    unknown_panel = samples.filter(~pl.col("GENE_PANEL").is_in(list(panels)).fill_null(value=False))[SOURCE_ROW]
    found = []
    if unknown_site.len():
        message = f"{sheet.file.name}: the site in words is in no list; it counts as {SITE_UNKNOWN}, side unknown."
        found.append(
            warning("site_unknown", sheet, message, table="tumour", column="topography", rows=tuple(unknown_site))
        )
    if unknown_panel.len():
        message = f"{sheet.file.name}: the gene panel is in no list, so no gene counts as examined without a finding."
        found.append(warning("panel_unknown", sheet, message, table="biomarker", rows=tuple(unknown_panel)))
    return found


def _unknown_samples(sheet: Sheet, study: Study) -> list[Notice]:
    column = "Tumor_Sample_Barcode" if sheet in study.mafs else "Sample_Id"
    known = study.samples["SAMPLE_ID"].implode()
    rows = sheet.records.filter(~pl.col(column).is_in(known).fill_null(value=False))[SOURCE_ROW]
    if not rows.len():
        return []
    message = f"{sheet.file.name}: the sample is in no clinical file, so the record made no row."
    return [warning("sample_unknown", sheet, message, table="biomarker", column="specimen_id", rows=tuple(rows))]


def _untyped_surgery(sheet: Sheet) -> list[Notice]:
    rows = sheet.records.filter(pl.col("EVENT_TYPE").str.to_uppercase() == "SURGERY")[SOURCE_ROW]
    if not rows.len():
        return []
    message = f"{sheet.file.name}: surgery whose kind the contract does not know makes no procedure."
    return [warning("surgery_not_mapped", sheet, message, table="procedure", column="procedure", rows=tuple(rows))]
