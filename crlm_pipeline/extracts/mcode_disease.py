"""mCODE: tumours, work-ups of metastases and outcomes, made of conditions, observations and resections of the primary.

Frames hold the records of all files. `sheet` and `source_row` name the record that a row stands for.
"""

from typing import Final

import polars as pl

from crlm_pipeline.extracts.mcode import RECORD, resolved
from crlm_pipeline.extracts.metastases import named_by_then
from crlm_pipeline.extracts.topography import COLORECTAL, SITE_UNKNOWN, dotted, from_site_text

NOT_MADE: Final = ("cancelled", "entered-in-error")  # statuses of an observation without a result
_DOUBTED: Final = ("differential", "entered-in-error", "provisional", "refuted", "unconfirmed")
_VAGUE_SITES: Final = ("C18.9", SITE_UNKNOWN)
_BASES: Final = {"pathological": 0, "clinical": 1, "other": 2}
_CEA_UNITS: Final = ("ng/mL", "ug/L", "µg/L", "μg/L", "mcg/L")
_MILLIMETRES: Final = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "centimeter": 10.0}


def is_doubted() -> pl.Expr:
    """Return whether a condition is refuted, entered in error or not confirmed; without a status it is confirmed."""
    return pl.col("verification").is_in(_DOUBTED).fill_null(value=False)


def primaries(conditions: pl.DataFrame) -> pl.DataFrame:
    """Return the colorectal conditions with `topography` and `tumour_id`.

    The diagnosis (ICD-10) decides where there is one, as a site says nothing of malignancy; of both the more exact one
    stands. Conditions of one patient and topography are one tumour, which has the id of the first of them.
    """
    site = pl.coalesce(dotted("site"), from_site_text("site_text"))
    diagnosis = dotted("diagnosis")
    is_exact = site.str.contains(COLORECTAL) & ~(site.is_in(_VAGUE_SITES) & diagnosis.is_not_null())
    cancers = conditions.filter(pl.col("is_cancer") == "true", ~is_doubted())
    decisive = cancers.filter(pl.coalesce(diagnosis, site).str.contains(COLORECTAL))
    return decisive.with_columns(topography=pl.when(is_exact).then(site).otherwise(diagnosis)).with_columns(
        tumour_id=pl.col("id").sort_by("day", *RECORD, nulls_last=True).first().over("patient", "topography")
    )


def other_cancers(conditions: pl.DataFrame, colorectal: pl.DataFrame) -> pl.DataFrame:
    """Return the cancers elsewhere."""
    cancers = conditions.filter(pl.col("is_cancer") == "true", ~is_doubted())
    return cancers.join(colorectal, on=list(RECORD), how="anti")


def of_other_cancer(records: pl.DataFrame, column: str, others: pl.DataFrame) -> pl.DataFrame:
    """Return the records whose references (`;`-separated) name a cancer elsewhere."""
    named = _named(records, column, others)
    return records.join(named.join(others, on=["patient", "id"], how="semi"), on=list(RECORD), how="semi")


def _named(records: pl.DataFrame, column: str, conditions: pl.DataFrame) -> pl.DataFrame:
    """Return one row per record and condition that it names: `id`."""
    named = records.select(*RECORD, "patient", pl.col(column).str.split(";").alias("id")).explode("id")
    return resolved(named, "id", conditions)


def linked(records: pl.DataFrame, column: str, colorectal: pl.DataFrame) -> pl.DataFrame:
    """Return the records that belong to a tumour, with `tumour_id`: the one they name, else the patient's only one."""
    tumours = colorectal.select("patient", "id", "tumour_id").unique(["patient", "id"])
    only = tumours.group_by("patient").agg(pl.col("tumour_id").unique()).filter(pl.col("tumour_id").list.len() == 1)
    only = only.select("patient", pl.col("tumour_id").list.first().alias("only"))
    named = _named(records, column, colorectal).join(tumours, on=["patient", "id"], how="left")
    named = named.group_by(RECORD).agg(pl.col("tumour_id").drop_nulls().first())
    joined = records.join(named, on=list(RECORD), how="left", maintain_order="left")
    joined = joined.join(only, on="patient", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("tumour_id", "only").alias("tumour_id")).drop("only").drop_nulls("tumour_id")


def staging(observations: pl.DataFrame, colorectal: pl.DataFrame) -> pl.DataFrame:
    """Return the categories and counts of nodes of colorectal tumours, with `tumour_id`."""
    is_staging = pl.col("kind").str.contains("^([tnm]_|nodes_positive$)") & ~pl.col("status").is_in(NOT_MADE)
    return linked(observations.filter(is_staging), "focus", colorectal)


def resections(procedures: pl.DataFrame, colorectal: pl.DataFrame) -> pl.DataFrame:
    """Return the resections of colorectal primaries, with `tumour_id`."""
    done = procedures.filter(pl.col("is_primary_resection") == "true", pl.col("is_done") == "true")
    return linked(done.drop_nulls("day"), "conditions", colorectal)


def tumours(colorectal: pl.DataFrame, staged: pl.DataFrame, resected: pl.DataFrame) -> pl.DataFrame:
    """Return one row per tumour.

    Of several categories pathology goes before the clinic, then the earlier; an M1 of either goes before an M0.
    """
    first = colorectal.sort("day", *RECORD, nulls_last=True).unique("tumour_id", keep="first", maintain_order=True)
    is_unknown = pl.col("answer").str.ends_with("X")
    categories = (
        staged.with_columns(
            letter=pl.col("kind").str.slice(0, 2),
            basis=pl.col("kind").str.slice(2).replace_strict(_BASES, default=None, return_dtype=pl.Int8),
            is_m1=pl.col("answer").str.starts_with("M1"),
            answer=pl.when(~is_unknown).then("answer"),
        )
        .sort("is_m1", "basis", "day", *RECORD, descending=[True, *[False] * 4], nulls_last=True)
        .group_by("tumour_id", maintain_order=True)
        .agg(
            *(
                pl.col("answer").filter(pl.col("letter") == f"{name}_").drop_nulls().first().alias(f"{name}_category")
                for name in "tnm"
            ),
            pl.col("number").filter(pl.col("kind") == "nodes_positive").first().alias("nodes_positive"),
        )
    )
    removed = resected.group_by("tumour_id").agg(resection_date=pl.col("day").min())
    whole = first.join(categories, on="tumour_id", how="left", maintain_order="left")
    return whole.join(removed, on="tumour_id", how="left", maintain_order="left").select(
        *RECORD, "tumour_id", "topography", "morphology", "t_category", "n_category", "m_category", "nodes_positive",
        "resection_date", patient_id="patient", diagnosis_date="day",
    )  # fmt: skip


def metastases(conditions: pl.DataFrame) -> pl.DataFrame:
    """Return the confirmed metastases; `organ` and `day` are null where they are not told."""
    return conditions.filter(pl.col("is_secondary") == "true", ~is_doubted())


def measurements(observations: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Return what belongs to work-ups: CEA in ng/mL, ECOG, and sizes in the liver in mm, as `value`.

    A size belongs to the organ of its body site, else to that of the metastasis or body structure in its focus
    (`places`: id, alias, organ). `value` is null for a bound (`<`) and for a unit in no list.
    """
    found = observations.filter(pl.col("kind").is_in(["cea", "ecog", "tumour_size"]), ~pl.col("status").is_in(NOT_MADE))
    pointed = places.select(focus="id", place="organ").unique("focus")
    found = resolved(found, "focus", places).join(pointed, on="focus", how="left", maintain_order="left")
    found = found.filter((pl.col("kind") != "tumour_size") | (pl.coalesce("organ", "place") == "liver"))
    size = pl.col("number").cast(pl.Float64, strict=False) * pl.col("unit").replace_strict(_MILLIMETRES, default=None)
    value = (
        pl.when(pl.col("kind") == "ecog")
        .then(pl.coalesce("answer", "number"))
        .when(pl.col("is_bounded") == "true")
        .then(None)
        .when(pl.col("kind") == "tumour_size")
        .then(size.round(4).cast(pl.String))
        .when(pl.col("unit").is_in(_CEA_UNITS))
        .then("number")
    )
    return found.with_columns(value=value)


def within_metastatic(measured: pl.DataFrame, spread: pl.DataFrame, tumour_rows: pl.DataFrame) -> pl.DataFrame:
    """Return the measurements from the day on which metastases are on record: a condition, or M1 at diagnosis."""
    m1 = tumour_rows.filter(pl.col("m_category").str.starts_with("M1"))
    days = pl.concat([spread.select("patient", "day"), m1.select(patient="patient_id", day="diagnosis_date")])
    first = days.group_by("patient").agg(first_day=pl.col("day").min(), has_undated=pl.col("day").is_null().any())
    joined = measured.join(first, on="patient", how="inner", maintain_order="left")
    is_within = pl.col("has_undated") | (pl.col("day") >= pl.col("first_day"))
    return joined.filter(is_within).drop("first_day", "has_undated")


def assessments(spread: pl.DataFrame, measured: pl.DataFrame) -> pl.DataFrame:
    """Return one row per patient and day on which metastases were found or measured.

    The organs of a row are those found up to that day; they are unknown where a metastasis of the patient has no day
    or one up to that day no organ, as an organ that is left out would count as free.
    """
    dated = spread.drop_nulls("day")
    parts = pl.concat(
        [measured.select(*RECORD, "patient", "day", "kind", "value"), dated.select(*RECORD, "patient", "day")],
        how="diagonal",
    ).drop_nulls("day")
    rows = parts.group_by("patient", "day", maintain_order=True).agg(
        *(pl.col(name).first() for name in RECORD),
        _first_value("cea").alias("cea_ng_ml"),
        _first_value("ecog").alias("ecog"),
        pl.col("value").filter(pl.col("kind") == "tumour_size").cast(pl.Float64).max().cast(pl.String)
        .alias("crlm_max_mm"),
    )  # fmt: skip
    found = rows.join(_spread_by_day(rows, spread), on=["patient", "day"], how="left", maintain_order="left")
    return found.rename({"patient": "patient_id", "day": "assessment_date"})


def _first_value(kind: str) -> pl.Expr:
    return pl.col("value").filter(pl.col("kind") == kind).drop_nulls().first()


def _spread_by_day(days: pl.DataFrame, spread: pl.DataFrame) -> pl.DataFrame:
    """Return the first days of metastases and the organs known on each day."""
    found = spread.select("patient", "organ", day_found="day")
    until = days.select("patient", "day").join(found, on="patient")
    until = until.filter(pl.col("day_found").is_null() | (pl.col("day_found") <= pl.col("day")))
    is_complete = pl.col("organ").is_not_null().all() & pl.col("day_found").is_not_null().all()
    named = named_by_then("day_found", "organ")
    sites = pl.when(is_complete).then(named["mets_sites"])
    return until.group_by("patient", "day").agg(**named | {"mets_sites": sites})


def outcomes(observations: pl.DataFrame) -> pl.DataFrame:
    """Return one row per judgement of the disease; an undetermined one and one without an answer make none."""
    judged = observations.filter(pl.col("kind") == "disease_status", ~pl.col("status").is_in(NOT_MADE))
    judged = judged.drop_nulls("answer").filter(pl.col("answer") != "undetermined")
    return judged.select(*RECORD, patient_id="patient", outcome_date="day", outcome="answer")
