"""The strokes that figures are drawn with, as SVG text: scales, axes, legends and marks with a tooltip.

A colour is a class that the page's style sheet paints for light and dark, with the light one beside it for what knows
no style sheet, such as a PDF. A tooltip is the mark's `<title>`: it shows without a script, and holds what it is given.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

TEAL: Final = "#2a8c93"
PALE_TEAL: Final = "#7fbcc0"
AMBER: Final = "#d9962b"
RED: Final = "#c0493d"
GREY: Final = "#8d979e"
PALE_GREY: Final = "#b9c1c6"
# What the style sheet calls each colour.
NAMES: Final = {
    TEAL: "teal",
    PALE_TEAL: "pale-teal",
    AMBER: "amber",
    RED: "red",
    GREY: "grey",
    PALE_GREY: "pale-grey",
}
FONT_SIZE: Final = 13
_LETTER: Final = 7.8  # a letter's usual width at that size
_STEPS: Final = (1, 2, 2.5, 5, 10)

Number = float | int


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight scale from values to places on the paper."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: Number) -> float:
        """Return the place of a value."""
        return self.start + (value - self.low) / ((self.high - self.low) or 1) * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Return at most so many round values within the scale (one more at times), the ends among them if round."""
        span = (self.high - self.low) or 1
        magnitude = 10 ** math.floor(math.log10(span / most))
        step = next(step * magnitude for step in _STEPS if span / (step * magnitude) <= most)
        first = math.ceil(self.low / step - 1e-9)
        return [round(step * place, 10) for place in range(first, math.floor(self.high / step + 1e-9) + 1)]


def number(value: Number) -> str:
    """Return a number without needless digits."""
    return f"{value:.10g}"


def width_of(text: str, size: float = FONT_SIZE) -> float:
    """Return about how wide a text is."""
    return len(text) * _LETTER * size / FONT_SIZE


def _attributes(attributes: Mapping[str, object]) -> str:
    parts = (f'{name}="{_rounded(value)}"' for name, value in attributes.items() if value is not None)
    return " ".join(parts)


def _rounded(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else escape(str(value))


def mark(tag: str, attributes: Mapping[str, object], tip: str = "") -> str:
    """Return an element with its tooltip; an attribute that is None is left out."""
    opened = f"<{tag} {_attributes(attributes)}"
    return f"{opened}><title>{escape(tip)}</title></{tag}>" if tip else f"{opened}/>"


def fill(colour: str) -> dict[str, object]:
    """Return the attributes that fill a mark with one of the colours above."""
    return {"class": f"fill-{NAMES[colour]}", "fill": colour}


def stroke(colour: str, width: Number = 2) -> dict[str, object]:
    """Return the attributes that draw a mark's outline in one of the colours above."""
    return {"class": f"stroke-{NAMES[colour]}", "stroke": colour, "stroke-width": width, "fill": "none"}


def ink(opacity: Number, width: Number = 1, dash: str | None = None) -> dict[str, object]:
    """Return the attributes of a thin stroke in the colour of the text around the drawing."""
    return {
        "stroke": "currentColor",
        "stroke-opacity": f"{opacity:g}",
        "stroke-width": width,
        "stroke-dasharray": dash,
        "fill": "none",
    }


def text(content: str, x: float, y: float, anchor: str = "start", size: float = FONT_SIZE) -> str:
    """Return a line of text; `y` is its base line."""
    placed = {"x": x, "y": y, "text-anchor": None if anchor == "start" else anchor}
    return f"<text {_attributes(placed | {'font-size': None if size == FONT_SIZE else size})}>{escape(content)}</text>"


def line(x1: float, y1: float, x2: float, y2: float, attributes: Mapping[str, object], tip: str = "") -> str:
    """Return a straight stroke."""
    return mark("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, **attributes}, tip)


def path(points: Iterable[tuple[float, float]], attributes: Mapping[str, object], closed: str = "") -> str:
    """Return a stroke through points; "Z" closes it."""
    return mark("path", {"d": "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points) + closed, **attributes})


def dot(x: float, y: float, colour: str, tip: str = "", radius: float = 4.5) -> str:
    """Return a filled point."""
    return mark("circle", {"cx": x, "cy": y, "r": radius, **fill(colour)}, tip)


def block(x: float, y: float, width: float, height: float, colour: str, tip: str = "") -> str:
    """Return a filled rectangle."""
    return mark("rect", {"x": x, "y": y, "width": width, "height": height, **fill(colour)}, tip)


def axis_below(scale: Scale, top: float, bottom: float, title: str, most: int = 6) -> str:
    """Return a grid of upright lines with their values below them, and the title of the axis."""
    parts = []
    for value in scale.ticks(most):
        x = scale.at(value)
        parts += [line(x, top, x, bottom, ink(0.12)), text(number(value), x, bottom + 18, "middle")]
    return "".join(parts) + text(title, (scale.start + scale.end) / 2, bottom + 38, "middle")


def axis_beside(scale: Scale, left: float, right: float, title: str = "", most: int = 5) -> str:
    """Return a grid of level lines with their values to the left, and the title of the axis above them."""
    parts = []
    for value in scale.ticks(most):
        y = scale.at(value)
        parts += [line(left, y, right, y, ink(0.12)), text(number(value), left - 8, y + 4, "end")]
    return "".join(parts) + (text(title, left, scale.end - 12) if title else "")


def legend(entries: Sequence[tuple[str, str]], left: float, right: float, y: float) -> tuple[str, float]:
    """Return swatches with their words, in as many rows as they need, and the place below them."""
    parts, x = [], left
    for swatch, words in entries:
        width = 22 + width_of(words) + 16
        if x > left and x + width > right + 16:
            x, y = left, y + 20
        parts.append(f'<g transform="translate({x:.0f},{y:.0f})">{swatch}{text(words, 20, 4)}</g>')
        x += width
    return "".join(parts), y + 24


def square(colour: str) -> str:
    """Return the swatch of an area."""
    return block(0, -6, 12, 12, colour)


def drawing(content: str, width: float, height: float) -> str:
    """Return the whole drawing, hidden from readers that cannot see it: the page says what it shows."""
    return (
        f'<svg aria-hidden="true" focusable="false" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" font-size="{FONT_SIZE}" fill="currentColor">{content}</svg>'
    )
