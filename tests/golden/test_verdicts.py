"""The verdicts of the example, as a table to be read in the diff: a change of a rule shows its effect here.

Renew it with `make golden` and read what changed.
"""

import os
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline import resources
from crlm_pipeline.warehouse import Warehouse
from flows.steps import Job, annotate, ingest
from schemas.cohort import Verdict

GOLDEN = Path(__file__).with_name("verdicts.csv")
COLUMNS = ["decision_id", "guideline", "edition_id", "verdict", "rule_id", "missing_facts"]
DECISIONS = 250


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("golden")
    job = Job((resources.example_folder(),), folder / "crlm.duckdb", folder / "report")
    ingest(job)
    annotate(job)
    with Warehouse.open_readonly(job.warehouse) as warehouse:
        found = warehouse.read(Verdict)
    first = found.get_column("decision_id").unique().sort().head(DECISIONS)
    return (
        found.filter(pl.col("decision_id").is_in(first.to_list()) & (pl.col("verdict") != "not_in_force"))
        .with_columns(pl.col("missing_facts").list.join(";").replace("", None))
        .select(COLUMNS)
        .sort("decision_id", "guideline")
    )


def test_the_verdicts_of_the_example_are_those_on_record(verdicts: pl.DataFrame) -> None:
    if os.environ.get("CRLM_RENEW_GOLDEN"):
        verdicts.write_csv(GOLDEN)
    recorded = pl.read_csv(GOLDEN, infer_schema_length=0)
    now = verdicts.cast(pl.String)
    changed = now.join(recorded, on=COLUMNS, how="anti", nulls_equal=True)
    gone = recorded.join(now, on=COLUMNS, how="anti", nulls_equal=True)
    assert changed.height == gone.height == 0, f"renew with `make golden` and read the diff: {changed.head(5)}"
