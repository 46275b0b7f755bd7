"""Sources: which files are found, what format they are, and what is refused."""

import hashlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts import read as reading
from crlm_pipeline.extracts import text
from crlm_pipeline.extracts.format import Format
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.source import Group
from crlm_pipeline.extracts.tables import Delivery
from tests.unit.extracts.files import PATIENT, checks, read, table, write
from tests.unit.extracts.test_text import excel, parquet

TUMOUR = "patient_id;tumour_id;topography\np1;1;C187\n"


def refusal(folder: Path, files: dict[str, str | bytes]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(folder, files)
    return caught.value


def test_a_folder_of_canonical_tables_is_read_as_text(tmp_path: Path) -> None:
    extract = read(tmp_path, {"patient.csv": PATIENT, "tumour.csv": TUMOUR})
    assert table(extract, "patient").rows() == [(1, "p1", "A", "DE")]
    assert table(extract, "tumour").rows() == [(1, "p1", "1", "C18.7")]
    assert [
        (file.file_name, file.format, file.calendar, file.row_count, file.unmapped_count) for file in extract.files
    ] == [
        ("patient.csv", "canonical", "real", 1, 0),
        ("tumour.csv", "canonical", "real", 1, 0),
    ]
    assert extract.notices == ()


def test_raw_records_stay_as_delivered(tmp_path: Path) -> None:
    (part,) = read(tmp_path, {"patient.csv": "patient_id,centre_id,country,shoe\n p1 ,A,DE,43\n"}).tables
    assert part.frame.rows() == [(1, "p1", "A", "DE")]
    assert part.raw.rows() == [(1, " p1 ", "A", "DE", "43")]


def test_a_file_is_known_by_its_name_and_content(tmp_path: Path) -> None:
    (file,) = read(tmp_path, {"patient.csv": PATIENT}).files
    assert file.source_file_id == hashlib.sha256(b"patient.csv\x00" + PATIENT.encode()).hexdigest()[:16]
    assert (file.sha256, file.byte_count) == (hashlib.sha256(PATIENT.encode()).hexdigest(), len(PATIENT))


def test_a_table_is_recognised_by_its_header_under_any_file_name(tmp_path: Path) -> None:
    extract = read(tmp_path, {"export_2024.txt": PATIENT, "b.csv": TUMOUR})
    assert {part.table_name for part in extract.tables} == {"patient", "tumour"}


def test_sheets_of_a_workbook_are_tables(tmp_path: Path) -> None:
    book = excel(
        {
            "patient": [["patient_id", "centre_id", "country"], ["p1", "A", "DE"]],
            "mdt": [["patient_id", "mdt_date"], ["p1", "2024-01-02"], ["p1", "2024-02-03"]],
            "notes": [["anything"], ["x"]],
        }
    )
    extract = read(tmp_path, {"registry.xlsx": book})
    assert table(extract, "mdt").height == 2
    assert [(file.row_count, file.unmapped_count) for file in extract.files] == [(3, 0)]
    assert checks(extract) == ["file_not_used"]


def test_columns_outside_the_contract_are_kept_out_and_noticed_without_their_values(tmp_path: Path) -> None:
    extract = read(tmp_path, {"patient.csv": "patient_id,centre_id,country,shoe\np1,A,DE,43\n"})
    (notice,) = extract.notices
    assert (notice.check_name, notice.table_name, notice.column_name) == ("unknown_column", "patient", "shoe")
    assert "43" not in notice.message


def test_files_that_are_not_used_are_noticed_by_name(tmp_path: Path) -> None:
    extract = read(
        tmp_path, {"patient.csv": PATIENT, "README.md": "hello", "notes.txt": "a, b", "logo.png": b"\x89PNG\x00"}
    )
    assert [notice.message.split(":")[0] for notice in extract.notices] == ["README.md", "logo.png", "notes.txt"]
    assert set(checks(extract)) == {"file_not_used"}


def test_files_may_be_named_one_by_one(tmp_path: Path) -> None:
    folder = write(tmp_path, {"patient.csv": PATIENT, "tumour.csv": TUMOUR})
    extract = read_sources([folder / "patient.csv", folder / "tumour.csv"])
    assert [file.file_name for file in extract.files] == ["patient.csv", "tumour.csv"]


def test_centres_may_lie_in_folders_of_their_own(tmp_path: Path) -> None:
    extract = read(
        tmp_path, {"a/patient.csv": PATIENT, "b/patient.csv": PATIENT.replace("p1", "p2"), "c/x.csv": "a,b\n"}
    )
    assert [file.file_name for file in extract.files] == ["a/patient.csv", "b/patient.csv"]
    assert table(extract, "patient")["patient_id"].to_list() == ["p1", "p2"]
    assert checks(extract) == ["file_not_used"]


def test_the_same_file_in_two_sources_is_read_once(tmp_path: Path) -> None:
    folders = [write(tmp_path / name, {"patient.csv": PATIENT}) for name in ("first", "second")]
    extract = read_sources(folders)
    assert table(extract, "patient").height == 1
    assert len(extract.files) == 1
    assert checks(extract) == ["file_repeated"]


def test_a_missing_required_column_is_named(tmp_path: Path) -> None:
    error = refusal(tmp_path, {"patient.csv": "patient_id,centre_id\np1,A\n"})
    assert (error.file, error.column, error.exit_code) == ("patient.csv", "country", 3)


def test_a_folder_without_a_patient_table_is_refused(tmp_path: Path) -> None:
    assert "no patient table" in str(refusal(tmp_path, {"tumour.csv": TUMOUR}))


@pytest.mark.parametrize("files", [{"x.csv": "a,b\n1,2\n"}, {"x.pdf": "%PDF"}, {"readme.txt": "hello"}])
def test_what_is_no_registry_file_is_refused(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    assert "No registry format" in str(refusal(tmp_path, files))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No registry format"):
        read_sources([tmp_path])


@pytest.mark.parametrize(
    "files",
    [
        {"patient.csv": PATIENT, "tumour.csv": b""},
        {"patient.csv": PATIENT, "tumour.csv": TUMOUR.encode("utf-16")},
        {"patient.csv": PATIENT, "anything.parquet": b"PAR1 cut"},
        {"patient.csv": PATIENT, "anything.xlsx": b"PK\x03\x04 cut"},
        {"patient.csv": PATIENT, "tumour.csv": TUMOUR + "p2;1\n"},
    ],
)
def test_a_damaged_table_is_refused_and_not_passed_over(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    assert refusal(tmp_path, files).file in files


def test_a_named_file_that_is_empty_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, {"export": b""})
    with pytest.raises(SourceError, match="empty"):
        read_sources([folder / "export"])


def test_a_source_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"absent\.csv"):
        read_sources([tmp_path / "absent.csv"])


@pytest.mark.parametrize("name", ["patient.csv", "notes.txt"])
def test_a_file_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    folder = write(tmp_path, {"patient.csv": PATIENT, "notes.txt": "x"})
    allowed = Path.open

    def deny(path: Path, *args: Any, **options: Any) -> object:
        if path.name == name:
            raise PermissionError(13, "denied")
        return allowed(path, *args, **options)

    monkeypatch.setattr(Path, "open", deny)
    with pytest.raises(text.UnreadableError, match=name):
        read_sources([folder])


def test_a_folder_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path, {"patient.csv": PATIENT, "inner/tumour.csv": TUMOUR})
    allowed = Path.iterdir

    def deny(path: Path) -> object:
        if path.name == "inner":
            raise PermissionError(13, "denied")
        return allowed(path)

    monkeypatch.setattr(Path, "iterdir", deny)
    with pytest.raises(text.UnreadableError, match="inner"):
        read_sources([folder])


def test_parquet_tables_are_read(tmp_path: Path) -> None:
    content = parquet(
        pl.DataFrame({"patient_id": ["p1"], "centre_id": ["A"], "country": ["DE"], "birth_year": [1950.0]})
    )
    assert table(read(tmp_path, {"patient.parquet": content}), "patient").rows() == [(1, "p1", "A", "DE", "1950")]


def test_a_deletion_list_that_changes_while_the_rest_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path, {"patient.csv": PATIENT, "deletion.csv": "patient_id\np9\n"})
    original = reading.read_delivery

    def changing(format_: Format, group: Group) -> Delivery:
        (folder / "deletion.csv").write_text("patient_id\np9\np8\n")
        return original(format_, group)

    monkeypatch.setattr(reading, "read_delivery", changing)
    with pytest.raises(SourceError, match="changed while it was being read") as refused:
        read_sources([folder])
    assert refused.value.file == "deletion.csv"
