"""Samples in the source formats: the same bytes for the same seed, and nothing in them that validation would reject."""

import time
from datetime import date
from pathlib import Path

import pytest

from crlm_pipeline.extracts.mapping_draft import draft
from crlm_pipeline.extracts.mapping_load import load_mapping
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.synthetic import write_sample
from crlm_pipeline.validation import validate

LAYOUTS = ("naaccr", "obds", "spreadsheet")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_seed_writes_the_same_bytes_at_another_time(tmp_path: Path, layout: str) -> None:
    write_sample(tmp_path / "a", 20, 5, layout)
    time.sleep(1.1)  # a time in a gzip header or a workbook is of one second
    write_sample(tmp_path / "b", 20, 5, layout)
    write_sample(tmp_path / "c", 20, 6, layout)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    contents = [[(tmp_path / folder / name).read_bytes() for name in files] for folder in "abc"]
    assert contents[0] == contents[1] != contents[2]


def test_a_mapping_can_be_drafted_from_the_workbook_and_its_dictionary(tmp_path: Path) -> None:
    write_sample(tmp_path, 20, 5, "spreadsheet")
    proposed = draft(tmp_path / "registry.xlsx")
    assert "Proposed from the headers and the dictionary sheet" in proposed
    assert "Variable Name" not in proposed
    assert proposed.count("patient_id:") >= 4


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_sample_is_accepted_whole(tmp_path: Path, layout: str) -> None:
    write_sample(tmp_path, 400, 3, layout)
    extract = read_sources([tmp_path], [load_mapping(path) for path in tmp_path.glob("*.yaml")])
    found = validate(extract, today=date(2026, 11, 23))
    assert found.rejected_row.select("table_name", "check_name", "column_name").unique().rows() == []
    assert found.tables["patient"].height == 400
    assert {"tumour", "assessment", "biomarker"} <= {name for name, rows in found.tables.items() if rows.height}
