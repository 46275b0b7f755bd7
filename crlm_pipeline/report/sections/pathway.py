"""One pathway: the patients on it, by centre and under each series of recommendations."""

from collections.abc import Iterator
from functools import partial

import polars as pl

from crlm_pipeline.report import figures
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.page import Page, centre_page
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words, percent, percent_and_interval, words


def pages(registry: Registry) -> Iterator[Page]:
    """Yield a page per pathway of the headline series that a patient is on."""
    rows = registry.tables["pathways"].where(guideline=registry.headline, centre_id=None)
    for pathway in rows.filtered(pl.col("shown") != "0").frame["pathway"].sort():
        makers = (partial(_series, pathway=pathway), partial(_centres, pathway=pathway))
        yield Page(pathway_file(pathway), words(pathway), "Treatment", makers)


def pathway_file(pathway: str) -> str:
    """Return the name of a pathway's page, without the ending."""
    return f"pathway-{pathway.replace('_', '-')}"


def _series(registry: Registry, centre: str | None, pathway: str) -> Section:
    rows = registry.tables["pathways"].where(centre_id=None, pathway=pathway)
    patients = registry.tables["patients"].count(is_metastatic="yes", is_crlm="yes")
    own = rows.where(guideline=registry.headline).counts()
    rate = registry.share(own, [patients])
    share = "" if rate is None else f" ({percent(rate)})"
    sentence = f"{registry.headline_name} points {own[0].text} of {patients.text} patients here{share}."
    total = pl.lit(patients.value, pl.Int64).alias("n_total")
    shares = rows.map(lambda frame: frame.with_columns(total), name=f"pathway_{pathway}").with_percent("n_total")
    listed = shares.map(
        lambda frame: frame.with_columns(in_words("guideline"), percent_and_interval()).sort("guideline")
    )
    headings = {"guideline": "Series", "shown": "Patients", "percent_text": "% of patients with CRLM (95 % interval)"}
    made = table(listed, headings, "The same patients under each series of recommendations.")
    return Section("series", "Who is pointed here", sentence, (made,))


def _centres(registry: Registry, centre: str | None, pathway: str) -> Section:
    rows = registry.tables["pathways"].where(guideline=registry.headline, pathway=pathway).each("centre_id")
    everyone = registry.tables["patients"].where(is_metastatic="yes", is_crlm="yes").frame
    totals = everyone.select("centre_id", n_total="n", n_total_shown="shown")
    shares = rows.map(
        lambda frame: frame.join(totals, on="centre_id", how="left").sort("centre_id"),
        name=f"pathway_{pathway}_by_centre",
    ).with_percent("n_total")
    known = shares.map(lambda frame: frame.with_columns(percent_and_interval(), centre_page(registry)))
    drawn = known.frame.drop_nulls("percent")
    blocks: list[Figure | Table | str] = []
    if drawn.height:
        blocks.append(
            Figure(
                figures.intervals(drawn.with_columns(row="centre_id"), step=figures.row_height(drawn.height)),
                f"{words(pathway)} by centre.",
                "Share of the centre's patients with CRLM, with its 95 % interval. Hidden counts are left out.",
                figures.spoken(drawn.select(row="centre_id", text=percent_and_interval())),
                known,
            )
        )
    headings = {
        "centre_id": "Centre",
        "shown": "On the pathway",
        "n_total_shown": "Patients",
        "percent_text": "% (95 % interval)",
    }
    caption = "Patients on the pathway, by the centre that reports them."
    blocks.append(table(known, headings, caption, links={"centre_id": "centre_href"}))
    sentence = "Centres see different patients: a difference here is no measure of care."
    return Section("by-centre", "By centre", sentence, tuple(blocks))
