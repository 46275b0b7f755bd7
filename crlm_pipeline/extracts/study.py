"""What the files of a cBioPortal study folder are, told by their headers, and the samples that everything hangs on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.extracts import maf, study_timeline
from crlm_pipeline.extracts.source import Group, Sheet
from crlm_pipeline.extracts.study_calendar import StudyCalendar
from crlm_pipeline.extracts.text import SOURCE_ROW
from crlm_pipeline.extracts.topography import SITE_UNKNOWN, from_site_text

SAMPLE_COLUMNS: Final = (
    "PATIENT_ID", "SAMPLE_ID", "SAMPLE_TYPE", "SAMPLE_CLASS", "PRIMARY_SITE", "PRIMARY_TUMOR_LOCATION",
    "METASTATIC_SITE", "METASTATIC_BIOPSY_SITE", "STAGE_AT_DIAGNOSIS", "METASTASECTOMY", "FIRST_SITE_OF_METS",
    "SUBTYPE_ABBREVIATION", "GENE_PANEL", "TMB_NONSYNONYMOUS", "MSI_STATUS", "MSI_TYPE", "MSI_SCORE",
    "MSI_SENSOR_SCORE", "MMR_STATUS", "MLH1", "PMS2", "MSH2", "MSH6",
)  # fmt: skip
SYMBOL: Final = "Hugo_Symbol"
_SAMPLE_NAMES: Final = ("Tumor_Sample_Barcode", "Sample_Id", "Sample_ID", "SAMPLE_ID")
_COPY_NUMBER_PROFILES: Final = ("cna", "gistic", "cna_rae", "cna_consensus")
_LEVELS: Final = ("-2", "-1.5", "-1", "0", "1", "2")
_COMMENT_LINES: Final = 4
_META_KEY: Final = re.compile(r"^(\w+):[ \t]*(\S.*?)\s*$", re.MULTILINE)
_STUDY_KEY: Final = "cancer_study_identifier"
_PANEL: Final = re.compile(r"^stable_id:[ \t]*(\S+)\s*$", re.MULTILINE)
_PANEL_GENES: Final = re.compile(r"^gene_list:[ \t]*(\S.*?)\s*$", re.MULTILINE)


def is_part(sheet: Sheet) -> bool:
    """Whether a sheet tells a study: a `meta` file, or a clinical file with its four `#` lines."""
    is_clinical = sheet.has("PATIENT_ID") and len(_comments(sheet)) >= _COMMENT_LINES
    return is_clinical or bool(meta_keys(sheet))


def meta_keys(sheet: Sheet) -> dict[str, str]:
    """Return the keys of a meta file; empty for any other file."""
    keys = dict(_META_KEY.findall(sheet.head)) if "\t" not in sheet.head else {}
    return keys if _STUDY_KEY in keys else {}


def _comments(sheet: Sheet) -> list[str]:
    lines = sheet.head.split("\n")
    return lines[: next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))]


def _description(sheet: Sheet, column: str) -> str:
    """Return the description of an attribute: the second `#` line of a clinical file."""
    comments = _comments(sheet)
    if column not in sheet.header or len(comments) < _COMMENT_LINES:
        return ""
    texts = comments[1].split("\t")
    at = sheet.header.index(column)
    return texts[at] if at < len(texts) else ""


def _panel(sheet: Sheet) -> dict[str, list[str]]:
    """Return the genes of a delivered panel by its name; empty for any other file."""
    name, genes = _PANEL.search(sheet.head), _PANEL_GENES.search(sheet.head)
    return {name[1]: genes[1].split()} if name and genes else {}


def sample_column(sheet: Sheet) -> str:
    """Return the column that names the sample of a record; `SAMPLE_ID` where none does."""
    return next((name for name in _SAMPLE_NAMES if sheet.has(name)), "SAMPLE_ID")


def is_long(sheet: Sheet) -> bool:
    """Whether copy numbers stand one per record, not one column per sample."""
    return sheet.has(SYMBOL, "Value")


@dataclass(frozen=True, slots=True)
class Study:
    """The files of a study by kind.

    `samples`: one row per sample with `source_row`, `file`, the columns of SAMPLE_COLUMNS (GENE_PANEL is the one with
    which mutations were called), `has_copy_numbers`, `specimen_site`, `sample_date`, `report_date` and `topography`.
    `panels` are panel matrices, `copy_numbers` discrete copy numbers, `fusions` structural variants or (the older form)
    fusions. `panel_genes`: GENE_PANEL, gene, of the reference table and of panels delivered in the folder.
    `timeline`: all events; `placed`: those with a day on the calendar. `centre_id` is the study's identifier, or the
    folder's name where no meta file tells it.
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
        panel_lists = tuple(sheet for sheet in group.sheets if sheet not in metas and _panel(sheet))
        tables = [sheet for sheet in group.sheets if sheet not in metas and sheet not in panel_lists]
        events = tuple(sheet for sheet in tables if sheet.has("PATIENT_ID", "START_DATE", "EVENT_TYPE"))
        clinical = [sheet for sheet in tables if sheet.has("PATIENT_ID") and sheet not in events]
        clinical_samples = tuple(sheet for sheet in clinical if sheet.has("SAMPLE_ID"))
        patients = _patient_files([sheet for sheet in clinical if not sheet.has("SAMPLE_ID")], declared)
        panels = tuple(sheet for sheet in tables if sheet.has("SAMPLE_ID", "mutations") and sheet not in clinical)
        timeline = study_timeline.events(events)
        survival = [_description(sheet, "OS_MONTHS") for sheet in patients]
        calendar = StudyCalendar.of(timeline, survival, has_timelines=bool(events))
        return cls(
            centre_id=next((meta_keys(sheet)[_STUDY_KEY] for sheet in metas), group.label),
            file_names=frozenset(sheet.file.path.name for sheet in group.sheets),
            metas=metas,
            events=events,
            patients=patients,
            clinical_samples=clinical_samples,
            mafs=tuple(sheet for sheet in tables if sheet.has(*maf.HEADER)),
            panels=panels,
            panel_lists=panel_lists,
            copy_numbers=tuple(sheet for sheet in tables if _has_copy_numbers(sheet, declared)),
            fusions=tuple(sheet for sheet in tables if _has_fusions(sheet)),
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


Declared = Mapping[str, Mapping[str, str]]


def _patient_files(sheets: list[Sheet], declared: Declared) -> tuple[Sheet, ...]:
    """Return the files of patients: the ones that are declared so, where any is (GENIE BPC adds tables of survival)."""
    kinds = [declared.get(sheet.file.path.name, {}).get("datatype", "") for sheet in sheets]
    named = [sheet for sheet, kind in zip(sheets, kinds, strict=True) if kind.startswith("PATIENT_ATTRIBUTE")]
    return tuple(named or sheets)


def _has_copy_numbers(sheet: Sheet, declared: Declared) -> bool:
    """Whether a table of genes holds discrete copy numbers, by its meta file, else by the values of ERBB2."""
    if not sheet.has(SYMBOL) or sheet.has(*maf.HEADER) or _has_fusions(sheet):
        return False
    keys = declared.get(sheet.file.path.name)
    if keys is not None:
        is_copy_number = keys.get("genetic_alteration_type") == "COPY_NUMBER_ALTERATION"
        return is_copy_number and keys.get("datatype", "").startswith("DISCRETE")
    levels = copy_number_levels(sheet)["level"]
    return levels.len() > 0 and bool(levels.is_in(_LEVELS).all())


def copy_number_levels(sheet: Sheet) -> pl.DataFrame:
    """Return the known levels of ERBB2: `source_row`, SAMPLE_ID, `level` (`2.0` as `2`)."""
    records = maf.known(sheet.records).filter(pl.col(SYMBOL) == "ERBB2")
    if is_long(sheet):
        rows = records.select(SOURCE_ROW, pl.col(sample_column(sheet)).alias("SAMPLE_ID"), level="Value")
    else:
        named = [
            name for name in sheet.records.columns if name not in {SOURCE_ROW, SYMBOL, "Entrez_Gene_Id", "Cytoband"}
        ]
        rows = records.unpivot(on=named, index=SOURCE_ROW, variable_name="SAMPLE_ID", value_name="level")
    return rows.with_columns(pl.col("level").str.replace(r"\.0+$", "")).drop_nulls()


def _has_fusions(sheet: Sheet) -> bool:
    is_structural = sheet.has("Site1_Hugo_Symbol", "Site2_Hugo_Symbol")
    is_older = sheet.has(SYMBOL, "Tumor_Sample_Barcode", "Fusion")
    return (is_structural or is_older) and sheet.has(sample_column(sheet))


def _panel_genes(sheets: tuple[Sheet, ...]) -> pl.DataFrame:
    """Return the genes that a panel examines for mutations, one row per panel and gene with negative rows."""
    delivered = [(panel, gene) for sheet in sheets for panel, genes in _panel(sheet).items() for gene in genes]
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
