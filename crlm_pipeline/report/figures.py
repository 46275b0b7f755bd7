"""Drawings as static SVG. Text and rules take the page's own colour, so one drawing serves light, dark and paper."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import numpy as np
import polars as pl
import vl_convert

from crlm_pipeline.statistics import funnel_limits

INK: Final = "currentColor"
TEAL: Final = "#2a8c93"
PALE_TEAL: Final = "#7fbcc0"
AMBER: Final = "#d9962b"
RED: Final = "#c0493d"
GREY: Final = "#8d979e"
PALE_GREY: Final = "#b9c1c6"
WIDTH: Final = 430
# More letters than this do not fit beside each other in a legend.
_LEGEND_ROW: Final = 45
# With more centres than this the labels of a funnel plot would hide its points.
_MOST_LABELS: Final = 15

_CONFIG: Final[dict[str, Any]] = {
    "background": None,
    "font": "inherit",
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 13,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "domainColor": INK,
        "domainOpacity": 0.35,
        "tickColor": INK,
        "tickOpacity": 0.35,
        "gridColor": INK,
        "gridOpacity": 0.12,
        "labelLimit": 260,
        "titlePadding": 10,
    },
    "axisY": {"grid": False},
    "title": {"color": INK, "fontSize": 13, "fontWeight": "normal"},
    "legend": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 13,
        "labelLimit": 300,
        "orient": "top",
        "title": None,
        "columns": 2,
    },
    "text": {"color": INK, "fontSize": 12},
}
_IDENTIFIER: Final = re.compile(r"(?:clip|gradient)\d+\b")
_NAMESPACES: Final = re.compile(r' (xmlns(:xlink)?|version)="[^"]*"')


def drawn(chart: alt.TopLevelMixin) -> str:
    """Return the chart as SVG for use inside a page: no script, no address, hidden from readers that cannot see it."""
    specification = chart.to_dict(validate=False)  # what is drawn is tested; checking costs as much as drawing
    specification["config"] = _CONFIG
    svg = _NAMESPACES.sub("", vl_convert.vegalite_to_svg(specification))
    return _with_own_ids(svg).replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def _with_own_ids(svg: str) -> str:
    """Name what the drawing refers to after its content: Vega counts through a process, so no two runs agree."""
    found = list(dict.fromkeys(_IDENTIFIER.findall(svg)))
    nameless = _IDENTIFIER.sub("", svg)
    digest = hashlib.sha256(nameless.encode()).hexdigest()[:10]
    names = {name: f"d{digest}-{number}" for number, name in enumerate(found)}
    return _IDENTIFIER.sub(lambda match: names[match.group()], svg)


def spoken(frame: pl.DataFrame) -> str:
    """Return what a bar chart shows (columns row and text) as a sentence for those who cannot see it."""
    said = "; ".join(f"{row}: {text}" for row, text in frame.select("row", "text").iter_rows())
    return f"Bar chart. {said}."


def stacked_shares(frame: pl.DataFrame, order: Sequence[str], colours: Mapping[str, str]) -> str:
    """Return one bar per `row`, split by `part` (columns row, part, percent), in the orders given."""
    places = pl.DataFrame(
        {"part": list(colours), "place": range(len(colours))}, schema={"part": pl.String, "place": pl.Int64}
    )
    bars = (
        alt.Chart(frame.join(places, on="part"), width=WIDTH, height={"step": 30})
        .mark_bar(height=18)
        .encode(
            x=alt.X("percent:Q", stack="zero", title="%", scale=alt.Scale(domain=[0, 100])),
            y=alt.Y("row:N", sort=list(order), title=None),
            color=alt.Color(
                "part:N",
                scale=alt.Scale(domain=list(colours), range=list(colours.values())),
                sort=None,
                legend=alt.Legend(columns=3 if sum(map(len, colours)) < _LEGEND_ROW else 2),
            ),
            order="place:Q",
        )
    )
    return drawn(bars)


def bars(frame: pl.DataFrame, title: str, colour: str = TEAL) -> str:
    """Return one bar per `row` with its `value` and the `text` to print beside it, in the order of the frame."""
    base = alt.Chart(frame, width=WIDTH - 40, height={"step": 30}).encode(
        x=alt.X("value:Q", title=title, axis=alt.Axis(tickCount=5, format=",d")),
        y=alt.Y("row:N", sort=frame["row"].to_list(), title=None),
    )
    return drawn(base.mark_bar(height=16, color=colour) + base.mark_text(align="left", dx=5).encode(text="text:N"))


def intervals(frame: pl.DataFrame, title: str = "% (95 % interval)", highest: float | None = None) -> str:
    """Return a dot with its interval per `row` (percent, ci_low, ci_high); a published range, if any, as a band behind.

    The band runs from `low` to `high`, or stands as a stroke at `published`.
    """
    scale = alt.Scale(domain=[0, highest]) if highest else alt.Scale(zero=True)
    row = alt.Y("row:N", sort=frame["row"].to_list(), title=None)
    base = alt.Chart(frame, width=WIDTH, height={"step": 30}).encode(y=row)
    value = alt.X("percent:Q", title=title, scale=scale)
    layers = [
        base.mark_bar(height=16, color=PALE_GREY, opacity=0.45).encode(x=alt.X("low:Q", title=title), x2="high:Q"),
        base.mark_tick(thickness=3, size=18, color=GREY).encode(x="published:Q"),
        base.mark_rule(color=TEAL, strokeWidth=2).encode(x="ci_low:Q", x2="ci_high:Q"),
        base.mark_point(filled=True, size=70, color=TEAL, opacity=1).encode(x=value),
    ]
    given = [layer for layer, column in zip(layers, ("low", "published"), strict=False) if column in frame.columns]
    return drawn(alt.layer(*given, *layers[2:]))


def funnel(points: pl.DataFrame, centre: str | None, pooled: float, title: str) -> str:
    """Return a funnel plot: one point per centre (`label`, `total`, `percent`) inside exact binomial limits.

    `pooled` is the percentage that the limits stand around; `centre` is drawn apart if given. A centre whose rate is
    not shown stands as the range from `least` to `most` in which it must lie, if it has one.
    """
    largest = int(points["total"].to_numpy().max())
    low_y = np.nanmin([*points["percent"].fill_null(100).to_list(), *points["least"].fill_null(100).to_list(), pooled])
    scale = alt.Scale(domain=[max(0.0, float(low_y) - 12), 100])
    x = alt.X("total:Q", title="Denominator", scale=alt.Scale(domain=[0, round(largest * 1.08) + 1]))
    curves = alt.Chart(_limits(largest, pooled), width=WIDTH, height=260).mark_line(
        color=INK, opacity=0.45, strokeWidth=1, clip=True
    )
    limits = curves.encode(
        x=x,
        y=alt.Y("limit:Q", title=title, scale=scale),
        detail="line:N",
        strokeDash=alt.StrokeDash(
            "coverage:N",
            scale=alt.Scale(domain=["95 % limits", "99.8 % limits"], range=[[4, 3], [1, 0]]),
            legend=alt.Legend(symbolStrokeColor=INK),
        ),
    )
    middle = alt.Chart(pl.DataFrame({"limit": [pooled]})).mark_rule(color=INK, opacity=0.6).encode(y="limit:Q")
    is_own = pl.lit(centre is None) | pl.col("label").eq_missing(pl.lit(centre, pl.String))
    layers = [limits, middle]
    for colour, group in ((PALE_GREY, points.filter(~is_own)), (TEAL, points.filter(is_own))):
        base = alt.Chart(group).encode(x=x)
        spans = base.mark_rule(color=colour, strokeWidth=3, opacity=0.7)
        layers.append(spans.encode(y=alt.Y("least:Q", title=title, scale=scale), y2="most:Q"))
        dots = base.encode(y=alt.Y("percent:Q", title=title, scale=scale))
        layers.append(dots.mark_point(filled=True, size=60, color=colour, opacity=1))
        if colour == TEAL and group.height <= _MOST_LABELS:
            layers.append(dots.mark_text(dy=-11, fontSize=11).encode(text="label:N"))
    return drawn(alt.layer(*layers))


def outside(points: pl.DataFrame, pooled: float, coverage: float) -> tuple[int, int]:
    """Return how many of the points (`total`, `percent`) lie below and above the limits around `pooled`."""
    shown = points.drop_nulls("percent")
    low, high = funnel_limits(shown["total"].to_numpy(), pooled / 100, coverage)
    rates = shown["percent"].to_numpy() / 100
    return int((rates < low - 1e-9).sum()), int((rates > high + 1e-9).sum())


def _limits(largest: int, pooled: float) -> pl.DataFrame:
    denominators = np.unique(np.linspace(1, round(largest * 1.08) + 1, 160).round().astype(np.int64))
    lines = []
    for coverage, name in ((0.95, "95 % limits"), (0.998, "99.8 % limits")):
        for side, limit in zip(("low", "high"), funnel_limits(denominators, pooled / 100, coverage), strict=True):
            frame = pl.DataFrame({"total": denominators, "limit": 100 * limit})
            lines.append(frame.with_columns(pl.lit(name).alias("coverage"), pl.lit(f"{name}{side}").alias("line")))
    return pl.concat(lines)


def months(frame: pl.DataFrame, panels: Sequence[str], colours: Mapping[str, str]) -> str:
    """Return one panel below the other with a line over the months per `line` (panel, month, line, least, most).

    Where `least` and `most` differ, the share lies somewhere between them, and a stroke stands for it. Nulls are gaps.
    """
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    every = sorted(frame["month"].unique().to_list())
    axis = alt.Axis(labelAngle=0, values=every[:: max(1, len(every) // 6)])
    drawings = []
    for panel in panels:
        rows = frame.filter(pl.col("panel") == panel)
        y = alt.Y("least:Q", title="%", scale=alt.Scale(domain=_whole_fives(rows)), axis=alt.Axis(tickCount=4))
        base = alt.Chart(rows, width=WIDTH, height=110, title=alt.Title(panel, anchor="start")).encode(
            x=alt.X("month:O", title=None, axis=axis, scale=alt.Scale(domain=every)),
            color=alt.Color("line:N", scale=scale, sort=None),
        )
        exact = base.transform_filter(alt.datum.least == alt.datum.most).encode(y=y)
        ranges = base.transform_filter(alt.datum.least < alt.datum.most).encode(y=y, y2="most:Q")
        drawings.append(
            exact.mark_line(strokeWidth=2, point={"size": 30}) + ranges.mark_rule(strokeWidth=3, opacity=0.7)
        )
    return drawn(alt.vconcat(*drawings))


def _whole_fives(rows: pl.DataFrame) -> list[float]:
    """Return the ends of an axis that holds every share (`least`, `most`) with room to spare, in steps of five."""
    known = rows.select("least", "most").drop_nulls().to_numpy()
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 100.0)
    return [max(0.0, 5 * ((low - 2) // 5)), min(100.0, 5 * ((high + 7) // 5))]


def trend(frame: pl.DataFrame, title: str) -> str:
    """Return a line over the years with its interval (columns year, percent, ci_low, ci_high)."""
    x = alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0))
    base = alt.Chart(frame, width=WIDTH, height=200).encode(x=x)
    y = alt.Y("percent:Q", title=title, scale=alt.Scale(domain=[0, 100]))
    band = base.mark_area(color=TEAL, opacity=0.2).encode(y=alt.Y("ci_low:Q", title=title), y2="ci_high:Q")
    return drawn(band + base.mark_line(color=TEAL, strokeWidth=2, point={"color": TEAL, "size": 50}).encode(y=y))
