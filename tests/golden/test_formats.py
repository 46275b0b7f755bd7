"""What is read of a small synthetic registry in each source format, as tables to be read in the diff.

Renew them with `make golden` and read what changed: a row or cell that is gone is a loss.
"""

import os
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline.extracts.mapping_load import load_mapping
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.synthetic import write_sample
from crlm_pipeline.synthetic.layouts import LAYOUTS

GOLDEN = Path(__file__).with_name("formats")
PATIENTS = 16
SEED = 7


@pytest.fixture(scope="module", params=sorted(LAYOUTS))
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def sample(layout: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(layout)
    write_sample(folder, PATIENTS, SEED, layout)
    return folder


@pytest.fixture(scope="module")
def extract(sample: Path) -> Extract:
    """A layout that needs a mapping writes it beside its files."""
    return read_sources([sample], [load_mapping(path) for path in sample.glob("*.yaml")])


def tables(extract: Extract) -> dict[str, pl.DataFrame]:
    """The canonical rows by table, without columns that are all unknown, and what the reader noticed."""
    by_name: dict[str, list[pl.DataFrame]] = {}
    names = {file.source_file_id: file.file_name for file in extract.files}
    for table in extract.tables:
        rows = table.frame.with_columns(pl.col("source_row").cast(pl.String))
        by_name.setdefault(table.table_name, []).append(
            rows.with_columns(file_name=pl.lit(names[table.source_file_id]))
        )
    found = {name: _known(pl.concat(parts, how="diagonal")) for name, parts in by_name.items()}
    notices = [(n.check_name, n.table_name, n.column_name, n.message, str(len(n.rows))) for n in extract.notices]
    columns = ["check_name", "table_name", "column_name", "message", "rows"]
    found["notices"] = pl.DataFrame(notices, dict.fromkeys(columns, pl.String), orient="row").sort(pl.all())
    return found


def _known(frame: pl.DataFrame) -> pl.DataFrame:
    known = [name for name in frame.columns if frame[name].null_count() < frame.height]
    return frame.select("file_name", "source_row", *(name for name in known if name not in ("file_name", "source_row")))


def test_the_rows_of_the_sample_are_those_on_record(extract: Extract, layout: str) -> None:
    folder = GOLDEN / layout
    now = tables(extract)
    if os.environ.get("CRLM_RENEW_GOLDEN"):
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.csv"):
            path.unlink()
        for name, frame in now.items():
            frame.write_csv(folder / f"{name}.csv")
    recorded = {path.stem: pl.read_csv(path, infer_schema_length=0) for path in folder.glob("*.csv")}
    changed = sorted(
        name
        for name in now.keys() | recorded.keys()
        if name not in now or name not in recorded or not now[name].equals(recorded[name])
    )
    assert not changed, f"renew with `make golden` and read the diff of {layout}: {changed}"


def test_the_sample_holds_every_patient(extract: Extract) -> None:
    patients = pl.concat(
        [table.frame.select("patient_id") for table in extract.tables if table.table_name == "patient"]
    )
    assert patients.n_unique() == PATIENTS
