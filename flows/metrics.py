"""Metrics of the last run in the text format of Prometheus, for the textfile collector of node_exporter.

A count that may not be shown is left out. Times are seconds since 1970.
"""

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from crlm_pipeline.errors import SourceError
from flows.counts import shown
from flows.journal import AlertKind, Entry, Outcome
from flows.status import Published, Status

_PEOPLE: Final = ("patients", "decisions")
_ROWS: Final = ("read", "accepted", "rejected", "duplicate")
# The collector is another user; nothing in the file is about a patient.
_READABLE: Final = 0o644


def write_metrics(file: Path, status: Status) -> None:
    """Put the metrics of how things stand in the place of a file in one step.

    Raises `SourceError` when it cannot be written.
    """
    registry = CollectorRegistry()
    if status.last:
        _add_last_run(registry, status.last)
    if status.last_good_at:
        _gauge(registry, "last_good_run_timestamp_seconds", "When the last run that did not fail ended.").set(
            _seconds(status.last_good_at)
        )
    if status.published:
        _add_published(registry, status.published)
    if status.waiting:
        drops = _gauge(registry, "drops_waiting", "Drops in the zone that are not put away.", "state")
        for state, count in asdict(status.waiting).items():
            drops.labels(state).set(count)
    alerts = _gauge(registry, "alerts", "Alerts that are open.", "kind")
    for kind in get_args(AlertKind):
        alerts.labels(kind).set(sum(alert.kind == kind for alert in status.alerts))
    try:
        write_to_textfile(str(file), registry)
        file.chmod(_READABLE)
    except OSError as error:
        problem = f"the metrics cannot be written ({os.strerror(error.errno or 0).lower()})."
        raise SourceError(problem, "Name a file in a folder that the run may write.", str(file)) from None


def _add_last_run(registry: CollectorRegistry, last: Entry) -> None:
    _gauge(registry, "last_run_timestamp_seconds", "When the last run ended.").set(_seconds(last.ended_at))
    _gauge(registry, "last_run_duration_seconds", "How long the last run took.").set(
        (last.ended_at - last.started_at).total_seconds()
    )
    _gauge(registry, "last_run_exit_code", "Exit code of the last run; 0 is good.").set(last.exit_code)
    outcomes = _gauge(registry, "last_run_outcome", "1 for how the last run ended, 0 for the others.", "outcome")
    for outcome in get_args(Outcome):
        outcomes.labels(outcome).set(outcome == last.outcome)
    stages = _gauge(registry, "stage_duration_seconds", "How long a stage of the last run took.", "stage")
    for stage, seconds in last.seconds.items():
        stages.labels(stage).set(seconds)
    _gauge(registry, "addresses_missed", "Addresses that the alerts of the last run did not reach.").set(
        last.addresses_missed
    )


def _add_published(registry: CollectorRegistry, published: Published) -> None:
    counts = published.counts
    rows = _gauge(registry, "rows", "Rows of the sources by what became of them; read is their sum.", "state")
    for state in _ROWS:
        rows.labels(state).set(counts[f"rows_{state}"])
    _gauge(registry, "cells_rejected", "Cells of accepted rows that were set aside.").set(counts["cells_rejected"])
    for name in _PEOPLE:
        if (count := shown(counts)[name]) is not None:
            _gauge(registry, name, f"{name.capitalize()} in the published warehouse.").set(count)
    _gauge(registry, "published_timestamp_seconds", "When the published run started.").set(
        _seconds(published.started_at)
    )
    _gauge(registry, "warehouse_size_bytes", "Size of the published file.").set(published.byte_count)
    info = {
        "run_id": published.run_id,
        "as_of": published.as_of,
        "version": published.package_version,
        "content": published.content_hash[:16],
        "status": published.status,
    }
    _gauge(registry, "published_info", "The published run; always 1.", *info).labels(**info).set(1)


def _gauge(registry: CollectorRegistry, name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(f"crlm_{name}", meaning, labels, registry=registry)


def _seconds(time: datetime) -> float:
    return time.replace(tzinfo=UTC).timestamp()
