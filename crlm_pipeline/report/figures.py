"""Drawings as static SVG. Text and rules take the page's own colour, so one drawing serves light, dark and paper.

What a drawing shows, and what its tooltips say, comes from a safe table and nowhere else.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl

from crlm_pipeline.report import drawing as svg
from crlm_pipeline.report.drawing import Scale
from crlm_pipeline.statistics import Widening, by_chance_alone, funnel_limits

TEAL: Final = svg.TEAL
PALE_TEAL: Final = svg.PALE_TEAL
AMBER: Final = svg.AMBER
RED: Final = svg.RED
GREY: Final = svg.GREY
PALE_GREY: Final = svg.PALE_GREY
WIDTH: Final = 640
_ROW: Final = 30
_FOOT: Final = 46  # values and title below an axis
_LONGEST_LABEL: Final = 230
_LETTERS: Final = 31
# With more centres than this the labels of a funnel plot would hide its points.
_MOST_LABELS: Final = 15


def spoken(frame: pl.DataFrame) -> str:
    """Return what a bar chart shows (columns row and text) as a sentence for those who cannot see it."""
    said = "; ".join(f"{row}: {text}" for row, text in frame.select("row", "text").iter_rows())
    return f"Bar chart. {said}."


def _margin(labels: Sequence[str]) -> float:
    """Return the room that labels need to the left of a drawing."""
    return 12 + min(_LONGEST_LABEL, max((svg.width_of(label) for label in labels), default=0))


def _row_label(label: str, left: float, y: float) -> str:
    short = label if len(label) <= _LETTERS else f"{label[: _LETTERS - 1]}\u2026"
    return svg.text(short, left - 8, y + 4, "end")


def stacked_shares(frame: pl.DataFrame, order: Sequence[str], colours: Mapping[str, str]) -> str:
    """Return one bar per `row`, split by `part` (columns row, part, percent), in the orders given."""
    left, right = _margin(order), WIDTH - 14
    entries = [(svg.square(colour), part) for part, colour in colours.items()]
    parts, top = svg.legend(entries, left, right, 10)
    shares = {(row, part): percent for row, part, percent in frame.select("row", "part", "percent").iter_rows()}
    scale, bottom = Scale(0, 100, left, right), top + _ROW * len(order)
    content = [parts, svg.axis_below(scale, top, bottom, "%")]
    for place, row in enumerate(order):
        middle, done = top + _ROW * (place + 0.5), 0.0
        content.append(_row_label(row, left, middle))
        for part, colour in colours.items():
            share = shares.get((row, part)) or 0.0
            tip = f"{row}, {part}: {share:.1f} %"
            x, width = scale.at(done), scale.at(done + share) - scale.at(done)
            content.append(svg.block(x, middle - 9, width, 18, colour, tip))
            done += share
    return svg.drawing("".join(content), WIDTH, bottom + _FOOT)


def bars(frame: pl.DataFrame, title: str, colour: str = TEAL) -> str:
    """Return one bar per `row` with its `value` and the `text` to print beside it, in the order of the frame."""
    rows = frame.select("row", "value", "text").rows()
    left = _margin([row for row, _, _ in rows])
    longest = max((svg.width_of(text) for _, _, text in rows), default=0)
    highest = max((value or 0 for _, value, _ in rows), default=0) or 1
    scale, bottom = Scale(0, highest, left, WIDTH - 16 - longest), 8 + _ROW * len(rows)
    content = [svg.axis_below(scale, 8, bottom, title, 5)]
    for place, (row, value, text) in enumerate(rows):
        middle, end = 8 + _ROW * (place + 0.5), scale.at(value or 0)
        content.append(_row_label(row, left, middle))
        content.append(svg.block(left, middle - 8, end - left, 16, colour, f"{row}: {text}"))
        content.append(svg.text(text, end + 6, middle + 4))
    return svg.drawing("".join(content), WIDTH, bottom + _FOOT)


def row_height(rows: int) -> int:
    """Return how high each of so many rows may be for the drawing to fit a page."""
    return _ROW if rows <= _MOST_LABELS else 18


def intervals(
    frame: pl.DataFrame, title: str = "% (95 % interval)", highest: float | None = None, step: int = _ROW
) -> str:
    """Return a dot with its interval per `row` (percent, ci_low, ci_high); a published range, if any, as a band behind.

    The band runs from `low` to `high`, or stands as a stroke at `published`. Rows are `step` high.
    """
    rows = frame.rows(named=True)
    left, bottom = _margin([row["row"] for row in rows]), 8 + step * len(rows)
    ends = [row.get(name) or 0 for row in rows for name in ("percent", "ci_high", "high", "published")]
    scale = Scale(0, highest or 1.04 * max(ends, default=1) or 1, left, WIDTH - 16)
    content = [svg.axis_below(scale, 8, bottom, title)]
    for place, row in enumerate(rows):
        middle = 8 + step * (place + 0.5)
        content += [_row_label(row["row"], left, middle), _published(row, scale, middle), _interval(row, scale, middle)]
    return svg.drawing("".join(content), WIDTH, bottom + _FOOT)


def _published(row: Mapping[str, float | None], scale: Scale, middle: float) -> str:
    low, high, number = (row.get(name) for name in ("low", "high", "published"))
    if low is not None and high is not None:
        x, width = scale.at(low), scale.at(high) - scale.at(low)
        tip = f"Published: {low:g}\u2013{high:g} %"
        return svg.block(x, middle - 8, width, 16, PALE_GREY, tip)
    if number is None:
        return ""
    x = scale.at(number)
    return svg.line(x, middle - 9, x, middle + 9, svg.stroke(GREY, 3), f"Published: {number:g} %")


def _interval(row: Mapping[str, float], scale: Scale, middle: float, colour: str = TEAL) -> str:
    tip = f"{row['row']}: {row['percent']:.1f} ({row['ci_low']:.1f}\u2013{row['ci_high']:.1f})"
    stroke = svg.line(scale.at(row["ci_low"]), middle, scale.at(row["ci_high"]), middle, svg.stroke(colour))
    return stroke + svg.dot(scale.at(row["percent"]), middle, colour, tip)


def interval_strip(percent: float | None, low: float | None, high: float | None, target: float | None = None) -> str:
    """Return a percentage with its interval on a line from 0 to 100 that fits a cell of a table; the target a stroke.

    Empty where the percentage is not shown.
    """
    if percent is None or low is None or high is None:
        return ""
    scale = Scale(0, 100, 4, 96)
    content = svg.line(4, 9, 96, 9, svg.ink(0.2)) + svg.line(scale.at(low), 9, scale.at(high), 9, svg.stroke(TEAL, 3))
    if target is not None:
        content += svg.line(scale.at(target), 2, scale.at(target), 16, svg.stroke(AMBER, 2))
    return svg.drawing(content + svg.dot(scale.at(percent), 9, TEAL, radius=3.5), 100, 18)


_FUNNEL_LEFT: Final = 46
_FUNNEL_TOP: Final = 44
_FUNNEL_BOTTOM: Final = 310

# Label, total, percent, least and most.
_FunnelRow = tuple[str, int, float | None, float, float]


def funnel(
    points: pl.DataFrame, centre: str | None, pooled: float, title: str, wider: Widening = by_chance_alone
) -> str:
    """Return a funnel plot: one point per centre (`label`, `total`, `percent`) inside exact binomial limits.

    `pooled` is the percentage that the limits stand around, `wider` how over-dispersion draws them away from it;
    `centre` is drawn apart if given. A centre whose rate is not shown stands as the range from `least` to `most` in
    which it must lie, if it has one.
    """
    rows: tuple[_FunnelRow, ...] = tuple(
        zip(*(points[name].to_list() for name in ("label", "total", "percent", "least", "most")), strict=True)
    )
    low_y = min(value for _, _, percent, least, _ in rows for value in (percent, least, pooled) if value is not None)
    x = Scale(0, round(max(total for _, total, *_ in rows) * 1.08) + 1, _FUNNEL_LEFT, WIDTH - 16)
    y = Scale(max(0.0, low_y - 12), 100, _FUNNEL_BOTTOM, _FUNNEL_TOP)
    content = [_funnel_frame(x, y, pooled, title, wider)]
    if centre is None:
        content += _funnel_points(rows, x, y, TEAL, _named_points(points, pooled, wider))
    else:
        others = zip(rows, _funnel_points(rows, x, y, PALE_GREY, frozenset()), strict=True)
        content += [drawn for row, drawn in others if row[0] != centre]
        own = tuple(row for row in rows if row[0] == centre)
        content += _funnel_points(own, x, y, TEAL, frozenset({centre}))
    return svg.drawing("".join(content), WIDTH, _FUNNEL_BOTTOM + _FOOT)


def _named_points(points: pl.DataFrame, pooled: float, wider: Widening) -> frozenset[str]:
    """Return whom a funnel plot names: everybody if few, else those outside the 99.8 % limits."""
    if points.height <= _MOST_LABELS:
        return frozenset(points["label"])
    return frozenset(label for label, side in standings(points, pooled, 0.998, wider).items() if side)


@lru_cache(maxsize=256)
def _funnel_points(
    rows: tuple[_FunnelRow, ...], x: Scale, y: Scale, colour: str, named: frozenset[str]
) -> tuple[str, ...]:
    """Return the drawing of each row: on the page of every centre the others are the same."""
    return tuple(_funnel_point(row, x, y, colour, is_named=row[0] in named) for row in rows)


def _funnel_point(row: _FunnelRow, x: Scale, y: Scale, colour: str, *, is_named: bool) -> str:
    label, total, percent, least, most = row
    at = x.at(total)
    if percent is None:
        tip = f"{label}: {least:.1f} to {most:.1f} % of {total}, hidden because few differ"
        return svg.line(at, y.at(least), at, y.at(most), svg.stroke(colour, 4), tip)
    drawn = svg.dot(at, y.at(percent), colour, f"{label}: {percent:.1f} % of {total}")
    return drawn + (svg.text(label, at, y.at(percent) - 9, "middle", 11) if is_named else "")


@lru_cache(maxsize=256)
def _funnel_frame(x: Scale, y: Scale, pooled: float, title: str, wider: Widening) -> str:
    """Return axes, limits and legend: the same for the registry and each of its centres."""
    entries = [
        (svg.line(0, 0, 15, 0, svg.ink(0.7, dash="4,3")), "95 % limits"),
        (svg.line(0, 0, 15, 0, svg.ink(0.7)), "99.8 % limits"),
        (svg.line(0, 0, 15, 0, svg.ink(0.9, 2)), f"all together, {pooled:.1f} %"),
    ]
    words, _ = svg.legend(entries, _FUNNEL_LEFT, WIDTH, 10)
    content = [words, svg.axis_below(x, y.end, y.start, "Denominator"), svg.axis_beside(y, x.start, x.end, title)]
    content.append(svg.line(x.start, y.at(pooled), x.end, y.at(pooled), svg.ink(0.8, 1.5)))
    denominators = np.unique(np.geomspace(1, x.high, 90).round().astype(np.int64))
    for coverage, dash in ((0.95, "4,3"), (0.998, None)):
        for limit in funnel_limits(denominators, pooled / 100, coverage, wider):
            curve = [
                (x.at(int(total)), y.at(100 * float(rate)))
                for total, rate in zip(denominators, limit, strict=True)
                if 100 * rate >= y.low
            ]
            content.append(svg.path(curve, svg.ink(0.6, dash=dash)) if curve else "")
    return "".join(content)


def standings(
    points: pl.DataFrame, pooled: float, coverage: float, wider: Widening = by_chance_alone
) -> dict[str, int]:
    """Return for each point (`label`, `total`, `percent`) whether it lies below (-1), within (0) or above (1) limits.

    The limits are those of `coverage` around `pooled`; points whose rate is not shown are left out.
    """
    shown = points.drop_nulls("percent")
    low, high = funnel_limits(shown["total"].to_numpy(), pooled / 100, coverage, wider)
    totals = shown["total"].to_numpy()
    met = np.rint(shown["percent"].to_numpy() / 100 * totals)
    sides = (met > totals * high).astype(int) - (met < totals * low).astype(int)
    return dict(zip(shown["label"].to_list(), sides.tolist(), strict=True))


def outside(points: pl.DataFrame, pooled: float, coverage: float, wider: Widening = by_chance_alone) -> tuple[int, int]:
    """Return how many of the points (`total`, `percent`) lie below and above the limits around `pooled`."""
    sides = list(standings(points, pooled, coverage, wider).values())
    return sides.count(-1), sides.count(1)


_PANEL: Final = 150
_PANEL_LEFT: Final = 46


def months(frame: pl.DataFrame, panels: Sequence[str], colours: Mapping[str, str]) -> str:
    """Return one panel below the other with a line over the months per `line` (panel, month, line, least, most).

    Where `least` and `most` differ, the share lies somewhere between them, and a stroke stands for it. Nulls are gaps.
    """
    every_row = frame.sort("month").rows(named=True)
    every = sorted({row["month"] for row in every_row})
    x = Scale(0, max(1, len(every) - 1), _PANEL_LEFT + 8, WIDTH - 24)
    places = {month: x.at(place) for place, month in enumerate(every)}
    words, top = svg.legend([(svg.square(colour), name) for name, colour in colours.items()], _PANEL_LEFT, WIDTH, 10)
    content = [words]
    for number, panel in enumerate(panels):
        rows = [row for row in every_row if row["panel"] == panel]
        low, high = _whole_fives(rows)
        start = top + 20 + number * (_PANEL + 20)
        y = Scale(low, high, start + _PANEL - 44, start + 6)
        content += [
            svg.text(panel, _PANEL_LEFT, start - 8),
            svg.axis_beside(y, _PANEL_LEFT, WIDTH - 16, most=4),
            *(
                svg.text(month, places[month], y.start + 18, "middle", 11)
                for month in every[:: max(1, len(every) // 6)]
            ),
        ]
        for name, colour in colours.items():
            values = [(row["month"], row["least"], row["most"]) for row in rows if row["line"] == name]
            content.append(_monthly(name, values, places, y, colour))
    return svg.drawing("".join(content), WIDTH, top + len(panels) * (_PANEL + 20))


def _monthly(
    name: str,
    values: Sequence[tuple[str, float | None, float | None]],
    places: Mapping[str, float],
    y: Scale,
    colour: str,
) -> str:
    """Return the line of one panel: points joined as long as every month has one."""
    content: list[str] = []
    run: list[tuple[float, float]] = []
    for month, least, most in values:
        x = places[month]
        if least is None or least != most:
            content.append(svg.path(run, svg.stroke(colour)) if len(run) > 1 else "")
            run = []
        if least is None or most is None:
            continue
        if least == most:
            run.append((x, y.at(least)))
            content.append(svg.dot(x, y.at(least), colour, f"{name}, {month}: {least:.1f} %", 2.5))
        else:
            tip = f"{name}, {month}: {least:.1f} to {most:.1f} %"
            content.append(svg.line(x, y.at(least), x, y.at(most), svg.stroke(colour, 3), tip))
    content.append(svg.path(run, svg.stroke(colour)) if len(run) > 1 else "")
    return "".join(content)


def _whole_fives(rows: Sequence[Mapping[str, float | None]]) -> tuple[float, float]:
    """Return the ends of an axis that holds every share (`least`, `most`) with room to spare, in steps of five."""
    ends = [(row["least"], row["most"]) for row in rows]
    known = [end for least, most in ends if least is not None and most is not None for end in (least, most)]
    low, high = (min(known), max(known)) if known else (0.0, 100.0)
    return max(0.0, 5 * ((low - 2) // 5)), min(100.0, 5 * ((high + 7) // 5))


def trend(frame: pl.DataFrame, title: str) -> str:
    """Return a line over the years with its interval (columns year, percent, ci_low, ci_high)."""
    rows = frame.select("year", "percent", "ci_low", "ci_high").rows()
    x = Scale(0, max(1, len(rows) - 1), _FUNNEL_LEFT + 24, WIDTH - 40)
    y = Scale(0, 100, 250, 34)
    content = [svg.axis_beside(y, _FUNNEL_LEFT, WIDTH - 16, title)]
    upper = [(x.at(place), y.at(high)) for place, (_, _, _, high) in enumerate(rows)]
    lower = [(x.at(place), y.at(low)) for place, (_, _, low, _) in enumerate(rows)]
    content.append(svg.path([*upper, *lower[::-1]], svg.fill(TEAL) | {"fill-opacity": "0.2"}, "Z"))
    content.append(svg.path([(x.at(place), y.at(row[1])) for place, row in enumerate(rows)], svg.stroke(TEAL)))
    for place, (year, percent, low, high) in enumerate(rows):
        tip = f"{year}: {percent:.1f} % ({low:.1f}\u2013{high:.1f})"
        content += [svg.dot(x.at(place), y.at(percent), TEAL, tip), svg.text(str(year), x.at(place), 272, "middle")]
    return svg.drawing("".join(content), WIDTH, 284)
