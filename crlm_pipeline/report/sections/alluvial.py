"""From what the guideline in force recommended to what was given, by line of treatment."""

from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report import alluvial_figure
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words, percent

_GROUPS: Final = (
    ("line_1", "First line", "systemic", "1"),
    ("line_2", "Second line", "systemic", "2"),
    ("line_3", "Third line and later", "systemic", "3+"),
    ("local", "Local treatment of the liver", "local", None),
    ("line_0", "Perioperative and adjuvant courses", "systemic", "0"),
)
# Categories that hold less of what is drawn than this are drawn as one.
_SMALL_SHARE: Final = 0.02
_NO_PATHWAY: Final = ("test_first", "no_rule", "not_in_force")
_SPOKEN: Final = 6
_TABLED: Final = 20


def section(registry: Registry, centre: str | None) -> Section | None:
    """Return a drawing and a table per group of decisions, on the registry's page; None without any flow to show."""
    if centre is not None:
        return None
    blocks = [block for group in _GROUPS for block in _group(registry, *group)]
    if not blocks:
        return None
    sentence = (
        f"Each band runs from the pathway that {registry.headline_name}, in the edition in force that day, names for a "
        "decision on a patient with CRLM to the class of what was given. Teal: the same class; amber: another one; "
        "grey: the guideline named no pathway. The same class is not yet concordance, which weighs the regimen itself."
    )
    return Section("alluvial", "From recommended to given", sentence, tuple(blocks))


def _group(registry: Registry, name: str, title: str, setting: str, line: str | None) -> list[Figure | Table | str]:
    rows = registry.tables["flows"].where(setting=setting, line=line, is_judged=None, **{"class": None})
    every = rows.each("recommended", "given")
    shown = every.filtered(pl.col("n").is_not_null())
    if shown.frame.is_empty():
        return []
    total = registry.tables["flows"].count(guideline=registry.headline, is_crlm="yes", setting=setting, line=line)
    drawn = _drawn(shown.frame)
    same = shown.filtered(pl.col("recommended") == pl.col("given"))
    rate = registry.share(same.counts(), [total])
    hidden = every.frame.height - shown.frame.height
    return [
        Figure(
            svg=alluvial_figure.alluvial(drawn),
            reading=f"{title}: {_reading(rate, total.text)}",
            caption=_note(hidden),
            alternative=_spoken(drawn, title),
            data=every.map(lambda frame: frame, name=f"flows_{name}"),
        ),
        _table(every, name, title),
    ]


def _reading(rate: float | None, total: str) -> str:
    if rate is None:
        return f"{total} decisions."
    return f"at least {percent(rate)} of {total} decisions got the class of treatment that was named."


def _note(hidden: int) -> str:
    small = f"Categories below {_SMALL_SHARE:.0%} of what is drawn stand together as others."
    if not hidden:
        return f"Every flow is drawn. {small}"
    flows = "1 flow is" if hidden == 1 else f"{hidden} flows are"
    return f"{flows} not drawn: too small to be shown, or hidden so that a small one cannot be worked out. {small}"


def _drawn(flows: pl.DataFrame) -> pl.DataFrame:
    """Return the flows shown, in words; small categories of either side are merged, which needs no hidden count."""
    kind = (
        pl.when(pl.col("recommended").is_in(_NO_PATHWAY))
        .then(pl.lit("open"))
        .when(pl.col("recommended") == pl.col("given"))
        .then(pl.lit("followed"))
        .otherwise(pl.lit("other"))
        .alias("kind")
    )
    least = _SMALL_SHARE * int(flows["n"].sum())
    merged = [
        pl.when(pl.col("n").sum().over(side) < least).then(pl.lit(word)).otherwise(in_words(side)).alias(side)
        for side, word in (("recommended", "Other pathways"), ("given", "Other treatments"))
    ]
    return (
        flows.select("recommended", "given", "n", kind)
        .with_columns(merged)
        .group_by("recommended", "given", "kind")
        .agg(pl.col("n").sum())
        .with_columns(title=pl.format("{} \u2192 {}: {} decisions", "recommended", "given", "n"))
        .sort("n", "title", "kind", descending=[True, False, False])
    )


def _spoken(drawn: pl.DataFrame, title: str) -> str:
    said = "; ".join(drawn["title"].head(_SPOKEN).str.replace("\u2192", "to"))
    return f"{title}, flows from recommended to given, the largest first. {said}. The table below has the rest."


def _table(every: SafeTable, name: str, title: str) -> Table:
    rows = every.map(
        lambda frame: (
            frame.sort("n", "recommended", "given", descending=[True, False, False], nulls_last=True)
            .with_columns(in_words("recommended"), in_words("given"))
            .head(_TABLED)
        ),
        name=f"flows_{name}_table",
    )
    headings = {"recommended": "Recommended", "given": "Given", "shown": "Decisions"}
    caption = f"{title}: the largest flows; the data behind the drawing hold all of them."
    return table(rows, headings, caption, text=("given",))
