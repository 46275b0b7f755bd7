"""Whatever arrives, on whatever day: validating whom an addition touches gives what validating everybody gives."""

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from crlm_pipeline.settings import Settings
from crlm_pipeline.synthetic import write_registry
from flows import steps
from flows.job import Job, ingested_file
from flows.steps import ingest
from tests.properties.test_carried import Tables, differing, write

PATIENTS = 120
FIRST_NIGHT = datetime(2026, 7, 1, 23, 30)
NIGHTS = 5

# What stands in cells that are wrong, unknown, known to a month, or in the future on some nights.
ODD_TEXTS = ("", " ", "x", "2026", "2026-07", "2026-08", "2026-07-01", "2026-07-03 00:00:00", "2026-07-04",
             "2031-01-01", "-1", "3.0", "dead", "C50.9", "1E+19")  # fmt: skip


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("registry")
    write_registry(folder, PATIENTS, 11)
    return {path.stem: pl.read_csv(path, infer_schema_length=0) for path in sorted(folder.glob("*.csv"))}


def published_as_ingested(job: Job) -> None:
    """Publish without a cohort: validation comes before it."""
    shutil.move(ingested_file(job.warehouse), job.warehouse)
    with duckdb.connect(str(job.warehouse)) as connection:
        connection.execute("update audit.run set judgement_key = 'key'")


@pytest.fixture
def on_day(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Set the clock to so many days after the first night."""
    return lambda days: monkeypatch.setattr(steps, "now", lambda: FIRST_NIGHT + timedelta(days=days))


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """The number of touched patients in every run that adds; None: all were validated."""
    told: list[int | None] = []

    def noted(*arguments: object) -> pl.DataFrame | None:
        found = original(*arguments)
        told.append(None if found is None else found.height)
        return found

    original = steps.touched
    monkeypatch.setattr(steps, "judgement_key", lambda *_: "key")
    monkeypatch.setattr(steps, "touched", noted)
    return told


class Deliveries:
    """A registry of which rows arrive night by night, drawn by chance: new, late, equal, corrected, wrong, orphaned."""

    def __init__(self, whole: Tables, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  # no secret
        self.whole = whole
        self.people = whole["patient"]["patient_id"].to_list()
        self.late = self.chance.sample(self.people, 20)

    def first(self) -> Tables:
        is_there = ~pl.col("patient_id").is_in(self.late)
        return {name: self.marred(rows.filter(is_there), 0.004) for name, rows in self.whole.items()}

    def night(self) -> Tables:
        """Some patients' rows, most of them as they were, or those of late ones; now and then a deletion."""
        few = self.chance.sample(self.people, self.chance.choice([1, 3, 6]))
        rows = {
            name: self.marred(rows.filter(pl.col("patient_id").is_in(few)), self.chance.choice([0, 0.02, 0.1]))
            for name, rows in self.whole.items()
            if self.chance.random() < 0.7
        }
        if self.chance.random() < 0.15:
            rows["deletions"] = pl.DataFrame({"patient_id": self.chance.sample(self.people, 1)})
        return rows

    def marred(self, rows: pl.DataFrame, share: float) -> pl.DataFrame:
        """Return rows with some cells, ids among them, that are not what they were, and some rows twice."""
        columns = {name: [self.odd(name, cell, share) for cell in rows[name]] for name in rows.columns}
        marred = pl.DataFrame(columns, schema=rows.schema)
        twice = [self.chance.random() < share for _ in range(rows.height)]
        return pl.concat([marred, marred.filter(pl.Series(twice, dtype=pl.Boolean))])

    def odd(self, name: str, cell: str | None, share: float) -> str | None:
        if self.chance.random() >= share:
            return cell
        if name == "patient_id":
            return self.chance.choice([None, f" {cell} ", *self.chance.sample(self.people, 2)])
        return self.chance.choice([*ODD_TEXTS, None])


def nights_differ(deliveries: Deliveries, folder: Path, on_day: Callable[[int], None]) -> Iterator[list[str]]:
    """Do nights that carry rows over, and yield for each which tables differ from validating everybody."""
    chance = deliveries.chance
    job = Job((), folder / "crlm.duckdb", folder / "report", settings=Settings(allowed_rejected_share=1.0))
    alone = replace(job, warehouse=folder / "alone" / "crlm.duckdb", is_judged_anew=True)
    alone.warehouse.parent.mkdir()
    day = 0
    for number in range(NIGHTS):
        on_day(day)
        rows = deliveries.night() if number else deliveries.first()
        night = {
            "sources": (write(rows, folder / f"night{number}"),),
            "is_addition": number > 0,
            "run_id": f"r{number}",
        }
        if number:
            shutil.copyfile(job.warehouse, alone.warehouse)
        ingest(replace(job, **night))
        ingest(replace(alone, **night))
        yield differing(ingested_file(job.warehouse), ingested_file(alone.warehouse))
        published_as_ingested(job)
        day += chance.choice([0, 1, 1, 3])


@pytest.mark.parametrize("seed", [0, 3])
def test_validating_whom_an_addition_touches_gives_what_validating_everybody_gives(
    registry: Tables, carried: list[int | None], on_day: Callable[[int], None], tmp_path: Path, seed: int
) -> None:
    assert [found for found in nights_differ(Deliveries(registry, seed), tmp_path, on_day) if found] == []
    assert sum(number is not None for number in carried) >= 3, "rows were carried over in most nights"
