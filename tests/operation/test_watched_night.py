"""A night from the command line: logged, told, measured and found again by `crlm status`."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

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
        '[drops]\nzone = "drops"\n[watching]\nlog_format = "json"\nmetrics_file = "crlm.prom"\n'
    )
    Path("drops/north").mkdir(parents=True)
    logger = logging.getLogger("crlm")
    before = (logger.handlers, logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = before


def deliver(name: str) -> None:
    Path(f"drops/north/{name}.complete").touch()


def test_a_good_night_and_a_bad_one(crlm: Crlm) -> None:
    write_registry(Path("drops/north/first"), 20, 7)
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
    assert stands.code == 0
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
