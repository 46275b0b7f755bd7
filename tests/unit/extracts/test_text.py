"""Files as text: what is read, and where and why a file is refused."""

import io
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts import text
from crlm_pipeline.extracts.parquet import header_of_parquet, read_parquet


def rows(content: str | bytes) -> list[tuple[object, ...]]:
    return text.read_text(content.encode() if isinstance(content, str) else content, "patient.csv").rows()


def refusal(content: str | bytes) -> SourceError:
    with pytest.raises(SourceError) as caught:
        rows(content)
    assert caught.value.exit_code == 3
    return caught.value


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_of_three_delimiters_is_found_in_the_header(separator: str) -> None:
    content = "\n".join(separator.join(cells) for cells in (("a", "b"), ("1", "x"), ("2", "y"))) + "\n"
    assert rows(content) == [(1, "1", "x"), (2, "2", "y")]


def test_a_list_in_a_cell_does_not_change_the_delimiter() -> None:
    assert rows("id,sites\n1,liver;lung;bone\n") == [(1, "1", "liver;lung;bone")]


def test_a_byte_order_mark_and_windows_line_ends_are_taken_off() -> None:
    assert rows(b"\xef\xbb\xbfa,b\r\n1,2\r\n") == [(1, "1", "2")]
    assert text.read_text(b"\xef\xbb\xbfa,b\r\n1,2\r\n", "f").columns == ["source_row", "a", "b"]


def test_codes_and_numbers_stay_as_written_and_empty_cells_are_unknown() -> None:
    assert rows("a,b,c\n00123,1.50,\n") == [(1, "00123", "1.50", None)]


@pytest.mark.parametrize("comment", ["#a,b", "# names: a,b", "#a,b,c"])
def test_a_comment_that_holds_the_words_of_the_header_is_no_header(comment: str) -> None:
    assert rows(f"{comment}\n#x\na,b\n1,2\n") == [(1, "1", "2")]


def test_blank_lines_make_no_record_but_keep_the_count_of_rows() -> None:
    assert rows("a,b\n1,2\n\n3,4\n") == [(1, "1", "2"), (3, "3", "4")]
    assert rows('a,b\n1,"2"\n\n3,4\n') == [(1, "1", "2"), (3, "3", "4")]


def test_comment_lines_above_the_header_are_no_rows() -> None:
    assert rows("#one\n#two\na\tb\n1\t2\n") == [(1, "1", "2")]


def test_quoted_cells_may_hold_delimiters_quotes_and_line_breaks() -> None:
    assert rows('a,b\n"x, ""y""","two\nlines"\n3,4\n') == [(1, 'x, "y"', "two\nlines"), (2, "3", "4")]


def test_a_literal_pair_of_quotes_in_tab_text_is_unknown() -> None:
    assert rows('a\tb\n""\t"x"\n5" long\ty\n') == [(1, None, "x"), (2, '5" long', "y")]


def test_a_header_without_rows_is_a_table_without_rows() -> None:
    assert rows("a,b\n") == []
    assert rows('a,"b"') == []


def test_a_nameless_column_without_values_is_dropped() -> None:
    assert text.read_text(b"a,b,\n1,2,\n", "f").columns == ["source_row", "a", "b"]


def test_a_delivered_column_source_row_does_not_replace_ours() -> None:
    assert text.read_text(b"a,source_row\n1,77\n", "f").rows() == [(1, "1", "77")]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"  \n"])
def test_an_empty_file_is_refused(content: bytes) -> None:
    assert "empty" in str(refusal(content))


def test_a_ragged_row_is_refused_by_its_number() -> None:
    assert refusal("a,b\n1,2\n3\n").row == 2
    assert refusal("a,b\n1,2,3\n").row == 1
    assert refusal('a,b\n"1",2\n3,4,5\n').row == 2


def test_a_column_that_stands_twice_is_refused_by_its_name() -> None:
    assert refusal("a,b,a\n1,2,3\n").column == "a"


def test_another_encoding_is_refused_at_the_row_where_it_breaks() -> None:
    assert refusal("a,b\n1,2\n3,Köln\n".encode("latin-1")).row == 2
    assert refusal("ä,b\n1,2\n".encode("latin-1")).row is None
    assert refusal(b"#x\xff\na,b\n").row is None


def test_nul_bytes_are_refused() -> None:
    assert refusal(b"a,b\n1,2\n3,\x00\n").row == 2
    assert "UTF-16" in str(refusal("a,b\n1,2\n".encode("utf-16")))


def test_an_open_quotation_mark_is_refused() -> None:
    assert "quotation" in str(refusal('a,b\n1,"2\n'))


def test_a_refusal_never_shows_a_cell() -> None:
    for content in ("a,b\nsecret\n", 'a,b\n1,"secret\n', "a,b\nsecret,ö\n".encode("latin-1")):
        assert "secret" not in str(refusal(content))


def parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def test_parquet_becomes_the_text_a_csv_would_hold() -> None:
    frame = pl.DataFrame(
        {
            "number": [3.0, None],
            "measure": [2.5, float("nan")],
            "day": [date(2024, 1, 2), None],
            "moment": [datetime(2024, 1, 2), datetime(2024, 1, 2, 3, 4, 5)],
            "truth": [True, False],
            "sites": [["liver", "lung"], None],
            "name": ["x", " "],
        }
    )
    assert read_parquet(parquet(frame), "patient.parquet").rows() == [
        (1, "3", "2.5", "2024-01-02", "2024-01-02", "true", "liver;lung", "x"),
        (2, None, None, None, "2024-01-02 03:04:05", "false", None, None),
    ]


@pytest.mark.parametrize(
    ("dtype", "exact", "rounded"),
    [(pl.Float64, 2**53 - 1, 2**53), (pl.Float64, 1 - 2**53, -(2**53)), (pl.Float32, 2**24 - 1, 2**24)],
)
def test_a_float_beyond_its_exact_numbers_is_refused(dtype: type[pl.DataType], exact: int, rounded: int) -> None:
    kept = pl.DataFrame({"id": [1, None, exact]}, schema={"id": dtype})
    assert read_parquet(parquet(kept), "patient.parquet")["id"].to_list() == ["1", None, str(exact)]
    with pytest.raises(SourceError, match="rounded") as caught:
        read_parquet(parquet(pl.DataFrame({"id": [1, None, rounded]}, schema={"id": dtype})), "patient.parquet")
    assert (caught.value.file, caught.value.row, caught.value.column) == ("patient.parquet", 3, "id")
    assert str(rounded) not in str(caught.value)


def test_a_whole_number_of_64_bit_is_kept_with_all_its_digits() -> None:
    frame = pl.DataFrame({"id": [2**63 - 1, 2**53 + 1]})
    assert read_parquet(parquet(frame), "patient.parquet")["id"].to_list() == [str(2**63 - 1), str(2**53 + 1)]


def test_a_truncated_parquet_file_is_refused() -> None:
    cut = parquet(pl.DataFrame({"a": [1]}))[:60]
    for read in (read_parquet, header_of_parquet):
        with pytest.raises(SourceError, match="cut off"):
            read(cut, "patient.parquet")


def test_nested_values_in_parquet_are_refused_by_column() -> None:
    with pytest.raises(SourceError) as caught:
        read_parquet(parquet(pl.DataFrame({"a": [{"b": 1}]})), "patient.parquet")
    assert caught.value.column == "a"


def excel(sheets: dict[str, list[list[object]]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"default_date_format": "yyyy-mm-dd"})
    for name, cells in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(cells):
            sheet.write_row(number, 0, row)
    book.close()
    return buffer.getvalue()


def test_excel_keeps_codes_and_writes_dates_as_iso() -> None:
    content = excel({"patient": [["id", "day", "n"], ["00123", date(2024, 1, 2), 3], [], ["b", None, 2.5]]})
    frame = text.read_sheet(content, "patient", "registry.xlsx")
    assert frame.rows() == [(1, "00123", "2024-01-02", "3"), (3, "b", None, "2.5")]


@pytest.mark.parametrize("number", [10**15, -(10**15), 12345678901234567890, 1e300])
def test_a_number_with_more_digits_than_a_spreadsheet_keeps_is_refused(number: float) -> None:
    content = excel({"patient": [["name", "id"], ["a", 7], [], ["b", number]]})
    with pytest.raises(SourceError, match="rounded") as caught:
        text.read_sheet(content, "patient", "registry.xlsx")
    assert (caught.value.row, caught.value.column) == (3, "id")


def test_fifteen_digits_and_any_digits_of_text_are_kept() -> None:
    whole = ["12345678901234567890", "1E5", "0071", "9999999999999999"]
    content = excel({"patient": [["name", "id"], *([cell, 10**15 - 1] for cell in whole)]})
    frame = text.read_sheet(content, "patient", "registry.xlsx")
    assert frame["name"].to_list() == whole
    assert frame["id"].to_list() == ["999999999999999"] * 4


def test_a_damaged_workbook_is_refused() -> None:
    with pytest.raises(SourceError, match="cut off"):
        text.workbook(b"PK\x03\x04 not a workbook", "registry.xlsx")


def test_a_column_that_stands_twice_in_a_sheet_is_refused() -> None:
    with pytest.raises(SourceError) as caught:
        text.read_sheet(excel({"patient": [["a", "a"], [1, 2]]}), "patient", "registry.xlsx")
    assert caught.value.column == "a"


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(text.UnreadableError, match=r"patient\.csv"):
        text.read_bytes(tmp_path / "absent.csv", "patient.csv")


def test_a_header_with_a_carriage_return_within_is_split_as_it_stands() -> None:
    assert text.header_of_text("a,b\rc\n1,2\n") == ("a", "b\rc")


CELLS = st.text(st.sampled_from("a1 \u00a0é#\r\v\ufeff\u2028"), max_size=3)
ODD_CELLS = st.text(st.sampled_from('a,;\t\n"\x00'), max_size=3)


@st.composite
def delimited(draw: st.DrawFn) -> bytes:
    """Draw a delimited text: most lines have all their cells and nothing out of the ordinary."""
    separator, end = draw(st.sampled_from(",;\t")), draw(st.sampled_from(["\n", "\r\n"]))
    width = draw(st.integers(1, 4))
    header = separator.join(draw(st.sampled_from(["", f"c{number}"])) for number in range(width))
    cell = st.integers(0, 30).flatmap(lambda chance: CELLS if chance else ODD_CELLS)
    of_any_width = st.integers(0, 30).flatmap(lambda chance: st.just(width) if chance else st.integers(0, 5))
    line = of_any_width.flatmap(lambda cells: st.lists(cell, min_size=cells, max_size=cells)).map(separator.join)
    text_of_all = end.join([header, *draw(st.lists(line, max_size=6))]) + draw(st.sampled_from(["", end]))
    return text_of_all.encode() + draw(st.sampled_from([b"", b"", b"", b"\xff"]))


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(delimited(), st.integers(1, 30))
@example(b",,,\n,,1\r,", 1)
@example(b"a,b\r\n1,2\r\n3,4", 1)
def test_a_file_is_read_alike_in_parts_and_with_a_comment_above_which_is_read_as_a_whole(content: bytes, size: int):
    def outcome(given: bytes) -> pl.DataFrame | str:
        try:
            return text.read_text(given, "f")
        except SourceError as error:
            return str(error)

    assume(content.strip())  # a comment beside nothing is no empty file
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(text, "_PART_BYTES", size)
        in_parts, whole = outcome(content), outcome(b"#\n" + content)
    assert in_parts == whole if isinstance(in_parts, str) or isinstance(whole, str) else in_parts.equals(whole)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_file_of_which_nothing_is_out_of_the_ordinary_is_read_in_parts(
    separator: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "_read_any", None)
    monkeypatch.setattr(text, "_PART_BYTES", 8)
    lines = [("a", "b"), ("1", "é"), ("", "2"), ("3", "")]
    assert rows(end.join(map(separator.join, lines))) == [(1, "1", "é"), (2, None, "2"), (3, "3", None)]
