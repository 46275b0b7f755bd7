"""Drawings over time: survival curves, p-charts, shares around a change; `figures` draws the rest."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import polars as pl

from crlm_pipeline.report import drawing as svg
from crlm_pipeline.report.drawing import Scale
from crlm_pipeline.report.figures import WIDTH

WITHIN: Final = "Within the limits"
IN_RUN: Final = "In a run of eight or more"
BEYOND: Final = "Beyond the limits"
_COLOURS: Final = {WITHIN: svg.TEAL, IN_RUN: svg.AMBER, BEYOND: svg.RED}
_LEFT: Final = 46
_HEIGHT: Final = 230
_APART: Final = 5  # between the points of two curves at the same month
_MOST_PERIODS: Final = 12

_Period = tuple[str, float | None, float | None, str]


def survival(frame: pl.DataFrame, colours: Mapping[str, str]) -> str:
    """Return a curve per `line` (line, month, percent, ci_low, ci_high), known at some months and nowhere between."""
    months = sorted(frame["month"].unique().to_list())
    words, top = svg.legend([(svg.square(colour), name) for name, colour in colours.items()], _LEFT, WIDTH, 10)
    x = Scale(0, months[-1], _LEFT + 10, WIDTH - 40)
    y = Scale(0, 100, top + _HEIGHT, top + 24)
    content = [words, svg.axis_beside(y, _LEFT, WIDTH - 16, "% alive")]
    content += [svg.text(str(month), x.at(month), y.start + 18, "middle") for month in months]
    content.append(svg.text("Months since the first dose", (x.start + x.end) / 2, y.start + 38, "middle"))
    for place, (name, colour) in enumerate(colours.items()):
        rows = frame.filter(pl.col("line") == name).sort("month")
        points = rows.select("month", "percent", "ci_low", "ci_high").rows()
        at = [(x.at(month) + _APART * place, y.at(percent)) for month, percent, *_ in points]
        content.append(svg.path(at, svg.stroke(colour, 1.5) | {"stroke-dasharray": "4,3"}))
        for (across, down), (month, percent, low, high) in zip(at, points, strict=True):
            tip = f"{name}, {month} months: {percent:.0f} %"
            if low is not None and high is not None:
                tip += f" ({low:.0f}\u2013{high:.0f})"
                content.append(svg.line(across, y.at(low), across, y.at(high), svg.stroke(colour, 1.5)))
            content.append(svg.dot(across, down, colour, tip, 3.5))
    return svg.drawing("".join(content), WIDTH, y.start + 46)


def process_chart(frame: pl.DataFrame, centre_line: float) -> str:
    """Return a p-chart (percent throughout): `period`, `least` and `most` of its rate, `low`, `high`, `signal`.

    A rate that is only known to lie between `least` and `most` is a stroke; null is a gap. The baseline is shaded.
    """
    periods: list[_Period] = frame.select("period", "least", "most", "signal").rows()
    words, top = svg.legend([(svg.square(colour), name) for name, colour in _COLOURS.items()], _LEFT, WIDTH, 10)
    x = Scale(-0.5, len(periods) - 0.5, _LEFT, WIDTH - 16)
    y = Scale(*_ends(frame, centre_line), top + _HEIGHT, top + 24)
    shaded = x.at(frame.filter("is_baseline").height - 0.5)
    baseline = {"x": x.start, "y": y.end, "width": shaded - x.start, "height": y.start - y.end, "fill-opacity": "0.25"}
    content = [
        words,
        svg.mark("rect", svg.fill(svg.PALE_GREY) | baseline),
        svg.axis_beside(y, _LEFT, WIDTH - 16, "%"),
        svg.line(x.start, y.at(centre_line), x.end, y.at(centre_line), svg.ink(0.8, 1.5)),
        _limit_line(frame["low"].to_list(), x, y),
        _limit_line(frame["high"].to_list(), x, y),
        *_period_names(frame["period"].to_list(), x, y.start + 18),
        _rates(periods, x, y),
    ]
    return svg.drawing("".join(content), WIDTH, y.start + 26)


def _limit_line(limits: Sequence[float | None], x: Scale, y: Scale) -> str:
    """Return a limit as steps, as long as periods have it."""
    parts: list[str] = []
    steps: list[tuple[float, float]] = []
    for place, limit in enumerate([*limits, None]):
        if limit is not None:
            steps += [(x.at(place - 0.5), y.at(limit)), (x.at(place + 0.5), y.at(limit))]
        elif steps:
            parts.append(svg.path(steps, svg.ink(0.6, dash="4,3")))
            steps = []
    return "".join(parts)


def _rates(periods: Sequence[_Period], x: Scale, y: Scale) -> str:
    """Return a point or stroke for each period, and a line through the points that stand beside each other."""
    marks: list[str] = []
    beside: list[tuple[float, float]] = []
    for place, (name, least, most, signal) in enumerate([*periods, ("", None, None, WITHIN)]):
        colour, across = _COLOURS[signal], x.at(place)
        if least is not None and least == most:
            beside.append((across, y.at(least)))
            marks.append(svg.dot(*beside[-1], colour, f"{name}: {least:.1f} %. {signal}", 3.5))
            continue
        if len(beside) > 1:
            marks.insert(0, svg.path(beside, svg.stroke(svg.GREY, 1)))
        beside = []
        if least is not None and most is not None:
            tip = f"{name}: {least:.1f} to {most:.1f} %. {signal}"
            marks.append(svg.line(across, y.at(least), across, y.at(most), svg.stroke(colour, 4), tip))
    return "".join(marks)


def _period_names(names: Sequence[str], x: Scale, y: float) -> list[str]:
    """Return the years below their first period, as many as there is room for."""
    firsts = [(place, name[:4]) for place, name in enumerate(names) if place == 0 or name[:4] != names[place - 1][:4]]
    return [
        svg.text(year, x.at(place), y, "middle", 11)
        for place, year in firsts[:: 1 + (len(firsts) - 1) // _MOST_PERIODS]
    ]


def _ends(frame: pl.DataFrame, centre_line: float) -> tuple[float, float]:
    """Return the ends of an axis that holds rates, limits and centre line, in whole fives and within 0 and 100."""
    shown = [value for name in ("least", "most", "low", "high") for value in frame[name].drop_nulls()]
    low, high = min([*shown, centre_line]), max([*shown, centre_line])
    return max(0.0, 5 * ((low - 1) // 5)), min(100.0, 5 * ((high + 6) // 5))


def before_and_after(frame: pl.DataFrame, change: str, title: str) -> str:
    """Return shares with their intervals in time (period, percent, ci_low, ci_high) and the day of a change.

    Days are text (ISO). A `line` column, if there is one, tells series of points apart.
    """
    named = frame if "line" in frame.columns else frame.with_columns(line=pl.lit(""))
    rows = named.select("line", "period", "percent", "ci_low", "ci_high")
    lines = dict(zip(rows["line"].unique(maintain_order=True), (svg.TEAL, svg.GREY), strict=False))
    left, right = _LEFT, WIDTH - 24
    entries = [(svg.square(colour), words) for words, colour in lines.items() if words]
    key, top = svg.legend(entries, left, right, 10) if entries else ("", 10)
    every = [date.fromisoformat(day).toordinal() for day in [*rows["period"], change]]
    x = Scale(min(every), max(every), left + 12, right)
    y = Scale(0, 100, top + 170, top + 24)
    day = x.at(date.fromisoformat(change).toordinal())
    content = [key, svg.axis_beside(y, left, right, title), *_years_below(x, y.start)]
    content.append(svg.line(day, y.start, day, y.end, svg.stroke(svg.AMBER) | {"stroke-dasharray": "5 3"}, change))
    for words, colour in lines.items():
        content += _shares_in_time(rows.filter(line=words).drop("line").rows(), x, y, colour)
    return svg.drawing("".join(content), WIDTH, y.start + 30)


def _years_below(x: Scale, bottom: float) -> Iterator[str]:
    first, last = date.fromordinal(int(x.low)).year, date.fromordinal(int(x.high)).year
    for year in range(first + 1, last + 1):
        place = x.at(date(year, 1, 1).toordinal())
        yield svg.line(place, bottom, place, bottom + 4, svg.ink(0.35)) + svg.text(
            str(year), place, bottom + 20, "middle"
        )


def _shares_in_time(rows: Sequence[tuple[str, float, float, float]], x: Scale, y: Scale, colour: str) -> Iterator[str]:
    places = [x.at(date.fromisoformat(day).toordinal()) for day, *_ in rows]
    yield svg.path([(place, y.at(row[1])) for place, row in zip(places, rows, strict=True)], svg.stroke(colour))
    for place, (day, percent, low, high) in zip(places, rows, strict=True):
        tip = f"{day}: {percent:.1f} % ({low:.1f}\u2013{high:.1f})"
        yield svg.line(place, y.at(low), place, y.at(high), svg.stroke(colour, 1))
        yield svg.dot(place, y.at(percent), colour, tip, 3)
