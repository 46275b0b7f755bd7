"""Logs of a run: a line for each event, with the fields that are documented and nothing of a patient."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest

from crlm_pipeline.errors import SourceError
from flows.job import in_silence
from flows.journal import Alert, Entry
from flows.logs import FIELDS, log_end, log_to_stderr, logging_too, stage

RUN = "20261126T020000-1f6c09ab"
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    logger = logging.getLogger("crlm")
    before = (logger.handlers, logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = before


def events(captured: Captured) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in captured.readouterr().err.splitlines()]
    for line in lines:
        assert line.keys() <= {"time", "level", "message", *FIELDS}
        datetime.fromisoformat(line.pop("time"))
    return lines


def test_a_stage_logs_its_start_and_its_end_with_counts_and_seconds(capsys: Captured) -> None:
    log_to_stderr("json")
    with stage(RUN, "ingest") as done:
        done.counts = {"patient": 1200, "rows_read": 3}
    started, ended = events(capsys)
    told = {"level": "info", "run_id": RUN, "stage": "ingest"}
    assert started == told | {"event": "stage_started", "message": "ingest started"}
    assert ended.pop("seconds") == done.seconds
    assert str(ended.pop("message")).endswith(" s: patient 1,200, rows_read 3")
    assert ended == told | {"event": "stage_ended", "counts": {"patient": 1200, "rows_read": 3}}


@pytest.mark.parametrize(("count", "shown", "words"), [(0, 0, "0"), (4, None, "<5"), (5, 5, "5")])
def test_a_small_count_of_people_is_not_logged(capsys: Captured, count: int, shown: int | None, words: str) -> None:
    log_to_stderr("json")
    with stage(RUN, "annotate") as done:
        done.counts = {"decision": count}
    ended = events(capsys)[1]
    assert ended["counts"] == {"decision": shown}
    assert str(ended["message"]).endswith(f": decision {words}")


def test_what_is_to_be_mended_is_logged_in_full_and_of_a_defect_only_its_place(capsys: Captured) -> None:
    log_to_stderr("json")
    with pytest.raises(SourceError), stage(RUN, "ingest"):
        raise SourceError("a header was expected.", "Deliver it anew.", "lab.csv")
    with pytest.raises(ValueError, match="P-17"), stage(RUN, "ingest"):
        raise ValueError("P-17 was born on 1950-01-01")
    _, to_mend, _, defect = events(capsys)
    assert to_mend["event"] == defect["event"] == "stage_failed"
    assert to_mend["level"] == "error"
    assert str(to_mend["message"]).endswith("lab.csv: a header was expected. Deliver it anew.")
    assert "ValueError in test_logs.py" in str(defect["message"])
    assert "P-17" not in str(defect)


def test_nothing_beside_the_fields_and_the_message_is_written(capsys: Captured) -> None:
    log_to_stderr("json")
    try:
        raise ValueError("P-17")
    except ValueError:
        logging.getLogger("crlm.night").exception("a\nb", extra={"patient_id": "P-17", "stage": "look"})
    assert events(capsys) == [{"level": "error", "stage": "look", "message": "a\\x0ab"}]


def test_how_far_a_stage_is_and_how_the_run_ended(capsys: Captured) -> None:
    log_to_stderr("json")
    for text in ("annotate", "annotate: bucket 3 of 20"):
        logging_too(RUN, in_silence)(text)
    night = datetime(2026, 11, 26, 2, 0)
    entry = Entry(run_id=RUN, name="nightly", started_at=night, ended_at=night, outcome="failed", exit_code=3)
    alerts = (Alert(kind="missing_drop", text="nothing came.", about="north"),)
    log_end(
        entry.model_copy(
            update={"stage": "report", "problem": "the disk is full.", "counts": {"decisions": 4}, "alerts": alerts}
        )
    )
    within, alert, ended = events(capsys)
    assert within == {
        "level": "info",
        "run_id": RUN,
        "stage": "annotate",
        "event": "progress",
        "message": "annotate: bucket 3 of 20",
    }
    assert alert == {
        "level": "warning",
        "run_id": RUN,
        "event": "alert",
        "alerts": ["missing_drop"],
        "message": "Missing drop (north): nothing came.",
    }
    assert ended == {
        "level": "error",
        "run_id": RUN,
        "event": "run_ended",
        "outcome": "failed",
        "exit_code": 3,
        "counts": {"decisions": None},
        "alerts": ["missing_drop"],
        "message": "nightly failed in report: the disk is full.",
    }


def test_the_text_is_a_line_for_each_event(capsys: Captured) -> None:
    log_to_stderr("text")
    with stage(RUN, "report") as done:
        done.counts = {"pages": 12}
    started, ended = capsys.readouterr().err.splitlines()
    assert started.split(" ", 1)[1] == f"INFO {RUN} report started"
    assert ended.startswith(started[:10])
    assert ended.endswith(": pages 12")
