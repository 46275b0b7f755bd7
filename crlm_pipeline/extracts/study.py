"""A cBioPortal study: its files by kind, its timelines, and the samples that everything hangs on."""

from dataclasses import dataclass
from typing import Final, Self

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.extracts import maf, study_timeline
from crlm_pipeline.extracts.source import Group, Sheet
from crlm_pipeline.extracts.study_calendar import StudyCalendar
from crlm_pipeline.extracts.study_files import (
    STUDY_KEY,
    description,
    has_copy_numbers,
    has_fusions,
    meta_keys,
    panel,
    patient_files,
)
from crlm_pipeline.extracts.text import SOURCE_ROW
from crlm_pipeline.extracts.topography import SITE_UNKNOWN, from_site_text

SAMPLE_COLUMNS: Final = (
    "PATIENT_ID", "SAMPLE_ID", "SAMPLE_TYPE", "SAMPLE_CLASS", "PRIMARY_SITE", "PRIMARY_TUMOR_LOCATION",
    "METASTATIC_SITE", "METASTATIC_BIOPSY_SITE", "STAGE_AT_DIAGNOSIS", "METASTASECTOMY", "FIRST_SITE_OF_METS",
    "SUBTYPE_ABBREVIATION", "GENE_PANEL", "TMB_NONSYNONYMOUS", "MSI_STATUS", "MSI_TYPE", "MSI_SCORE",
    "MSI_SENSOR_SCORE", "MMR_STATUS", "MLH1", "PMS2", "MSH2", "MSH6",
)  # fmt: skip
_COPY_NUMBER_PROFILES: Final = ("cna", "gistic", "cna_rae", "cna_consensus")


@dataclass(frozen=True, slots=True)
class Study:
    """The files of a study by kind.

    `samples`: one row per sample with `source_row`, `file`, the columns of SAMPLE_COLUMNS (GENE_PANEL is the one with
    which mutations were called), `has_copy_numbers`, `specimen_site`, `sample_date`, `report_date` and `topography`.
    `panels` are panel matrices, `copy_numbers` discrete copy numbers, `fusions` structural variants or (the older form)
    fusions. `panel_genes`: GENE_PANEL, gene, of the reference table and of panels delivered in the folder.
    `timeline`: all events. `centre_id` is the study's identifier, or the folder's name where no meta file tells it.
    """

    centre_id: str
    file_names: frozenset[str]
    metas: tuple[Sheet, ...]
    events: tuple[Sheet, ...]
    patients: tuple[Sheet, ...]
    clinical_samples: tuple[Sheet, ...]
    mafs: tuple[Sheet, ...]
    panels: tuple[Sheet, ...]
    panel_lists: tuple[Sheet, ...]
    copy_numbers: tuple[Sheet, ...]
    fusions: tuple[Sheet, ...]
    calendar: StudyCalendar
    samples: pl.DataFrame
    panel_genes: pl.DataFrame
    timeline: pl.DataFrame

    @classmethod
    def of(cls, group: Group) -> Self:
        """Sort the files of a folder by their headers, and by what the meta files declare of them."""
        metas = tuple(sheet for sheet in group.sheets if meta_keys(sheet))
        declared = {keys["data_filename"]: keys for sheet in metas if "data_filename" in (keys := meta_keys(sheet))}
        panel_lists = tuple(sheet for sheet in group.sheets if sheet not in metas and panel(sheet))
        tables = [sheet for sheet in group.sheets if sheet not in metas and sheet not in panel_lists]
        events = tuple(sheet for sheet in tables if sheet.has("PATIENT_ID", "START_DATE", "EVENT_TYPE"))
        clinical = [sheet for sheet in tables if sheet.has("PATIENT_ID") and sheet not in events]
        clinical_samples = tuple(sheet for sheet in clinical if sheet.has("SAMPLE_ID"))
        patients = patient_files([sheet for sheet in clinical if not sheet.has("SAMPLE_ID")], declared)
        panels = tuple(sheet for sheet in tables if sheet.has("SAMPLE_ID", "mutations") and sheet not in clinical)
        timeline = study_timeline.events(events)
        survival = [description(sheet, "OS_MONTHS") for sheet in patients]
        calendar = StudyCalendar.of(timeline, survival, has_timelines=bool(events))
        return cls(
            centre_id=next((meta_keys(sheet)[STUDY_KEY] for sheet in metas), group.label),
            file_names=frozenset(sheet.file.path.name for sheet in group.sheets),
            metas=metas,
            events=events,
            patients=patients,
            clinical_samples=clinical_samples,
            mafs=tuple(sheet for sheet in tables if sheet.has(*maf.HEADER)),
            panels=panels,
            panel_lists=panel_lists,
            copy_numbers=tuple(sheet for sheet in tables if has_copy_numbers(sheet, declared)),
            fusions=tuple(sheet for sheet in tables if has_fusions(sheet)),
            calendar=calendar,
            samples=calendar.dated(_with_panels(_samples(clinical_samples), panels)).with_columns(
                specimen_site=_specimen_site(), topography=_topography()
            ),
            panel_genes=_panel_genes(panel_lists),
            timeline=timeline,
        )

    @property
    def has_variants(self) -> bool:
        """Whether any variant was delivered; a study without one shows nobody examined."""
        return any(sheet.records.height for sheet in self.mafs)


def _panel_genes(sheets: tuple[Sheet, ...]) -> pl.DataFrame:
    """Return the genes that a panel examines for mutations, one row per panel and gene with negative rows."""
    delivered = [(name, gene) for sheet in sheets for name, genes in panel(sheet).items() for gene in genes]
    listed = [(row["panel"], row["gene"]) for row in resources.reference("gene_panels")]
    schema = {"GENE_PANEL": pl.String, "gene": pl.String}
    genes = pl.DataFrame([*listed, *delivered], schema, orient="row").unique(maintain_order=True)
    return genes.filter(pl.col("gene").is_in(list(maf.NEGATIVE_GENES)))


def _topography() -> pl.Expr:
    """Return the site of the primary: what PRIMARY_SITE says, else the location where it is more than a side."""
    site, location = from_site_text("PRIMARY_SITE"), from_site_text("PRIMARY_TUMOR_LOCATION")
    return pl.coalesce(site, location).fill_null(SITE_UNKNOWN)


def _samples(sheets: tuple[Sheet, ...]) -> pl.DataFrame:
    empty = pl.DataFrame(schema={SOURCE_ROW: pl.Int32, **dict.fromkeys((*SAMPLE_COLUMNS, "file"), pl.String)})
    known = [(sheet, maf.with_columns(maf.known(sheet.records), SAMPLE_COLUMNS)) for sheet in sheets]
    parts = [frame.select(SOURCE_ROW, *SAMPLE_COLUMNS, file=pl.lit(sheet.file.name)) for sheet, frame in known]
    return pl.concat([empty, *parts])


def _with_panels(samples: pl.DataFrame, panels: tuple[Sheet, ...]) -> pl.DataFrame:
    """Let the panel matrix decide for the samples it lists; `NA` there means that the sample was not profiled so."""
    if not panels:
        return samples.with_columns(has_copy_numbers=pl.lit(value=True))
    matrix = pl.concat([_profiles(sheet) for sheet in panels])
    listed = matrix.unique("SAMPLE_ID", keep="first", maintain_order=True).with_columns(is_listed=pl.lit(value=True))
    return samples.join(listed, on="SAMPLE_ID", how="left", maintain_order="left").with_columns(
        pl.col("has_copy_numbers").fill_null(value=True),
        GENE_PANEL=pl.when(pl.col("is_listed")).then("mutations").otherwise("GENE_PANEL"),
    )


def _profiles(sheet: Sheet) -> pl.DataFrame:
    """Return SAMPLE_ID, `mutations` and `has_copy_numbers` of a panel matrix; unknown where it has no such profile."""
    profile = next((name for name in _COPY_NUMBER_PROFILES if sheet.has(name)), None)
    has_copy_numbers = pl.col(profile).is_not_null() if profile else pl.lit(None, dtype=pl.Boolean)
    return maf.known(sheet.records).select("SAMPLE_ID", "mutations", has_copy_numbers=has_copy_numbers)


def _specimen_site() -> pl.Expr:
    """Return where the specimen was taken; unknown for a metastasis whose site is not told."""
    kind, site = pl.col("SAMPLE_TYPE").str.to_lowercase(), pl.coalesce("METASTATIC_SITE", "METASTATIC_BIOPSY_SITE")
    return (
        pl.when(pl.col("SAMPLE_CLASS").str.to_lowercase().str.contains("cfdna"))
        .then(pl.lit("plasma"))
        .when(kind == "primary")
        .then(pl.lit("primary"))
        .when((kind == "metastasis") & (site.str.to_lowercase() == "liver"))
        .then(pl.lit("liver"))
        .when((kind == "metastasis") & site.is_not_null())
        .then(pl.lit("other_metastasis"))
    )
