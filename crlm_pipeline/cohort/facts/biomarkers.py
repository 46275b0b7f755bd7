"""Biomarker facts as known on a day: each result's evidence, its union up to the day, and what that union says.

Ladder facts use tissue (a specimen without a site counts as tissue); plasma feeds only `ras_plasma`; DPD activity is
the patient's own and may come from any specimen. A result counts from its report date; without one its sample date
stands in, marked; with neither it is unknown to decisions.
"""

from typing import Final

import polars as pl

from crlm_pipeline.cohort.facts import braf, her2, rare_markers, ras, repair
from crlm_pipeline.cohort.facts.evidence import has
from crlm_pipeline.cohort.facts.variants import with_variants
from crlm_pipeline.warehouse import Warehouse

WORDS: Final = ("ras", "braf", "repair", "her2", "rare")
SUPPORT: Final = (*ras.SUPPORT, *braf.SUPPORT, *repair.SUPPORT, *her2.SUPPORT, *rare_markers.SUPPORT)
_NOT_TISSUE: Final = ("plasma", "blood")
_NOTHING: Final = pl.lit(0, pl.Int32)


def results(biomarkers: pl.DataFrame) -> pl.DataFrame:
    """Return the results that show something, with the day from which they were known and their evidence.

    Grain: biomarker row. `ras_plasma` is the RAS evidence of a plasma row, whose other words are empty.
    """
    site = pl.col("specimen_site")
    is_tissue = ~site.is_in(_NOT_TISSUE).fill_null(value=False)
    is_germline = pl.col("analyte") == "dpyd"
    is_plasma = (site == "plasma").fill_null(value=False)
    shown = with_variants(biomarkers).select(
        "patient_id",
        pl.coalesce("report_date", "sample_date").alias("known_date"),
        pl.coalesce("sample_date", "report_date").alias("drawn_date"),
        (pl.col("report_date").is_null() & pl.col("sample_date").is_not_null()).alias("is_assumed"),
        *(
            pl.when(is_tissue).then(evidence).otherwise(_NOTHING).alias(word)
            for word, evidence in (
                ("ras", ras.evidence()),
                ("braf", braf.evidence()),
                ("repair", repair.evidence()),
                ("her2", her2.evidence()),
            )
        ),
        pl.when(is_tissue | is_germline).then(rare_markers.evidence()).otherwise(_NOTHING).alias("rare"),
        pl.when(is_plasma).then(ras.evidence()).otherwise(_NOTHING).alias("ras_plasma"),
        "analyte",
        "result",
        "source_file_id",
        "source_row",
    )
    return shown.filter(pl.any_horizontal(pl.col(word) != 0 for word in (*WORDS, "ras_plasma")))


def known_by_day(warehouse: Warehouse, known: pl.DataFrame) -> pl.DataFrame:
    """Return what was known of each patient after each day that brought a result. Grain: patient and known_date."""
    warehouse.register("result", known.filter(pl.col("known_date").is_not_null()))
    by_day = warehouse.query("facts/evidence_by_day")
    plasma = warehouse.query("facts/plasma_by_day")
    warehouse.register("evidence_by_day", by_day)
    warehouse.register("plasma_by_day", plasma)
    return by_day


def biomarker_facts(warehouse: Warehouse, occasions: pl.DataFrame) -> pl.DataFrame:
    """Return the biomarker facts of each occasion, as known on its facts_date. Reads what `known_by_day` registers."""
    evidence = warehouse.query("facts/evidence_at_occasion")
    assert evidence.height == occasions.height, "an occasion has exactly one row of evidence"
    return evidence.select("occasion_id", "has_assumed_date", *tissue_facts(), *decision_facts(), "rare")


def tissue_facts() -> list[pl.Expr]:
    """Return the facts that both decisions and distributions read from the words."""
    return [
        repair.status().alias("msi"),
        ras.status().alias("ras"),
        ras.allele(ras.Ras.KRAS_G12C).alias("kras_g12c"),
        ras.allele(ras.Ras.KRAS_G12D).alias("kras_g12d"),
        braf.status().alias("braf"),
        her2.mountaineer().alias("her2"),
    ]


def decision_facts() -> list[pl.Expr]:
    """Return the facts that only decisions read from the words."""
    return [
        her2.heracles().alias("her2_heracles"),
        her2.destiny().alias("her2_destiny"),
        her2.fda_agnostic().alias("her2_fda_agnostic"),
        ras.status("ras_plasma").alias("ras_plasma"),
        rare_markers.has_ntrk_fusion().alias("has_ntrk_fusion"),
        rare_markers.has_ret_fusion().alias("has_ret_fusion"),
        rare_markers.has_pole_variant().alias("has_pole_variant"),
        rare_markers.is_tmb_high().alias("is_tmb_high"),
        repair.is_mlh1_lost().alias("is_mlh1_lost"),
    ]


def patient_biomarkers(warehouse: Warehouse, known: pl.DataFrame) -> pl.DataFrame:
    """Return each patient's biomarkers by every result known so far, undated ones included. Grain: patient tested."""
    warehouse.register("any_result", known)
    return warehouse.query("facts/evidence_of_patient").select(
        "patient_id",
        *tissue_facts(),
        ras.gene_status("kras").alias("kras"),
        ras.gene_status("nras").alias("nras"),
        has("braf", braf.Braf.TESTED).alias("is_braf_tested"),
    )
