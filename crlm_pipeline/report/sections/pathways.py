"""Where the guideline points: the precision pathways of the patients with CRLM."""

from functools import lru_cache

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report import figures
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.registry import ALL, Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words, percent, percent_and_interval, words


def section(registry: Registry, centre: str | None) -> Section:
    """Return the mix of pathways; the registry's page sets the series side by side."""
    patients = registry.tables["patients"].count(centre_id=centre, is_metastatic="yes", is_crlm="yes")
    total = pl.lit(patients.value, pl.Int64).alias("n_total")
    shares = _mix(registry).where(centre_id=centre).map(lambda frame: frame.with_columns(total)).with_percent("n_total")
    own = shares.map(lambda frame: frame.with_columns(percent_and_interval()), name="pathway_mix")
    tests_first = registry.tables["pathways"].where(centre_id=centre, guideline=registry.headline, pathway="test_first")
    waiting = registry.share(tests_first.counts(), [patients])
    sentence = (
        f"For {percent(waiting)} of the patients a missing test result decides the pathway."
        if waiting
        else f"The pathway that {registry.headline_name} names for each patient's next, or latest, decision."
    )
    drawn = own.frame.drop_nulls("percent")
    blocks: list[Figure | Table | str] = []
    if drawn.height:
        bars = drawn.select(row="pathway", value="percent", text=pl.col("percent").round(1).cast(pl.String) + " %")
        first = drawn.row(0, named=True)
        rate = percent(first["percent"])
        blocks.append(
            Figure(
                svg=figures.bars(bars, "% of patients with CRLM"),
                reading=f"{first['pathway']} is the most frequent pathway: {rate} of the patients.",
                caption=f"Pathways under {registry.headline_name}, {centre or ALL}; hidden counts are left out.",
                alternative=figures.spoken(bars),
                data=own,
            )
        )
    headings = {"pathway": "Pathway", "shown": "Patients", "percent_text": "% (95 % interval)"}
    blocks.append(table(own, headings, "Patients by pathway.", links={"pathway": "page_href"}))
    if centre is None:
        blocks.append(_by_series(registry))
    return Section("pathways", "Where the guideline points", sentence, tuple(blocks))


@lru_cache(maxsize=1)
def _mix(registry: Registry) -> SafeTable:
    """Return the pathways under the headline series, the most frequent first, for each centre and for all."""
    rows = registry.tables["pathways"].where(guideline=registry.headline)
    return rows.map(
        lambda frame: frame.with_columns(_page(), in_words("pathway")).sort(
            "n", "pathway", descending=[True, False], nulls_last=True
        )
    )


def _page() -> pl.Expr:
    """Return the address of each pathway's page; those of the registry alone lead to one."""
    has_page = (pl.col("shown") != "0") & pl.col("centre_id").is_null()
    address = pl.format("pathway-{}.html", pl.col("pathway").str.replace_all("_", "-"))
    return pl.when(has_page).then(address).alias("page_href")


def _by_series(registry: Registry) -> Table:
    wide = (
        registry.tables["pathways"]
        .where(centre_id=None)
        .map(
            lambda frame: (
                frame.pivot("guideline", index="pathway", values="shown", sort_columns=True)
                .with_columns(pl.all().fill_null("0"))
                .with_columns(in_words("pathway"))
                .sort("pathway")
            ),
            name="pathways_by_series",
        )
    )
    series = {name: words(name) for name in wide.frame.columns[1:]}
    return table(wide, {"pathway": "Pathway", **series}, "The same patients under each series of recommendations.")
