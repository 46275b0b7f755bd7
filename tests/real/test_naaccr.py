"""The synthetic NAACCR files: the counts of the codes that others took from the XML, found in the validated tables."""

import gzip
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline.errors import SourceError
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.extracts.tables import TEXT, Extract
from crlm_pipeline.validation import Ingested, validate
from tests.real.data import real_data

TODAY = date(2026, 11, 23)
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


@pytest.fixture(scope="module")
def accepted(thousand: Extract) -> Ingested:
    return validate(thousand, today=TODAY)


def table(extract: Extract, name: str) -> pl.DataFrame:
    return pl.concat(
        [part.frame.cast({TEXT: pl.String}) for part in extract.tables if part.table_name == name], how="diagonal"
    )


def codes(accepted: Ingested, analyte: str) -> dict[str, int]:
    """Count the raw codes of an item; tumours without it are `absent`."""
    rows = accepted.tables["biomarker"].filter(pl.col("analyte") == analyte)
    counts = dict(rows.group_by("registry_code").len().iter_rows())
    return {**counts, "absent": accepted.tables["tumour"].height - rows.height}


def results(accepted: Ingested, analyte: str) -> dict[str, int]:
    rows = accepted.tables["biomarker"].filter(pl.col("analyte") == analyte)
    return dict(rows.group_by("result").len().iter_rows())


def found_in(accepted: Ingested, check_name: str) -> int:
    """Count the rows of a finding as they stand in the audit tables."""
    return accepted.finding.filter(pl.col("check_name") == check_name)["row_count"].sum()


def test_patients_and_tumours_are_counted(thousand: Extract, accepted: Ingested) -> None:
    assert table(thousand, "patient").height == table(thousand, "patient")["patient_id"].n_unique() == 926
    assert (accepted.tables["patient"].height, accepted.tables["tumour"].height) == (926, 120)
    assert found_in(accepted, "not_colorectal") == 1000 - 120
    assert [(file.row_count, file.unmapped_count) for file in thousand.files] == [(926 + 1000, 1000 - 120)]


def test_kras_by_code(accepted: Ingested) -> None:
    assert codes(accepted, "kras") == {
        "0": 14, "1": 14, "2": 6, "3": 17, "4": 15, "7": 17, "8": 11, "9": 8, "absent": 18,
    }  # fmt: skip
    assert results(accepted, "kras") == {"mutated": 14 + 6 + 17 + 15, "not_detected": 14, "indeterminate": 17 + 11 + 8}
    assert found_in(accepted, "kras_mutated_elsewhere") == 17


def test_msi_by_code(accepted: Ingested) -> None:
    assert codes(accepted, "msi") == {"0": 20, "1": 17, "2": 18, "8": 25, "9": 22, "absent": 18}
    assert results(accepted, "msi") == {"mss": 20, "msi_l": 17, "msi_h": 18, "indeterminate": 25 + 22}


def test_nras_filled_before_2021_is_a_finding_of_34_rows_that_are_kept(accepted: Ingested) -> None:
    assert found_in(accepted, "nras_before_2021") == 34
    diagnosed = accepted.tables["tumour"].select("patient_id", "diagnosis_date", specimen_id="tumour_id")
    nras = (
        accepted.tables["biomarker"]
        .filter(pl.col("analyte") == "nras")
        .join(diagnosed, on=["patient_id", "specimen_id"])
    )
    assert nras.filter(pl.col("diagnosis_date") < date(2021, 1, 1)).height == 34


def test_code_0_is_never_wild_type_and_no_allele_is_recovered(accepted: Ingested) -> None:
    kras = accepted.tables["biomarker"].filter(pl.col("analyte") == "kras")
    assert kras["region_tested"].null_count() == kras["hgvs_p"].null_count() == kras.height


def test_all_files_of_the_folder_are_read_together() -> None:
    folder = real_data("naaccr_xml")
    found = validate(read_sources([folder]), today=TODAY)
    alone = [validate(read(file), today=TODAY) for file in SAMPLES]
    assert set(found.source_file["file_name"]) == set(SAMPLES)
    read_rows = sum(one.row_ledger["rows_read"].sum() for one in alone)
    assert found.row_ledger["rows_read"].sum() == read_rows
    ids = {patient for one in alone for patient in one.tables["patient"]["patient_id"]}
    assert set(found.tables["patient"]["patient_id"]) == ids
    unused = found.finding.filter(pl.col("check_name") == "file_not_used")
    assert unused.height == len(list(folder.iterdir())) - len(SAMPLES)


@pytest.mark.parametrize("version", ["v230", "v240"])
def test_a_sample_is_the_same_packed_and_plain(tmp_path: Path, version: str) -> None:
    packed = real_data("naaccr_xml") / f"naaccr-xml-sample-{version}-incidence-100.xml.gz"
    plain = tmp_path / "plain.xml"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    pairs = zip(read_sources([plain]).tables, read_sources([packed]).tables, strict=True)
    assert all(one.frame.equals(other.frame) for one, other in pairs)


@pytest.mark.parametrize(("version", "is_known"), [("180", False), ("210", True), ("250", True), ("260", False)])
def test_a_sample_of_another_version_is_read_or_refused(tmp_path: Path, version: str, is_known: bool) -> None:
    packed = real_data("naaccr_xml") / "naaccr-xml-sample-v240-abstract-10.xml.gz"
    path = tmp_path / "other.xml"
    path.write_bytes(gzip.decompress(packed.read_bytes()).replace(b"dictionary-240", f"dictionary-{version}".encode()))
    if is_known:
        assert read_sources([path]).files[0].row_count > 0
    else:
        with pytest.raises(SourceError, match="not of a NAACCR version that is known here"):
            read_sources([path])


@pytest.mark.parametrize("file", SAMPLES)
def test_every_sample_is_read_and_balances(file: str) -> None:
    extract = read(file)
    found = validate(extract, today=TODAY)
    assert {source.format for source in extract.files} == {"naaccr"}
    assert found.rejected_row.filter(pl.col("scope") == "row").is_empty()
    assert found.tables["patient"].height == table(extract, "patient").height
