"""What the files of a cBioPortal study folder are, told by their headers, and the samples that everything hangs on."""

import re
from dataclasses import dataclass
from typing import Final, Self

import polars as pl

from crlm_pipeline.extracts import maf
from crlm_pipeline.extracts.source import Group, Sheet
from crlm_pipeline.extracts.study_calendar import StudyCalendar
from crlm_pipeline.extracts.text import SOURCE_ROW
from crlm_pipeline.extracts.topography import SITE_UNKNOWN, from_site_text

SAMPLE_COLUMNS: Final = (
    "PATIENT_ID", "SAMPLE_ID", "SAMPLE_TYPE", "SAMPLE_CLASS", "PRIMARY_SITE", "METASTATIC_SITE",
    "METASTATIC_BIOPSY_SITE", "SUBTYPE_ABBREVIATION", "GENE_PANEL", "TMB_NONSYNONYMOUS", "MSI_STATUS",
)  # fmt: skip
_COMMENT_LINES: Final = 4
_META_KEY: Final = re.compile(r"^(\w+):[ \t]*(\S.*?)\s*$", re.MULTILINE)
_STUDY_KEY: Final = "cancer_study_identifier"


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


@dataclass(frozen=True, slots=True)
class Study:
    """The files of a study by kind.

    `samples`: one row per sample with `source_row`, `file`, the columns of SAMPLE_COLUMNS (GENE_PANEL is the one with
    which mutations were called), `specimen_site`, `sample_date` and `topography`. `panels` are panel matrices,
    `fusions` structural variants. `centre_id` is the study's identifier, or the folder's name where no
    meta file tells it.
    """

    centre_id: str
    file_names: frozenset[str]
    metas: tuple[Sheet, ...]
    events: tuple[Sheet, ...]
    patients: tuple[Sheet, ...]
    clinical_samples: tuple[Sheet, ...]
    mafs: tuple[Sheet, ...]
    panels: tuple[Sheet, ...]
    fusions: tuple[Sheet, ...]
    calendar: StudyCalendar
    samples: pl.DataFrame

    @classmethod
    def of(cls, group: Group) -> Self:
        """Sort the files of a folder by their headers."""
        metas = tuple(sheet for sheet in group.sheets if meta_keys(sheet))
        tables = [sheet for sheet in group.sheets if sheet not in metas]
        events = tuple(sheet for sheet in tables if sheet.has("PATIENT_ID", "START_DATE", "EVENT_TYPE"))
        clinical = [sheet for sheet in tables if sheet.has("PATIENT_ID") and sheet not in events]
        clinical_samples = tuple(sheet for sheet in clinical if sheet.has("SAMPLE_ID"))
        patients = tuple(sheet for sheet in clinical if not sheet.has("SAMPLE_ID"))
        panels = tuple(sheet for sheet in tables if sheet.has("SAMPLE_ID", "mutations") and sheet not in clinical)
        calendar = StudyCalendar.of(
            [maf.known(sheet.records) for sheet in events], [_description(sheet, "OS_MONTHS") for sheet in patients]
        )
        return cls(
            centre_id=next((meta_keys(sheet)[_STUDY_KEY] for sheet in metas), group.label),
            file_names=frozenset(sheet.file.path.name for sheet in group.sheets),
            metas=metas,
            events=events,
            patients=patients,
            clinical_samples=clinical_samples,
            mafs=tuple(sheet for sheet in tables if sheet.has(*maf.HEADER)),
            panels=panels,
            fusions=tuple(s for s in tables if s.has("Sample_Id", "Site1_Hugo_Symbol", "Site2_Hugo_Symbol")),
            calendar=calendar,
            samples=calendar.dated(_with_panels(_samples(clinical_samples), panels)).with_columns(
                specimen_site=_specimen_site(), topography=from_site_text("PRIMARY_SITE").fill_null(SITE_UNKNOWN)
            ),
        )

    @property
    def has_variants(self) -> bool:
        """Whether any variant was delivered; a study without one shows nobody examined."""
        return any(sheet.records.height for sheet in self.mafs)


def _samples(sheets: tuple[Sheet, ...]) -> pl.DataFrame:
    empty = pl.DataFrame(schema={SOURCE_ROW: pl.Int32, **dict.fromkeys((*SAMPLE_COLUMNS, "file"), pl.String)})
    known = [(sheet, maf.with_columns(maf.known(sheet.records), SAMPLE_COLUMNS)) for sheet in sheets]
    parts = [frame.select(SOURCE_ROW, *SAMPLE_COLUMNS, file=pl.lit(sheet.file.name)) for sheet, frame in known]
    return pl.concat([empty, *parts])


def _with_panels(samples: pl.DataFrame, panels: tuple[Sheet, ...]) -> pl.DataFrame:
    """Let the panel matrix decide for the samples it lists; `NA` there means that no mutations were called."""
    if not panels:
        return samples
    matrix = pl.concat([maf.known(sheet.records).select("SAMPLE_ID", listed="mutations") for sheet in panels])
    listed = matrix.unique("SAMPLE_ID", keep="first", maintain_order=True).with_columns(is_listed=pl.lit(value=True))
    return samples.join(listed, on="SAMPLE_ID", how="left", maintain_order="left").with_columns(
        GENE_PANEL=pl.when(pl.col("is_listed")).then("listed").otherwise("GENE_PANEL")
    )


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
