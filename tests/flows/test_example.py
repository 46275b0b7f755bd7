import os
import subprocess
import sys
from pathlib import Path

import pytest

from crlm_pipeline import resources
from crlm_pipeline.warehouse import Warehouse
from flows.run import run
from flows.steps import STEPS, Job, summary
from schemas.audit import Finding, RowLedger, Run
from schemas.cohort import CohortPatient, Decision, Verdict

AGAIN = """
import sys
from pathlib import Path
from flows.run import run
from flows.steps import STEPS, Job

run(Job((Path(sys.argv[1]),), Path(sys.argv[2]), Path("unused")), STEPS[:2])
"""


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The example, run twice from the start; the second time in a process that hashes texts otherwise."""
    folder = tmp_path_factory.mktemp("example")
    first, second = folder / "first.duckdb", folder / "second.duckdb"
    run(Job((resources.example_folder(),), first, folder / "report"), STEPS[:2])
    command = [sys.executable, "-c", AGAIN, str(resources.example_folder()), str(second)]
    subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "7"}, check=True)
    return first, second


def test_two_runs_of_the_example_have_the_same_content(warehouses: tuple[Path, Path]) -> None:
    first, second = map(summary, warehouses)
    assert first["content_hash"] == second["content_hash"]
    assert first["run_id"] != second["run_id"]


def test_the_recorded_hash_is_that_of_the_content(warehouses: tuple[Path, Path]) -> None:
    with Warehouse.open_readonly(warehouses[0]) as published:
        assert published.content_hash() == published.read(Run)["content_hash"].item()


def test_every_row_of_the_example_is_accounted_for(warehouses: tuple[Path, Path]) -> None:
    with Warehouse.open_readonly(warehouses[0]) as published:
        ledger = published.read(RowLedger)
        assert published.query("run/imbalance").is_empty()
    assert ledger["rows_read"].sum() == ledger["rows_accepted"].sum()


def test_every_metastatic_patient_of_the_example_has_a_decision_and_every_decision_a_verdict(
    warehouses: tuple[Path, Path],
) -> None:
    with Warehouse.open_readonly(warehouses[0]) as published:
        patients, decisions, verdicts = map(published.read, (CohortPatient, Decision, Verdict))
    metastatic = patients.filter("is_metastatic").filter("is_alive")
    assert metastatic.join(decisions, on="patient_id", how="anti").is_empty()
    assert decisions.join(verdicts, on="decision_id", how="anti").is_empty()


def test_the_example_shows_most_verdicts(warehouses: tuple[Path, Path]) -> None:
    with Warehouse.open_readonly(warehouses[0]) as published:
        verdicts = set(published.read(Verdict)["verdict"])
    assert verdicts >= {
        "concordant_preferred",
        "concordant_alternative",
        "discordant_not_given",
        "discordant_not_recommended",
        "contraindicated",
        "not_evaluable",
        "no_rule",
        "out_of_scope",
        "not_in_force",
        "open",
        "on_label",
        "off_label",
    }


def test_nothing_half_made_is_left_beside_the_warehouse(warehouses: tuple[Path, Path]) -> None:
    left = {path.name for path in warehouses[0].parent.iterdir()}
    assert left == {"first.duckdb", "first.duckdb.lock", "second.duckdb", "second.duckdb.lock"}


def test_findings_of_a_second_run_into_the_same_warehouse_persist(tmp_path: Path) -> None:
    job = Job((resources.example_folder(),), tmp_path / "crlm.duckdb", tmp_path / "report")
    for _ in range(2):
        run(job, STEPS[:2])
    with Warehouse.open_readonly(job.warehouse) as published:
        findings = published.read(Finding)
    assert set(findings["state"]) == {"persisting"}
