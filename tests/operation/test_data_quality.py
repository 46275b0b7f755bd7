"""A registry that comes back worse than it was: what got worse is published with it, and told."""

import shutil
from pathlib import Path

import polars as pl

from crlm_pipeline.warehouse import Warehouse
from flows.alerts import published_alerts
from flows.job import Job
from flows.run import run
from flows.steps import STEPS
from schemas.audit import QualityLoss, Run


def test_a_column_that_comes_back_empty_is_put_on_record_and_told(
    published_once: Path, published: Path, tmp_path: Path
) -> None:
    registry = Path(shutil.copytree(published_once.parent / "registry", tmp_path / "registry"))
    samples = pl.read_csv(registry / "biomarker.csv", infer_schema=False)
    samples.with_columns(sample_date=pl.lit(None)).write_csv(registry / "biomarker.csv")
    with Warehouse.open_readonly(published) as before:
        run_id = before.read(Run)["run_id"].item()
    run(Job((registry,), published, tmp_path / "report"), STEPS[:2])
    with Warehouse.open_readonly(published) as now:
        [loss] = now.read(QualityLoss).to_dicts()
        assert loss["run_id"] == now.read(Run)["run_id"].item()
    assert loss["previous_run_id"] == run_id
    assert (loss["table_name"], loss["column_name"], loss["check_name"]) == ("biomarker", "sample_date", None)
    assert loss["rows_compared"] == "all"
    assert loss["share_before"] > 0.9
    assert loss["share_now"] == 0
    [alert] = published_alerts(published)
    assert alert.about == "biomarker"
    assert alert.text.startswith("biomarker.sample_date is filled in 0% of all rows, before in ")
