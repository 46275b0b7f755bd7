"""A standing server as docs/deploy/README.md installs it, on PostgreSQL: nights by the clock, one of them killed.

The tests are one story, in this order.
"""

import csv
import hashlib
import json
import signal
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

from crlm_pipeline.synthetic import write_registry
from flows.steps import summary
from tests.machine import Machine, machine
from tests.postgres import postgres

pytestmark = pytest.mark.timeout(900)

SECONDS_TO_WAIT = 240
WORKER, REAPER, SERVER = "crlm-worker.service", "crlm-reap.service", "crlm-server.service"
VALUE = "QZX7VALUE"
PATIENTS = 150


@dataclass
class Standing:
    """The machine with its server, what its webhook heard, and what was delivered to it."""

    machine: Machine
    heard: list[dict[str, Any]]
    delivered: list[Path] = field(default_factory=list)

    @property
    def warehouse(self) -> Path:
        return self.machine.path("/var/lib/crlm/crlm.duckdb")

    def drop(self, name: str, seed: int) -> None:
        """Deliver a registry, with one more patient, of whom a value is set aside."""
        folder = self.machine.root / "deliveries" / name
        write_registry(folder, PATIENTS, seed)
        with (folder / "patient.csv").open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        spoiled = {"patient_id": f"{VALUE}-{seed}", "sex": VALUE}
        with (folder / "patient.csv").open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow([spoiled.get(name, value) for name, value in zip(header, rows[-1], strict=True)])
        self.delivered.append(folder)
        zone = self.machine.path("/var/lib/crlm/drops/registry")
        self.machine.run(f"mkdir -p -m 770 {zone}; cp -r {folder} {zone}/; touch {zone}/{name}.complete")

    def patients(self) -> set[str]:
        """Return the ids of all patients that were delivered."""
        found: set[str] = set()
        for folder in self.delivered:
            with (folder / "patient.csv").open(newline="", encoding="utf-8") as file:
                found |= {row["patient_id"] for row in csv.DictReader(file)}
        return found

    def ask(self, path: str, **question: Any) -> Any:
        """Ask the server's API, which wants the word."""
        secrets = self.machine.path("/etc/crlm/secret.env").read_text(encoding="utf-8")
        word = secrets.partition("PREFECT_API_AUTH_STRING=")[2].split()[0]
        address = f"http://127.0.0.1:{self.machine.ports['server']}/api/{path}"
        headers = {"Authorization": f"Basic {b64encode(word.encode()).decode()}", "Content-Type": "application/json"}
        with urlopen(Request(address, json.dumps(question).encode() or None, headers), timeout=30) as answer:
            return json.load(answer)

    def nights(self, state: str | None = None) -> list[dict[str, Any]]:
        """Return the runs of the nightly flow that have begun, the oldest first."""
        runs = self.ask("flow_runs/filter", flows={"name": {"any_": ["crlm-nightly"]}}, sort="START_TIME_ASC")
        return [run for run in runs if run["start_time"] and state in {None, run["state_name"]}]


@pytest.fixture(scope="module")
def webhook() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """A receiver of alerts: its port, and what it was sent."""
    heard: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, heard
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def standing(webhook: tuple[int, list[dict[str, Any]]]) -> Iterator[Standing]:
    """The server, its database and worker, set up by the commands of the page; the night is planned for each minute."""
    port, heard = webhook
    with machine() as made, postgres(made.ports["database"], made.as_user) as reached:
        made.environment |= reached | {"PATH": f"{made.environment['PATH']}:{reached['PATH']}"}
        made.follow("Install", "Secrets", "Settings", "With a Prefect server", "Its database")
        with made.path("/etc/crlm/secret.env").open("a", encoding="utf-8") as secrets:
            secrets.write(f"CRLM_WATCHING__NOTIFY='[\"json://127.0.0.1:{port}\"]'\n")
        schedules = made.path("/etc/crlm/prefect.yaml")
        schedules.write_text(schedules.read_text(encoding="utf-8").replace("30 2 * * *", "* * * * *"), encoding="utf-8")
        started = Standing(made, heard)
        made.follow("Its start")
        try:
            yield started
        except BaseException:
            print(*(made.log(unit)[-4000:] for unit in (SERVER, WORKER)), sep="\n")  # noqa: T201
            raise


def wait_until(is_so: Callable[[], object], seconds: float = 0.2) -> None:
    give_up = time.monotonic() + SECONDS_TO_WAIT
    while not is_so():
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(seconds)


def content(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_what_is_dropped_is_published_by_the_clock(standing: Standing) -> None:
    standing.drop("first", 1)
    wait_until(lambda: standing.machine.path("/var/lib/crlm/report/index.html").is_file())
    wait_until(lambda: not standing.nights("Running"))
    assert summary(standing.warehouse)["patients"] == len(standing.patients())
    assert all(run["auto_scheduled"] for run in standing.nights())
    # Cancelled: those that found the one before still at work.
    assert {"Completed"} <= {run["state_name"] for run in standing.nights()} <= {"Completed", "Cancelled"}


def test_a_night_that_is_killed_with_its_worker_leaves_what_was_published(standing: Standing) -> None:
    before = content(standing.warehouse)
    building = standing.warehouse.with_name("crlm.duckdb.building")
    standing.drop("second", 2)
    wait_until(building.exists, seconds=0.01)
    worker = standing.machine.units.pop(WORKER)
    for process in (*psutil.Process(worker.pid).children(recursive=True), psutil.Process(worker.pid)):
        process.send_signal(signal.SIGKILL)
    worker.wait()
    assert building.exists()
    assert content(standing.warehouse) == before
    (killed,) = standing.nights("Running")
    standing.machine.systemctl("start", REAPER)
    assert standing.ask("flow_runs/filter", flow_runs={"id": {"any_": [killed["id"]]}})[0]["state_name"] == "Crashed"


def test_the_next_night_does_what_the_killed_one_did_not_and_tells_of_it(standing: Standing) -> None:
    before, done = content(standing.warehouse), len(standing.nights("Completed"))
    standing.machine.systemctl("start", WORKER)
    wait_until(lambda: content(standing.warehouse) != before and len(standing.nights("Completed")) > done)
    assert summary(standing.warehouse)["patients"] == len(standing.patients())
    assert any("killed" in told["message"] for told in standing.heard)


def test_the_server_knows_nothing_of_a_patient(standing: Standing) -> None:
    known = standing.machine.run("pg_dump --dbname=crlm --inserts")
    assert "crlm-nightly" in known
    told = json.dumps(standing.heard)
    values = standing.patients() | {VALUE}
    assert len(values) > PATIENTS
    assert not [value for value in values if value in known or value in told]


def test_the_server_answers_nobody_without_the_word(standing: Standing) -> None:
    address = f"http://127.0.0.1:{standing.machine.ports['server']}/api/flow_runs/filter"
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(address, b"{}", {"Content-Type": "application/json"}), timeout=30)
    with refused.value as answer:
        assert answer.code == HTTPStatus.UNAUTHORIZED


def test_runs_are_known_by_what_is_planned(standing: Standing) -> None:
    night = standing.nights("Completed")[0]
    planned = night["expected_start_time"][:16].replace("T", " ")
    assert night["name"] == f"nightly {planned}"
    assert set(night["tags"]) == {"crlm", "scheduled", "auto-scheduled"}
    assert night["parameters"] == {}
    (artifact, *_) = standing.ask("artifacts/filter", artifacts={"key": {"any_": ["crlm-nightly"]}})
    assert "| stage | seconds |" in artifact["data"]


def test_an_upgrade_goes_on_where_it_stopped(standing: Standing) -> None:
    done = len(standing.nights("Completed"))
    standing.machine.follow("Upgrade")
    wait_until(lambda: len(standing.nights("Completed")) > done)
