"""An alluvial drawing: bands from what was recommended on the left to what was given on the right, as static SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import polars as pl

from crlm_pipeline.report import drawing as svg
from crlm_pipeline.report.drawing import AMBER, GREY, TEAL

WIDTH: Final = 720
_LEFT, _RIGHT, _BAR = 215, 505, 10
_TALL: Final = 260
_GAP: Final = 17
_TOP: Final = 26


@dataclass(frozen=True, slots=True)
class _Node:
    """A bar at one side: its place and height in the drawing, and how much of it bands have taken."""

    top: float
    height: float


def alluvial(flows: pl.DataFrame) -> str:
    """Return the drawing of flows (recommended, given, n, kind, title), largest first on both sides.

    `kind` colours a band: followed, other or open (no pathway named). `title` shows on hover.
    """
    scale = _TALL / max(1, int(flows["n"].sum()))
    left, right = _nodes(flows, "recommended", scale), _nodes(flows, "given", scale)
    tall = _TOP + max(_bottom(left), _bottom(right))
    parts = [*_bands(flows, left, right, scale), *_bars(left, _LEFT, "end"), *_bars(right, _RIGHT - _BAR, "start")]
    heads = "".join(
        f'<text x="{x}" y="14" text-anchor="{anchor}" font-weight="bold">{text}</text>'
        for x, anchor, text in ((_LEFT + _BAR, "end", "Recommended"), (_RIGHT - _BAR, "start", "Given"))
    )
    return svg.drawing("".join((heads, *parts)), WIDTH, tall)


def _nodes(flows: pl.DataFrame, side: str, scale: float) -> dict[str, _Node]:
    sizes = flows.group_by(side).agg(pl.col("n").sum()).sort("n", side, descending=[True, False])
    nodes, top = {}, float(_TOP)
    for name, n in sizes.iter_rows():
        nodes[name] = _Node(top, n * scale)
        top += n * scale + _GAP
    return nodes


def _bottom(nodes: dict[str, _Node]) -> float:
    return max((node.top + node.height for node in nodes.values()), default=0.0)


def _bars(nodes: dict[str, _Node], x: int, anchor: str) -> Iterator[str]:
    text_x = x - 6 if anchor == "end" else x + _BAR + 6
    for name, node in nodes.items():
        middle = node.top + node.height / 2
        yield (
            f'<rect x="{x}" y="{node.top:.1f}" width="{_BAR}" height="{max(node.height, 1):.1f}" opacity="0.75"/>'
            f'<text x="{text_x}" y="{middle + 4:.1f}" text-anchor="{anchor}">{escape(name)}</text>'
        )


_COLOURS: Final = {"followed": TEAL, "other": AMBER, "open": GREY}


def _bands(flows: pl.DataFrame, left: dict[str, _Node], right: dict[str, _Node], scale: float) -> Iterator[str]:
    taken = {("left", name): node.top for name, node in left.items()}
    taken |= {("right", name): node.top for name, node in right.items()}
    for row in _in_order(flows, tuple(left), tuple(right)):
        start, end = ("left", row["recommended"]), ("right", row["given"])
        thick = row["n"] * scale
        yield _band(taken[start], taken[end], thick, _COLOURS[row["kind"]], row["title"])
        taken[start] += thick
        taken[end] += thick


def _in_order(flows: pl.DataFrame, left: Sequence[str], right: Sequence[str]) -> list[dict[str, Any]]:
    """Return the flows from the top down on both sides, so that bands cross as little as they can."""
    rows = flows.rows(named=True)
    return sorted(rows, key=lambda row: (left.index(row["recommended"]), right.index(row["given"])))


def _band(start: float, end: float, thick: float, colour: str, title: str) -> str:
    x0, x1 = _LEFT + _BAR, _RIGHT - _BAR
    middle = (x0 + x1) / 2
    upper = f"M{x0} {start:.1f}C{middle} {start:.1f} {middle} {end:.1f} {x1} {end:.1f}"
    lower = f"V{end + thick:.1f}C{middle} {end + thick:.1f} {middle} {start + thick:.1f} {x0} {start + thick:.1f}Z"
    return svg.mark("path", {"d": upper + lower, **svg.fill(colour), "opacity": "0.5"}, title)
