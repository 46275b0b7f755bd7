"""What is too large, too deep or no file at all is refused with a clear error, before it fills memory or waits."""

import gzip
import io
import os
import socket
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts import limits, text
from crlm_pipeline.extracts.mapping_load import load_mapping
from crlm_pipeline.extracts.parquet import read_parquet
from crlm_pipeline.extracts.read import read_sources
from tests.unit.extracts.files import PATIENT, checks, read, table, write
from tests.unit.extracts.test_cbioportal import META, ONE_PATIENT, patients, sample, samples
from tests.unit.extracts.test_text import excel, parquet

BOOK = excel({"patient": [["patient_id", "centre_id", "country"], ["p1", "A", "DE"]]})
MAPPING = """\
mapping: m
files:
  - sheet: patient
    patient_id: ID
    rows:
      - table: patient
        columns: {centre_id: {constant: A}, country: {constant: DE}}
"""
SHEET = "xl/worksheets/sheet1.xml"


def refusal(folder: Path, **files: str | bytes) -> SourceError:
    named = {name.replace("__", "."): content for name, content in files.items()}
    with pytest.raises(SourceError) as caught:
        read(folder, named)
    return caught.value


def repacked(changes: dict[str, bytes], without: tuple[str, ...] = ()) -> bytes:
    """Return the workbook with these parts put in the place of its own."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(BOOK)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        parts = {name: old.read(name) for name in old.namelist() if name not in without}
        for name, content in {**parts, **changes}.items():
            new.writestr(name, content)
    return out.getvalue()


def sheet(cells: str) -> bytes:
    spreadsheet = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?><worksheet xmlns="{spreadsheet}"><sheetData>{cells}</sheetData></worksheet>'.encode()


def cell(place: str | None, text: str = "x") -> str:
    r = f' r="{place}"' if place else ""
    return f'<c{r} t="inlineStr"><is><t>{text}</t></is></c>'


# --- gzip


@pytest.mark.parametrize("name", ["patient.csv.gz", "PATIENT.CSV.GZ"])
def test_packed_text_is_read_like_plain_text(tmp_path: Path, name: str) -> None:
    extract = read(tmp_path, {name: gzip.compress(PATIENT.encode())})
    assert table(extract, "patient").rows() == [(1, "p1", "A", "DE")]
    assert [file.file_name for file in extract.files] == [name]


def test_the_name_of_a_packed_table_tells_which_it_is(tmp_path: Path) -> None:
    error = refusal(tmp_path, patient__csv__gz=gzip.compress(b"patient_id,centre_id\np1,A\n"))
    assert (error.file, error.column) == ("patient.csv.gz", "country")


@pytest.mark.parametrize("cut", [2, 12, -9])
def test_a_packed_table_that_is_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    content = gzip.compress(os.urandom(300).hex().join(("patient_id,centre_id,country\n", ",A,DE\n")).encode())
    assert "gzip file is cut off" in str(refusal(tmp_path, patient__csv__gz=content[:cut]))


def test_a_bomb_of_packed_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RATIO_COUNTS_FROM", 100_000)
    bomb = gzip.compress(PATIENT.encode() + b"p2,A,DE\n" * 1_000_000)
    assert "more than 200 times" in str(refusal(tmp_path / "bomb", patient__csv__gz=bomb))
    harmless = gzip.compress(PATIENT.encode() + b"".join(b"q%d,A,DE\n" % number for number in range(20_000)))
    assert table(read(tmp_path / "harmless", {"patient.csv.gz": harmless}), "patient").height == 20_001


# --- workbooks


def test_a_zip_that_is_no_workbook_is_refused_by_that(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("patient.csv", PATIENT)
    folder = write(tmp_path, {"delivery.zip": out.getvalue()})
    with pytest.raises(SourceError, match=r"no Excel workbook.*Unpack it"):
        read_sources([folder / "delivery.zip"])


def test_an_old_or_protected_workbook_is_refused_by_that(tmp_path: Path) -> None:
    assert "password" in str(refusal(tmp_path, patient__xlsx=b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)))


def test_a_workbook_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RATIO_COUNTS_FROM", 100_000)
    monkeypatch.setattr(limits, "MAX_RATIO", 50)
    assert "more than 50 times" in str(refusal(tmp_path, r__xlsx=repacked({"xl/media/a.bin": bytes(20_000_000)})))
    assert read(tmp_path / "harmless", {"r.xlsx": BOOK})


def test_a_part_that_is_larger_than_it_says_is_counted_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RATIO_COUNTS_FROM", 100_000)
    content = repacked({"xl/media/a.bin": bytes(20_000_000)})
    size, lie = struct.pack("<L", 20_000_000), struct.pack("<L", 100)
    assert content.count(size) >= 1
    lying = content.replace(size, lie).replace(
        struct.pack("<L", zlib.crc32(bytes(20_000_000))), struct.pack("<L", zlib.crc32(bytes(100)))
    )
    assert "more than 200 times" in str(refusal(tmp_path, r__xlsx=lying))


@pytest.mark.parametrize("places", [("A1", "XFD1048576"), ("XFD1", "A1048576")])
def test_a_cell_far_out_makes_no_sheet_of_billions(tmp_path: Path, places: tuple[str, str]) -> None:
    rows = "".join(f'<row r="{place.lstrip("ABCDEFX")}">{cell(place)}</row>' for place in places)
    began = time.monotonic()
    assert "spans more than" in str(refusal(tmp_path, r__xlsx=repacked({SHEET: sheet(rows)})))
    assert time.monotonic() - began < 5


def test_places_that_are_not_written_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SHEET_CELLS", 11)
    header = "".join(cell(None, name) for name in ("patient_id", "centre_id", "country"))
    rows = f"<row>{header}</row>" + f"<row>{cell(None)}</row>" * 2
    assert read(tmp_path / "three", {"r.xlsx": repacked({SHEET: sheet(rows)})})
    more = rows + f"<row>{cell(None)}</row>"
    assert "spans more than" in str(refusal(tmp_path / "four", r__xlsx=repacked({SHEET: sheet(more)})))


def test_an_empty_cell_far_out_is_no_part_of_the_sheet(tmp_path: Path) -> None:
    header = "".join(
        cell(f"{letter}1", name) for letter, name in zip("ABC", ("patient_id", "centre_id", "country"), strict=True)
    )
    rows = f'<row r="1">{header}</row><row r="1048576"><c r="XFD1048576" s="1"/></row>'
    assert read(tmp_path, {"r.xlsx": repacked({SHEET: sheet(rows)})})


def test_a_sheet_that_is_not_well_formed_is_refused(tmp_path: Path) -> None:
    broken = sheet("").replace(b"<sheetData>", b"<sheetData><row r=1>")
    assert "damaged" in str(refusal(tmp_path, r__xlsx=repacked({SHEET: broken})))
    doctype = sheet("").replace(b"<worksheet", b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet')
    assert "damaged" in str(refusal(tmp_path, r__xlsx=repacked({SHEET: doctype})))


def test_an_empty_sheet_that_a_mapping_asks_for_is_refused(tmp_path: Path) -> None:
    mapping = write(
        tmp_path,
        {"m.yaml": MAPPING},
    )
    write(tmp_path / "s", {"r.xlsx": excel({"patient": []})})
    with pytest.raises(SourceError, match="sheet patient is empty"):
        read_sources([tmp_path / "s"], [load_mapping(mapping / "m.yaml")])


# --- Parquet


def test_a_parquet_file_of_too_many_cells_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pl.DataFrame({"patient_id": ["p1"] * 5, "centre_id": "A", "country": "DE"})
    monkeypatch.setattr(limits, "MAX_CELLS", 15)
    assert read(tmp_path / "fits", {"p.parquet": parquet(frame)})
    monkeypatch.setattr(limits, "MAX_CELLS", 14)
    assert "5 rows of 3 columns" in str(refusal(tmp_path / "much", p__parquet=parquet(frame)))


def test_a_parquet_file_that_claims_rows_it_does_not_hold_is_refused(tmp_path: Path) -> None:
    assert "damaged" in str(refusal(tmp_path, p__parquet=claiming(2**40)))


def claiming(rows: int) -> bytes:
    """Return a Parquet file of one row whose footer claims another number of them."""
    content = parquet(pl.DataFrame({"a": ["x"]}))
    length = struct.unpack("<L", content[-8:-4])[0]
    body, footer = content[: -8 - length], content[-8 - length : -8]
    zigzag, varint = rows << 1, bytearray()
    while zigzag > 0x7F:
        varint.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    varint.append(zigzag)
    # The number of rows follows the schema: field 3, an i64 (0x16), one row as a zigzag varint (0x02).
    at = footer.index(b"\x16\x02")
    changed = footer[: at + 1] + bytes(varint) + footer[at + 2 :]
    return body + changed + struct.pack("<L", len(changed)) + content[-4:]


@pytest.mark.parametrize("dtype", [pl.Binary, pl.Duration("us"), pl.Struct({"a": pl.String}), pl.List(pl.Binary)])
def test_what_is_no_text_is_refused_by_its_column(dtype: pl.DataType) -> None:
    with pytest.raises(SourceError, match="nested or binary"):
        read_parquet(parquet(pl.DataFrame({"a": pl.Series([None], dtype=dtype)})), "patient.parquet")


def test_integers_beyond_64_bits_stay_as_they_are() -> None:
    frame = pl.DataFrame(
        {
            "a": pl.Series([2**64 - 1], dtype=pl.UInt64),
            "b": pl.Series(["12345678901234567890123.00"]).cast(pl.Decimal(38, 2)),
        }
    )
    assert read_parquet(parquet(frame), "f").rows() == [(1, "18446744073709551615", "12345678901234567890123.00")]
    assert text.read_text(b"a\n123456789012345678901234567890\n", "f").rows() == [(1, "123456789012345678901234567890")]


@pytest.mark.parametrize(
    ("dtype", "per_day"), [(pl.Date, 1), (pl.Datetime("ms"), 86_400_000), (pl.Datetime("us", "UTC"), 86_400_000_000)]
)
def test_days_beyond_the_calendar_stay_numbers(dtype: pl.DataType, per_day: int) -> None:
    days = [0, 2_932_895, 2_932_897, -719_161, -719_164, 9_999_999]
    numbers = pl.Series([day * per_day for day in days], dtype=pl.Int32 if per_day == 1 else pl.Int64)
    delivered = numbers.cast(dtype)
    far = [str(2_932_897 * per_day), str(-719_164 * per_day), str(9_999_999 * per_day)]
    read = read_parquet(parquet(pl.DataFrame({"a": delivered})), "f")["a"].to_list()
    assert read == ["1970-01-01", "9999-12-30", far[0], "0001-01-02", far[1], far[2]]
    lists = pl.DataFrame({"a": delivered}).select(pl.col("a").implode())
    assert read_parquet(parquet(lists), "f")["a"].to_list() == [";".join(read)]


def test_numbers_that_are_none_are_not_lost() -> None:
    frame = pl.DataFrame({"a": [float("inf"), float("-inf"), float("nan")]})
    assert read_parquet(parquet(frame), "f")["a"].to_list() == ["inf", "-inf", None]


# --- text


def test_a_cell_beyond_ten_megabytes_is_refused_by_its_place() -> None:
    for quote in ("", '"'):
        largest, larger = ("x" * (limits.MAX_CELL_BYTES + more) for more in (0, 1))
        assert text.read_text(f"a,b\n1,2\n3,{quote}{largest}{quote}\n".encode(), "f").height == 2
        with pytest.raises(SourceError, match="larger than 10 MB") as caught:
            text.read_text(f"a,b\n1,2\n3,{quote}{larger}{quote}\n".encode(), "f")
        assert (caught.value.row, caught.value.column) == (2, "b")


def test_a_hundred_thousand_columns_are_refused_in_no_time(tmp_path: Path) -> None:
    wide = "patient_id,centre_id,country," + ",".join(f"c{number}" for number in range(100_000)) + "\n"
    began = time.monotonic()
    assert "100,003 columns" in str(refusal(tmp_path, patient__csv=wide + "p1,A,DE" + "," * 100_000 + "\n"))
    assert time.monotonic() - began < 5
    most = ",".join(f"c{number}" for number in range(limits.MAX_COLUMNS)) + "\n"
    assert text.read_text(most.encode(), "f").width == limits.MAX_COLUMNS + 1


def test_too_many_cells_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CELLS", 4)
    assert text.read_text(b"a,b\n1,2\n3,4\n", "f").height == 2
    with pytest.raises(SourceError, match="3 rows of 2 columns"):
        text.read_text(b"a,b\n1,2\n3,4\n5,6\n", "f")


@pytest.mark.parametrize("name", ["*", "^.*$", "^a$"])
def test_a_header_is_never_taken_for_a_pattern(name: str) -> None:
    assert text.read_text(f"a,{name}\n1,2\n".encode(), "f").columns == ["source_row", "a", "column_2"]


@pytest.mark.parametrize("ends", ["\r", "\r\n", "\n"])
def test_lines_may_end_in_any_of_three_ways(tmp_path: Path, ends: str) -> None:
    content = "patient_id,centre_id,country\np1,A,DE\n\np2,A,DE\n".replace("\n", ends)
    frame = table(read(tmp_path, {"patient.csv": content.encode()}), "patient")
    assert frame.select("source_row", "patient_id").rows() == [(1, "p1"), (3, "p2")]


def test_mixed_line_ends_lose_no_row() -> None:
    assert text.read_text(b"a,b\r\n1,2\n3,4\r\n", "f").height == 2
    with pytest.raises(SourceError, match="The row has 3 cells"):
        text.read_text(b"a,b\n1,2\r3,4\n", "f")
    assert text.read_text(b'a,b\n"1",2\r3,4\n', "f").height == 2


def test_a_damaged_quotation_is_refused_at_its_row() -> None:
    for broken in (b'a,b\n1,"2"\n3,"x"y\n', b'a,b\n1,"2"\n3,"x\n'):
        with pytest.raises(SourceError, match="quotation mark") as caught:
            text.read_text(broken, "f")
        assert caught.value.row == 2


@pytest.mark.parametrize(
    "content",
    [PATIENT.encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")]
    + [
        PATIENT.replace("A", "Köln").encode("latin-1"),
        PATIENT.encode() + b"\xed\xa0\x80,A,DE\n",
        PATIENT.encode() + b"\x00",
    ],
)
def test_other_encodings_are_refused(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, patient__csv=content).file == "patient.csv"


# --- files and folders


def test_links_are_followed_out_of_the_folder_as_well(tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere", {"patient.csv": PATIENT})
    folder = write(tmp_path / "source", {"notes.txt": "x"})
    (folder / "patient.csv").symlink_to(elsewhere / "patient.csv")
    assert table(read_sources([folder]), "patient").height == 1


def test_loops_of_links_end(tmp_path: Path) -> None:
    folder = write(tmp_path / "source", {"patient.csv": PATIENT, "a/b/x.txt": "x"})
    for name in ("a/loop", "a/b/up", "again"):
        (folder / name).symlink_to(folder)
    extract = read_sources([folder])
    assert table(extract, "patient").height == 1
    unused = [notice.message.split(":")[0] for notice in extract.notices]
    assert sorted(unused) == [
        "a/b/up",
        "a/b/x.txt",
        "a/loop",
        "again",
    ]


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "source", {"patient.csv": PATIENT})
    (folder / "tumour.csv").symlink_to(folder / "tumour.csv")
    with pytest.raises(text.UnreadableError, match=r"tumour\.csv"):
        read_sources([folder])


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    folder = write(tmp_path / "source", {"patient.csv": PATIENT})
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        before = Path.cwd()
        os.chdir(folder)
        listening.bind("socket")
        os.chdir(before)
        yield folder


def test_pipes_and_sockets_are_passed_over_and_noticed(pipe: Path) -> None:
    extract = read_sources([pipe])
    assert [notice.message.split(":")[0] for notice in extract.notices] == ["pipe", "socket"]


def test_a_pipe_with_the_name_of_a_table_is_refused(pipe: Path) -> None:
    os.mkfifo(pipe / "tumour.csv")
    with pytest.raises(text.UnreadableError, match=r"tumour\.csv: It is no regular file"):
        read_sources([pipe])


def test_a_pipe_or_device_that_is_named_is_refused(pipe: Path) -> None:
    for named in (pipe / "pipe", Path("/dev/zero")):
        with pytest.raises(text.UnreadableError, match="no regular file"):
            read_sources([named])


def test_folders_too_deep_or_too_full_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deepest = tmp_path.joinpath("source", *["d"] * limits.MAX_DEPTH)
    write(deepest, {"patient.csv": PATIENT})
    assert table(read_sources([tmp_path / "source"]), "patient").height == 1
    (deepest / "d").mkdir()
    with pytest.raises(SourceError, match="source: The folder holds folders in folders"):
        read_sources([tmp_path / "source"])
    monkeypatch.setattr(limits, "MAX_FILES", 2)
    write(tmp_path / "full", {f"{number}.txt": "x" for number in range(3)})
    with pytest.raises(SourceError, match="full: The folder holds more than 2 files"):
        read_sources([tmp_path / "full"])


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "patient.csv").open("wb") as sparse:
        sparse.truncate(limits.MAX_FILE_BYTES + 1)
    began = time.monotonic()
    with pytest.raises(SourceError, match="larger than 16 GB"):
        read_sources([tmp_path])
    assert time.monotonic() - began < 5


def test_a_mapping_file_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("mapping: m\n" + "# x\n" * (limits.MAX_MAPPING_BYTES // 4), encoding="utf-8")
    with pytest.raises(SourceError, match="larger than 1 MB"):
        load_mapping(path)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"a\nb.txt", r"a\x0ab.txt"),
        (b"\x1b[31mred.txt", r"\x1b[31mred.txt"),
        (b"caf\xe9.txt", r"caf\udce9.txt"),
        ("\u202etxt.exe".encode(), r"\u202etxt.exe"),
    ],
)
def test_signs_of_a_name_that_could_do_harm_are_escaped(tmp_path: Path, name: bytes, shown: str) -> None:
    folder = write(tmp_path / "source", {"patient.csv": PATIENT})
    Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(b"x")  # noqa: PTH118  # the name is no text
    assert [notice.message.split(": ")[0] for notice in read_sources([folder]).notices] == [shown]
    os.rename(os.path.join(os.fsencode(folder), name), os.path.join(os.fsencode(folder), name + b".csv"))  # noqa: PTH118, PTH104
    (folder / "patient.csv").rename(os.fsdecode(os.path.join(os.fsencode(folder), name + b".csv")))  # noqa: PTH118
    (file,) = read_sources([folder]).files
    assert file.file_name == f"{shown}.csv"


def test_nothing_outside_the_source_is_opened_by_a_name_in_a_file(tmp_path: Path) -> None:
    """Python tells of every file it opens."""
    secret = write(tmp_path / "outside", {"secret.txt": "x"}) / "secret.txt"
    names = ("../outside/secret.txt", str(secret), "/etc/passwd", "data_clinical_patient.txt/../../outside/secret.txt")
    metas = {
        f"meta_{number}.txt": f"cancer_study_identifier: study_x\ndata_filename: {name}\n"
        for number, name in enumerate(names)
    }
    folder = write(
        tmp_path / "source",
        {"meta_study.txt": META, "p.txt": ONE_PATIENT, "s.txt": samples(sample()), **metas},
    )
    opened: list[str] = []
    is_watching = True

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if is_watching and event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            opened.append(os.fsdecode(arguments[0]))

    sys.addaudithook(watch)
    extract = read_sources([folder])
    is_watching = False
    assert checks(extract).count("meta_names_absent_file") == len(names)
    assert any(path.startswith(str(folder)) for path in opened)
    assert not [path for path in opened if path.endswith("secret.txt") or path == "/etc/passwd"]


@pytest.mark.parametrize(
    "hostile",
    [
        "name: b" + " " * 200_000 + "c",
        "name: " + "\n" * 200_000 + "c",
        "stable_id: x\ngene_list: b" + " " * 200_000 + "c",
        "stable_id: x" + "\n" * 200_000 + "c",
    ],
)
def test_a_meta_file_of_blanks_takes_no_time(tmp_path: Path, hostile: str) -> None:
    began = time.monotonic()
    read(tmp_path, {"meta_study.txt": META + hostile, "p.txt": ONE_PATIENT, "s.txt": samples(sample())})
    assert time.monotonic() - began < 10


def test_a_description_without_end_takes_no_time(tmp_path: Path) -> None:
    hostile = patients(("P1", "Male", "2", "0:LIVING", "60"), descriptions="\t".join(("a", "b", "since " * 20_000)))
    began = time.monotonic()
    read(tmp_path, {"meta_study.txt": META, "p.txt": hostile, "s.txt": samples(sample())})
    assert time.monotonic() - began < 10
