"""What the tumours are: each biomarker's share with its interval, beside what has been published."""

from functools import lru_cache
from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report import figures
from crlm_pipeline.report.benchmarks import comparison_table, published_ranges, published_table
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.registry import ALL, Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words, percent, percent_and_interval

# What the figure shows of each biomarker; the table below it shows every category.
DRAWN: Final = {
    ("ras", "mutant"): "RAS mutated",
    ("kras", "mutant"): "KRAS mutated",
    ("kras_g12c", "true"): "KRAS G12C",
    ("nras", "mutant"): "NRAS mutated",
    ("braf", "v600e"): "BRAF V600E",
    ("msi", "msi_h"): "MSI-H / dMMR",
    ("her2", "positive"): "HER2 positive",
    ("side", "right"): "Right-sided primary",
}
_POPULATIONS: Final = ("everyone", "metastatic", "crlm")
_SENTENCE: Final = "Percentages are of patients with a known result; untested never counts as wild type."
_CAUTION: Final = (
    "Published figures come from metastatic colorectal cancer at large, or from all colorectal cancer where nothing "
    "closer was found. Cohorts with liver metastases differ, most of all those of resected patients: read the bands as "
    "context, not as targets. Figures marked \u2020 are general knowledge not yet checked against a source."
)


def section(registry: Registry, centre: str | None) -> Section:
    """Return the distribution of the biomarkers among patients with CRLM whose result is known."""
    blocks: list[Figure | Table | str] = []
    drawn = _drawn(registry).where(centre_id=centre)
    if drawn.frame.height:
        blocks += [_figure(drawn, centre), _CAUTION]
    blocks.append(_every_category(registry, centre))
    blocks.append(published_table(frozenset(analyte for analyte, _ in DRAWN)))
    if centre is None:
        blocks += [made] if (made := comparison_table(shares(registry).where(centre_id=None))) else []
        blocks.append(_populations(registry))
    return Section("biomarkers", "What the tumours are", _SENTENCE, tuple(blocks))


@lru_cache(maxsize=1)
def shares(registry: Registry) -> SafeTable:
    """Return each category with the tested and all patients behind it, and its percentage of those tested.

    For each centre, and for all of them together.
    """
    rows = registry.tables["biomarkers"]
    counted = rows.each("category").with_count("n_tested", rows, category=None)
    counted = counted.with_count("n_total", rows, analyte=None, is_tested=None, category=None)
    return counted.with_percent("n_tested")


def _known(registry: Registry) -> SafeTable:
    return shares(registry).where(is_crlm="yes", is_metastatic="yes")


@lru_cache(maxsize=1)
def _drawn(registry: Registry) -> SafeTable:
    """Return the categories that are drawn, in order, beside what has been published; by centre and for all."""
    names = pl.DataFrame(
        [(*key, name, place) for place, (key, name) in enumerate(DRAWN.items())],
        schema={"analyte": pl.String, "category": pl.String, "row": pl.String, "place": pl.Int64},
        orient="row",
    )
    return _known(registry).map(
        lambda frame: (
            frame.join(names, on=["analyte", "category"])
            .join(published_ranges(), on=["analyte", "category"], how="left")
            .drop_nulls("percent")
            .sort("place")
            .drop("place")
        ),
        name="biomarkers_drawn",
    )


def _figure(drawn: SafeTable, centre: str | None) -> Figure:
    spoken = drawn.frame.select("row", text=percent_and_interval())
    return Figure(
        svg=figures.intervals(drawn.frame),
        reading=_reading(drawn),
        caption=(
            f"Share of tested patients with CRLM, {centre or ALL}: dot and 95 % interval (Wilson). "
            "Grey: published range, or a stroke where only one figure is published."
        ),
        alternative=figures.spoken(spoken),
        data=drawn,
    )


def _reading(drawn: SafeTable) -> str:
    first = drawn.frame.row(0, named=True)
    return (
        f"{first['row']} in {percent(first['percent'])} of the {first['n_tested']} patients tested "
        f"(95 % interval {percent(first['ci_low'])} to {percent(first['ci_high'])})."
    )


@lru_cache(maxsize=1)
def _in_words(registry: Registry) -> SafeTable:
    return _known(registry).map(
        lambda frame: frame.with_columns(in_words("analyte"), in_words("category"), percent_and_interval()).sort(
            "analyte", maintain_order=True
        ),
        name="biomarkers_all",
    )


def _every_category(registry: Registry, centre: str | None) -> Table:
    made = _in_words(registry).where(centre_id=centre)
    headings = {
        "analyte": "Biomarker",
        "category": "Category",
        "shown": "Patients",
        "n_tested_shown": "Tested",
        "n_total_shown": "All",
        "percent_text": "% of tested (95 % interval)",
    }
    return table(made, headings, "Every category of every biomarker.", text=("category",))


def _populations(registry: Registry) -> Table:
    wanted = pl.struct("analyte", "category").is_in([{"analyte": a, "category": c} for a, c in DRAWN])
    wide = populations(registry, wanted, "biomarkers_populations")
    headings = {
        "analyte": "Biomarker",
        "category": "Category",
        "everyone": "Everyone reported",
        "metastatic": "Metastatic disease",
        "crlm": "Liver metastases",
    }
    caption = "The same shares in the wider populations, % of tested (95 % interval)."
    return table(wide, headings, caption, text=("category",), links={"analyte": "page_href"})


def populations(registry: Registry, wanted: pl.Expr, name: str) -> SafeTable:
    """Return one row per category that is wanted, with its share in each population as text."""
    known = shares(registry).where(centre_id=None)
    population = (
        pl.when(pl.col("is_crlm") == "yes")
        .then(pl.lit("crlm"))
        .when(pl.col("is_metastatic") == "yes")
        .then(pl.lit("metastatic"))
        .otherwise(pl.lit("everyone"))
    )
    page = pl.format("biomarker-{}.html", pl.col("analyte").str.replace_all("_", "-")).alias("page_href")
    return known.map(
        lambda frame: (
            frame.filter(wanted)
            .with_columns(
                page, population.alias("population"), percent_and_interval(), in_words("analyte"), in_words("category")
            )
            .pivot("population", _POPULATIONS, index=["analyte", "category", "page_href"], values="percent_text")
        ),
        name=name,
    )
