"""The timelines of a cBioPortal study as one table of events, and what the events mean to the contract.

The portal fixes four columns (PATIENT_ID, START_DATE, STOP_DATE, EVENT_TYPE) and suggests others; names of the others
are those of the File-Formats page of cBioPortal and of the GENIE BPC and MSK-CHORD releases. What an event says is told
by its columns: CHORD writes performance status and progression both as events of type `Diagnosis`.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from crlm_pipeline.extracts import maf, regimen_names
from crlm_pipeline.extracts.source import Sheet
from crlm_pipeline.extracts.text import SOURCE_ROW
from crlm_pipeline.extracts.topography import COLORECTAL, dotted

SEQUENCING: Final = "SEQUENCING"
STATUS: Final = "STATUS"
TREATMENT: Final = "TREATMENT"
SURGERY: Final = ("SURGERY", "PROCEDURE")
DIAGNOSIS: Final = "DIAGNOSIS"
_COLUMNS: Final = (
    "PATIENT_ID", "START_DATE", "STOP_DATE", "EVENT_TYPE", "SUBTYPE", "SAMPLE_ID", "STATUS", "CURATED_CANCER_STATUS",
    "TREATMENT_TYPE", "AGENT", "LINE_OF_TREATMENT", "TREATMENT_INTENT", "TREATMENT_SETTING", "TEST", "RESULT", "UNITS",
    "UNIT", "LR_UNIT_MEASURE", "ECOG", "SCORE_TYPE", "PROCEDURE_DESCRIPTION", "DX_DESCRIPTION", "INDEX_CANCER",
)  # fmt: skip
_FURTHEST_DAY: Final = 100_000
_NUMBER_OF_CYCLES: Final = r"(?i)^\d+\s*(x|cycles?)?$"
_INTENTS: Final = {
    "adjuvant": "adjuvant", "neoadjuvant": "perioperative", "curative": "curative", "palliative": "palliative",
}  # fmt: skip
_CEA_TESTS: Final = ("cea", "carcinoembryonic antigen")
_CEA_UNITS: Final = ("ng/ml", "ug/l", "µg/l", "μg/l", "mcg/l")  # all of one size
_OUTCOMES: Final = {
    "progressing/worsening/enlarging": "progression", "stable/no change": "stable_disease",
    "complete response": "complete_response", "partial response": "partial_response",
    "stable disease": "stable_disease", "progressive disease": "progression", "progression": "progression",
}  # fmt: skip
_OF_LIVER: Final = r"liver|hepatic|hepatectomy|portal vein"
# Not done, not meant, or at a place that the words leave open.
_UNCLEAR: Final = r"biops|abort|attempt|cancel|planned|flexure|lung|pulmon|renal|kidney|adrenal|bone|spine|pancrea"
# The first that is named: a hepatectomy in two stages is no single resection.
_OPERATIONS: Final = {
    "transplantation": r"liver transplant",
    "alpps": r"\balpps\b",
    "two_stage": r"two[- ]stage",
    "resection": r"hepatectomy|(liver|hepatic) (\w+ )?(resection|lobectomy|segmentectomy)|resection of (the )?liver",
}
_TECHNIQUES: Final = {
    "rfa": r"radio-?frequency|\brfa\b",
    "mwa": r"microwave|\bmwa\b",
    "cryoablation": r"cryo-?ablation",
    "ire": r"irreversible electroporation",
    "sirt": r"radioemboli[sz]ation|\bsirt\b",
    "hai": r"hepatic arter(y|ial) infusion",
    "pve": r"portal vein emboli[sz]ation",
    "lvd": r"liver venous deprivation",
}
_CANCER_CODES: Final = r"M(\d{4}/\d)\s*\|\s*(C\d{2}\.?\d)"


def events(sheets: Sequence[Sheet]) -> pl.DataFrame:
    """Return every record of the timelines: `file`, `source_row`, its known columns, `kind` (EVENT_TYPE), `day`."""
    schema = {SOURCE_ROW: pl.Int32, **dict.fromkeys((*_COLUMNS, "file"), pl.String)}
    parts = [
        maf.with_columns(maf.known(sheet.records), _COLUMNS).select(
            SOURCE_ROW, *_COLUMNS, pl.lit(sheet.file.name).alias("file")
        )
        for sheet in sheets
    ]
    kind = pl.col("EVENT_TYPE").str.to_uppercase().str.replace_all("_", " ", literal=True)
    return pl.concat([pl.DataFrame(schema=schema), *parts]).with_columns(kind=kind, day=days("START_DATE"))


def days(column: str) -> pl.Expr:
    """Return a count of days; unknown where it is no number or beyond any life."""
    number = pl.col(column).cast(pl.Float64, strict=False).round()
    return pl.when(number.abs() <= _FURTHEST_DAY).then(number.cast(pl.Int64, strict=False))


def is_radiation() -> pl.Expr:
    """Whether a treatment is radiation, by its type or subtype."""
    text = pl.concat_str("TREATMENT_TYPE", "SUBTYPE", separator=" ", ignore_nulls=True)
    return text.str.to_lowercase().str.contains("radiation|radiotherapy").fill_null(value=False)


def exposures(placed: pl.DataFrame) -> pl.DataFrame:
    """Return one row per drug of a treatment: an agent may list several, or be a regimen; radiation is no drug."""
    treated = placed.filter(pl.col("kind") == TREATMENT, pl.col("AGENT").is_not_null(), ~is_radiation())
    listed = treated.with_columns(drug=pl.col("AGENT").str.replace_all("[;|]", ",").str.split(",")).explode("drug")
    drugs = listed.with_columns(pl.col("drug").str.strip_chars())
    drugs = drugs.with_columns(regimen_names.taken_apart("drug")).explode("drug")
    given = drugs.filter(pl.col("drug") != "", ~pl.col("drug").str.contains(_NUMBER_OF_CYCLES))
    return given.unique(["file", SOURCE_ROW, "drug"], keep="first", maintain_order=True).select(
        "file",
        SOURCE_ROW,
        "drug",
        "end_date",
        patient_id="PATIENT_ID",
        start_date="date",
        intent=pl.coalesce(_recode("TREATMENT_SETTING", _INTENTS), _recode("TREATMENT_INTENT", _INTENTS)),
        line_registered="LINE_OF_TREATMENT",
    )


def is_cea() -> pl.Expr:
    """Whether an event is a measurement of CEA."""
    return pl.col("TEST").str.to_lowercase().is_in(list(_CEA_TESTS)).fill_null(value=False)


def has_cea_unit() -> pl.Expr:
    """Whether the unit of a measurement is one in which CEA counts as in ng/mL."""
    unit = pl.coalesce("UNITS", "UNIT", "LR_UNIT_MEASURE").str.to_lowercase().str.replace_all(" ", "", literal=True)
    return unit.is_in(list(_CEA_UNITS)).fill_null(value=False)


def measurements(placed: pl.DataFrame) -> pl.DataFrame:
    """Return `file`, `source_row`, PATIENT_ID, date and `cea_ng_ml` or `ecog` of each event that measures one."""
    ecog = pl.coalesce("ECOG", pl.when(pl.col("SCORE_TYPE").str.to_uppercase() == "ECOG").then("RESULT"))
    return placed.select(
        "file",
        SOURCE_ROW,
        "PATIENT_ID",
        "date",
        cea_ng_ml=pl.when(is_cea() & has_cea_unit()).then("RESULT"),
        ecog=ecog.str.replace(r"\.0+$", ""),
    ).filter(pl.any_horizontal(pl.col("cea_ng_ml", "ecog").is_not_null()))


def assessments(measured: pl.DataFrame) -> pl.DataFrame:
    """Return one row per patient and day, of the first record of that day, with CEA and ECOG from any timeline.

    A second value of the same day stands in a row of its own, so that validation shows the conflict.
    """
    by_day = ["PATIENT_ID", "date"]
    parts = []
    for name in ("cea_ng_ml", "ecog"):
        known = measured.drop_nulls(name).unique([*by_day, name], keep="first", maintain_order=True)
        parts.append(known.with_columns(nth=pl.col(name).cum_count().over(by_day)))
    rows = pl.concat(parts).group_by(*by_day, "nth", maintain_order=True)
    of_day = rows.agg(pl.col("file", SOURCE_ROW).first(), pl.col("cea_ng_ml", "ecog").drop_nulls().first())
    return of_day.select(
        "file", SOURCE_ROW, "cea_ng_ml", "ecog", patient_id="PATIENT_ID", assessment_date="date"
    )  # fmt: skip


def outcome() -> pl.Expr:
    """Return the outcome of an event: a curator's reading of note or scan, or a status in the words of RECIST."""
    status = pl.when(pl.col("kind") == STATUS).then("STATUS")
    return pl.coalesce("CURATED_CANCER_STATUS", status).str.to_lowercase().replace_strict(
        _OUTCOMES, default=None, return_dtype=pl.String
    )  # fmt: skip


def outcomes(placed: pl.DataFrame) -> pl.DataFrame:
    """Return the events that tell an outcome."""
    told = placed.select("file", SOURCE_ROW, patient_id="PATIENT_ID", outcome_date="date", outcome=outcome())
    return told.drop_nulls("outcome")


def procedures(placed: pl.DataFrame) -> pl.DataFrame:
    """Return one row per local treatment of the liver that a surgery or procedure names in words."""
    words = pl.concat_str("SUBTYPE", "PROCEDURE_DESCRIPTION", separator=" ", ignore_nulls=True).str.to_lowercase()
    surgery = placed.filter(pl.col("kind").is_in(list(SURGERY))).with_columns(words=words)
    of_liver = surgery.filter(pl.col("words").str.contains(_OF_LIVER), ~pl.col("words").str.contains(_UNCLEAR))
    operation = pl.coalesce(_named(name, pattern) for name, pattern in _OPERATIONS.items())
    techniques = [_named(name, pattern) for name, pattern in _TECHNIQUES.items()]
    named = of_liver.with_columns(procedure=pl.concat_list(operation, *techniques)).explode("procedure")
    return named.drop_nulls("procedure").select(
        "file", SOURCE_ROW, "procedure", patient_id="PATIENT_ID", procedure_date="date"
    )


def _named(procedure: str, pattern: str) -> pl.Expr:
    return pl.when(pl.col("words").str.contains(pattern)).then(pl.lit(procedure))


def diagnoses(placed: pl.DataFrame) -> pl.DataFrame:
    """Return the first diagnosis of each patient's colorectal cancer, with `file`, `source_row` and morphology.

    It is told by ICD-O-3 codes within the description (MSK-CHORD) or as the index cancer of the study (GENIE BPC).
    """
    codes = pl.col("DX_DESCRIPTION").str
    named = placed.filter(pl.col("kind") == DIAGNOSIS).with_columns(
        morphology=codes.extract(_CANCER_CODES, 1), topography=codes.extract(_CANCER_CODES, 2)
    )
    is_colorectal = dotted("topography").str.contains(COLORECTAL)
    is_index = pl.col("INDEX_CANCER").str.to_lowercase() == "yes"
    told = named.filter(pl.coalesce(is_colorectal, is_index).fill_null(value=False))
    first = told.sort("date", maintain_order=True).unique("PATIENT_ID", keep="first", maintain_order=True)
    return first.select("file", SOURCE_ROW, "PATIENT_ID", "morphology", diagnosis_date="date")


def _recode(column: str, values: dict[str, str]) -> pl.Expr:
    return pl.col(column).str.to_lowercase().replace_strict(values, default=None, return_dtype=pl.String)
