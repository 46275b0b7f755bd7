"""Text that a spreadsheet would run leaves with an apostrophe in front; all other cells leave as they are."""

import polars as pl
import pytest

from crlm_pipeline.safe_cells import defused


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "  ="])
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(start: str) -> None:
    text = f'{start}HYPERLINK("https://example.org")'
    assert defused(pl.DataFrame({"drug": [text]}))["drug"].to_list() == ["'" + text]


def test_a_text_that_only_holds_such_a_sign_further_on_stays() -> None:
    texts = ["C18.7", "FOLFOX=1", "p.Gly12Cys", "5-FU", "", " oxaliplatin", None]
    assert defused(pl.DataFrame({"drug": texts}))["drug"].to_list() == texts


def test_numbers_stay_numbers_even_below_zero() -> None:
    frame = pl.DataFrame({"days": [-5, 5, None], "rate": [-0.5, 0.5, None]})
    assert defused(frame).equals(frame)


def test_a_frame_without_text_or_rows_stays() -> None:
    frame = pl.DataFrame(schema={"drug": pl.String, "n": pl.Int64})
    assert defused(frame).equals(frame)
