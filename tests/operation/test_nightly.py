"""What a night does with good, bad, repeated and late drops, and what is left of one that was killed."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from crlm_pipeline.errors import WarehouseBusyError
from crlm_pipeline.locking import lock
from crlm_pipeline.synthetic import write_registry, write_sample
from crlm_pipeline.warehouse import Warehouse
from flows.job import Job, Tell
from flows.journal import Entry
from flows.nightly import here
from flows.steps import Step
from schemas.extract import Patient
from tests.drop_zone import Server

pytestmark = pytest.mark.usefixtures("quick_report")

# An id that no sentence, record or name of ours may hold.
PATIENT = "zz9secret"
DAN = {"patient_id": "dan", "centre_id": "home", "country": "DE", "sex": "male"}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic registry of 12 patients."""
    folder = tmp_path_factory.mktemp("small") / "registry"
    write_registry(folder, 12, 7)
    return folder


@pytest.fixture(scope="module")
def begun_once(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server after its first night, to be copied."""
    server = Server(tmp_path_factory.mktemp("begun") / "server")
    server.drop("home", "first", registry)
    assert server.night(_without_report).outcome == "published"
    return server.folder


@pytest.fixture
def server(begun_once: Path, tmp_path: Path) -> Server:
    """A server after its first night."""
    return Server.copied(begun_once, tmp_path / "server")


def _without_report(step: Step, job: Job, tell: Tell) -> dict[str, int]:
    return {} if step.name == "report" else here(step, job, tell)


def patients(server: Server) -> set[str]:
    with Warehouse.open_readonly(server.warehouse) as opened:
        return set(opened.read(Patient)["patient_id"])


def alerts(entry: Entry, kind: str) -> list[str]:
    return [f"{alert.about}: {alert.text}" for alert in entry.alerts if alert.kind == kind]


def test_the_first_drops_form_the_registry_and_later_ones_add_to_it(server: Server) -> None:
    (first,) = server.journal
    assert (first.outcome, first.exit_code, first.stage, first.problem) == ("published", 0, None, None)
    assert first.counts["drops_processed"] == first.counts["drops_processed.home"] == 1
    assert first.counts["rows_read"] == first.counts["rows_accepted"] > 0
    assert first.counts["cells_filled"] > first.counts["rows_read"]
    assert list(first.seconds) == ["look", "ingest", "annotate", "report", "put away", "keep"]
    before = patients(server)
    server.rows("lab", "monday", patient=[DAN])
    entry = server.night()
    assert patients(server) == before | {"dan"}
    assert (entry.counts["files"], entry.counts["rows_read"], entry.counts["cells_filled"]) == (1, 1, 4)
    assert server.journal == [first, entry]
    with Warehouse.open_readonly(server.warehouse) as opened:
        assert opened.query("run/summary")["run_id"].item() == entry.run_id
    assert server.lying("_processed") == ["home/first", "lab/monday"]
    assert (server.zone / "_processed" / entry.run_id / "lab" / "monday" / "patient.csv").is_file()
    assert list((server.zone / "lab").iterdir()) == []


def test_a_night_without_drops_does_nothing_and_is_on_record(server: Server) -> None:
    before = server.warehouse.stat().st_mtime_ns
    entry = server.night()
    assert (entry.outcome, entry.exit_code) == ("nothing_new", 0)
    assert server.warehouse.stat().st_mtime_ns == before
    assert server.journal[-1] == entry


def test_a_night_tells_once_what_its_run_found_worse_and_which_verdicts_moved(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.alerts.in_words", lambda _losses: {"patient": "less is filled."})
    monkeypatch.setattr("flows.alerts.verdict_shift_alerts", lambda *_: ["of esmo, more changed.", "Of nice, fewer."])
    server.rows("lab", "monday", patient=[DAN])
    entry = server.night()
    assert alerts(entry, "data_quality") == ["patient: less is filled."]
    assert alerts(entry, "verdict_shift") == [": of esmo, more changed. Of nice, fewer."]


def test_a_drop_that_is_not_complete_waits(server: Server) -> None:
    server.rows("lab", "monday", patient=[DAN])
    (server.zone / "lab" / "monday" / "tumour.csv.part").touch()
    entry = server.night()
    assert (entry.outcome, entry.counts["drops_arriving"]) == ("nothing_new", 1)
    assert "dan" not in patients(server)
    (server.zone / "lab" / "monday" / "tumour.csv.part").unlink()
    assert server.night().outcome == "published"
    assert "dan" in patients(server)


def test_the_same_drop_twice_is_nothing_new_and_is_put_away(server: Server, registry: Path) -> None:
    before = server.content()
    server.drop("home", "again", registry)
    entry = server.night()
    assert (entry.outcome, entry.counts["files"], entry.counts["drops_processed"]) == ("nothing_new", 0, 1)
    assert server.content() == before
    assert server.lying("_processed") == ["home/again", "home/first"]
    assert not server.warehouse.with_name("crlm.duckdb.next").exists()


def test_a_correction_that_waits_beside_what_it_corrects_wins(server: Server) -> None:
    for day, sex in enumerate(("male", "female")):
        folder = server.rows("lab", f"day{day}", patient=[DAN | {"sex": sex}])
        server.written(folder, day)
    assert server.night().outcome == "published"
    with Warehouse.open_readonly(server.warehouse) as opened:
        found = opened.read(Patient)
        assert found.filter(found["patient_id"] == "dan")["sex"].to_list() == ["female"]


def test_a_deletion_list_is_a_drop(server: Server) -> None:
    gone = sorted(patients(server))[0]
    (server.zone / "home" / "deletions.csv").write_text(f"patient_id\n{gone}\n")
    assert server.night().outcome == "published"
    assert gone not in patients(server)
    assert gone not in "".join(entry.model_dump_json() for entry in server.journal)


def test_a_mapping_is_used_for_the_drops_that_it_fits_and_not_missed_by_the_others(
    begun_once: Path, tmp_path: Path
) -> None:
    write_sample(tmp_path / "sheet", 3, 1, "spreadsheet")
    (mapping,) = (tmp_path / "sheet").glob("*.yaml")
    server = Server.copied(begun_once, tmp_path / "server", mappings=[mapping])
    server.rows("lab", "monday", patient=[DAN])
    assert server.night().outcome == "published"
    shutil.copytree(tmp_path / "sheet", server.zone / "south" / "monday", ignore=lambda *_: [mapping.name])
    entry = server.night()
    assert (entry.outcome, entry.counts["drops_processed.south"]) == ("published", 1)
    assert entry.counts["rows_read"] >= 3


def no_registry(server: Server) -> None:
    server.zone.joinpath("bad", "monday").mkdir(parents=True)
    server.zone.joinpath("bad", "monday", "list.csv").write_text(f"name,value\n{PATIENT},1\n")


def wrong_sum(server: Server) -> None:
    folder = server.rows("bad", "monday", patient=[DAN | {"patient_id": PATIENT}])
    (folder / "manifest.sha256").write_text(f"{'0' * 64}  patient.csv\n")


def damaged(server: Server) -> None:
    server.zone.joinpath("bad", "monday").mkdir(parents=True)
    server.zone.joinpath("bad", "monday", "patient.parquet").write_bytes(b"PAR1" + PATIENT.encode())


def much_rejected(server: Server) -> None:
    rows = [{"patient_id": f"{PATIENT}{number}", "mdt_date": "x"} for number in range(2000)]
    server.rows("bad", "monday", mdt=rows)


def day_offsets(server: Server) -> None:
    write_sample(server.zone / "bad" / "monday", 8, 1, "cbioportal")


@pytest.mark.parametrize(
    ("bad", "outcome", "why"),
    [
        (no_registry, "_rejected", "No registry format that is known here"),
        (wrong_sum, "_rejected", "patient.csv: its content is not what the manifest says."),
        (damaged, "_rejected", "patient.parquet"),
        (day_offsets, "_rejected", "It has day offsets where the registry has dates"),
        (much_rejected, "_quarantined", "more than 20% of all rows or cells would be rejected"),
    ],
)
def test_a_bad_drop_does_not_stop_the_others(
    server: Server, bad: Callable[[Server], None], outcome: str, why: str
) -> None:
    bad(server)
    server.rows("lab", "monday", patient=[DAN])
    entry = server.night()
    assert (entry.outcome, entry.exit_code) == ("published", 0)
    assert "dan" in patients(server)
    assert entry.counts[f"drops{outcome}"] == entry.counts["drops_processed"] == 1
    assert "drops_processed.bad" not in entry.counts
    assert server.lying(outcome) == ["bad/monday", "bad/monday.why.txt"]
    (told,) = alerts(entry, "rejected_drop")
    assert told.startswith(f"bad/monday: it was {outcome[1:]}: ")
    reason = (server.zone / outcome / entry.run_id / "bad" / "monday.why.txt").read_text()
    assert why in reason
    assert why in told
    assert PATIENT not in reason + entry.model_dump_json()
    assert server.night().outcome == "nothing_new"


def test_where_no_drop_is_to_blame_the_night_fails_and_the_next_one_does_it(server: Server) -> None:
    server.rows("lab", "monday", patient=[DAN])
    whole = server.warehouse.read_bytes()
    server.warehouse.write_bytes(whole[:9000])
    entry = server.night()
    assert (entry.outcome, entry.exit_code, entry.stage) == ("failed", 3, "sift")
    assert entry.problem
    assert "damaged" in entry.problem
    server.warehouse.write_bytes(whole)
    assert server.night().outcome == "published"
    assert "dan" in patients(server)
    assert server.lying("_rejected") == []


def test_a_warehouse_that_is_gone_is_not_begun_anew_from_the_drops_of_a_night(server: Server) -> None:
    server.rows("lab", "monday", patient=[DAN])
    server.warehouse.rename(server.folder / "aside")
    entry = server.night()
    assert (entry.outcome, entry.exit_code) == ("failed", 3)
    assert "the warehouse that earlier nights have published is gone" in str(entry.problem)
    assert (server.zone / "lab" / "monday").is_dir()


def test_a_defect_is_told_by_its_place_alone(server: Server) -> None:
    def failing(step: Step, job: Job, tell: Tell) -> dict[str, int]:
        if step.name == "annotate":
            raise ValueError(PATIENT)
        return here(step, job, tell)

    server.rows("lab", "monday", patient=[DAN])
    entry = server.night(failing)
    assert (entry.outcome, entry.exit_code, entry.stage) == ("failed", 1, "annotate")
    assert "ValueError in test_nightly.py, line" in str(entry.problem)
    assert PATIENT not in entry.model_dump_json()
    assert server.night().outcome == "published"


def test_a_full_disk_is_told_in_the_words_of_the_system(server: Server) -> None:
    def failing(step: Step, job: Job, tell: Tell) -> dict[str, int]:
        if step.name == "report":
            raise OSError(28, "No space left on device", PATIENT)
        return here(step, job, tell)

    server.rows("lab", "monday", patient=[DAN])
    entry = server.night(failing)
    assert (entry.outcome, entry.exit_code, entry.stage) == ("failed", 3, "report")
    assert "No space left on device" in str(entry.problem)
    assert PATIENT not in entry.model_dump_json()
    told: list[str] = []

    def noting(step: Step, job: Job, tell: Tell) -> dict[str, int]:
        told.append(step.name)
        return here(step, job, tell)

    assert server.night(noting).outcome == "published", "the report of what was published is still due"
    assert told == ["ingest", "report"]
    assert server.night(noting).outcome == "nothing_new"


def test_while_another_run_holds_the_warehouse_nothing_is_touched(server: Server) -> None:
    server.rows("lab", "monday", patient=[DAN])
    with lock(server.warehouse), pytest.raises(WarehouseBusyError):
        server.night()
    assert len(server.journal) == 1
    assert (server.zone / "lab" / "monday").is_dir()


@pytest.mark.parametrize(("days", "is_late"), [(1.99, False), (2.01, True)])
def test_a_source_that_did_not_deliver_for_longer_than_expected_is_told(
    begun_once: Path, tmp_path: Path, days: float, is_late: bool
) -> None:
    server = Server.copied(begun_once, tmp_path / "server", drops="expected_days = {home = 2, lab = 2}")
    since = server.journal[0].started_at
    entry = server.night(after=timedelta(days=days))
    late = [f"{name}: nothing arrived since {since:%Y-%m-%d}." for name in ("home", "lab")] if is_late else []
    assert alerts(entry, "missing_drop") == late
    server.rows("lab", "monday", patient=[DAN])
    again = alerts(server.night(after=timedelta(days=days + 0.001)), "missing_drop")
    assert again == late[:1], "what was delivered just now is not late"


# Kills its own process when a function is called by a module of flows, before or after the call.
KILLED_AT = """
import os, signal, sys
from importlib import import_module
from pathlib import Path
from flows import steps
from tests.drop_zone import Server

module, name, when, folder = sys.argv[1:]
steps.write_report = lambda *_: None
module = import_module(f"flows.{module}")
original = getattr(module, name)

def killing(*arguments, **named):
    if when == "after":
        original(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(module, name, killing)
Server(Path(folder)).night()
"""


@pytest.mark.parametrize(
    ("point", "stage", "outcome"),
    [
        ("nightly take after", "look", "published"),
        ("annotating publish before", "annotate", "published"),
        ("annotating publish after", "annotate", "published"),
        ("nightly put_away after", "put away", "published"),
        ("nightly record after", "put away", "nothing_new"),
    ],
)
def test_a_night_that_is_killed_loses_no_drop_and_the_next_one_finishes(
    server: Server, point: str, stage: str, outcome: str
) -> None:
    server.rows("lab", "monday", patient=[DAN])
    server.rows("lab", "tuesday", patient=[DAN | {"patient_id": "eve"}])
    before = patients(server)
    command = [sys.executable, "-c", KILLED_AT, *point.split(), str(server.folder)]
    assert subprocess.run(command, check=False, cwd=Path(__file__).parents[2]).returncode == -signal.SIGKILL
    entry = server.night()
    assert entry.outcome == outcome
    assert patients(server) == before | {"dan", "eve"}
    assert server.lying("_processed") == ["home/first", "lab/monday", "lab/tuesday"]
    assert list(server.zone.glob("lab/*")) == list(server.zone.glob("_taken/*/*")) == []
    told = server.journal[1]
    if point == "nightly record after":
        assert [told.outcome, entry.outcome] == ["published", "nothing_new"], "it had ended, and was on record"
    else:
        assert (told.outcome, told.stage, told.exit_code) == ("failed", stage, 137)
        assert "killed" in str(told.problem)
        assert alerts(told, "failure") == [f": {told.problem}"]
    assert len(server.journal) == 3
    assert not server.warehouse.with_name("crlm.duckdb.running").exists()


def test_the_command_does_a_night_and_ends_with_its_code(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def crlm(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flows", "--config", str(server.settings), "nightly", *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True, cwd=Path(__file__).parents[2])

    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    ended = crlm("--json")
    assert ended.returncode == 0, ended.stderr
    assert Entry.model_validate_json(ended.stdout) == server.journal[-1]
    shutil.rmtree(server.zone)
    ended = crlm()
    assert ended.returncode == 3
    assert ended.stderr.splitlines()[-1].startswith("crlm: look: ")
