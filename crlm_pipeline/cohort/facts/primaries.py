"""Facts of the primary tumours as known on a day: side, nodes, margin, removal, and whether they are colorectal.

Topography, morphology and TNM count from the diagnosis, pathology from two weeks after the resection where that is
dated. Several primaries must agree on the side; the clinical clock starts at the first of them (clinical 3.5).
"""

from typing import Final

import polars as pl

from crlm_pipeline import resources
from crlm_pipeline.cohort.facts.evidence import first_of
from crlm_pipeline.settings import SidePolicy, Windows
from crlm_pipeline.warehouse import Warehouse

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


def primary_facts(warehouse: Warehouse, windows: Windows) -> pl.DataFrame:
    """Return what was known of the primaries at each occasion. Grain: occasion.

    Reads `occasion` and `primary_tumour`. Without a primary known that day every fact is null.
    """
    return (
        warehouse.query("facts/primaries_at_occasion", pathology_days=windows.pathology)
        .with_columns(sided(pl.col("n_left") > 0, pl.col("n_right") > 0, pl.col("n_unsided") > 0))
        .with_columns(pl.when(pl.col("side").is_not_null()).then("side_certainty").alias("side_certainty"))
    )


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
