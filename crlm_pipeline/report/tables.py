"""Safe tables as HTML. It reads without the page's script, which sorts, filters and narrows by what stands here."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report.fragments import Table

_MISSING: Final = "\u2013"
# Names of rows with more letters need a wide column.
_LONG: Final = 30
# The columns that a reader may choose one value of.
_CHOICES: Final = frozenset(
    ("edition_id", "guideline", "series", "year", "population", "analyte", "table_name", "verdict", "severity", "state")
)


def table(
    data: SafeTable,
    columns: Mapping[str, str],
    caption: str,
    *,
    text: Sequence[str] = (),
    links: Mapping[str, str] | None = None,
    drawings: Mapping[str, Sequence[str]] | None = None,
) -> Table:
    """Return a table of the columns given (name: heading); the first names the row, `text` are not numbers.

    `links` maps a column to the one that holds the address it leads to, null where to none. `drawings` are columns by
    heading, of one small drawing per row made by `figures`; they stand beside the name of the row, always in view.
    """
    assert isinstance(data, SafeTable), "only safe tables are rendered"
    first, *others = columns
    heads = [_head(first, columns[first], is_text=True)]
    cells = [[f'<th scope="row">{shown}</th>' for shown in _shown(data.frame, first, links or {})]]
    for heading, drawn in (drawings or {}).items():
        heads.append(f'<th scope="col" class="drawing">{escape(heading)}</th>')
        cells.append([f'<td class="drawing">{svg}</td>' for svg in drawn])
    for name in others:
        heads.append(_head(name, columns[name], is_text=name in text))
        opened = "<td>" if name in text else '<td class="number">'
        cells.append([f"{opened}{shown}</td>" for shown in _shown(data.frame, name, links or {})])
    rows = "\n".join(f"<tr>{''.join(row)}</tr>" for row in zip(*cells, strict=True))
    kind = ' class="long"' if any(len(str(value)) > _LONG for value in data.frame[first]) else ""
    head = f"<table{kind}>\n<thead><tr>{''.join(heads)}</tr></thead>"
    html = f"{head}\n<tbody>\n{rows}\n</tbody>\n</table>"
    return Table(html, caption, data)


def _head(name: str, heading: str, *, is_text: bool) -> str:
    kind = (" data-choose" if name in _CHOICES else "") if is_text else ' class="number"'
    return f'<th scope="col"{kind}>{escape(heading)}</th>'


def _shown(frame: pl.DataFrame, name: str, links: Mapping[str, str]) -> list[str]:
    texts = frame[name].cast(pl.String).to_list()
    shown = [_MISSING if value is None else escape(value) for value in texts]
    if name in links:
        targets = [None if target is None else escape(target) for target in frame[links[name]]]
        pairs = zip(shown, targets, strict=True)
        shown = [text if target is None else f'<a href="{target}">{text}</a>' for text, target in pairs]
    return shown
