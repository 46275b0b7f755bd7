"""Metrics: what Prometheus reads back, whole at every moment, without a count that may not be shown."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from crlm_pipeline.errors import SourceError
from flows.configuration import Configuration
from flows.journal import Alert, Entry
from flows.metrics import write_metrics
from flows.status import Status, status_of

NIGHT = datetime(2026, 11, 26, 2, 0)
ENTRY = Entry(
    run_id="run",
    name="nightly",
    started_at=NIGHT - timedelta(minutes=9),
    ended_at=NIGHT,
    outcome="failed",
    exit_code=3,
    seconds={"ingest": 1.5},
    addresses_missed=1,
)


@pytest.fixture
def status(published: Path) -> Status:
    found = status_of(Configuration(warehouse=published))
    return replace(found, last=ENTRY, alerts=(Alert(kind="failure", text="the disk is full."),))


def samples(file: Path) -> Iterator[tuple[str, dict[str, str], float]]:
    for family in text_string_to_metric_families(file.read_text(encoding="utf-8")):
        assert family.name.startswith("crlm_")
        assert family.documentation
        assert family.type == "gauge"
        yield from ((one.name, one.labels, one.value) for one in family.samples)


def test_the_file_says_how_the_last_run_ended_and_what_is_published(status: Status, tmp_path: Path) -> None:
    file = tmp_path / "metrics" / "crlm.prom"
    file.parent.mkdir()
    write_metrics(file, status)
    assert list(file.parent.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == 0o644
    told = list(samples(file))
    values = {name: value for name, labels, value in told if not labels}
    assert values["crlm_last_run_timestamp_seconds"] == 1795658400
    assert values["crlm_last_run_duration_seconds"] == 540
    assert values["crlm_last_run_exit_code"] == 3
    assert values["crlm_addresses_missed"] == 1
    assert values["crlm_patients"] == 60
    assert values["crlm_cells_rejected"] == 0
    assert values["crlm_warehouse_size_bytes"] == status.warehouse.stat().st_size
    assert ("crlm_stage_duration_seconds", {"stage": "ingest"}, 1.5) in told
    outcomes = {labels["outcome"]: value for name, labels, value in told if name == "crlm_last_run_outcome"}
    assert outcomes == {"published": 0, "nothing_new": 0, "failed": 1}
    alerts = {labels["kind"]: value for name, labels, value in told if name == "crlm_alerts"}
    assert alerts["failure"] == 1
    assert alerts["missing_drop"] == 0
    rows = {labels["state"]: value for name, labels, value in told if name == "crlm_rows"}
    assert rows["read"] == rows["accepted"] + rows["rejected"] + rows["duplicate"] > 0
    [info] = [labels for name, labels, _ in told if name == "crlm_published_info"]
    assert status.published is not None
    assert info["run_id"] == status.published.run_id


@pytest.mark.parametrize(("count", "is_told"), [(0, True), (4, False), (5, True)])
def test_a_small_count_of_people_is_left_out(status: Status, tmp_path: Path, count: int, *, is_told: bool) -> None:
    assert status.published is not None
    few = replace(status.published, counts=status.published.counts | {"patients": count})
    write_metrics(tmp_path / "crlm.prom", replace(status, published=few))
    assert ("\ncrlm_patients " in (tmp_path / "crlm.prom").read_text(encoding="utf-8")) is is_told


def test_before_the_first_run_there_are_only_alerts(tmp_path: Path) -> None:
    write_metrics(tmp_path / "crlm.prom", status_of(Configuration(warehouse=tmp_path / "none.duckdb")))
    assert {name for name, *_ in samples(tmp_path / "crlm.prom")} == {"crlm_alerts"}


def test_a_folder_that_is_not_there_is_named(status: Status, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none/crlm\.prom: the metrics cannot be written \(no such file"):
        write_metrics(tmp_path / "none" / "crlm.prom", status)
