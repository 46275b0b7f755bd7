"""Every count that the report publishes: which statement counts it, what is counted, and what adds up to what.

All of them go through one disclosure plan, so a number is hidden everywhere or nowhere.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import polars as pl

from crlm_pipeline.disclosure import Counts, Margin, SafeTable, Subset, protect
from crlm_pipeline.report.curves import ESTIMATES, FOLLOWED, with_told_estimates
from crlm_pipeline.report.edition_counts import edition_counts
from crlm_pipeline.report.nested import NESTED
from crlm_pipeline.resources import sql
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse


class Published(NamedTuple):
    """The counts of one statement in `sql/report/`; see `disclosure.Counts`."""

    name: str
    unit: str
    margins: tuple[Margin, ...]
    subsets: tuple[Subset, ...] = ()
    measures: tuple[str, ...] = ()
    spare: pl.Expr = pl.lit(False)
    keep: pl.Expr = pl.lit(False)


# What nearly every row has filled, or what a reader cannot do without.
_ESSENTIAL: Final = ("guideline", "is_metastatic", "is_crlm", "is_judged", "is_tested", "analyte", "is_evaluated")
_POPULATIONS: Final = (Margin(("is_crlm",)), Margin(("is_metastatic",)), Margin(("is_crlm", "is_metastatic")))
# Patients with CRLM are what the report is about; the wider populations give way to them.
_NOT_CRLM: Final = pl.col("is_crlm").is_null()
_CENTRES: Final = Margin(("centre_id",))
_CLASSES: Final = (Margin(("class",)), Margin(("is_judged",)))


def _mutant(gene: str) -> Mapping[str, str]:
    return {"analyte": gene, "category": "mutant"}


_MUTATIONS: Final = (
    Subset(_mutant("kras"), _mutant("ras")),
    Subset(_mutant("nras"), _mutant("ras")),
    Subset({"analyte": "kras_g12c", "category": "true"}, _mutant("kras")),
    Subset({"analyte": "kras_g12d", "category": "true"}, _mutant("kras")),
)


def _same_as_class(dimension: str, value: str, verdict_class: str) -> Subset:
    return Subset({dimension: value}, {dimension: None, "is_judged": "no", "class": verdict_class})


PUBLISHED: Final = (
    Published("patients", "patient", (*_POPULATIONS, _CENTRES), keep=~_NOT_CRLM | pl.col("centre_id").is_null()),
    Published("cohort_reasons", "patient", (Margin(("cohort_reason",)), *_POPULATIONS)),
    Published(
        "biomarkers",
        "patient",
        (
            Margin(("category",)),
            Margin(("is_tested", "analyte"), ("analyte",)),
            *_POPULATIONS,
            _CENTRES,
        ),
        _MUTATIONS,
        spare=_NOT_CRLM,
        # What a guideline asks about, and how many were tested; KRAS and NRAS, of which RAS is made, give way to it.
        keep=pl.all_horizontal(
            pl.col("category").is_in(["mutant", "msi_h", "v600e", "positive"]) | pl.col("category").is_null(),
            ~pl.col("analyte").is_in(["kras", "nras"]),
            pl.col("centre_id").is_null(),
        ),
    ),
    Published(
        "biomarkers_by_year",
        "patient",
        (Margin(("category",)), Margin(("is_tested", "analyte"), ("analyte",)), Margin(("year",))),
        _MUTATIONS,
        spare=pl.lit(True),
    ),
    Published("pathways", "patient", (Margin(("pathway", "guideline"), ("guideline",)), _CENTRES)),
    Published(
        "verdicts",
        "decision",
        (
            *(Margin((name,)) for name in ("verdict", "line", "setting", "edition_id", "year", "is_crlm")),
            *_CLASSES,
            _CENTRES,
        ),
        spare=_NOT_CRLM,
        # The rates of the registry and of each centre are why the report is read.
        keep=pl.all_horizontal(
            ~_NOT_CRLM,
            pl.col("edition_id", "setting", "line", "year", "verdict").is_null(),
            pl.col("class").is_null() | pl.col("class").is_in(["concordant", "on_label"]),
        ),
    ),
    Published(
        "flows",
        "decision",
        (Margin(("recommended",)), Margin(("given",))),
        # What is open, or has no edition, is so in the verdicts as well.
        (_same_as_class("given", "nothing_yet", "open"), _same_as_class("recommended", "not_in_force", "not_in_force")),
    ),
    Published(
        "uptake",
        "decision under a rule",
        (Margin(("period",)), Margin(("is_given",)), _CENTRES),
        spare=pl.col("centre_id").is_not_null(),
    ),
    Published("edition_change", "decision", (Margin(("view",), ("view",)),)),
    Published("marked_verdicts", "decision", (Margin(("mark",), ("mark",)), Margin(("is_superseded",)), *_CLASSES)),
    Published("departures", "decision", (Margin(("cause",)), _CENTRES)),
    Published("safety", "decision", (Margin(("safety_rule", "finding"), ("safety_rule", "finding")), _CENTRES)),
    Published("required_tests", "required test", (Margin(("status",)), Margin(("is_required",)), _CENTRES)),
    Published(
        "survival",
        "decision",
        (
            *(Margin((name,)) for name in ("fate", "pathway", "local_treatment")),
            Margin(("month",), ("month",)),
            *_CLASSES,
        ),
        FOLLOWED,
        ESTIMATES,
        # The counts of decisions that are why the report is read stay, whatever the curves lose.
        spare=pl.lit(value=True),
    ),
    Published(
        "process_chart",
        "member of an indicator",
        (*(Margin((name,)) for name in ("is_met", "span", "year", "quarter")), _CENTRES),
        # What a chart stands on, its baseline and years, stays longer than its quarters and the charts of centres.
        spare=pl.any_horizontal(pl.col("centre_id", "quarter").is_not_null()),
    ),
    Published(
        "indicators",
        "member of an indicator",
        (Margin(("is_met",)), _CENTRES),
        (
            Subset({"indicator_id": "P1a", "is_evaluated": "yes"}, {"indicator_id": "P1"}, "risk"),
            Subset({"indicator_id": "P1b", "is_evaluated": "yes"}, {"indicator_id": "P1"}, "risk"),
        ),
        keep=pl.col("is_met").is_null(),
        measures=("median", "median_low", "median_high"),
    ),
    Published(
        "ledger",
        "row",
        (Margin(("outcome",)), Margin(("fate",)), Margin(("table_name",)), Margin(("month",)), _CENTRES),
        measures=("completeness",),
        spare=pl.col("month").is_not_null() & pl.col("centre_id").is_not_null(),
        # What the shares of rows and cells are worked out from.
        keep=pl.all_horizontal(
            pl.col("outcome") == "accepted",
            pl.col("fate").is_null(),
            pl.col("month").is_null() | pl.col("centre_id").is_null(),
        ),
    ),
    Published("completeness", "row", (Margin(("column_name", "is_filled"), ("column_name",)), _CENTRES)),
    Published("source_records", "source record", (Margin(("is_mapped",)),)),
    Published("rejections", "reason to set a row aside", ()),
    Published("findings", "row of a finding", (_CENTRES,)),
)


def publish_counts(
    warehouse: Warehouse, settings: Settings, headline: str, labels: Mapping[str, str]
) -> dict[str, SafeTable]:
    """Count, put the label of each centre in place of its id, and return what may be published, by name."""
    tables = [_counted(warehouse, published, headline, labels) for published in PUBLISHED]
    tables.append(edition_counts(warehouse))
    safe = protect(tables, NESTED, threshold=settings.disclosure_threshold, smallest_rate=settings.rate_threshold)
    return safe | {"survival": with_told_estimates(safe["survival"])}


def _counted(warehouse: Warehouse, published: Published, headline: str, labels: Mapping[str, str]) -> Counts:
    name = f"report/{published.name}"
    parameters: dict[str, Any] = {"headline": headline} if "$headline" in sql(name) else {}
    frame = warehouse.query(name, **parameters)
    if "centre_id" in frame.columns:
        # A centre without an accepted row has no page and no label; its rows are among those of all.
        frame = frame.filter(pl.col("centre_id").is_null() | pl.col("centre_id").is_in(list(labels)))
        frame = frame.with_columns(pl.col("centre_id").replace_strict(labels, return_dtype=pl.String))
    return Counts(
        published.name,
        published.unit,
        frame,
        published.margins,
        published.subsets,
        published.measures,
        essential=_ESSENTIAL,
        spare=published.spare,
        keep=published.keep,
    )
