"""Cells of the report on the example, against what a plain script works out from the extract alone."""

from pathlib import Path

import pytest

from crlm_pipeline.resources import example_folder
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
    "P2 evaluated": ("indicator_p2", "total", {"centre_id": None}),
    "P2 met": ("indicator_p2", "n", {"centre_id": None}),
    "P10 evaluated": ("indicator_p10", "total", {"centre_id": None}),
    "P10 met": ("indicator_p10", "n", {"centre_id": None}),
    "P18 tests": ("indicator_p18", "n", {"centre_id": None}),
    "P18 median days": ("indicator_p18", "median", {"centre_id": None}),
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
SMALLEST_SHOWN = 5


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files behind the tables of the report on the example."""
    folder = tmp_path_factory.mktemp("example")
    run(Job((example_folder(),), folder / "crlm.duckdb", folder / "report"), STEPS)
    return folder / "report" / "data"


@pytest.fixture(scope="module")
def recomputed() -> dict[str, int | None]:
    return cells(example_folder())


@pytest.mark.parametrize("name", PLACES)
def test_a_cell_of_the_report_is_what_the_extract_says(
    name: str, data: Path, recomputed: dict[str, int | None]
) -> None:
    file, column, values = PLACES[name]
    rows = [row for row in rows_of(data / f"{file}.csv") if values.items() <= row.items()]
    assert len(rows) == 1, name
    expected = recomputed[name]
    assert expected is not None
    printed = rows[0][column]
    if 0 < expected < SMALLEST_SHOWN:
        assert (printed, rows[0]["shown"]) == (None, f"<{SMALLEST_SHOWN}")
    else:
        assert printed is not None
        assert float(printed) == expected
