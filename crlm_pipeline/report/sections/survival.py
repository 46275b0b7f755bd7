"""Overall survival of patients with CRLM from the first line on: undivided, and from a landmark by what was known then.

An estimate stands only where every count that it rests on is shown (`report.curves`).
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final, NamedTuple

import polars as pl

from crlm_pipeline.disclosure import HIDDEN_TEXT, SafeTable
from crlm_pipeline.report import figures, over_time
from crlm_pipeline.report.curves import MONTHS, UNKNOWN
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words, percent_and_interval

_SENTENCE: Final = (
    "Kaplan\u2013Meier estimates of overall survival from the start of the first line of systemic treatment, at fixed "
    "months; a patient last seen alive counts up to that day."
)
CAUTION: Final = (
    "These curves describe; they do not compare treatments. Who is treated differently was different before: fitter "
    "patients with less disease are operated on, and an unusual course leads to an unusual treatment (confounding by "
    "indication). Nothing is adjusted. What divides the patients is what was known six months after the first dose, "
    "and only those alive and in follow-up on that day count, so that nobody owes a longer life to having lived until "
    "treatment (immortal time). Survival before the landmark is in the first figure alone."
)
_UNDIVIDED: Final = {"is_judged": None, "class": None, "pathway": None, "local_treatment": None}
_COLOURS: Final = (figures.TEAL, figures.AMBER, figures.RED, figures.GREY, figures.PALE_TEAL)
_ALL: Final = "All first lines"


class _Division(NamedTuple):
    """A column of the safe table that divides the patients, and how to say so."""

    column: str
    by: str
    caption: str


_DIVISIONS: Final = (
    _Division(
        "class",
        "whether the first line followed the guideline",
        "By the verdict on the first line ({series}), from the landmark at six months on.",
    ),
    _Division(
        "pathway",
        "what was recommended for the first line",
        "By the pathway recommended for the first line ({series}), from the landmark at six months on.",
    ),
    _Division(
        "local_treatment",
        "local treatment",
        "By resection or ablation of the liver within six months of the first dose, from that landmark on.",
    ),
)


def section(registry: Registry, centre: str | None) -> Section | None:
    """Return the curves of the registry and the numbers behind them; a centre has too few patients for its own."""
    rows = registry.tables["survival"]
    if centre is not None or rows.frame.is_empty():
        return None
    blocks: list[Figure | Table | str] = []
    whole = _curves(rows.where(**_UNDIVIDED), pl.lit(_ALL), "survival")
    caption = "All patients with CRLM from the first dose of the first line."
    blocks += _drawn(whole, caption, "all patients")
    blocks.append(_unknown(rows))
    blocks.append(CAUTION)
    for division in _DIVISIONS:
        others = {name: None for name in ("pathway", "local_treatment", "class") if name != division.column}
        others |= {} if division.column == "class" else {"is_judged": None}
        strata = rows.where(**others).each(division.column)
        made = _curves(strata, _label(division.column), f"survival_by_{division.column}")
        blocks += _drawn(made, division.caption.format(series=registry.headline_name), division.by)
    return Section("survival", "Survival", _SENTENCE, tuple(blocks))


def _label(column: str) -> pl.Expr:
    # "Test first" is advice; here it is a group of patients.
    return pl.when(pl.col(column) == "test_first").then(pl.lit("Open, a fact is missing")).otherwise(in_words(column))


def _curves(rows: SafeTable, label: pl.Expr, name: str) -> SafeTable:
    """Return one row per curve and month: those in follow-up, the deaths since the month before, and the estimate."""
    later = dict(pairwise(MONTHS))
    deaths = rows.where(fate="died").frame.select(
        label.alias("line"),
        pl.col("month").replace_strict(later, default=None).alias("month"),
        pl.col("n").alias("n_deaths"),
        pl.col("shown").alias("n_deaths_shown"),
    )
    return rows.where(fate=None).map(
        lambda frame: (
            frame.filter(pl.col("month") != UNKNOWN)
            .select(label.alias("line"), "month", "n", "shown", "^percent.*$", "ci_low", "ci_high")
            .join(deaths, on=["line", "month"], how="left")
            .with_columns(pl.col("month").cast(pl.Int64), percent_and_interval())
            .sort(pl.col("n").max().over("line"), "line", "month", descending=[True, False, False], nulls_last=True)
        ),
        name=name,
    )


def _drawn(curves: SafeTable, caption: str, by: str) -> list[Figure | Table]:
    """Return the figure, if any curve has more than its first point, and the numbers at risk."""
    numbers = _numbers(curves, caption)
    estimated = curves.frame.drop_nulls("percent")
    lines = [
        line for line, months in estimated.group_by("line", maintain_order=True).agg(pl.len()).iter_rows() if months > 1
    ][: len(_COLOURS)]
    if not lines:
        return [numbers]
    shown = estimated.filter(pl.col("line").is_in(lines))
    colours = dict(zip(lines, _COLOURS, strict=False))
    figure = Figure(
        svg=over_time.survival(shown, colours),
        reading=_reading(shown, lines, by),
        caption=(
            f"{caption} Point: estimate; stroke: 95 % interval (log-log). The broken line joins the points, and "
            "stands for no estimate. A curve ends where a number that it rests on is hidden, or fewer are left than a "
            "rate needs."
        ),
        alternative=_spoken(shown, lines),
        data=curves.map(lambda _: shown, name=f"{curves.name}_drawn"),
    )
    return [figure, numbers]


def _reading(shown: pl.DataFrame, lines: list[str], by: str) -> str:
    """Say how many live at the last month that all curves have; a curve starts at its landmark."""
    month = _common_month(shown, lines)
    said = [
        (f"{line} " if len(lines) > 1 else "") + _whole(row["percent"])
        for line in lines
        for row in shown.filter(pl.col("line") == line, pl.col("month") == month).iter_rows(named=True)
    ]
    start = int(shown["month"].to_numpy().min())
    lived = f", of those who lived {start} months" if start else ""
    divided = f", by {by}" if len(lines) > 1 else ""
    return f"Alive {month} months after the first dose{lived}{divided}: {'; '.join(said)}."


def _whole(estimate: float) -> str:
    """Return a percentage as it is published: without decimals, which would tell of single patients."""
    return f"{estimate:.0f}\u202f%"


def _common_month(shown: pl.DataFrame, lines: list[str]) -> int:
    last: Mapping[str, int] = dict(shown.group_by("line").agg(pl.col("month").max()).iter_rows())
    return min(last[line] for line in lines)


def _spoken(shown: pl.DataFrame, lines: list[str]) -> str:
    said = [
        f"{line}: "
        + ", ".join(
            f"{row['percent']:.0f} % at {row['month']} months"
            for row in shown.filter(pl.col("line") == line).iter_rows(named=True)
        )
        for line in lines
    ]
    return f"Survival curves. {'; '.join(said)}."


def _numbers(curves: SafeTable, caption: str) -> Table:
    """Return the numbers in follow-up, the deaths and the estimates: a row per curve, a column per month."""
    deaths = pl.format(" ({})", "n_deaths_shown").fill_null("")
    whole = [pl.col(name).cast(pl.Int64) for name in ("percent", "ci_low", "ci_high")]
    interval = pl.format("\u00a0({}\u2013{})", *whole[1:]).fill_null("")
    estimate = pl.concat_str(pl.format("; {}\u00a0%", whole[0]), interval).fill_null("")
    is_hidden = (pl.col("shown") == HIDDEN_TEXT) & (pl.col("n_deaths_shown") == HIDDEN_TEXT)
    text = pl.when(is_hidden).then(pl.lit(HIDDEN_TEXT)).otherwise(pl.concat_str("shown", deaths, estimate))
    wide = curves.map(
        lambda frame: frame.with_columns(
            text.alias("cell"), (pl.col("month").cast(pl.String) + " months").alias("at")
        ).pivot("at", index="line", values="cell"),
        name=f"{curves.name}_numbers",
    )
    months = [name for name in wide.frame.columns if name != "line"]
    return table(
        wide,
        {"line": "Patients", **{name: name for name in months}},
        f"{caption} In follow-up (deaths since the column before); % alive with its 95 % interval.",
        text=tuple(months),
    )


def _unknown(rows: SafeTable) -> str:
    """Say how many could not be followed, and between which ends their fate leaves the estimate at two years."""
    whole = rows.where(**_UNDIVIDED, fate=None).frame
    number = whole.filter(pl.col("month") == UNKNOWN)["shown"].to_list()
    said = (
        f"First lines without a known end of follow-up (no day of the last contact or of death, or a death before the "
        f"first dose): {number[0] if number else '0'}. They are in no curve."
    )
    bounds = whole.filter(pl.col("month") == "24", pl.col("percent_worst") != pl.col("percent_best"))
    if bounds.is_empty():
        return said
    row = bounds.row(0, named=True)
    return (
        f"{said} Had all of them died at once, {_whole(row['percent_worst'])} would be alive at 24 months; had all "
        f"lived to the as-of date, {_whole(row['percent_best'])}."
    )
