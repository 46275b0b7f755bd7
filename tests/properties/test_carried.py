"""Whatever arrives, and on whatever day the run stands: carrying rows over gives what judging every patient gives."""

import random
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from crlm_pipeline.carried import Carried, carry_over
from crlm_pipeline.settings import Settings, Windows
from crlm_pipeline.synthetic import write_registry
from crlm_pipeline.warehouse import Warehouse
from flows import annotating
from flows.annotating import annotate
from flows.job import Job, ingested_file
from flows.steps import ingest
from schemas.audit import QualityLoss, VerdictShift
from schemas.column import describe

Tables = dict[str, pl.DataFrame]

LAST_DAY = date(2026, 6, 30)  # of the synthetic registry
PATIENTS = 80


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("registry")
    write_registry(folder, PATIENTS, 7)
    return {path.stem: pl.read_csv(path, infer_schema_length=0) for path in sorted(folder.glob("*.csv"))}


@pytest.fixture
def uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what is counted: it follows from the other tables and takes most of the time of so small a run."""
    for name in ("build_marts", "_finish"):
        monkeypatch.setattr(annotating, name, lambda *_: None)
    for name, model in (("verdict_shift", VerdictShift), ("quality_losses", QualityLoss)):
        none = pl.DataFrame(schema=describe(model).polars_schema)
        monkeypatch.setattr(annotating, name, lambda *_, none=none: none)


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of patients judged anew in every run that carried rows over."""
    told: list[int] = []

    def noted(warehouse: Warehouse, as_of: date) -> Carried:
        found = carry_over(warehouse, as_of)
        told.append(found.anew.height)
        return found

    monkeypatch.setattr(annotating, "carry_over", noted)
    return told


class Deliveries:
    """A registry that is delivered bit by bit, drawn by chance."""

    def __init__(self, whole: Tables, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  # no secret
        people = whole["patient"]["patient_id"].to_list()
        late = set(self.chance.sample(people, 6))
        # Without a day of last contact, which is the last day of the registry for most, an earlier day matters to few.
        undated = set(self.chance.sample(people, PATIENTS * 3 // 4))
        is_undated = pl.col("patient_id").is_in(list(undated))
        whole = {
            **whole,
            "patient": whole["patient"].with_columns(
                last_contact_date=pl.when(~is_undated).then(pl.col("last_contact_date"))
            ),
        }
        self.first = {name: rows.filter(~pl.col("patient_id").is_in(list(late))) for name, rows in whole.items()}
        self.late = {name: rows.filter(pl.col("patient_id").is_in(list(late))) for name, rows in whole.items()}
        self.held_back = {name: self.some(rows, 0.02) for name, rows in self.first.items() if name != "patient"}
        self.first |= {name: self.first[name].join(rows, on=rows.columns, how="anti", nulls_equal=True)
                       for name, rows in self.held_back.items()}  # fmt: skip

    def some(self, rows: pl.DataFrame, share: float) -> pl.DataFrame:
        return rows.filter(pl.Series([self.chance.random() < share for _ in range(rows.height)], dtype=pl.Boolean))

    def corrected(self) -> Tables:
        """Rows of the first delivery with other cells: a status, an end, a result, a death with and without a date."""
        assessments = self.some(self.first["assessment"], 0.04).with_columns(ecog=pl.lit("3"))
        drugs = self.some(self.first["drug_exposure"], 0.02).with_columns(end_date=pl.lit(None, pl.String))
        results = self.some(self.first["biomarker"], 0.01).with_columns(report_date=pl.lit(str(LAST_DAY)))
        people = self.some(self.first["patient"], 0.06).with_columns(
            vital_status=pl.lit("dead"),
            death_date=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit(str(LAST_DAY))),
        )
        return {"assessment": assessments, "drug_exposure": drugs, "biomarker": results, "patient": people}

    def nights(self) -> Iterator[tuple[Tables, date | None]]:
        """What arrives, and the day for which the run stands: every night another kind, in an order of chance."""
        deleted = self.first["patient"]["patient_id"].sample(2, seed=self.chance.randrange(99)).to_frame()
        arrivals: list[Tables] = [self.late, self.held_back, self.corrected(), {"deletions": deleted}]
        self.chance.shuffle(arrivals)
        days = [LAST_DAY + timedelta(days=days) for days in (0, 1, 200, -self.chance.randrange(1, 90))]
        self.chance.shuffle(days)
        yield self.first, LAST_DAY
        yield from zip(arrivals, days, strict=True)


def write(tables: Tables, folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        if rows.height:
            rows.write_csv(folder / f"{name}.csv")
    return folder


def differing(one: Path, other: Path) -> list[str]:
    """Return the tables that do not hold the same rows; what a run says of itself is its own."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one}' as one (read_only); attach '{other}' as other (read_only)")
        found = connection.sql(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = 'one' and table_name not in ('run') order by all"
        ).fetchall()
        unequal = "select count(*) from ((from {0}.{2} except all from {1}.{2}) limit 1)"
        return [
            name
            for (name,) in found
            if any(
                connection.sql(unequal.format(*sides, name)).fetchall() != [(0,)]
                for sides in (("one", "other"), ("other", "one"))
            )
        ]


def nights_differ(nights: Iterable[tuple[Tables, date | None]], folder: Path) -> Iterator[list[str]]:
    """Do nights that carry rows over, and yield for each which tables differ from judging every patient alone."""
    job = Job((), folder / "crlm.duckdb", folder / "report")
    alone = replace(job, warehouse=folder / "alone" / "crlm.duckdb")
    alone.warehouse.parent.mkdir()
    for number, (arrived, as_of) in enumerate(nights):
        sources = (write(arrived, folder / f"night{number}"),)
        settings = Settings(as_of=as_of, allowed_rejected_share=1.0)
        tonight = replace(job, sources=sources, settings=settings, is_addition=number > 0)
        ingest(tonight)
        alone.warehouse.unlink(missing_ok=True)
        shutil.copyfile(ingested_file(job.warehouse), ingested_file(alone.warehouse))
        annotate(replace(alone, settings=settings))
        annotate(tonight)
        yield differing(job.warehouse, alone.warehouse)


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize("seed", [1, 2])
def test_carrying_rows_over_gives_what_judging_every_patient_gives(
    registry: Tables, carried: list[int], tmp_path: Path, seed: int
) -> None:
    assert all(found == [] for found in nights_differ(Deliveries(registry, seed).nights(), tmp_path))
    assert len(carried) == 4
    assert all(0 < anew < PATIENTS for anew in carried), "some were carried over and some were not, every night"


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize(("days_open", "anew"), [(-1, 1), (0, 2), (5, 2)])
def test_a_window_that_is_open_hangs_on_the_day(carried: list[int], tmp_path: Path, days_open: int, anew: int) -> None:
    """A treatment that runs on leaves no open decision, but the time for local treatment ends with the run's day."""
    day = date(2026, 6, 1)
    assessed = day - timedelta(days=Windows().assessment - days_open)
    patient = {"patient_id": "one", "centre_id": "a", "country": "DE"}
    first = {
        "patient": [patient | {"vital_status": "alive"}],
        "assessment": [patient | {"assessment_date": str(assessed), "mets_sites": "liver", "crlm_count": "2"}],
        "procedure": [patient | {"procedure_date": str(assessed), "procedure": "resection"}],
        "drug_exposure": [patient | {"drug": "capecitabine", "start_date": str(assessed + timedelta(days=60))}],
    }
    nights = [
        (
            {name: pl.DataFrame(rows).drop([] if name == "patient" else ["country"]) for name, rows in first.items()},
            day,
        ),
        ({"patient": pl.DataFrame([patient | {"patient_id": "two"}])}, day + timedelta(days=1)),
    ]
    assert list(nights_differ(nights, tmp_path)) == [[], []]
    assert carried == [anew]
