"""A folder with a MAF file and registry-style clinical forms (TCGA).

Clinical form: header `Tumor_Sample_Barcode` and `icd_o_3_site`, one patient each. Sequenced list: a `patient` column
and no gene column; without one only patients with a MAF row were examined. Only the year of diagnosis is known: dates
counted in days stand on its first day. MAF rows carry no date. A gene that the MAF never names was not shown to have
been examined, so it makes no negative row. The form's own KRAS, BRAF, MSI and staining answers are further assays; a
question that was ticked without its answer ("loss of expression: YES" means tested) is unknown.
"""

from typing import Final

import polars as pl

from crlm_pipeline.extracts import maf
from crlm_pipeline.extracts.format import Mapped, Reading, warning
from crlm_pipeline.extracts.source import Group, Sheet
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.extracts.text import SOURCE_ROW
from crlm_pipeline.extracts.topography import SITE_UNKNOWN, dotted, from_site_text

NAME: Final = "maf_folder"
_PATIENT: Final = "Tumor_Sample_Barcode"
_FORM: Final = (_PATIENT, "icd_o_3_site")
_UNKNOWN_COUNTRY: Final = "ZZ"
_YEARS: Final = (1900, 2100)
_MOST_DAYS: Final = 60_000
_FORM_COLUMNS: Final = (
    *_FORM, "gender", "vital_status", "days_to_birth", "days_to_death", "days_to_last_followup",
    "days_to_last_known_alive", "tissue_source_site", "icd_o_3_histology", "age_at_initial_pathologic_diagnosis",
    "year_of_initial_pathologic_diagnosis", "residual_tumor", "anatomic_neoplasm_subdivision", "tumor_tissue_site",
    "number_of_lymphnodes_positive_by_he", "stage_event_tnm_categories", "kras_mutation_found", "kras_mutation_codon",
    "braf_gene_analysis_result", "microsatellite_instability", "number_of_loci_tested",
    "loss_expression_of_mismatch_repair_proteins_by_ihc_results",
)  # fmt: skip
_STAINING: Final = "loss_expression_of_mismatch_repair_proteins_by_ihc_results"
_ASSAYS: Final = (
    ("kras", "pcr", "kras_mutation_found", {"YES": "mutated", "NO": "not_detected"}),
    ("braf", "pcr", "braf_gene_analysis_result", {"Abnormal": "mutated", "Normal": "not_detected"}),
    ("msi", "pcr", "microsatellite_instability", {"YES": "msi_h", "NO": "mss"}),
)
_PROTEINS: Final = ("mlh1", "pms2", "msh2", "msh6")


def recognises(group: Group) -> bool:
    """Whether the group has a MAF file."""
    return any(sheet.has(*maf.HEADER) for sheet in group.sheets)


def read(group: Group) -> Reading:
    """Make patients and tumours of the forms, biomarkers of MAF, sequenced list and forms."""
    forms = [sheet for sheet in group.sheets if sheet.has(*_FORM)]
    mafs = [sheet for sheet in group.sheets if sheet.has(*maf.HEADER)]
    lists = [sheet for sheet in group.sheets if sheet.has("patient") and not sheet.has("Hugo_Symbol")]
    records = {sheet.file.name: _form(sheet) for sheet in forms}
    sites = _specimen_sites(list(records.values()))
    variants = {sheet.file.name: _variants(sheet, sites) for sheet in mafs}
    found, genes = pl.concat(variants.values()), _genes(mafs)
    mapped = [Mapped(sheet, _form_tables(records[sheet.file.name])) for sheet in forms]
    for sheet in mafs:
        without_list = [] if lists else [_negatives(_examined(sheet, _PATIENT), found, genes, sites)]
        mapped.append(Mapped(sheet, {"biomarker": _biomarkers([variants[sheet.file.name], *without_list])}))
    for sheet in lists:
        examined = _examined(sheet, "patient")
        rows = _biomarkers([_negatives(examined, found, genes, sites)])
        mapped.append(Mapped(sheet, {"biomarker": rows}, examined[SOURCE_ROW]))
    notices = [notice for sheet in forms for notice in _unknown_sites(sheet, records[sheet.file.name])]
    return Reading("real", tuple(mapped), (), (*notices, *_missing_genes(mafs)))


def _form(sheet: Sheet) -> pl.DataFrame:
    return maf.with_columns(maf.known(sheet.records), _FORM_COLUMNS)


def _form_tables(form: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {"patient": _patients(form), "tumour": _tumours(form), "biomarker": _form_assays(form)}


def _day(days: str) -> pl.Expr:
    """Return the first day of the year of diagnosis plus a number of days, as text; null when either is unknown.

    A number of days that no life has stays as it is, so that validation sets it aside.
    """
    year = pl.col("year_of_initial_pathologic_diagnosis").cast(pl.Int32, strict=False)
    known = pl.when(year.is_between(*_YEARS)).then(year)
    number = pl.col(days).cast(pl.Float64, strict=False)
    count = pl.when(number.abs() <= _MOST_DAYS).then(number.cast(pl.Int64, strict=False))
    day = (pl.date(known, 1, 1) + pl.duration(days=count)).cast(pl.String)
    return pl.when(number.abs() > _MOST_DAYS).then(pl.col(days)).otherwise(day)


def _patients(form: pl.DataFrame) -> pl.DataFrame:
    year = pl.col("year_of_initial_pathologic_diagnosis").cast(pl.Int32, strict=False)
    by_age = year - pl.col("age_at_initial_pathologic_diagnosis").cast(pl.Int32, strict=False)
    return form.select(
        SOURCE_ROW,
        patient_id=pl.col(_PATIENT),
        centre_id=pl.col("tissue_source_site"),
        country=pl.lit(_UNKNOWN_COUNTRY),
        birth_year=pl.coalesce(_day("days_to_birth").str.slice(0, 4), by_age.cast(pl.String)),
        sex=_recode("gender", {"FEMALE": "female", "MALE": "male"}),
        vital_status=_recode("vital_status", {"0": "alive", "1": "dead"}),
        last_contact_date=pl.coalesce(_day("days_to_last_followup"), _day("days_to_last_known_alive")),
        death_date=_day("days_to_death"),
    )


def _tumours(form: pl.DataFrame) -> pl.DataFrame:
    tnm = pl.col("stage_event_tnm_categories")
    return form.select(
        SOURCE_ROW,
        patient_id=pl.col(_PATIENT),
        tumour_id=pl.lit("1"),
        diagnosis_date=pl.col("year_of_initial_pathologic_diagnosis"),
        topography=_topography(),
        morphology=pl.col("icd_o_3_histology"),
        t_category=tnm.str.extract(r"(T(?:is|[0-4][a-d]?))"),
        n_category=tnm.str.extract(r"(N[0-3][a-c]?)"),
        m_category=tnm.str.extract(r"(M[01][a-c]?)"),
        nodes_positive=pl.col("number_of_lymphnodes_positive_by_he"),
        resection_margin=_recode("residual_tumor", {"R0": "r0", "R1": "r1", "R2": "r2"}),
    )


def _topography() -> pl.Expr:
    """Return the coded site, unless it names no part of colon or rectum and the subdivision in words does."""
    code, words = dotted("icd_o_3_site"), from_site_text("anatomic_neoplasm_subdivision")
    is_vague = ((code == "C18.9") | ~code.str.contains(r"^C(18|19|20)\.")).fill_null(value=True)
    return pl.when(is_vague & words.is_not_null()).then(words).otherwise(code.fill_null(SITE_UNKNOWN))


def _recode(column: str, values: dict[str, str]) -> pl.Expr:
    return pl.col(column).replace_strict(values, default=None, return_dtype=pl.String)


def _form_assays(form: pl.DataFrame) -> pl.DataFrame:
    """Return the form's own assays: one row per answer; no answer, no row."""
    form = form.with_columns(
        # "NO" without a locus tested means that nothing was tested.
        microsatellite_instability=pl.when(pl.col("number_of_loci_tested").cast(pl.Int32, strict=False) > 0).then(
            "microsatellite_instability"
        )
    )
    assays = [_assay(form, *assay) for assay in _ASSAYS]
    stained = [_staining(form, protein) for protein in _PROTEINS]
    return _biomarkers([*assays, *stained]).filter(pl.col("result").is_not_null())


def _assay(form: pl.DataFrame, analyte: str, method: str, column: str, values: dict[str, str]) -> pl.DataFrame:
    code = pl.col("kras_mutation_codon") if analyte == "kras" else pl.lit(None, dtype=pl.String)
    return form.select(
        SOURCE_ROW, barcode=_PATIENT, analyte=pl.lit(analyte), method=pl.lit(method), result=_recode(column, values),
        registry_code=pl.coalesce(code, pl.col(column)), specimen_site=_specimen_site(),
    )  # fmt: skip


def _staining(form: pl.DataFrame, protein: str) -> pl.DataFrame:
    answer = pl.col(_STAINING).str.extract(rf"{protein.upper()}-(Not_Expressed|Expressed)")
    result = answer.replace_strict({"Expressed": "retained", "Not_Expressed": "lost"}, default=None)
    return form.select(
        SOURCE_ROW, barcode=_PATIENT, analyte=pl.lit(protein), method=pl.lit("ihc"), result=result,
        registry_code=answer, specimen_site=_specimen_site(),
    )  # fmt: skip


def _specimen_site() -> pl.Expr:
    """Return `primary` where the form says that the tissue came from colon or rectum."""
    return pl.when(from_site_text("tumor_tissue_site").is_not_null()).then(pl.lit("primary"))


def _specimen_sites(forms: list[pl.DataFrame]) -> pl.DataFrame:
    empty = pl.DataFrame(schema={"barcode": pl.String, "specimen_site": pl.String})
    return pl.concat(
        [empty, *(form.select(barcode=_PATIENT, specimen_site=_specimen_site()) for form in forms)]
    ).unique("barcode", maintain_order=True)


def _patient_of(barcodes: str) -> pl.Expr:
    """Return the patient of a TCGA barcode (`TCGA-AA-3819-01A-…` is of `TCGA-AA-3819`); any other text as it is."""
    return pl.coalesce(pl.col(barcodes).str.extract(r"^(TCGA-[^-]+-[^-]+)"), barcodes)


def _variants(sheet: Sheet, sites: pl.DataFrame) -> pl.DataFrame:
    rows = maf.variants(sheet.records).with_columns(barcode=_patient_of("barcode"), result=pl.lit("mutated"))
    rows = rows.join(sites, on="barcode", how="left", maintain_order="left")
    is_panel_gene = pl.col("gene").is_in(list(maf.NEGATIVE_GENES))
    return rows.with_columns(method=pl.lit("ngs"), region_tested=pl.when(is_panel_gene).then(pl.lit("all")))


def _genes(mafs: list[Sheet]) -> list[str]:
    named = {gene for sheet in mafs for gene in sheet.records["Hugo_Symbol"].unique()}
    return [gene for gene in maf.NEGATIVE_GENES if gene in named]


def _negatives(examined: pl.DataFrame, found: pl.DataFrame, genes: list[str], sites: pl.DataFrame) -> pl.DataFrame:
    """Return the patients of `examined` (`source_row`, `barcode`) for each gene in which nothing was found."""
    by_gene = examined.join(pl.DataFrame({"gene": genes}, schema={"gene": pl.String}), how="cross")
    rows = maf.negatives(by_gene, found, "barcode")
    return rows.join(sites, on="barcode", how="left", maintain_order="left").with_columns(
        method=pl.lit("ngs"), region_tested=pl.lit("all")
    )


def _examined(sheet: Sheet, barcodes: str) -> pl.DataFrame:
    """Return the first record of each patient of a sequenced list or MAF."""
    records = maf.known(sheet.records).select(SOURCE_ROW, barcode=_patient_of(barcodes))
    return records.drop_nulls().unique("barcode", keep="first", maintain_order=True)


def _biomarkers(parts: list[pl.DataFrame]) -> pl.DataFrame:
    rows = pl.concat(parts, how="diagonal").rename({"barcode": "patient_id"})
    return rows.with_columns(specimen_id="patient_id").drop("gene", strict=False).sort(SOURCE_ROW, maintain_order=True)


def _unknown_sites(sheet: Sheet, form: pl.DataFrame) -> list[Notice]:
    rows = _tumours(form).filter(~pl.col("topography").str.contains(r"^C(18|19|20)\."))[SOURCE_ROW]
    if not rows.len():
        return []
    message = f"{sheet.file.name}: neither code nor subdivision names a part of colon or rectum."
    return [warning("site_unknown", sheet, message, table="tumour", column="topography", rows=tuple(rows))]


def _missing_genes(mafs: list[Sheet]) -> list[Notice]:
    missing = [gene for gene in maf.NEGATIVE_GENES if gene not in _genes(mafs)]
    message = f"{', '.join(missing)}: never named in the MAF, so nobody counts as examined for it."
    return [warning("gene_not_examined", mafs[0], message, table="biomarker")] if missing else []
