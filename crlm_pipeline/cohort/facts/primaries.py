"""Facts of the primary tumours as known on a day: side, nodes, margin, removal, and whether they are colorectal.

Topography, morphology and TNM count from the diagnosis, pathology from two weeks after the resection where that is
dated. Several primaries must agree on the side; the clinical clock starts at the first of them (clinical 3.5).
"""

from typing import Final

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.cohort.facts.evidence import first_of
from crlm_pipeline.settings import SidePolicy, Windows

_TRANSVERSE: Final = "C18.4"
_POSITIVE_NODES: Final = r"(?i)n[123]"
_NEGATIVE_NODES: Final = r"(?i)n0"
_MORPHOLOGY_CODE: Final = r"^(\d{4})"


def prepare_primaries(tumours: pl.DataFrame, policy: SidePolicy) -> pl.DataFrame:
    """Return each tumour with its side, its node status by the N category and whether it is no colorectal cancer."""
    return tumours.join(_sites(), on="topography", how="left").select(
        "patient_id",
        "diagnosis_date",
        "resection_date",
        "resection_margin",
        "nodes_positive",
        _side(policy).alias("side"),
        pl.col("side_certainty"),
        _has_positive_nodes().alias("has_positive_nodes"),
        _is_other_tumour().alias("is_other_tumour"),
        "source_file_id",
        "source_row",
    )


def primary_facts(occasions: pl.DataFrame, primaries: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Return what was known of the primaries at each occasion. Grain: occasion with a primary known that day.

    `primaries` as `prepare_primaries` gives them. One primary whose margin, nodes or removal are not known leaves these
    facts unknown, unless another alone decides them.
    """
    return (
        _read_out(occasions, primaries, windows)
        .group_by("occasion_id")
        .agg(_summed())
        .select(
            "occasion_id",
            sided(pl.col("n_left") > 0, pl.col("n_right") > 0, pl.col("n_unsided") > 0),
            "side_certainty",
            "is_other_tumour",
            "first_diagnosis_date",
            _unless_unknown("primary_margin", pl.col("primary_margin") != "r0"),
            _unless_unknown("has_positive_nodes", pl.col("has_positive_nodes")),
            _unless_unknown("is_primary_resected", ~pl.col("is_primary_resected")),
        )
        .with_columns(pl.when(pl.col("side").is_not_null()).then("side_certainty").alias("side_certainty"))
    )


def _read_out(occasions: pl.DataFrame, primaries: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Return what each primary said on the day: TNM and site from the diagnosis, pathology after the resection."""
    seen = pl.col("facts_date")
    resection, diagnosis, nodes = pl.col("resection_date"), pl.col("diagnosis_date"), pl.col("nodes_positive")
    reported = pl.coalesce(resection + pl.duration(days=windows.pathology), diagnosis)
    is_diagnosed, has_pathology = pl.col("is_diagnosed"), pl.col("has_pathology")
    return (
        occasions.select("occasion_id", "patient_id", "facts_date")
        .join(primaries, on="patient_id")
        .filter((diagnosis <= seen).fill_null(value=True))
        .with_columns(
            (diagnosis <= seen).fill_null(value=False).alias("is_diagnosed"),
            (reported <= seen).fill_null(value=False).alias("has_pathology"),
        )
        .with_columns(
            pl.when(has_pathology).then("resection_margin").alias("primary_margin"),
            pl.when((has_pathology & (nodes > 0)) | (is_diagnosed & pl.col("has_positive_nodes")))
            .then(pl.lit(value=True))
            .when(has_pathology & (nodes == 0))
            .then(pl.lit(value=False))
            .when(is_diagnosed)
            .then("has_positive_nodes")
            .alias("has_positive_nodes"),
            pl.when(resection.is_not_null())
            .then(resection <= seen)
            .when(has_pathology & pl.col("resection_margin").is_not_null())
            .then(pl.lit(value=True))
            .alias("is_primary_resected"),
        )
    )


_OF_ALL: Final = ("primary_margin", "has_positive_nodes", "is_primary_resected")


def _summed() -> list[pl.Expr]:
    """Return what several primaries say together: the worst margin, any positive node, and whether all are removed."""
    side, certainty = pl.col("side"), pl.col("side_certainty")
    return [
        (side == "left").sum().alias("n_left"),
        (side == "right").sum().alias("n_right"),
        side.null_count().alias("n_unsided"),
        pl.when((certainty == "low").any()).then(pl.lit("low")).otherwise(certainty.min()).alias("side_certainty"),
        pl.col("is_other_tumour").all(),
        pl.col("diagnosis_date").min().alias("first_diagnosis_date"),
        pl.col("primary_margin").max(),
        pl.col("has_positive_nodes").max(),
        pl.col("is_primary_resected").min(),
        *(pl.col(name).is_not_null().all().alias(f"{name}_of_all") for name in _OF_ALL),
    ]


def _unless_unknown(name: str, is_decided: pl.Expr) -> pl.Expr:
    """Return what the primaries say together where one alone decides it, or it is known of all."""
    return pl.when(is_decided | pl.col(f"{name}_of_all")).then(pl.col(name)).alias(name)


def sided(is_left: pl.Expr, is_right: pl.Expr, is_unsided: pl.Expr) -> pl.Expr:
    """Return the one side of all primaries; unknown when they lie on both, or one of them has none."""
    return first_of((is_unsided | (is_left & is_right), None), (is_left, "left"), (is_right, "right")).alias("side")


def _sites() -> pl.DataFrame:
    columns = ["topography", "side", "side_certainty"]
    sites = pl.DataFrame(resources.reference("topography")).select(pl.col(columns).replace("", None))
    return sites.with_columns(is_listed=pl.lit(value=True))


def _side(policy: SidePolicy) -> pl.Expr:
    """Side by the policy for the transverse colon: to the right, excluded, or split by the recorded part."""
    part = pl.when(pl.col("transverse_part") == "proximal").then(pl.lit("right"))
    by_policy = {
        "right": pl.col("side"),
        "exclude": pl.lit(None, pl.String),
        "split": part.when(pl.col("transverse_part") == "distal").then(pl.lit("left")),
    }
    return pl.when(pl.col("topography") == _TRANSVERSE).then(by_policy[policy]).otherwise(pl.col("side"))


def _has_positive_nodes() -> pl.Expr:
    category = pl.col("n_category")
    return (
        pl.when(category.str.contains(_POSITIVE_NODES))
        .then(pl.lit(value=True))
        .when(category.str.contains(_NEGATIVE_NODES))
        .then(pl.lit(value=False))
    )


def _is_other_tumour() -> pl.Expr:
    """Whether topography or morphology lies outside colorectal cancer; an unknown morphology does not."""
    code = pl.col("morphology").str.extract(_MORPHOLOGY_CODE, 1).cast(pl.Int32)
    outside = [
        code.is_between(int(row["first"]), int(row["last"])) for row in resources.reference("morphology_outside_crc")
    ]
    return pl.col("is_listed").is_null() | pl.any_horizontal(outside).fill_null(value=False)
