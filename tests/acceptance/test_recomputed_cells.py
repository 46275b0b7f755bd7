"""Cells of the report on the example, against what a plain script works out from the extract alone."""

import pytest

from crlm_pipeline.report.registry import Registry, read_registry
from crlm_pipeline.resources import example_folder
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from flows.run import run
from flows.steps import STEPS, Job
from tests.attacker import rows_of
from tests.recomputed import cells

# Where the report prints each cell: file, column, and the values that name the row; a column left out is empty there.
POPULATION = {"is_metastatic": None, "is_crlm": None, "centre_id": None}
BIOMARKER = {"is_metastatic": "yes", "is_crlm": "yes", "centre_id": None}
PLACES = {
    "patients": ("patients_flow", "n", POPULATION),
    "patients with metastatic disease": ("patients_flow", "n", POPULATION | {"is_metastatic": "yes"}),
    "patients with CRLM": ("patients_flow", "n", BIOMARKER),
    "RAS tested": ("biomarkers_all", "n_tested", BIOMARKER | {"analyte": "RAS", "category": "Mutated"}),
    "RAS mutant": ("biomarkers_all", "n", BIOMARKER | {"analyte": "RAS", "category": "Mutated"}),
    "RAS wild type": ("biomarkers_all", "n", BIOMARKER | {"analyte": "RAS", "category": "Wild type"}),
    "BRAF tested": ("biomarkers_all", "n_tested", BIOMARKER | {"analyte": "BRAF", "category": "V600E"}),
    "BRAF V600E": ("biomarkers_all", "n", BIOMARKER | {"analyte": "BRAF", "category": "V600E"}),
    "MSI tested": ("biomarkers_all", "n_tested", BIOMARKER | {"analyte": "MSI / MMR", "category": "MSI-H / dMMR"}),
    "MSI-H": ("biomarkers_all", "n", BIOMARKER | {"analyte": "MSI / MMR", "category": "MSI-H / dMMR"}),
    "primary on the left": ("biomarkers_all", "n", BIOMARKER | {"analyte": "Side of the primary", "category": "Left"}),
    "P2 evaluated": ("indicator-p2", "total", {"centre_id": None}),
    "P2 met": ("indicator-p2", "n", {"centre_id": None}),
    "P10 evaluated": ("indicator-p10", "total", {"centre_id": None}),
    "P10 met": ("indicator-p10", "n", {"centre_id": None}),
    "P18 tests": ("indicator-p18", "n", {"centre_id": None}),
    "P18 median days": ("indicator-p18", "median", {"centre_id": None}),
    "assessments with CEA": ("completeness_by_column", "n", {"column_name": "cea_ng_ml"}),
    "rows of patient": ("row_ledger", "read", {"table_name": "Patient"}),
    "rows of tumour": ("row_ledger", "read", {"table_name": "Tumour"}),
    "rows of assessment": ("row_ledger", "read", {"table_name": "Assessment"}),
    "rows of biomarker": ("row_ledger", "read", {"table_name": "Biomarker"}),
    "rows of drug_exposure": ("row_ledger", "read", {"table_name": "Drug exposure"}),
    "rows of procedure": ("row_ledger", "read", {"table_name": "Procedure"}),
    "rows of mdt": ("row_ledger", "read", {"table_name": "MDT meetings"}),
    "rows of outcome": ("row_ledger", "read", {"table_name": "Outcome"}),
}
# What the plan hides in the example is compared with the restricted report: analyte and category of the biomarker.
RESULTS = {
    "MSI-H": ("msi", "msi_h"),
    "RAS mutant": ("ras", "mutant"),
    "RAS wild type": ("ras", "wild_type"),
    "BRAF V600E": ("braf", "v600e"),
}
MARKS = ("<5", "hidden")


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """The example, run from the start to the report."""
    folder = tmp_path_factory.mktemp("example")
    job = Job((example_folder(),), folder / "crlm.duckdb", folder / "report")
    run(job, STEPS)
    return job


@pytest.fixture(scope="module")
def restricted(job: Job) -> Registry:
    with Warehouse.open_readonly(job.warehouse) as warehouse:
        return read_registry(warehouse, Settings(disclosure_threshold=1))


@pytest.fixture(scope="module")
def recomputed() -> dict[str, int | None]:
    return cells(example_folder())


@pytest.mark.parametrize("name", PLACES)
def test_a_cell_of_the_report_is_what_the_extract_says(name: str, job: Job, recomputed: dict[str, int | None]) -> None:
    file, column, values = PLACES[name]
    rows = [row for row in rows_of(job.report / "data" / f"{file}.csv") if values.items() <= row.items()]
    assert len(rows) == 1, name
    printed, expected = rows[0][column], recomputed[name]
    if name in RESULTS:
        assert printed is None or float(printed) == expected
        assert printed is not None or rows[0]["shown"] in MARKS
    else:
        assert printed is not None
        assert float(printed) == expected


@pytest.mark.parametrize("name", RESULTS)
def test_a_cell_that_the_plan_may_hide_is_what_the_extract_says_in_the_restricted_report(
    name: str, restricted: Registry, recomputed: dict[str, int | None]
) -> None:
    analyte, category = RESULTS[name]
    counted = restricted.tables["biomarkers"].count(
        is_metastatic="yes", is_crlm="yes", is_tested="yes", analyte=analyte, category=category
    )
    assert counted.value == recomputed[name]
