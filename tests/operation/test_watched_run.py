"""`crlm run` as cron starts it: it logs when asked to, and leaves metrics of a good and of a bad end."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from crlm_pipeline.locking import lock
from crlm_pipeline.synthetic import write_registry
from crlm_pipeline.warehouse import Warehouse
from schemas.audit import Run
from tests.command_line import Crlm

pytestmark = pytest.mark.usefixtures("quick_report")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    logger = logging.getLogger("crlm")
    before = (logger.handlers, logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = before


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    write_registry(tmp_path / "registry", 20, 7)
    return tmp_path / "registry"


def test_a_run_is_logged_under_the_id_that_it_is_published_with_and_its_metrics_are_good(
    crlm: Crlm, registry: Path, tmp_path: Path
) -> None:
    warehouse, metrics = tmp_path / "crlm.duckdb", tmp_path / "crlm.prom"
    options = ("--warehouse", warehouse, "--report", tmp_path / "report")
    answer = crlm("run", registry, *options, "--log-format", "json", "--metrics-file", metrics)
    assert answer.code == 0
    events = [json.loads(line) for line in answer.err.splitlines()]
    assert [(one["event"], one.get("stage")) for one in events if one["event"] != "progress"] == [
        ("stage_started", "ingest"),
        ("stage_ended", "ingest"),
        ("stage_started", "annotate"),
        ("stage_ended", "annotate"),
        ("stage_started", "report"),
        ("stage_ended", "report"),
        ("run_ended", None),
    ]
    with Warehouse.open_readonly(warehouse) as published:
        assert {one["run_id"] for one in events} == {published.read(Run)["run_id"].item()}
    written = metrics.read_text(encoding="utf-8")
    assert 'crlm_last_run_outcome{outcome="published"} 1.0' in written
    assert 'crlm_stage_duration_seconds{stage="annotate"} ' in written
    assert "crlm_patients 20.0" in written


def test_a_run_that_fails_says_so_in_its_metrics_and_once_on_standard_error(crlm: Crlm, tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    metrics = tmp_path / "crlm.prom"
    options = ("--warehouse", tmp_path / "crlm.duckdb", "--metrics-file", metrics)
    answer = crlm("run", tmp_path / "registry", *options)
    assert answer.code == 3
    assert answer.is_one_line
    written = metrics.read_text(encoding="utf-8")
    assert "crlm_last_run_exit_code 3.0" in written
    assert 'crlm_last_run_outcome{outcome="failed"} 1.0' in written
    assert "crlm_last_good_run" not in written


def test_a_run_that_fails_tells_of_that_and_not_of_its_metrics(crlm: Crlm, tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    options = ("--warehouse", tmp_path / "crlm.duckdb", "--metrics-file", tmp_path / "none" / "crlm.prom")
    answer = crlm("run", tmp_path / "registry", *options)
    assert answer.code == 3
    assert answer.is_one_line
    assert "metrics" not in answer.err


def test_a_run_that_found_the_warehouse_held_leaves_the_metrics_alone(
    crlm: Crlm, registry: Path, tmp_path: Path
) -> None:
    warehouse, metrics = tmp_path / "crlm.duckdb", tmp_path / "crlm.prom"
    with lock(warehouse):
        assert crlm("run", registry, "--warehouse", warehouse, "--metrics-file", metrics).code == 5
    assert not metrics.exists()


def test_the_settings_say_it_for_every_run(crlm: Crlm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("registry").mkdir()
    Path("crlm.toml").write_text('[watching]\nlog_format = "json"\nmetrics_file = "crlm.prom"\nrejected_share = 0.1\n')
    monkeypatch.setenv("CRLM_WATCHING__NOTIFY", '["json://localhost"]')
    answer = crlm("run", "registry")
    assert json.loads(answer.err.splitlines()[0])["event"] == "stage_started"
    assert Path("crlm.prom").is_file()
