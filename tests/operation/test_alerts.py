"""Alerts: one message for a run, told again once a day while it lasts and once when it is over; no address is shown."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import polars as pl
import pytest
from pydantic import SecretStr

from crlm_pipeline.warehouse import building
from flows import alerts
from flows.alerts import REMIND_AFTER, notify, published_alerts
from flows.configuration import Configuration, Configured, Watching
from flows.journal import Alert, Entry, entries, journal_file, lasting, record
from schemas.audit import QualityLoss, VerdictShift
from schemas.column import describe
from tests.command_line import Crlm

NIGHT = datetime(2026, 11, 26, 2, 0)  # UTC, as all times of the journal
LATE = Alert(kind="missing_drop", text="north has delivered nothing for 8 days, 7 were expected.", about="north")
SHIFT = Alert(kind="verdict_shift", text="of esmo, more verdicts changed than the settings allow.")


class Service(HTTPServer):
    """A service that takes messages, and refuses the first ones."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiving)
        self.messages: list[dict[str, str]] = []
        self.refusals = 0

    @property
    def address(self) -> str:
        return f"json://user:hush@localhost:{self.server_port}/"


class _Receiving(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.refusals:
            self.server.refusals -= 1
            self.send_response(503)
        else:
            self.server.messages.append(json.loads(body))
            self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep silent."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "RETRY_SECONDS", 0.0)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return tmp_path / "crlm.duckdb"


def told_to(warehouse: Path, *addresses: str, notify_file: Path | None = None) -> Configured:
    watching = Watching(notify=[SecretStr(address) for address in addresses], notify_file=notify_file)
    return Configured(Configuration(warehouse=warehouse, watching=watching))


def entry(at: datetime = NIGHT, **changes: object) -> Entry:
    """Return the entry of a night in which nothing was new."""
    whole = {"run_id": f"{at:%Y%m%dT%H%M%S}-1f6c09ab", "name": "nightly", "outcome": "nothing_new"}
    return Entry.model_validate(whole | {"started_at": at - timedelta(minutes=9), "ended_at": at} | changes)


def failed(at: datetime = NIGHT, problem: str = "lab.csv: a header was expected. Deliver it anew.") -> Entry:
    return entry(at, outcome="failed", exit_code=3, stage="ingest", problem=problem)


def test_all_that_is_wrong_with_a_run_is_one_message(service: Service, warehouse: Path) -> None:
    told = notify(told_to(warehouse, service.address), failed().model_copy(update={"alerts": (LATE,)}))
    assert (told.addresses_reached, told.addresses_missed) == (1, 0)
    assert [alert.kind for alert in told.alerts] == ["missing_drop", "failure"]
    [message] = service.messages
    assert message["title"].endswith("crlm.duckdb failed")
    assert message["type"] == "failure"
    for part in (
        "Run 20261126T020000-1f6c09ab of crlm.duckdb, ended 2026-11-26 02:00 UTC: failed in ingest. Exit code 3.",
        "Missing drop (north): north has delivered nothing for 8 days",
        "Failure: lab.csv: a header was expected. Deliver it anew.",
        f"Do: {alerts.REMEDIES['failure']}",
    ):
        assert part in message["message"]


def test_nothing_is_sent_where_nothing_is_wrong(
    service: Service, warehouse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "_missed", None)
    assert notify(told_to(warehouse, service.address), entry()) == entry()


def test_without_an_address_an_alert_is_only_put_on_record(warehouse: Path) -> None:
    told = notify(told_to(warehouse), failed())
    assert [alert.kind for alert in told.alerts] == ["failure"]
    assert (told.addresses_reached, told.addresses_missed) == (0, 0)


@pytest.mark.parametrize(("after", "is_told"), [(REMIND_AFTER - timedelta(seconds=1), False), (REMIND_AFTER, True)])
def test_what_lasts_is_told_again_once_a_day(
    service: Service, warehouse: Path, after: timedelta, *, is_told: bool
) -> None:
    configured = told_to(warehouse, service.address)
    record(warehouse, notify(configured, entry(alerts=(LATE,))))
    notify(configured, entry(NIGHT + after, alerts=(LATE,)))
    assert len(service.messages) == 1 + is_told
    assert ("since 2026-11-26 02:00 UTC" in service.messages[-1]["message"]) is is_told


def test_another_problem_is_told_at_once(service: Service, warehouse: Path) -> None:
    configured = told_to(warehouse, service.address)
    record(warehouse, notify(configured, failed()))
    notify(configured, failed(NIGHT + timedelta(hours=1), "the disk is full. Make room."))
    assert "the disk is full" in service.messages[1]["message"]


def test_an_end_is_told_once(service: Service, warehouse: Path) -> None:
    configured = told_to(warehouse, service.address)
    ends = [failed(), *(entry(NIGHT + timedelta(days=day), outcome="published") for day in (1, 2))]
    for one in ends:
        record(warehouse, notify(configured, one))
    assert len(service.messages) == 2
    assert "Over: Failure, since 2026-11-26 02:00 UTC." in service.messages[1]["message"]
    assert lasting(entries(warehouse)) == []


def test_a_failure_lasts_until_something_is_published_and_a_missing_drop_until_a_run_finds_it() -> None:
    first = notify(told_to(Path("none.duckdb")), failed()).model_copy(update={"alerts": (LATE, *failure())})
    later = NIGHT + timedelta(days=1)
    assert kinds([first, entry(later)]) == ["failure"]
    assert kinds([first, entry(later, outcome="published")]) == []
    assert kinds([first, entry(later, outcome="failed")]) == ["missing_drop", "failure"]


def failure() -> tuple[Alert, ...]:
    return (Alert(kind="failure", text="the disk is full."),)


def kinds(told: list[Entry]) -> list[str]:
    return [one.alert.kind for one in lasting(told)]


def test_a_service_that_is_away_for_a_moment_is_tried_again(service: Service, warehouse: Path) -> None:
    service.refusals = alerts.RETRIES
    assert notify(told_to(warehouse, service.address), failed()).addresses_reached == 1


def test_an_address_that_is_not_reached_is_put_on_record_and_logged_without_it(
    service: Service, warehouse: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service.refusals = alerts.RETRIES + 1
    with caplog.at_level(logging.DEBUG):
        told = notify(told_to(warehouse, service.address, "nonsense hush", service.address), failed())
    assert (told.addresses_reached, told.addresses_missed) == (1, 2)
    assert [one.getMessage() for one in caplog.records if one.name == "crlm.alerts"] == [
        "the alerts did not reach address 1 of 3",
        "the alerts did not reach address 2 of 3",
    ]
    assert "hush" not in caplog.text
    assert str(service.server_port) not in "".join(one.getMessage() for one in caplog.records if "crlm" in one.name)


def test_what_reached_nobody_is_told_by_the_next_run(service: Service, warehouse: Path) -> None:
    service.refusals = alerts.RETRIES + 1
    configured = told_to(warehouse, service.address)
    record(warehouse, notify(configured, entry(outcome="published", alerts=(SHIFT,))))
    assert service.messages == []
    for day in (1, 2):
        record(warehouse, notify(configured, entry(NIGHT + timedelta(days=day))))
    [message] = service.messages
    assert SHIFT.text in message["message"]


def test_addresses_stand_in_a_file_that_its_owner_alone_may_read(
    service: Service, warehouse: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "addresses"
    file.write_text(f"# the data manager\n\n  {service.address}\n")
    file.chmod(0o600)
    assert notify(told_to(warehouse, notify_file=file), failed()).addresses_reached == 1
    file.chmod(0o640)
    assert notify(told_to(warehouse, notify_file=file), failed()).addresses_missed == 1
    assert "others may read the addresses of alerts" in caplog.text
    assert len(service.messages) == 1


def test_more_than_the_share_that_is_set_is_an_alert_and_just_as_much_is_not(warehouse: Path) -> None:
    read = {"rows_read": 110, "rows_deleted": 10, "rows_rejected": 15, "cells_filled": 95, "cells_rejected": 5}
    published = entry(outcome="published", counts=read)
    assert notify(told_to(warehouse), published).alerts == ()
    more = published.model_copy(update={"counts": read | {"rows_rejected": 16, "cells_rejected": 6}})
    assert [(one.kind, one.about, one.text) for one in notify(told_to(warehouse), more).alerts] == [
        ("rejected_share", "rows", "6.0% of the rows were rejected, more than 5.0%."),
        ("rejected_share", "cells", "5.9% of the cells were rejected, more than 5.0%."),
    ]


def test_the_journal_keeps_what_was_told(service: Service, warehouse: Path) -> None:
    told = notify(told_to(warehouse, service.address), failed())
    record(warehouse, told)
    assert entries(warehouse) == [told]
    assert "hush" not in journal_file(warehouse).read_text(encoding="utf-8")


def test_what_got_worse_in_the_published_data_is_an_alert_for_each_table(published: Path) -> None:
    assert list(published_alerts(published)) == []
    loss = {"run_id": "now", "previous_run_id": "before", "rows_compared": "all", "share_before": 0.9, "share_now": 0.1}
    rows = [
        loss | {"table_name": "biomarker", "column_name": name, "check_name": None} for name in ("result", "method")
    ]
    with building(published.with_name("worse"), start_from=published) as worse:
        worse.insert(QualityLoss, pl.DataFrame(rows, schema=describe(QualityLoss).polars_schema))
    [alert] = published_alerts(published.with_name("worse"))
    assert (alert.kind, alert.about) == ("data_quality", "biomarker")
    assert alert.text.startswith("biomarker.method is filled in 10% of all rows, before in 90%; biomarker.result is")


def test_the_addresses_can_be_tried(
    crlm: Crlm, service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    nobody = crlm("config", "try-alerts")
    assert nobody.code == 2
    assert "Alerts go to nobody" in nobody.err
    monkeypatch.setenv("CRLM_WATCHING__NOTIFY", json.dumps([service.address]))
    assert crlm("config", "try-alerts").out == "sent to 1 addresses\n"
    assert "This is a trial" in service.messages[0]["message"]
    service.refusals = alerts.RETRIES + 1
    missed = crlm("config", "try-alerts")
    assert missed.code == 3
    assert "addresses: not reached: number 1 of 1." in missed.err
    assert "hush" not in missed.err


def test_verdicts_that_moved_are_one_alert(published: Path) -> None:
    cell = {"guideline": "esmo", "setting": "systemic", "centre_id": None, "run_id_before": "before", "run_id": "now"}
    counts = {"n_before": 20, "n": 50, "n_total_before": 100, "n_total": 100, "share_before": 0.2, "share": 0.5}
    parts = {"n_data": 30, "n_edition": 0, "n_code": 0, "part_data": 0.3, "part_edition": 0.0, "part_code": 0.0}
    limits = {"limit_low": 0.1, "limit_high": 0.3, "is_beyond": True, "differs": []}
    rows = [cell | counts | parts | limits | {"verdict": verdict} for verdict in ("open", "no_rule")]
    with building(published.with_name("moved"), start_from=published) as moved:
        moved.insert(VerdictShift, pl.DataFrame(rows, schema=describe(VerdictShift).polars_schema))
    [alert] = published_alerts(published.with_name("moved"))
    assert alert.kind == "verdict_shift"
    assert alert.text.count("moved from 20.0% to 50.0% of decisions") == 2
