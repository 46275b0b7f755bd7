"""Primary tumours and the metastatic disease of an OMOP delivery.

Conditions repeat from visit to visit: one person and site make one tumour, diagnosed on the first day on record. A
work-up is a day on which an organ is named for the first time or a liver metastasis is measured; a diagnosis that is
coded again opens none. Metastases are those named up to that day; nothing says that earlier ones have gone.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from crlm_pipeline.extracts.metastases import named_by_then
from crlm_pipeline.extracts.omop import PLACE, Delivery
from crlm_pipeline.extracts.omop_concepts import METASTASIS, PRIMARY, TARGET, Concepts

RESECTION: Final = "tumour.resection_date"
CEA: Final = "assessment.cea_ng_ml"
ECOG: Final = "assessment.ecog"
SIZE: Final = "assessment.crlm_max_mm"
_VAGUE: Final = ("C18.9", "C26.0")
_CATEGORIES: Final = ("tumour.t_category", "tumour.n_category", "tumour.m_category")
_CATEGORY: Final = r"(T(?:is|[0-4][a-d]?)|N[0-3][a-c]?|M[01][a-c]?)"
_NODES: Final = "tumour.nodes_positive"
TARGETS: Final = (METASTASIS, CEA, ECOG, SIZE, *_CATEGORIES, _NODES)
_MOST_NODES: Final = 90
_WORK_UP_DAYS: Final = "31d"  # clinical 3.3: what belongs to one work-up
_ISO: Final = "%Y-%m-%d"
_MM: Final = {"mm": 1, "cm": 10}


@dataclass(frozen=True, slots=True)
class Disease:
    """Rows of tumours and assessments with their places, and the records that completed them."""

    tumours: pl.DataFrame
    assessments: pl.DataFrame
    completing: pl.DataFrame


def conditions(delivery: Delivery, concepts: Concepts) -> pl.DataFrame:
    """Return the conditions that are a primary or a metastasis, with `day` and meaning.

    The source's own code goes before the standard concept, which is often less exact.
    """
    records = delivery.frames["condition_occurrence"].rename({"condition_start_date": "day"})
    columns = ("condition_source_concept_id", "condition_source_value", "condition_concept_id")
    known = concepts.with_meaning(records, columns, (PRIMARY, METASTASIS))
    return known.filter(pl.col(TARGET).is_not_null())


def disease(known: pl.DataFrame, found: pl.DataFrame, procedures: pl.DataFrame) -> Disease:
    """Return tumours and assessments, given the conditions, findings and procedures of persons with a tumour."""
    parts = _sited(known)
    tumours, staged = _tumours(parts, found)
    resected = _resected(tumours, procedures)
    work_ups, completing = _work_ups(known, found)
    tumours = tumours.join(
        resected.select("person_id", resection_date="day"), on="person_id", how="left", maintain_order="left"
    ).sort(PLACE)
    used = [frame.select(PLACE) for frame in (parts, staged, resected, completing)]
    return Disease(tumours, work_ups, pl.concat(used))


def _sited(known: pl.DataFrame) -> pl.DataFrame:
    """Return the records of primaries with `site`: a vague site of a person with one exact site is that one.

    Beside several exact sites a vague one belongs to none of them, and its record is left out.
    """
    records = known.filter(pl.col(TARGET) == PRIMARY).rename({"value": "site", "detail": "morphology"})
    exact = pl.col("site").filter(~pl.col("site").is_in(list(_VAGUE)))
    is_vague, count = pl.col("site").is_in(list(_VAGUE)), exact.n_unique().over("person_id")
    of_one = pl.when(is_vague & (count == 1)).then(exact.first().over("person_id")).otherwise("site")
    return records.filter(~(is_vague & (count > 1))).with_columns(of_one)


def _tumours(parts: pl.DataFrame, found: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return one row per person and site, and the findings that completed them."""
    tumours = parts.sort("day", nulls_last=True, maintain_order=True)
    tumours = tumours.group_by("person_id", "site", maintain_order=True).agg(
        pl.col(*PLACE).first(), pl.col("day").first(), pl.col("morphology").drop_nulls().first()
    )
    staged = _staged(parts, tumours, found)
    stages = staged.group_by("person_id", "site").agg(
        pl.col("stated").filter(pl.col(TARGET) == target).first().alias(target.removeprefix("tumour."))
        for target in (*_CATEGORIES, _NODES)
    )
    return tumours.join(stages, on=["person_id", "site"], how="left", maintain_order="left"), staged


def _staged(parts: pl.DataFrame, tumours: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return findings of a tumour's stage with its `site`, those that count first.

    A finding belongs to the condition that it modifies, else to the only tumour of the person. Pathology goes before
    the clinic, an earlier day before a later one, M1 before M0.
    """
    findings = found.filter(pl.col(TARGET).is_in([*_CATEGORIES, _NODES]))
    linked = parts.select("person_id", "condition_occurrence_id", linked="site").unique(
        ["person_id", "condition_occurrence_id"], keep="first"
    )
    only = tumours.filter(pl.len().over("person_id") == 1).select("person_id", only="site")
    sited = findings.join(
        linked, left_on=["person_id", "condition_id"], right_on=["person_id", "condition_occurrence_id"], how="left"
    ).join(only, on="person_id", how="left")
    category = pl.coalesce("value", pl.col("said").str.extract(_CATEGORY))
    nodes = pl.col("number").cast(pl.Float64, strict=False).cast(pl.Int32, strict=False)
    known_nodes = pl.when(nodes <= _MOST_NODES).then(nodes.cast(pl.String))
    stated = sited.with_columns(
        site=pl.coalesce("linked", "only"),
        stated=pl.when(pl.col(TARGET) == _NODES).then(known_nodes).otherwise(category),
    ).drop_nulls(["site", "stated"])
    is_m1 = pl.col("stated").str.starts_with("M1")
    return stated.sort(~is_m1, (pl.col("detail") != "p").fill_null(value=True), "day", nulls_last=True)


def _resected(tumours: pl.DataFrame, procedures: pl.DataFrame) -> pl.DataFrame:
    """Return the first operation on the bowel of each person with just one tumour."""
    only = tumours.filter(pl.len().over("person_id") == 1)
    operations = procedures.filter(pl.col(TARGET) == RESECTION).drop_nulls("day")
    of_one = operations.join(only, on="person_id", how="semi", maintain_order="left")
    return of_one.sort("day", maintain_order=True).unique("person_id", keep="first", maintain_order=True)


def _work_ups(known: pl.DataFrame, found: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return one row per person and day of a work-up, and the records that completed them."""
    named, sizes = _metastases(known, found), _sizes(known, found)
    new = named.sort("day", maintain_order=True).unique(["person_id", "site"], keep="first", maintain_order=True)
    opening = pl.concat([part.select(*PLACE, "person_id", "day", "visit_occurrence_id") for part in (new, sizes)])
    days = opening.unique(["person_id", "day"], keep="first", maintain_order=True)
    sites = _sites(days.select("person_id", "day"), named)
    largest = sizes.group_by("person_id", "day").agg(pl.col("mm").max().cast(pl.String).alias("crlm_max_mm"))
    values = [_latest(days, found, target) for target in (CEA, ECOG)]
    rows = days
    for part in (sites, largest, *values):
        columns = [name for name in part.columns if name not in PLACE]
        rows = rows.join(part.select(columns), on=["person_id", "day"], how="left", maintain_order="left")
    return rows.sort(PLACE), pl.concat([part.select(PLACE) for part in (named, sizes, *values)])


def _metastases(known: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return the records of metastases with `site` (null when no organ is named); those said to be absent are none."""
    diagnosed = known.filter(pl.col(TARGET) == METASTASIS).with_columns(visit_occurrence_id=pl.lit(None, pl.String))
    is_present = (pl.col("coded") == "positive") | (pl.col("coded").is_null() & pl.col("said").is_null())
    seen = found.filter(pl.col(TARGET) == METASTASIS, is_present)
    columns = (*PLACE, "person_id", "day", "value", "visit_occurrence_id")
    both = pl.concat([diagnosed.select(columns), seen.select(columns)])
    return both.rename({"value": "site"}).drop_nulls("day")


def _sizes(known: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Return diameters of liver metastases in `mm`: of findings that modify a condition that is one."""
    is_liver = (pl.col(TARGET) == METASTASIS) & (pl.col("value") == "liver")
    liver = known.filter(is_liver).select("person_id", condition_id="condition_occurrence_id")
    factor = pl.col("unit").replace_strict(_MM, default=None, return_dtype=pl.Float64)
    measured = found.filter(pl.col(TARGET) == SIZE).join(
        liver, on=["person_id", "condition_id"], how="semi", maintain_order="left"
    )
    mm = pl.col("number").cast(pl.Float64, strict=False) * factor
    return measured.with_columns(mm=pl.when(mm.is_finite()).then(mm)).drop_nulls(["mm", "day"])


def _sites(days: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    first = named.select("person_id", "site", pl.col("day").alias("day_named"))
    until = days.join(first, on="person_id", maintain_order="left").filter(pl.col("day_named") <= pl.col("day"))
    return until.group_by("person_id", "day", maintain_order=True).agg(**named_by_then("day_named", "site"))


def _latest(days: pl.DataFrame, found: pl.DataFrame, target: str) -> pl.DataFrame:
    """Return the latest value of CEA or ECOG up to 31 days before each work-up, with the place of its record."""
    name = target.removeprefix("assessment.")
    values = found.filter(pl.col(TARGET) == target, _is_usable()).select(
        *PLACE, "person_id", at=pl.col("day").str.to_date(_ISO, strict=False), **{name: "number"}
    )
    wanted = days.select("person_id", "day", at=pl.col("day").str.to_date(_ISO, strict=False)).drop_nulls("at")
    return (
        wanted.sort("at")
        .join_asof(
            values.drop_nulls(["at", name]).sort("at"), on="at", by="person_id", tolerance=_WORK_UP_DAYS,
            check_sortedness=False,
        )
        .drop("at")
        .drop_nulls(name)
    )  # fmt: skip


def _is_usable() -> pl.Expr:
    """Whether a CEA is in ng/mL, or without unit; ECOG has none."""
    return (pl.col(TARGET) != CEA) | (pl.col("unit") == "ng/mL") | ~pl.col("has_unit")
