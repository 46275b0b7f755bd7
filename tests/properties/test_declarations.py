"""The one pass over all declarations finds the very cells that Pandera finds."""

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crlm_pipeline.validation.checks import failing_cells, told_by_pandera
from schemas.column import Column, Table, describe
from schemas.extract import EXTRACT_MODELS


def _cell(column: Column) -> st.SearchStrategy[object]:
    """Return values of the column's type: on, within and beyond its bounds, in and outside its vocabulary or form."""
    known = column.values or ("DE", "C18.7", "a")
    words = st.sampled_from([*known, "", "de", "DEU", "xDE", "DE\n", "C18.77", "\nC18.7", "C18x7", known[0].upper()])
    if column.is_list:
        return st.lists(words, min_size=1, max_size=3)
    if column.dtype in (pl.Int32(), pl.Float64()):
        whole = column.dtype == pl.Int32()
        bounds = [int(bound) for bound in (column.low, column.high) if bound is not None]
        near = [bound + step for bound in bounds for step in ((-1, 0, 1) if whole else (-0.5, 0, 0.5))]
        return st.sampled_from([*near, 0, 7, -1])
    if column.dtype == pl.Boolean():
        return st.booleans()
    return st.dates() if column.dtype == pl.Date() else words


@st.composite
def frames(draw: Callable[[st.SearchStrategy[object]], object], model: type[Table]) -> pl.DataFrame:
    """Draw a frame of a table, with values of its types that are seldom all as declared."""
    table = describe(model)
    height = draw(st.integers(0, 6))
    cells = {column.name: st.one_of(st.none(), _cell(column), _cell(column)) for column in table.columns}
    rows = [{name: draw(cell) for name, cell in cells.items()} for _ in range(height)]  # type: ignore[call-overload]
    return pl.DataFrame(rows, schema=table.polars_schema)


@pytest.mark.parametrize("model", EXTRACT_MODELS)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_one_pass_finds_what_pandera_finds(model: type[Table], data: st.DataObject) -> None:
    frame = data.draw(frames(model))
    assert failing_cells(model, frame).sort(pl.all()).equals(told_by_pandera(model, frame).sort(pl.all()))
