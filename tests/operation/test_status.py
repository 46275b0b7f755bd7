"""How things stand: in words, for machines and as an exit code, for everything that can be wrong."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from crlm_pipeline.errors import SourceError, WarehouseBusyError
from crlm_pipeline.locking import is_held, lock
from flows.configuration import Configuration
from flows.job import half_made_file, ingested_file
from flows.journal import Alert, Entry, journal_file, record
from flows.status import LONGEST_SILENCE, SOMETHING_IS_WRONG, Status, in_words, status_of, summary_markdown
from tests.command_line import Crlm

NIGHT = datetime(2026, 11, 26, 2, 0)
LATE = Alert(kind="missing_drop", text="nothing came for 8 days.", about="north")
SHIFT = Alert(kind="verdict_shift", text="more verdicts changed than is set.")
FULL = Alert(kind="failure", text="the disk is full. Make room.")


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return tmp_path / "crlm.duckdb"


def entry(days: int = 0, *alerts: Alert, **changes: object) -> Entry:
    at = NIGHT + timedelta(days=days)
    whole = {"run_id": f"run{days}", "name": "nightly", "started_at": at, "ended_at": at, "outcome": "published"}
    return Entry.model_validate(whole | {"alerts": alerts} | changes)


def stands(warehouse: Path, *told: Entry, after: timedelta = timedelta(hours=1)) -> Status:
    for one in told:
        record(warehouse, one)
    return status_of(Configuration(warehouse=warehouse), NIGHT + after)


def wrong(warehouse: Path, *told: Entry, after: timedelta = timedelta(hours=1)) -> list[str]:
    """Return what is wrong, but that nothing is published, which is so in all of these."""
    nothing, *rest = stands(warehouse, *told, after=after).wrong
    assert nothing == "nothing is published yet."
    return rest


def test_after_a_good_night_nothing_is_wrong(warehouse: Path) -> None:
    assert wrong(warehouse, entry(-1, FULL, outcome="failed"), entry()) == []


def test_a_failure_and_a_late_source_are_wrong_until_they_are_over(warehouse: Path) -> None:
    told = wrong(warehouse, entry(-2, LATE), entry(-1, LATE, FULL, outcome="failed"))
    assert told == [
        "Missing drop (north), since 2026-11-24 02:00 UTC: nothing came for 8 days.",
        "Failure, since 2026-11-25 02:00 UTC: the disk is full. Make room.",
    ]
    assert wrong(warehouse, entry()) == []


def test_what_a_published_run_tells_of_itself_holds_until_the_next_one_is_published(warehouse: Path) -> None:
    shift = ["Verdict shift: more verdicts changed than is set."]
    assert wrong(warehouse, entry(-2, LATE), entry(-1, SHIFT)) == shift
    assert wrong(warehouse, entry(0, outcome="nothing_new")) == shift
    assert wrong(warehouse, entry(1)) == []


def test_alerts_that_reached_nobody_are_wrong(warehouse: Path) -> None:
    assert wrong(warehouse, entry(0, addresses_reached=1, addresses_missed=2)) == [
        "the last alerts did not reach 2 of 3 addresses; the log says which."
    ]


@pytest.mark.parametrize(("after", "is_wrong"), [(LONGEST_SILENCE, False), (LONGEST_SILENCE * 1.001, True)])
def test_that_no_run_ended_for_long_is_wrong(warehouse: Path, after: timedelta, *, is_wrong: bool) -> None:
    told = wrong(warehouse, entry(), after=after)
    assert told == ["no run has ended since 2026-11-26 02:00 UTC. See that the timer, or the server, is on."] * is_wrong


@pytest.mark.parametrize("left", [half_made_file, ingested_file])
def test_what_a_killed_run_left_is_wrong_unless_a_run_holds_it(published: Path, left: Callable[[Path], Path]) -> None:
    left(published).touch()
    assert [left(published).name in problem for problem in stands(published).wrong] == [True]
    with lock(published):
        found = stands(published)
    assert found.is_running
    assert found.wrong == ()
    left(published).unlink()


def test_to_look_whether_a_run_holds_a_warehouse_keeps_none_from_it(warehouse: Path) -> None:
    assert not is_held(warehouse)
    with lock(warehouse):
        assert is_held(warehouse)
        with pytest.raises(WarehouseBusyError), lock(warehouse):
            pass
    assert not is_held(warehouse)


def test_a_damaged_file_is_wrong(warehouse: Path) -> None:
    warehouse.write_bytes(b"nothing of the kind")
    [problem] = stands(warehouse).wrong
    assert "the file is not a DuckDB database" in problem


def test_what_is_another_users_is_said_so(warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError

    journal_file(warehouse).touch()
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(SourceError, match="Ask as the user who runs it"):
        stands(warehouse)


def test_the_words_tell_what_is_published_and_hide_a_small_count(published: Path) -> None:
    words = in_words(stands(published))
    assert words.startswith(f"{published}: all is well\nlast good run  20")
    assert "editions       " in words
    assert "patients       60, with " in words
    found = stands(published)
    assert found.published is not None
    found.published.counts["decisions"] = 4
    assert "patients       60, with <5 decisions" in in_words(found)


def test_the_command_ends_with_zero_where_all_is_well_and_with_six_where_not(
    crlm: Crlm, published: Path, tmp_path: Path
) -> None:
    fine = crlm("status", "--warehouse", published, "--json")
    assert fine.code == 0
    told = json.loads(fine.out)
    assert told["is_fine"] is True
    assert told["published"]["counts"]["patients"] == 60
    bad = crlm("status", "--warehouse", tmp_path / "none.duckdb")
    assert bad.code == SOMETHING_IS_WRONG
    assert "wrong          nothing is published yet." in bad.out
    assert bad.err == ""


def test_the_summary_of_a_run_is_markdown_in_which_a_file_name_means_nothing() -> None:
    failed = entry(
        0,
        LATE,
        outcome="failed",
        exit_code=3,
        stage="ingest",
        problem="<b>[x](y)|.csv: a header was expected.",
        counts={"rows_read": 3, "patients": 4, "decisions": 5000},
        seconds={"ingest": 1.25},
    )
    assert summary_markdown(failed).splitlines() == [
        "Run run0: failed, exit code 3.",
        "",
        r"**ingest**: \<b\>\[x\]\(y\)\|.csv: a header was expected.",
        "",
        r"**Missing drop \(north\)**: nothing came for 8 days.",
        "",
        "| stage | seconds |",
        "| --- | ---: |",
        "| ingest | 1.2 |",
        "",
        "| count | n |",
        "| --- | ---: |",
        "| rows_read | 3 |",
        "| patients | <5 |",
        "| decisions | 5,000 |",
    ]
