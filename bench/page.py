"""`python -m bench.page`: writes the measured part of docs/performance.md and its drawing from `results.json`."""

import math
from collections.abc import Sequence
from pathlib import Path

from bench.results import Result, read_results
from bench.targets import TARGETS, Target
from crlm_pipeline.report import drawing as svg

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "performance.md"
CHART = DOCS / "assets" / "performance.svg"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"

_WIDTH, _HEIGHT = 640.0, 380.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 70.0, _WIDTH - 45, 84.0, _HEIGHT - 50
_CURVES = {
    "read_csv": ("read the files (Polars)", svg.GREY),
    "ingest": ("ingest", svg.PALE_TEAL),
    "annotate": ("judge by one edition", svg.TEAL),
    "report": ("report", svg.AMBER),
    "run": ("whole run", svg.RED),
}


def page_text(frame: str, results: Sequence[Result]) -> str:
    """Return the page with its measured part replaced."""
    before, rest = frame.split(BEGIN)
    return before + BEGIN + measured_part(results) + END + rest.split(END)[1]


def measured_part(results: Sequence[Result]) -> str:
    """Return the tables of the results, the largest registry first."""
    return "".join(f"\n{_table(result)}" for result in reversed(results)) + "\n"


def _table(result: Result) -> str:
    pairs = result["pairs"].values()
    head = (
        f"### {result['patients']:,} patients\n\n{result['date']}, {result['machine']}; "
        f"medians of {min(pairs)} to {max(pairs)} rounds.\n\n"
        "| what, beside what | aim | measured | met |\n| --- | --- | --- | --- |\n"
    )
    return head + "".join(_row(target, found) for target in TARGETS if (found := target.found(result)) is not None)


def _row(target: Target, found: float) -> str:
    bound = f"{'at least' if target.is_floor else 'at most'} {target.bound:,g}"
    said = "yes" if target.is_met(found) else f"no. {target.because}".strip()
    return f"| {target.words} | {bound} | {_figure(found)} | {said} |\n"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def chart(results: Sequence[Result]) -> str:
    """Return seconds against size, both on scales of powers of ten."""
    points = {name: curve for name in _CURVES if (curve := _points(name, results))}
    every = [point for curve in points.values() for point in curve]
    across = _scale([x for x, _ in every], _LEFT, _RIGHT)
    up = _scale([y for _, y in every], _BOTTOM, _TOP)
    drawn = [_across(across), _up(up)]
    for name, curve in points.items():
        words, colour = _CURVES[name]
        places = [(across.at(math.log10(x)), up.at(math.log10(y))) for x, y in curve]
        drawn.append(svg.path(places, svg.stroke(colour)))
        drawn += [
            svg.dot(*place, colour, f"{words}: {y:.3g} s for {x:,}")
            for place, (x, y) in zip(places, curve, strict=True)
        ]
    legend, _ = svg.legend([(svg.square(_CURVES[name][1]), _CURVES[name][0]) for name in points], _LEFT, _WIDTH, 14)
    picture = svg.drawing("".join(drawn) + legend, _WIDTH, _HEIGHT)
    # A file of its own knows no style sheet: it brings its paper and the colour of its text.
    return picture.replace(
        "<svg ", '<svg xmlns="http://www.w3.org/2000/svg" style="background:#fff;color:#222;font-family:sans-serif" ', 1
    )


def _points(name: str, results: Sequence[Result]) -> list[tuple[int, float]]:
    """Return size and seconds; what is judged counts decisions, all else patients."""
    sized = [result for result in results if name in result["seconds"]]
    of_decisions = name == "annotate"
    return [(r["rows"][name] if of_decisions else r["patients"], r["seconds"][name]) for r in sized]


def _scale(values: Sequence[float], start: float, end: float) -> svg.Scale:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return svg.Scale(low, max(high, low + 1), start, end)


def _across(scale: svg.Scale) -> str:
    parts = [svg.text("patients; decisions where they are judged", (_LEFT + _RIGHT) / 2, _BOTTOM + 38, "middle")]
    for power in range(int(scale.low), int(scale.high) + 1):
        x = scale.at(power)
        parts += [svg.line(x, _TOP, x, _BOTTOM, svg.ink(0.12)), _power(10**power, x, _BOTTOM + 18, "middle")]
    return "".join(parts)


def _up(scale: svg.Scale) -> str:
    parts = [svg.text("seconds", _LEFT, _TOP - 12)]
    for power in range(int(scale.low), int(scale.high) + 1):
        y = scale.at(power)
        parts += [svg.line(_LEFT, y, _RIGHT, y, svg.ink(0.12)), _power(10**power, _LEFT - 8, y + 4, "end")]
    return "".join(parts)


def _power(value: float, x: float, y: float, anchor: str) -> str:
    return svg.text(f"{value:,g}" if value < 1 else f"{value:,.0f}", x, y, anchor)


def main() -> None:
    results = read_results()
    PAGE.write_text(page_text(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    CHART.write_text(chart(results) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
