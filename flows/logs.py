"""What a run says of itself while it lasts: a line for each event on standard error, as text or as JSON.

Nothing of a patient can get in: of an event only `FIELDS` and a sentence of ours are written, never an error's own text
unless it is one for the user to mend, and counts as they may be shown.
"""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Final, Literal

from crlm_pipeline.errors import CrlmError
from crlm_pipeline.printable import printable
from flows.counts import in_words, shown
from flows.job import Counts, Tell
from flows.journal import Entry

LogFormat = Literal["text", "json"]
FIELDS: Final = ("run_id", "stage", "event", "seconds", "counts", "outcome", "exit_code", "alerts")

_NAME: Final = "crlm"
_log: Final = logging.getLogger(_NAME)
# Nothing is written unless it is asked for: the command itself tells in one line what went wrong.
_log.addHandler(logging.NullHandler())


@dataclass(slots=True)
class Stage:
    """A stage of a run. Whoever does it puts what it counted here; `seconds` is known when it has ended or failed."""

    name: str
    counts: Counts = field(default_factory=dict)
    seconds: float = 0.0


@contextmanager
def stage(run_id: str, name: str) -> Iterator[Stage]:
    """Log start and end of a stage, or that it failed and at what; what is raised within goes on."""
    done, started = Stage(name), perf_counter()
    told: dict[str, Any] = {"run_id": run_id, "stage": name}
    _log.info("%s started", name, extra=told | {"event": "stage_started"})
    try:
        yield done
    except BaseException as error:
        done.seconds = round(perf_counter() - started, 3)
        told |= {"event": "stage_failed", "seconds": done.seconds}
        _log.error("%s failed after %.1f s: %s", name, done.seconds, problem_of(error), extra=told)
        raise
    done.seconds = round(perf_counter() - started, 3)
    told |= {"event": "stage_ended", "seconds": done.seconds, "counts": shown(done.counts)}
    _log.info("%s ended after %.1f s%s", name, done.seconds, _listed(done.counts), extra=told)


def logging_too(run_id: str, tell: Tell) -> Tell:
    """Return what tells, and logs how far a stage is (`annotate: bucket 3 of 20`); its bare name is logged already."""

    def tell_and_log(text: str) -> None:
        tell(text)
        name, is_within, _ = text.partition(":")
        if is_within:
            _log.info("%s", text, extra={"run_id": run_id, "stage": name, "event": "progress"})

    return tell_and_log


def log_end(entry: Entry) -> None:
    """Log its alerts, and how a run ended: outcome, exit code, counts, and the problem of one that failed."""
    for alert in entry.alerts:
        about = {"run_id": entry.run_id, "event": "alert", "alerts": [alert.kind]}
        _log.warning("%s: %s", alert.name, alert.text, extra=about)
    told = {
        "run_id": entry.run_id,
        "event": "run_ended",
        "outcome": entry.outcome,
        "exit_code": entry.exit_code,
        "counts": shown(entry.counts),
        "alerts": [alert.kind for alert in entry.alerts],
    }
    problem = f" in {entry.stage}: {entry.problem}" if entry.problem else ""
    level = logging.ERROR if entry.outcome == "failed" else logging.INFO
    _log.log(level, "%s %s%s", entry.name, entry.outcome.replace("_", " "), problem, extra=told)


def log_to_stderr(log_format: LogFormat) -> None:
    """Write what is logged from now on to standard error, a line for each event."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if log_format == "json" else _Text())
    _log.handlers = [handler]
    _log.setLevel(logging.INFO)
    _log.propagate = False


def problem_of(error: BaseException) -> str:
    """Return what may be told of an error: all of one that the user can mend, kind and place of a defect."""
    from flows.defects import kind_and_place  # noqa: PLC0415  # it knows polars, which is slow to start

    return str(error) if isinstance(error, CrlmError) else kind_and_place(error)


def _listed(counts: Counts) -> str:
    listed = ", ".join(f"{name} {in_words(count)}" for name, count in shown(counts).items())
    return f": {listed}" if listed else ""


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class _Json(logging.Formatter):
    """A line of JSON: time (UTC), level, those of `FIELDS` that are known, message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; an exception that is attached is left out, as its text may hold a value."""
        told = {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        line = {"time": _time(record), "level": record.levelname.lower(), **told}
        return json.dumps(line | {"message": printable(record.getMessage())}, ensure_ascii=False)


class _Text(logging.Formatter):
    """Time (UTC), level, run and message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; an exception that is attached is left out, as its text may hold a value."""
        run_id = f"{record.run_id} " if hasattr(record, "run_id") else ""
        return f"{_time(record)} {record.levelname} {run_id}{printable(record.getMessage())}"
