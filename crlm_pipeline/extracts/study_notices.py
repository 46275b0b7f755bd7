"""What a data manager should know of a cBioPortal study: files that are not there, and what found no place."""

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.extracts import study_timeline
from crlm_pipeline.extracts.format import Mapped, warning
from crlm_pipeline.extracts.source import Sheet
from crlm_pipeline.extracts.study import Study
from crlm_pipeline.extracts.study_assays import MSI, instability
from crlm_pipeline.extracts.study_calendar import is_vital
from crlm_pipeline.extracts.study_files import SYMBOL, copy_number_levels, is_long, meta_keys, sample_column
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.extracts.text import SOURCE_ROW
from crlm_pipeline.extracts.topography import SITE_UNKNOWN

_UNSTABLE: Final = "msi_h"


def of_study(study: Study, events: Sequence[Mapped]) -> list[Notice]:
    """Return the notices of a study; `events` is what was made of its timelines."""
    notices = [notice for sheet in study.metas for notice in _absent_file(sheet, study)]
    notices += [notice for sheet in study.clinical_samples for notice in _of_samples(sheet, study)]
    notices += [notice for sheet in (*study.mafs, *study.fusions) for notice in _unknown_samples(sheet, study)]
    notices += [notice for sheet in study.copy_numbers for notice in _copy_numbers(sheet, study)]
    notices += [notice for mapped in events for notice in _of_timeline(mapped, study)]
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


def _of_samples(sheet: Sheet, study: Study) -> Iterable[Notice]:
    samples = study.samples.filter(pl.col("file") == sheet.file.name)
    panels = study.panel_genes["GENE_PANEL"].implode()
    told: list[tuple[str, str | None, str | None, str, pl.Expr]] = [
        ("site_unknown", "tumour", "topography",
         f"the site in words is in no list; it counts as {SITE_UNKNOWN}, side unknown",
         pl.col("topography") == SITE_UNKNOWN),
        ("side_contradicts_site", "tumour", "topography",
         "the location says another side than the site; the site counts", _contradicts_site()),
        ("panel_unknown", "biomarker", None,
         "the gene panel is in no list, so no gene counts as examined without a finding",
         ~pl.col("GENE_PANEL").is_in(panels).fill_null(value=False)),
        ("metastasectomy_not_dated", "procedure", "procedure_date",
         "a metastasectomy without a date makes no procedure", pl.col("METASTASECTOMY") == "1"),
        ("metastases_not_dated", "assessment", "mets_sites",
         "the first sites of metastases have no date, so they make no assessment",
         pl.col("FIRST_SITE_OF_METS").is_not_null()),
    ]  # fmt: skip
    for check, table, column, text, condition in told:
        yield from _noticed(check, sheet, (table, column), text, samples.filter(condition)[SOURCE_ROW])
    yield from _instability(sheet, samples)


def _noticed(
    check: str, sheet: Sheet, place: tuple[str | None, str | None], text: str, rows: pl.Series
) -> Iterable[Notice]:
    """Yield a notice of these rows, if there are any."""
    if rows.len():
        message = f"{sheet.file.name}: {text}."
        yield warning(check, sheet, message, table=place[0], column=place[1], rows=tuple(rows))


def _contradicts_site() -> pl.Expr:
    """Whether a location that names only a side names the other one; of the transverse colon neither contradicts."""
    sides = {
        row["topography"]: row["side"] for row in resources.reference("topography") if row["side_certainty"] == "high"
    }
    side = pl.col("topography").replace_strict(sides, default=None, return_dtype=pl.String)
    location = pl.col("PRIMARY_TUMOR_LOCATION").str.to_lowercase()
    return location.is_in(["left", "right"]) & (side != location)


def _instability(sheet: Sheet, samples: pl.DataFrame) -> Iterable[Notice]:
    answered, unanswered = instability(samples)
    yield from _noticed(
        "msi_score_without_status", sheet, ("biomarker", "result"),
        "a score without a status is kept as a result that is not recorded; no cut-off makes it one",
        unanswered[SOURCE_ROW],
    )  # fmt: skip
    scored = answered.filter(pl.col("result").is_in(sorted(set(MSI.values()) - {"indeterminate"})))
    scored = scored.with_columns(pl.col("value").cast(pl.Float64, strict=False)).drop_nulls("value")
    is_unstable, score = pl.col("result") == _UNSTABLE, pl.col("value")
    # Whatever the laboratory's cut-off is, every unstable sample lies above it and every other below.
    crosses = pl.when(is_unstable).then(score <= score.filter(~is_unstable).max()).otherwise(
        score >= score.filter(is_unstable).min()
    )  # fmt: skip
    yield from _noticed(
        "msi_status_contradicts_score", sheet, ("biomarker", "result"),
        "no cut-off of the score explains these statuses; the status counts", scored.filter(crosses)[SOURCE_ROW],
    )  # fmt: skip


def _unknown_samples(sheet: Sheet, study: Study) -> Iterable[Notice]:
    known = study.samples["SAMPLE_ID"].implode()
    names = pl.col(sample_column(sheet)).str.strip_chars()
    rows = sheet.records.filter(~names.is_in(known).fill_null(value=False))[SOURCE_ROW]
    text = "the sample is in no clinical file, so the record made no row"
    return _noticed("sample_unknown", sheet, ("biomarker", "specimen_id"), text, rows)


def _copy_numbers(sheet: Sheet, study: Study) -> Iterable[Notice]:
    levels = copy_number_levels(sheet).join(study.samples, on="SAMPLE_ID", how="left", maintain_order="left")
    text = "copy numbers of a sample that is in no clinical file make no row"
    unknown = levels.filter(pl.col("PATIENT_ID").is_null())[SOURCE_ROW].unique(maintain_order=True)
    yield from _noticed("sample_unknown", sheet, ("biomarker", "specimen_id"), text, unknown)
    text = "the panel matrix says that copy numbers of the sample were not profiled, so its level makes no row"
    rows = levels.filter(~pl.col("has_copy_numbers"))[SOURCE_ROW].unique(maintain_order=True)
    yield from _noticed("copy_number_not_profiled", sheet, ("biomarker", "result"), text, rows)
    if not is_long(sheet) and "ERBB2" not in sheet.records[SYMBOL]:
        message = f"{sheet.file.name}: ERBB2 is not among the genes, so nobody counts as examined for amplification."
        yield warning("erbb2_not_profiled", sheet, message, table="biomarker")


def _of_timeline(mapped: Mapped, study: Study) -> Iterable[Notice]:
    """Yield what a timeline holds that made and completed nothing; a status of life beside survival goes unsaid."""
    sheet = mapped.sheet
    used = pl.concat([*(frame[SOURCE_ROW] for frame in mapped.tables.values()), *_completed(mapped)])
    left = study.timeline.filter(pl.col("file") == sheet.file.name, ~pl.col(SOURCE_ROW).is_in(used.implode()))
    dated = left.join(study.calendar.placed(left), on=SOURCE_ROW, how="semi", maintain_order="left")
    surgery = pl.col("kind").is_in(list(study_timeline.SURGERY))
    radiation = (pl.col("kind") == study_timeline.TREATMENT) & study_timeline.is_radiation()
    life = (pl.col("kind") == study_timeline.STATUS) & is_vital("STATUS")
    cea = study_timeline.is_cea()
    other = ~pl.any_horizontal(surgery, radiation, life, cea).fill_null(value=False)
    undated = ~pl.col(SOURCE_ROW).is_in(dated[SOURCE_ROW].implode()) & ~(surgery | life).fill_null(value=False)
    told = [
        ("surgery_not_mapped", "procedure", left, surgery,
         "surgery whose kind the contract does not know, or without a day, makes no procedure"),
        ("radiation_not_mapped", "procedure", dated, radiation,
         "radiation without a place in the contract makes no row"),
        ("cea_unit_unknown", "assessment", dated, cea, "CEA without a unit of ng/mL or µg/L makes no assessment"),
        ("event_not_mapped", None, dated, other, "events without a place in the contract make no row"),
        ("event_not_dated", None, left, undated,
         "no day of the event, or of the patient's first specimen, is known, so the event has no place in time"),
    ]  # fmt: skip
    for check, table, rows, condition, text in told:
        yield from _noticed(check, sheet, (table, None), text, rows.filter(condition)[SOURCE_ROW])


def _completed(mapped: Mapped) -> list[pl.Series]:
    return [] if mapped.completing is None else [mapped.completing]
