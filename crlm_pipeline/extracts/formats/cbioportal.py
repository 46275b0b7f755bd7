"""A cBioPortal study folder: clinical files with four `#` lines, MAF, gene panels, copy numbers, fusions and timelines.

Centre is the study; country is unknown (`ZZ`). Days of timelines become a pseudo-calendar (`study_calendar`). Sites of
metastases are undated in these files, so they make no assessment; surgery without a type makes no procedure.
"""

from typing import Final

import polars as pl

from crlm_pipeline.extracts import maf, study_assays, study_timeline
from crlm_pipeline.extracts.format import Mapped, Reading
from crlm_pipeline.extracts.source import Group, Sheet
from crlm_pipeline.extracts.study import Study
from crlm_pipeline.extracts.study_files import is_part
from crlm_pipeline.extracts.study_notices import of_study
from crlm_pipeline.extracts.text import SOURCE_ROW
from crlm_pipeline.extracts.topography import SITE_UNKNOWN

NAME: Final = "cbioportal"
_UNKNOWN_COUNTRY: Final = "ZZ"
_PATIENT_COLUMNS: Final = (
    "PATIENT_ID", "SEX", "OS_MONTHS", "OS_STATUS", "VITAL_STATUS", "AGE_AT_SEQUENCING", "AGE_AT_SEQ_REPORT",
)  # fmt: skip
_VAGUE_SITES: Final = ("C18.9", SITE_UNKNOWN)
_STAGE: Final = r"(?i)^(?:stage )?(0|IV|I{1,3})[A-C]?$"


def recognises(group: Group) -> bool:
    """Whether any file of the folder tells a study."""
    return any(is_part(sheet) for sheet in group.sheets)


def read(group: Group) -> Reading:
    """Make patients, tumours, biomarkers, and what the timelines tell of a study."""
    study = Study.of(group)
    variants = {sheet.file.name: study_assays.variants(sheet, study) for sheet in study.mafs}
    found = pl.concat([_no_variants(), *variants.values()], how="diagonal")
    placed = study.calendar.placed(study.timeline)
    events = _of_events(study, placed)
    mapped = [Mapped(sheet, {"patient": _patients(sheet, study)}) for sheet in study.patients]
    mapped += [Mapped(sheet, _sample_tables(sheet, study, found, placed)) for sheet in study.clinical_samples]
    mapped += [Mapped(sheet, _biomarkers(variants[sheet.file.name])) for sheet in study.mafs]
    mapped += [Mapped(sheet, _biomarkers(study_assays.copy_numbers(sheet, study))) for sheet in study.copy_numbers]
    mapped += [Mapped(sheet, _biomarkers(study_assays.fusions(sheet, study))) for sheet in study.fusions]
    mapped += [Mapped(sheet, completing=_of_samples(sheet, study)) for sheet in study.panels]
    mapped += events
    consulted = (*study.metas, *study.panel_lists)
    return Reading(study.calendar.kind, tuple(mapped), consulted, tuple(of_study(study, events)))


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


def _sample_tables(sheet: Sheet, study: Study, found: pl.DataFrame, placed: pl.DataFrame) -> dict[str, pl.DataFrame]:
    samples = study.samples.filter(pl.col("file") == sheet.file.name)
    return {
        "tumour": _tumours(samples, study_timeline.diagnoses(placed)),
        **_biomarkers(study_assays.of_samples(samples, study, found)),
    }


def _tumours(samples: pl.DataFrame, diagnoses: pl.DataFrame) -> pl.DataFrame:
    """Return one tumour per patient and site; a vague site of a patient with an exact one is the same tumour.

    The diagnosis that a timeline tells is that of the patient's only tumour; of one of several it is not known which.
    """
    is_vague = pl.col("topography").is_in(list(_VAGUE_SITES))
    tumours = samples.filter(~is_vague | is_vague.all().over("PATIENT_ID"))
    tumours = tumours.unique(["PATIENT_ID", "topography"], keep="first", maintain_order=True)
    told = tumours.join(
        diagnoses.drop("file", SOURCE_ROW), on="PATIENT_ID", how="left", maintain_order="left"
    ).with_columns(is_only=pl.len().over("PATIENT_ID") == 1)
    return told.select(
        SOURCE_ROW,
        patient_id="PATIENT_ID",
        tumour_id="topography",
        diagnosis_date=pl.when("is_only").then("diagnosis_date"),
        topography="topography",
        morphology=pl.when("is_only").then("morphology"),
        m_category=_m_category(),
    )


def _m_category() -> pl.Expr:
    """Return M1 for stage IV and M0 for any lower one, which is what the stages say (TNM)."""
    stage = pl.col("STAGE_AT_DIAGNOSIS").str.extract(_STAGE, 1).str.to_uppercase()
    return pl.when(stage == "IV").then(pl.lit("M1")).when(stage.is_not_null()).then(pl.lit("M0"))


def _biomarkers(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {"biomarker": study_assays.biomarkers(rows)}


def _of_samples(sheet: Sheet, study: Study) -> pl.Series:
    return sheet.records.filter(sheet.records["SAMPLE_ID"].is_in(study.samples["SAMPLE_ID"].implode()))[SOURCE_ROW]


def _of_events(study: Study, placed: pl.DataFrame) -> list[Mapped]:
    """Return what each timeline tells; tables that are empty throughout are left out."""
    measured = study_timeline.measurements(placed)
    tables = {
        "drug_exposure": study_timeline.exposures(placed),
        "assessment": study_timeline.assessments(measured),
        "outcome": study_timeline.outcomes(placed),
        "procedure": study_timeline.procedures(placed),
    }
    told = [
        study.calendar.completing(study.timeline, study.samples),
        measured,
        study_timeline.diagnoses(placed),
    ]
    completing = pl.concat([part.select("file", SOURCE_ROW) for part in told])
    return [
        Mapped(
            sheet,
            {name: rows for name, table in tables.items() if (rows := _of_file(table, sheet)).height},
            _of_file(completing, sheet)[SOURCE_ROW],
        )
        for sheet in study.events
    ]


def _of_file(rows: pl.DataFrame, sheet: Sheet) -> pl.DataFrame:
    return rows.filter(pl.col("file") == sheet.file.name).drop("file")
