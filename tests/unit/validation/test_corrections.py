"""Correction lists: one per centre, complete enough to mend the source, readable by their owner alone."""

import stat
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline.errors import UsageError
from crlm_pipeline.validation import Ingested, write_corrections
from crlm_pipeline.validation.corrections import list_name
from tests.text_extracts import row, validated

HOSTILE = ["../../etc/passwd", "..", "/", "a/b", "a b", "NL03", "nl03", "x" * 300, "é", "\u202ecsv.exe", "unknown", "-"]


def two_centres() -> Ingested:
    patients = [
        row("patient", sex="F"),
        row("patient", patient_id="p2", centre_id="B", sex='=HYPERLINK("https://example.org")'),
        row("patient", patient_id="p3", centre_id=None),
    ]
    tumours = [row("tumour", patient_id="p2", morphology="8240/3")]
    return validated(patient=patients, tumour=tumours)


def read(path: Path) -> list[dict[str, str]]:
    return pl.read_csv(path, infer_schema=False).to_dicts()


def test_each_centre_gets_its_own_rows_and_nobody_elses(tmp_path: Path) -> None:
    written = write_corrections(two_centres().corrections, tmp_path / "lists")
    assert [(one.centre_id, one.lines) for one in written] == [("A", 1), ("B", 2), (None, 1)]
    patients = {
        one.centre_id: {line["patient_id"] for line in read(tmp_path / "lists" / one.file_name)} for one in written
    }
    assert patients == {"A": {"p1"}, "B": {"p2"}, None: {"p3"}}
    assert written[-1].file_name == "unknown.csv"


def test_a_line_says_where_what_was_expected_and_what_was_delivered(tmp_path: Path) -> None:
    written = write_corrections(two_centres().corrections, tmp_path / "lists")
    (line,) = read(tmp_path / "lists" / written[0].file_name)
    assert line == {
        "file": "f1.csv",
        "row": "1",
        "table": "patient",
        "column": "sex",
        "check": "not_in_vocabulary",
        "severity": "error",
        "set_aside": "cell",
        "expected": "sex: expected one of female, male, other. Correct it in the source; until then the cell counts as "
        "unknown.",
        "delivered_value": "F",
        "patient_id": "p1",
        "corrected_value": None,
    }


def test_errors_stand_before_what_is_only_odd_and_was_used_as_it_is(tmp_path: Path) -> None:
    written = write_corrections(two_centres().corrections, tmp_path / "lists")
    lines = read(tmp_path / "lists" / written[1].file_name)
    assert [(line["severity"], line["set_aside"]) for line in lines] == [("error", "cell"), ("warning", None)]


def test_a_value_that_a_spreadsheet_would_run_is_defused(tmp_path: Path) -> None:
    written = write_corrections(two_centres().corrections, tmp_path / "lists")
    assert read(tmp_path / "lists" / written[1].file_name)[0]["delivered_value"].startswith("'=HYPERLINK")


def test_folder_and_lists_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "lists"
    folder.mkdir(mode=0o755)
    write_corrections(two_centres().corrections, folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_no_centre_id_leads_a_list_astray_or_onto_another(tmp_path: Path) -> None:
    patients = [row("patient", patient_id=f"p{number}", centre_id=name, sex="F") for number, name in enumerate(HOSTILE)]
    written = write_corrections(validated(patient=patients).corrections, tmp_path / "lists")
    names = [one.file_name for one in written]
    assert len({name.lower() for name in names}) == len(HOSTILE)
    assert sorted(path.name for path in (tmp_path / "lists").iterdir()) == sorted(names)
    assert all(name.isascii() and len(name) < 100 and "/" not in name for name in names)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lists"]


def test_rows_of_no_known_centre_never_share_a_list_with_a_centre_called_unknown() -> None:
    assert list_name(None) != list_name("unknown")


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "filled-in.csv").write_text("a centre's work")
    with pytest.raises(UsageError, match="--corrections"):
        write_corrections(two_centres().corrections, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["filled-in.csv"]


def test_the_value_is_that_of_the_row_where_several_rows_share_a_record() -> None:
    lines = validated(mdt=[row("mdt", mdt_type="one"), row("mdt", mdt_type="two")]).corrections
    assert lines.sort("row")["delivered_value"].to_list() == ["one", "two"]


def test_a_clean_source_has_nothing_to_correct(tmp_path: Path) -> None:
    assert write_corrections(validated().corrections, tmp_path / "lists") == []
