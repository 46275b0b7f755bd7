"""The first day on which the treating team knew a result of each analyte that a guideline asks for.

Methylation of MLH1 cannot be carried by the extract: it never has a row.
"""

from typing import Final

import polars as pl

from crlm_pipeline.cohort.facts import rare_markers, ras, repair
from crlm_pipeline.cohort.facts.braf import Braf
from crlm_pipeline.cohort.facts.evidence import has
from crlm_pipeline.cohort.facts.her2 import Her2, mountaineer
from crlm_pipeline.cohort.facts.rare_markers import Rare
from crlm_pipeline.cohort.facts.ras import Ras
from schemas.cohort import AnalyteKnown
from schemas.column import describe


def is_known() -> dict[str, pl.Expr]:
    """Return, per analyte, whether the words hold a result that is complete enough to decide.

    Extended RAS needs a mutation or all six codons of both genes; BRAF mutated at an unstated place was tested; a KRAS
    allele is known once a hotspot change is spelled out.
    """
    return {
        "msi": repair.status().is_not_null(),
        "extended_ras": ras.status().is_in(["mutant", "wild_type"]).fill_null(value=False),
        "braf": has("braf", Braf.TESTED),
        "her2": mountaineer().is_not_null(),
        "her2_ish": has("her2", Her2.ISH),
        "dpyd": has("rare", Rare.DPD),
        "kras_allele": has("ras", Ras.KRAS_ALLELE_KNOWN),
        "ntrk": rare_markers.has_ntrk_fusion().is_not_null(),
        "ret": rare_markers.has_ret_fusion().is_not_null(),
        "pole": rare_markers.has_pole_variant().is_not_null(),
    }


_COLUMNS: Final = describe(AnalyteKnown).polars_schema


def analyte_known(evidence_by_day: pl.DataFrame, dpd_contraindicated: pl.DataFrame) -> pl.DataFrame:
    """Return `cohort.analyte_known`. Grain: patient and analyte known.

    `dpd_contraindicated`: patient_id, known_date of a recorded DPD deficiency, which shows that DPYD was examined.
    """
    assayed = [
        evidence_by_day.filter(known).select("patient_id", pl.lit(analyte).alias("analyte"), "known_date")
        for analyte, known in is_known().items()
    ]
    recorded = dpd_contraindicated.select("patient_id", pl.lit("dpyd").alias("analyte"), "known_date")
    return (
        pl.concat([*assayed, recorded])
        .group_by("patient_id", "analyte")
        .agg(pl.col("known_date").min())
        .select(pl.col(name).cast(dtype) for name, dtype in _COLUMNS.items())
        .sort("patient_id", "analyte")
    )
