"""Safe tables as HTML, by great_tables without its style sheet: the page's own serves light, dark, paper and phone."""

import re
from collections.abc import Mapping
from typing import Final

import polars as pl
from great_tables import GT

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report.fragments import Table

_STYLE: Final = re.compile(r"<style>.*?</style>", re.DOTALL)
_INLINE_STYLE: Final = re.compile(r'(<div id="[^"]*") style="[^"]*">')
_TABLE: Final = '<table class="gt_table" data-quarto-disable-processing="false" data-quarto-bootstrap="false">'


def table(data: SafeTable, columns: Mapping[str, str], caption: str, *, text: tuple[str, ...] = ()) -> Table:
    """Return a table of the columns given (name: heading); the first names the row, `text` are not numbers."""
    assert isinstance(data, SafeTable), "only safe tables are rendered"
    names = list(columns)
    frame = data.frame.select(pl.col(name).cast(pl.String).fill_null("\u2013") for name in names)
    numbers = [name for name in names[1:] if name not in text]
    made = GT(frame, id=f"table-{data.name}", rowname_col=names[0]).tab_stubhead(columns[names[0]])
    made = made.cols_label(cases={name: columns[name] for name in names[1:]})
    made = made.cols_align("right", columns=numbers) if numbers else made
    made = made.cols_align("left", columns=list(text)) if text else made
    html = _STYLE.sub("", made.as_raw_html())
    html = _INLINE_STYLE.sub(r'\1 class="scroll" tabindex="0">', html).replace(_TABLE, "<table>")
    return Table(html, caption, data)
