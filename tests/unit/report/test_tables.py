"""Tables as HTML: what they escape, link and leave for the script of the page."""

import polars as pl

from crlm_pipeline.disclosure import plain
from crlm_pipeline.report.tables import table


def made(**columns: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def test_cells_and_headings_are_text_whatever_they_hold() -> None:
    html = table(plain("t", made(a=["<script>"], b=['"&'])), {"a": "<b>", "b": "B"}, "t").html
    assert "<script>" not in html
    assert '<th scope="col">&lt;b&gt;</th><th scope="col" class="number">B</th>' in html
    assert '<tr><th scope="row">&lt;script&gt;</th><td class="number">&quot;&amp;</td></tr>' in html


def test_what_is_missing_is_a_dash_and_a_text_column_stands_left() -> None:
    html = table(plain("t", made(a=["x"], b=[None])), {"a": "A", "b": "B"}, "t", text=("b",)).html
    assert '<th scope="row">x</th><td>\u2013</td>' in html


def test_a_cell_leads_where_its_row_says_or_nowhere() -> None:
    frame = made(a=["x", "y"], to=["p.html?a&b", None])
    html = table(plain("t", frame), {"a": "A"}, "t", links={"a": "to"}).html
    assert '<a href="p.html?a&amp;b">x</a>' in html
    assert '<th scope="row">y</th>' in html


def test_the_columns_that_a_reader_may_choose_from_are_marked_and_drawings_stand_beside_the_name() -> None:
    frame = made(edition_id=["e", "f"], n=["1", "2"])
    html = table(plain("t", frame), {"edition_id": "Edition", "n": "N"}, "t", drawings={"Line": ["<svg/>", ""]}).html
    assert '<th scope="col" data-choose>Edition</th>' in html
    assert '<th scope="row">e</th><td class="drawing"><svg/></td><td class="number">1</td></tr>' in html
