"""A night from the command line: logged, told, measured and found again by `crlm status`."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline.synthetic import write_registry
from flows import steps
from flows.journal import entries
from tests.command_line import Crlm


@pytest.fixture(autouse=True)
def _on_a_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(steps, "write_report", lambda _warehouse, folder, _settings: folder.mkdir(exist_ok=True))
    Path("crlm.toml").write_text(
        '[drops]\nzone = "drops"\n[watching]\nlog_format = "json"\nmetrics_file = "crlm.prom"\nrejected_share = 0.01\n'
    )
    Path("drops/north").mkdir(parents=True)
    logger = logging.getLogger("crlm")
    before = (logger.handlers, logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = before


def deliver(name: str) -> None:
    Path(f"drops/north/{name}.complete").touch()


def with_odd_values(folder: Path) -> list[str]:
    """Write a registry of which cells are rejected, and return what none may be told of: its ids and those cells."""
    write_registry(folder, 20, 7)
    patients = pl.read_csv(folder / "patient.csv", infer_schema=False)
    patients.with_columns(sex=pl.lit("hush-sex"), last_contact_date=pl.lit("hush-date")).write_csv(
        folder / "patient.csv"
    )
    return [*patients["patient_id"], "hush"]


def test_a_good_night_and_a_bad_one(crlm: Crlm) -> None:
    values = with_odd_values(Path("drops/north/first"))
    deliver("first")
    assert crlm("status", "--json").code == 6
    night = crlm("nightly")
    assert night.code == 0
    events = [json.loads(line) for line in night.err.splitlines()]
    assert [one["stage"] for one in events if one["event"] == "stage_ended"] == [
        "look",
        "ingest",
        "annotate",
        "report",
        "put away",
        "keep",
    ]
    assert events[-1]["event"] == "run_ended"
    assert events[-1]["outcome"] == "published"
    assert events[-1]["counts"]["rows_read"] > 0
    written = Path("crlm.prom").read_text(encoding="utf-8")
    assert 'crlm_last_run_outcome{outcome="published"} 1.0' in written
    assert 'crlm_drops_waiting{state="complete"} 0.0' in written
    stands = crlm("status")
    assert "wrong          Rejected share (cells), since " in stands.out
    journal = Path("crlm.duckdb.journal.jsonl").read_text(encoding="utf-8")
    told = night.out + night.err + written + stands.out + journal
    assert [value for value in values if value in told] == []
    assert "drops waiting  0 complete, 0 arriving, 0 taken" in stands.out

    Path("drops/north/second").mkdir()
    Path("drops/north/second/patient.csv").write_text("nonsense\n1\n")
    deliver("second")
    assert json.loads(crlm("status", "--json").out)["waiting"] == {"complete": 1, "arriving": 0, "taken": 0}
    bad = crlm("nightly")
    alerts = [json.loads(line) for line in bad.err.splitlines() if '"event": "alert"' in line]
    assert [one["alerts"] for one in alerts] == [["rejected_drop"]]
    stands = crlm("status")
    assert stands.code == 6
    assert "wrong          Rejected drop (north/second): it was rejected" in stands.out


def test_the_zone_that_is_not_there_is_wrong(crlm: Crlm) -> None:
    Path("drops/north").rmdir()
    Path("drops").rmdir()
    night = crlm("nightly")
    assert night.code == 3
    assert [json.loads(line)["event"] for line in night.err.splitlines()] == [
        "stage_started",
        "stage_failed",
        "alert",
        "run_ended",
    ]
    [entry] = entries(Path("crlm.duckdb"))
    assert [alert.kind for alert in entry.alerts] == ["failure"]
    told = crlm("status").out
    assert "wrong          drops: the drop zone cannot be read" in told
    assert "wrong          Failure, since " in told
