"""NAACCR XML: work-ups of metastatic disease, at diagnosis (1112-1117, M) and at the first recurrence (1860, 1880)."""

import polars as pl

from crlm_pipeline.extracts import naaccr
from crlm_pipeline.extracts.text import SOURCE_ROW


def assessments(tumours: pl.DataFrame) -> pl.DataFrame:
    """Return the work-ups at diagnosis and, on other days, those of a first recurrence in a distant organ."""
    at_diagnosis, recurred = _at_diagnosis(tumours), _recurrences(tumours)
    day = ["patient_id", "assessment_date"]
    earlier = at_diagnosis.group_by("patient_id").agg(
        pl.col("first_metastasis_date").min().alias("since"), pl.col("mets_diagnosis_date").min().alias("liver_since")
    )
    later = recurred.join(at_diagnosis, on=day, how="anti", maintain_order="left").join(
        earlier, on="patient_id", how="left", maintain_order="left"
    )
    # ISO dates, though some of them partial, sort as text.
    return pl.concat(
        [
            at_diagnosis,
            later.with_columns(
                first_metastasis_date=pl.min_horizontal("first_metastasis_date", "since"),
                mets_diagnosis_date=pl.min_horizontal("mets_diagnosis_date", "liver_since"),
            ).drop("since", "liver_since"),
        ],
        how="diagonal",
    )


def _recurrences(tumours: pl.DataFrame) -> pl.DataFrame:
    """Return one work-up per patient and day of a first recurrence in a distant organ.

    `mets_sites` stands only where every tumour that recurred that day names its only organ.
    """
    type_ = pl.col("recurrenceType1st")
    organ = type_.replace_strict(naaccr.RECURRENCES, default=None, return_dtype=pl.String)
    recurred = tumours.filter(type_.is_in(naaccr.DISTANT_RECURRENCES)).select(
        SOURCE_ROW, naaccr.facility().alias("centre_id"), patient_id="patientIdNumber",
        assessment_date=naaccr.day("recurrenceDate1st"), organ=organ,
    )  # fmt: skip
    by_day = (
        recurred.drop_nulls("assessment_date")
        .group_by("patient_id", "assessment_date", maintain_order=True)
        .agg(
            pl.col(SOURCE_ROW).first(),
            pl.col("centre_id").drop_nulls().first(),
            pl.when(pl.col("organ").is_not_null().all())
            .then(pl.col("organ").unique().sort().str.join(";"))
            .alias("mets_sites"),
            (pl.col("organ") == "liver").any().alias("is_liver"),
        )
    )
    return by_day.select(
        SOURCE_ROW,
        "centre_id",
        "patient_id",
        "assessment_date",
        "mets_sites",
        first_metastasis_date="assessment_date",
        mets_diagnosis_date=pl.when("is_liver").then("assessment_date"),
    )


def _at_diagnosis(tumours: pl.DataFrame) -> pl.DataFrame:
    """Return one work-up per patient and day of diagnosis with metastases on record.

    `mets_sites` stands only where all six items are answered: an organ that is left out would count as free.
    """
    items = naaccr.METASTASIS_ITEMS
    by_day = tumours.group_by("patientIdNumber", "diagnosis_date", maintain_order=True).agg(
        pl.col(SOURCE_ROW).first(),
        naaccr.facility().drop_nulls().first().alias("centre_id"),
        pl.col("m_category").str.starts_with("M1").any().alias("is_m1"),
        naaccr.cea().drop_nulls().first().alias("cea_ng_ml"),
        *(naaccr.is_present(item).any(ignore_nulls=False).alias(item) for item in items),
    )
    is_metastatic = pl.any_horizontal(pl.col(name).fill_null(value=False) for name in ("is_m1", *items))
    is_complete = pl.all_horizontal(pl.col(item).is_not_null() for item in items)
    sites = pl.concat_str((pl.when(item).then(pl.lit(site)) for item, site in items.items()), separator=";",
                          ignore_nulls=True)  # fmt: skip
    return (
        by_day.filter(is_metastatic)
        .drop_nulls("diagnosis_date")
        .select(
            SOURCE_ROW,
            "centre_id",
            "cea_ng_ml",
            patient_id="patientIdNumber",
            assessment_date="diagnosis_date",
            first_metastasis_date="diagnosis_date",
            mets_diagnosis_date=pl.when("metsAtDxLiver").then("diagnosis_date"),
            mets_sites=pl.when(is_complete & (sites != "")).then(sites),
        )
    )
