"""One biomarker: its categories by population, by centre and over the years, and how many were tested."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report import figures
from crlm_pipeline.report.benchmarks import published_ranges, published_table
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.page import Page, centre_page
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.sections.biomarkers import DRAWN, populations, shares
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words, percent, percent_and_interval, words

# The category of each biomarker that its figures follow through centres and years.
_FOLLOWED: Final = {analyte: category for analyte, category in DRAWN} | {"kras_g12d": "true"}
_CRLM: Final = {"is_crlm": "yes", "is_metastatic": "yes"}


def pages(registry: Registry) -> Iterator[Page]:
    """Yield a page per biomarker that the mart knows."""
    for analyte in registry.tables["biomarkers"].frame["analyte"].drop_nulls().unique().sort():
        makers = tuple(partial(section, analyte=analyte) for section in (_distribution, _centres, _years))
        yield Page(f"biomarker-{analyte.replace('_', '-')}", words(analyte), "Patients", makers)


def _distribution(registry: Registry, centre: str | None, analyte: str) -> Section:
    """Return every category among patients with CRLM, with the wider populations beside it."""
    known = shares(registry).where(centre_id=centre, analyte=analyte, **_CRLM)
    drawn = known.map(
        lambda frame: (
            frame.join(published_ranges(), on=["analyte", "category"], how="left")
            .drop_nulls("percent")
            .with_columns(in_words("category").alias("row"))
        ),
        name=f"biomarker_{analyte}_drawn",
    )
    blocks: list[Figure | Table | str] = []
    if drawn.frame.height:
        spoken = figures.spoken(drawn.frame.select("row", text=percent_and_interval()))
        reading = f"{words(analyte)} among patients with liver metastases whose result is known."
        caption = (
            "Share of those tested: dot and 95 % interval (Wilson). Grey: published range, or a stroke where only one "
            "figure is published. Categories with hidden counts are left out."
        )
        blocks.append(Figure(figures.intervals(drawn.frame), reading, caption, spoken, drawn))
    wide = populations(registry, pl.col("analyte") == analyte, f"biomarker_{analyte}_populations")
    headings = {
        "category": "Category",
        "everyone": "Everyone reported",
        "metastatic": "Metastatic disease",
        "crlm": "Liver metastases",
    }
    blocks.append(table(wide, headings, "The same shares in the wider populations, % of tested (95 % interval)."))
    if (published := published_table(frozenset((analyte,)))).data.frame.height:
        blocks.append(
            replace(published, data=published.data.map(lambda frame: frame, f"biomarker_{analyte}_published"))
        )
    return Section("distribution", "What was found", _tested_sentence(registry, analyte), tuple(blocks))


def _tested_sentence(registry: Registry, analyte: str) -> str:
    biomarkers = registry.tables["biomarkers"]
    everyone = biomarkers.count(**_CRLM)
    tested = biomarkers.count(**_CRLM, analyte=analyte, is_tested="yes")
    rate = registry.share([tested], [everyone])
    share = "" if rate is None else f" ({percent(rate)})"
    return (
        f"The result is known of {tested.text} of {everyone.text} patients with liver metastases{share}. "
        "Untested never counts as wild type or negative."
    )


def _centres(registry: Registry, centre: str | None, analyte: str) -> Section:
    """Return the category that is followed, and the share tested, by centre in the order of their codes."""
    rows = registry.tables["biomarkers"].where(**_CRLM).each("centre_id")
    known = _followed(rows, analyte, f"biomarker_{analyte}_by_centre").map(
        lambda frame: frame.sort("centre_id").with_columns(centre_page(registry))
    )
    return _by(known, analyte, "centre_id", "Centre", ("by-centre", "By centre"))


def _years(registry: Registry, centre: str | None, analyte: str) -> Section | None:
    """Return the category that is followed, and the share tested, by year; None where no date is real."""
    rows = registry.tables["biomarkers_by_year"]
    known = _followed(rows, analyte, f"biomarker_{analyte}_by_year").map(lambda frame: frame.sort("year"))
    if known.frame.is_empty():
        return None
    return _by(known, analyte, "year", "Year", ("years", "Over the years"))


def _followed(rows: SafeTable, analyte: str, name: str) -> SafeTable:
    """Return one row per group: its patients in the followed category, those tested, all, and both shares."""
    whole = rows.where(analyte=None, is_tested=None, category=None)
    tested = rows.where(analyte=analyte, is_tested="yes", category=None)
    found = rows.where(analyte=analyte, is_tested="yes", category=_FOLLOWED[analyte])
    counted = found.with_count("n_tested", tested, category=None)
    counted = counted.with_count("n_total", whole, analyte=None, is_tested=None, category=None)
    shares_tested = counted.with_percent("n_total", part="n_tested").map(
        lambda frame: frame.with_columns(percent_and_interval().alias("tested_text")).rename(
            {"percent": "tested_percent", "ci_low": "tested_ci_low", "ci_high": "tested_ci_high"}
        )
    )
    return shares_tested.with_percent("n_tested").map(
        lambda frame: frame.with_columns(percent_and_interval()), name=name
    )


def _by(known: SafeTable, analyte: str, group: str, heading: str, named: tuple[str, str]) -> Section:
    category = f"{words(analyte)}: {words(_FOLLOWED[analyte]).lower()}"
    drawn = known.frame.drop_nulls("percent")
    blocks: list[Figure | Table | str] = []
    if drawn.height:
        spoken = figures.spoken(drawn.select(pl.col(group).alias("row"), text=percent_and_interval()))
        svg = (
            figures.trend(drawn, "% of tested")
            if group == "year"
            else figures.intervals(drawn.with_columns(row=group), step=figures.row_height(drawn.height))
        )
        caption = f"Share of those tested, with its 95 % interval. {heading}s with hidden counts are left out."
        blocks.append(Figure(svg, f"{category}, {named[1].lower()}.", caption, spoken, known))
    headings = {
        group: heading,
        "n_total_shown": "Patients",
        "n_tested_shown": "Tested",
        "tested_text": "% tested (95 % interval)",
        "shown": "Found",
        "percent_text": "% of tested (95 % interval)",
    }
    links = {group: "centre_href"} if group == "centre_id" else {}
    strips = [figures.interval_strip(*row) for row in known.frame.select("percent", "ci_low", "ci_high").rows()]
    caption = f"{category}, and how many were tested."
    blocks.append(table(known, headings, caption, links=links, drawings={"0 to 100 %": strips}))
    sentence = "Differences are not adjusted for who was tested, or why."
    return Section(*named, sentence, tuple(blocks))
