"""Sixty nights in a row, with whatever senders do wrong: nothing is lost, nothing is taken twice, nothing creeps."""

import csv
import gc
import gzip
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from crlm_pipeline.report.build import write_report
from crlm_pipeline.settings import Settings
from crlm_pipeline.synthetic import write_registry
from crlm_pipeline.warehouse import Warehouse
from flows import steps
from flows.configuration import Configured
from flows.job import Counts, Job, Tell
from flows.journal import Entry
from flows.nightly import here, job_of
from flows.run import run
from flows.steps import STEPS, Step
from schemas.audit import Run
from schemas.cohort import Verdict
from schemas.column import SOURCE_COLUMNS, describe
from schemas.extract import EXTRACT_MODELS
from tests.drop_zone import Server
from tests.servers import prefect_server

NIGHTS, PATIENTS = 60, 30
WARM = 20  # nights after which every kind of drop was seen and every module is loaded
REPORTS = (1, 30, 60)
DAN = {"patient_id": "dan", "centre_id": "home", "country": "DE"}
Rows = dict[str, list[dict[str, str]]]
Night = Callable[[], Entry]


def rows_of(folder: Path) -> Rows:
    return {path.stem: list(csv.DictReader(path.read_text().splitlines())) for path in sorted(folder.glob("*.csv"))}


def write(folder: Path, rows: Mapping[str, list[dict[str, str]]]) -> Path:
    folder.mkdir(parents=True)
    for table, of_table in rows.items():
        if of_table:
            with (folder / f"{table}.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, of_table[0])
                writer.writeheader()
                writer.writerows(of_table)
    return folder


@dataclass
class Senders:
    """Two hospitals that deliver a patient after the other, and what a plain list says that stands of it."""

    server: Server
    registry: Rows
    chance: random.Random
    night: int = 0
    standing: Rows = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    late: list[Path] = field(default_factory=list)
    mended: set[str] = field(default_factory=set)
    good: int = 0
    bad: int = 0

    def __post_init__(self) -> None:
        self.waiting = [row["patient_id"] for row in self.registry["patient"]]
        self.standing = {table: [] for table in self.registry}

    @property
    def place(self) -> Path:
        return self.server.zone / self.chance.choice(("north", "south")) / f"night{self.night:02d}"

    def new(self, count: int = 1) -> Path:
        """Patients who were not delivered before, with all their rows."""
        chosen, self.waiting = self.waiting[:count], self.waiting[count:]
        rows = {t: [row for row in of if row["patient_id"] in chosen] for t, of in self.registry.items()}
        for table, of_table in rows.items():
            self.standing[table] += of_table
        self.good += 1
        return write(self.place, rows)

    def corrected(self) -> None:
        """A patient's sex was wrong; each is corrected once, as equal files would be one delivery."""
        row = next(row for row in self.standing["patient"] if row["patient_id"] not in self.mended)
        self.mended.add(row["patient_id"])
        other = row | {"sex": "female" if row["sex"] == "male" else "male"}
        self.standing["patient"] = [other if one is row else one for one in self.standing["patient"]]
        self.good += 1
        write(self.place, {"patient": [other]})

    def duplicate(self) -> None:
        """A drop of an earlier night comes again, under another name; it must not undo what was corrected since."""
        earlier = self.chance.choice(sorted(self.server.zone.glob("_processed/*/*/night*")))
        shutil.copytree(earlier, self.place.with_name(f"again{self.night:02d}"))
        self.good += 1

    def deleted(self) -> None:
        gone = self.chance.choice(self.standing["patient"])["patient_id"]
        self.standing = {t: [row for row in of if row["patient_id"] != gone] for t, of in self.standing.items()}
        self.good += 1
        folder = self.place
        folder.mkdir(parents=True)
        (folder / "deletions.csv").write_text(f"patient_id\n{gone}\n")

    def begun(self) -> None:
        """A transfer that is not done tonight, but tomorrow."""
        folder = self.new()
        (folder / "note.txt.part").touch()
        self.late.append(folder / "note.txt.part")

    def corrupt(self) -> None:
        folder = self.place
        folder.mkdir(parents=True)
        (folder / "patient.parquet").write_bytes(b"PAR1" + self.chance.randbytes(500))
        self.bad += 1

    def wrong_sum(self) -> None:
        folder = write(self.place, {"patient": [self.registry["patient"][0] | {"patient_id": "nobody"}]})
        (folder / "manifest.sha256").write_text(f"{'0' * 64}  patient.csv\n")
        self.bad += 1

    def oversized(self) -> None:
        """Some kilobytes that unpack to 20 MB."""
        folder = self.place
        folder.mkdir(parents=True)
        (folder / "patient.csv.gz").write_bytes(gzip.compress(f"{','.join(DAN)}\n".encode() + b"0" * 20_000_000))
        self.bad += 1

    def nothing(self) -> None:
        pass

    def deliver(self) -> None:
        """Do what this night has: a good drop, a fault, or both."""
        self.night += 1
        for part in self.late:
            part.unlink()
        self.late.clear()
        if self.night == 1:
            self.new(5)
            return
        kinds = [self.corrected, self.duplicate, self.begun, self.corrupt, self.wrong_sum, self.oversized, self.nothing]
        if self.night in (25, 45):
            self.deleted()
        elif self.waiting and self.night % 5 == 0:
            self.new(2)
        else:
            can_begin = self.waiting and self.night < NIGHTS
            kinds = kinds if can_begin else [kind for kind in kinds if kind != self.begun]
            kinds[self.night % len(kinds)]()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, in which nothing else lies."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    gc.collect()
    assert list(folder.iterdir()) == [], "what a night laid aside it has removed"


def tables(warehouse: Path) -> dict[str, list[str]]:
    """What is held and judged, but for where each row came from."""
    found = {}
    with Warehouse.open_readonly(warehouse) as opened:
        for model in (*EXTRACT_MODELS, Verdict):
            frame = opened.read(model).drop(SOURCE_COLUMNS, strict=False)
            found[describe(model).name] = sorted(map(str, frame.rows()))
    return found


def newest(drop: Path) -> float:
    return max(file.stat().st_mtime for file in drop.iterdir())


def content(warehouse: Path) -> str:
    with Warehouse.open_readonly(warehouse) as opened:
        recorded = str(opened.read(Run)["content_hash"].item())
        assert opened.content_hash() == recorded
    return recorded


def by_steps(server: Server, senders: Senders) -> Iterator[Night]:
    """Nights in this process."""

    def perform(step: Step, job: Job, tell: Tell) -> Counts:
        return {} if step.name == "report" and senders.night not in REPORTS else here(step, job, tell)

    yield lambda: server.night(perform, after=timedelta(minutes=senders.night))


def on_server(server: Server, senders: Senders) -> Iterator[Night]:
    """Nights as the deployed flow, on a server of Prefect."""
    with prefect_server(server.folder.parent / "prefect"), pytest.MonkeyPatch.context() as patched:
        from flows.deployments import nightly  # noqa: PLC0415  # Prefect reads its settings when it is imported

        def write_if_asked(warehouse: Warehouse, folder: Path, settings: Settings) -> None:
            if senders.night in REPORTS:
                write_report(warehouse, folder, settings)

        def night() -> Entry:
            nightly(return_state=True)
            return server.journal[-1]

        patched.setenv("CRLM_CONFIG", str(server.settings))
        patched.setattr(steps, "write_report", write_if_asked)
        yield night


@pytest.mark.timeout(1800)  # some three minutes of one core, many more where others use it
@pytest.mark.parametrize("through", [by_steps, on_server])
def test_sixty_nights_end_with_what_one_clean_run_gives_and_leave_nothing_behind(
    through: Callable[[Server, Senders], Iterator[Night]], tmp_path: Path, temporary: Path
) -> None:
    write_registry(tmp_path / "registry", PATIENTS, 7)
    server = Server(tmp_path / "server")
    chance = random.Random(11)  # noqa: S311  # the same faults in every run
    senders = Senders(server, rows_of(tmp_path / "registry"), chance)
    with contextmanager(through)(server, senders) as night:
        order = sixty(night, server, senders)
    check_what_is_left(server, senders, order)
    check_content(server, senders, order, tmp_path)


def sixty(night: Night, server: Server, senders: Senders) -> list[Path]:
    """Do the nights, watch memory and open files, and return the drops in the order in which they were taken in."""
    process = psutil.Process()
    order: list[Path] = []
    for number in range(1, NIGHTS + 1):
        senders.deliver()
        entry = night()
        assert entry.outcome != "failed", entry.problem
        order += sorted(server.zone.glob(f"_processed/{entry.run_id}/*/*"), key=newest)
        if number == WARM:
            gc.collect()
            memory, files = process.memory_info().rss, process.num_fds()
    gc.collect()
    # Grows with nothing but the allocator's slack: a frame or connection kept each night would be some MB a night.
    assert process.memory_info().rss - memory < 80 * 2**20
    assert process.num_fds() <= files + 2
    return order


def check_what_is_left(server: Server, senders: Senders, order: list[Path]) -> None:
    assert {entry.outcome for entry in server.journal} == {"published", "nothing_new"}
    assert len(server.journal) == NIGHTS
    counts = [entry.counts for entry in server.journal]
    assert sum(one.get("drops_processed", 0) for one in counts) == senders.good == len(order)
    assert sum(one.get("drops_rejected", 0) for one in counts) == senders.bad
    assert len(list(server.zone.glob("_rejected/*/*/*"))) == 2 * senders.bad, "each with the reason beside it"
    assert [path for path in server.zone.glob("[!_]*/*")] == [path for path in server.zone.glob("_taken/*/*")] == []
    left = {path.name for path in server.folder.iterdir()}
    name = server.warehouse.name
    assert left == {name, f"{name}.lock", f"{name}.journal.jsonl", "crlm.toml", "report", "zone"}


def check_content(server: Server, senders: Senders, order: list[Path], tmp_path: Path) -> None:
    job = job_of(Configured.read(server.settings).resolved())
    # The lists apart: rows that come in the same run as their deletion are counted in mart.data_quality as left out.
    lists = tuple(drop for drop in order if (drop / "deletions.csv").exists())
    rest = tuple(drop for drop in order if drop not in lists)
    once = replace(job, sources=rest, warehouse=tmp_path / "once.duckdb", is_addition=True, is_start_allowed=True)
    run(once, STEPS[:2])
    run(replace(once, sources=lists), STEPS[:2])
    assert content(server.warehouse) == content(once.warehouse), "as if all had come in one night"
    # Both are written anew from the same rows; the archive keeps what was corrected in both.
    assert server.warehouse.stat().st_size <= 1.1 * once.warehouse.stat().st_size

    final = replace(job, sources=(write(tmp_path / "final", senders.standing),), warehouse=tmp_path / "final.duckdb")
    run(final, STEPS[:2])
    assert tables(server.warehouse) == tables(final.warehouse), "as if only what stands had ever been delivered"
