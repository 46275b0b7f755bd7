"""The journal: whatever happened to it, the next run can be recorded and those before can be read."""

from datetime import datetime
from pathlib import Path

import pytest

from flows.journal import Entry, entries, journal_file, record


def entry(run_id: str) -> Entry:
    night = datetime(2026, 11, 26, 2, 0)
    return Entry(run_id=run_id, name="nightly", started_at=night, ended_at=night, outcome="published")


def test_entries_are_read_as_they_were_recorded_and_are_the_owners_alone(tmp_path: Path) -> None:
    warehouse = tmp_path / "crlm.duckdb"
    assert entries(warehouse) == []
    for run_id in ("one", "two"):
        record(warehouse, entry(run_id))
    assert entries(warehouse) == [entry("one"), entry("two")]
    assert journal_file(warehouse).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("left", [b'{"run_id": "tw', b'{"run_id": "\xc3', b'{"run_id": "two"}\n', b"\x00\x00\n", b"\n"])
def test_what_a_killed_run_or_another_version_left_is_passed_over(tmp_path: Path, left: bytes) -> None:
    warehouse = tmp_path / "crlm.duckdb"
    record(warehouse, entry("one"))
    with journal_file(warehouse).open("ab") as journal:
        journal.write(left)
    assert entries(warehouse) == [entry("one")]
    record(warehouse, entry("three"))
    assert entries(warehouse) == [entry("one"), entry("three")]
