"""The synthetic NAACCR files: the counts of the codes that others took from the XML, reproduced from our tables."""

from datetime import date

import polars as pl
import pytest

from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.tables import Extract
from crlm_pipeline.validation import validate
from tests.real.data import real_data

SAMPLES = [
    f"naaccr-xml-sample-v{version}-{kind}-{size}.xml.gz"
    for version in (230, 240)
    for kind in ("abstract", "incidence")
    for size in (10, 100, 1000)
]


def read(file: str) -> Extract:
    return read_sources([real_data("naaccr_xml") / file])


@pytest.fixture(scope="module")
def thousand() -> Extract:
    return read("naaccr-xml-sample-v230-abstract-1000.xml.gz")


def table(extract: Extract, name: str) -> pl.DataFrame:
    return pl.concat([part.frame for part in extract.tables if part.table_name == name], how="diagonal")


def codes(extract: Extract, analyte: str) -> dict[str, int]:
    """Count the raw codes of an item; tumours without it are `absent`."""
    rows = table(extract, "biomarker").filter(pl.col("analyte") == analyte)
    counts = dict(rows.group_by("registry_code").len().iter_rows())
    return {**counts, "absent": table(extract, "tumour").height - rows.height}


def noticed(extract: Extract, check_name: str) -> int:
    return sum(len(notice.rows) for notice in extract.notices if notice.check_name == check_name)


def test_patients_and_tumours_are_counted(thousand: Extract) -> None:
    assert table(thousand, "patient").height == table(thousand, "patient")["patient_id"].n_unique() == 926
    assert table(thousand, "tumour").height == 120
    assert noticed(thousand, "not_colorectal") == 1000 - 120
    assert [(file.row_count, file.unmapped_count) for file in thousand.files] == [(926 + 1000, 1000 - 120)]


def test_kras_by_code(thousand: Extract) -> None:
    assert codes(thousand, "kras") == {
        "0": 14, "1": 14, "2": 6, "3": 17, "4": 15, "7": 17, "8": 11, "9": 8, "absent": 18,
    }  # fmt: skip


def test_msi_by_code(thousand: Extract) -> None:
    assert codes(thousand, "msi") == {"0": 20, "1": 17, "2": 18, "8": 25, "9": 22, "absent": 18}


def test_nras_filled_before_2021_is_found_34_times(thousand: Extract) -> None:
    assert noticed(thousand, "nras_before_2021") == 34


def test_code_0_is_never_wild_type_and_no_allele_is_recovered(thousand: Extract) -> None:
    kras = table(thousand, "biomarker").filter(pl.col("analyte") == "kras")
    assert "region_tested" not in kras.columns
    assert kras["hgvs_p"].null_count() == kras.height
    results = dict(kras.group_by("result").len().iter_rows())
    assert results == {"mutated": 14 + 6 + 17 + 15, "not_detected": 14, "indeterminate": 17 + 11 + 8}


@pytest.mark.parametrize("file", SAMPLES)
def test_every_sample_is_read_and_balances(file: str) -> None:
    extract = read(file)
    found = validate(extract, today=date(2026, 11, 23))
    assert {source.format for source in extract.files} == {"naaccr"}
    assert found.rejected_row.filter(pl.col("scope") == "row").is_empty()
    assert found.tables["patient"].height == table(extract, "patient").height
