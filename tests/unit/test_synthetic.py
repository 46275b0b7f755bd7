from datetime import date
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline import resources
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.synthetic import registry, write_registry
from crlm_pipeline.validation import validate
from schemas.column import SOURCE_COLUMNS
from schemas.extract import extract_tables

PATIENTS, SEED = 6_000, 11
TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registry")
    write_registry(folder, PATIENTS, SEED)
    return folder


def table(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_csv(folder / f"{name}.csv", infer_schema_length=0)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def share(condition: pl.Series) -> float:
    return float(condition.cast(pl.Float64).mean())  # type: ignore[arg-type]  # never empty here


def test_every_table_has_the_columns_of_the_contract(folder: Path) -> None:
    for name, described in extract_tables().items():
        assert table(folder, name).columns == [c.name for c in described.columns if c.name not in SOURCE_COLUMNS]


def test_no_row_and_no_cell_is_rejected(folder: Path) -> None:
    ingested = validate(read_sources([folder]), today=TODAY)
    assert ingested.rejected_row.height == 0
    assert ingested.row_ledger["rows_duplicate"].sum() == 0
    assert ingested.row_ledger["rows_read"].sum() == ingested.row_ledger["rows_accepted"].sum()


def test_a_few_rows_are_odd_as_in_every_registry(folder: Path) -> None:
    found = set(validate(read_sources([folder]), today=TODAY).finding["check_name"])
    assert {"date_imputed", "line_backwards", "morphology_out_of_scope"} <= found


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_registry(tmp_path / name, 300, 5)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_each_batch_is_told_as_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BATCH", 30)
    told: list[str] = []
    write_registry(tmp_path, 70, 5, tell=told.append)
    assert told == ["0 of 70 patients", "30 of 70 patients", "60 of 70 patients"]
    assert registry.batch_count(70) == 3
    assert registry.batch_count(60) == 2


def test_another_seed_writes_other_patients(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 6)):
        write_registry(tmp_path / name, 300, seed)
    assert contents(tmp_path / "a") != contents(tmp_path / "b")


def test_the_committed_example_is_what_the_generator_writes(tmp_path: Path) -> None:
    write_registry(tmp_path, 400, 2023)
    assert contents(tmp_path) == contents(resources.example_folder())


def test_batches_number_patients_without_gap_or_repetition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BATCH", 40)
    write_registry(tmp_path, 100, 1)
    assert table(tmp_path, "patient")["patient_id"].to_list() == [f"P{number:07d}" for number in range(1, 101)]
    assert set(table(tmp_path, "drug_exposure")["patient_id"]) <= set(table(tmp_path, "patient")["patient_id"])


def test_a_registry_of_one_patient_can_be_written(tmp_path: Path) -> None:
    write_registry(tmp_path, 1, 1)
    assert table(tmp_path, "patient").height == 1


@pytest.mark.parametrize(
    ("analyte", "low", "high"),
    [("kras", 0.38, 0.46), ("nras", 0.02, 0.07), ("braf", 0.08, 0.13)],
)
def test_mutations_are_as_frequent_as_the_editorial_says(folder: Path, analyte: str, low: float, high: float) -> None:
    tested = table(folder, "biomarker").filter(
        (pl.col("analyte") == analyte) & pl.col("result").is_in(["mutated", "not_detected"])
    )
    assert low < share(tested["result"] == "mutated") < high


def test_kras_g12c_is_found_in_three_to_four_percent(folder: Path) -> None:
    kras = table(folder, "biomarker").filter(pl.col("analyte") == "kras", pl.col("result") != "failed")
    assert 0.02 < share(kras["hgvs_p"].fill_null("").str.contains("12Cys|G12C")) < 0.05


def test_msi_h_is_rare_once_the_disease_has_spread(folder: Path) -> None:
    results = table(folder, "biomarker").filter(pl.col("analyte") == "msi", pl.col("result") != "failed")
    spread = table(folder, "assessment")["patient_id"].implode()
    is_high = results["result"] == "msi_h"
    assert 0.03 < share(is_high.filter(results["patient_id"].is_in(spread))) < 0.08
    assert 0.10 < share(is_high) < 0.19


def test_a_quarter_have_liver_metastases_at_diagnosis_and_half_at_some_time(folder: Path) -> None:
    liver = table(folder, "assessment").filter(pl.col("mets_diagnosis_date").is_not_null()).unique("patient_id")
    dated = liver.join(table(folder, "tumour"), on="patient_id").filter(pl.col("diagnosis_date").str.len_chars() == 10)
    days = dated["mets_diagnosis_date"].str.to_date() - dated["diagnosis_date"].str.to_date()
    assert 0.45 < liver.height / PATIENTS < 0.55
    assert 0.21 < (days <= pl.Series([31 * 86_400_000_000]).cast(pl.Duration("us"))).sum() / PATIENTS < 0.29


def test_fewer_than_a_quarter_are_resectable_at_once(folder: Path) -> None:
    liver = table(folder, "assessment").filter(pl.col("mets_diagnosis_date").is_not_null())
    first = liver.unique("patient_id", keep="first", maintain_order=True)
    assert 0.15 < share(first["resectability"].fill_null("") == "upfront") < 0.25


def test_results_are_missing_late_and_partial_as_in_every_registry(folder: Path) -> None:
    biomarker = table(folder, "biomarker")
    kras = biomarker.filter(pl.col("analyte") == "kras")
    assert 0.01 < biomarker["report_date"].null_count() / biomarker.height < 0.08
    assert share(kras["region_tested"].fill_null("").is_in(["12;13", "exon2"])) > 0.05
    assert kras["patient_id"].n_unique() < table(folder, "assessment")["patient_id"].n_unique()


def test_no_event_comes_after_death(folder: Path) -> None:
    deaths = table(folder, "patient").select("patient_id", "death_date").drop_nulls()
    events = [
        ("drug_exposure", "start_date"),
        ("drug_exposure", "end_date"),
        ("procedure", "procedure_date"),
        ("outcome", "outcome_date"),
        ("assessment", "assessment_date"),
        ("mdt", "mdt_date"),
    ]
    for name, day in events:
        joined = table(folder, name).join(deaths, on="patient_id").drop_nulls(day)
        assert joined.filter(pl.col(day) > pl.col("death_date")).height == 0, name


def test_every_regimen_drug_is_in_the_reference_table(folder: Path) -> None:
    known = {text.lower() for row in resources.reference("drugs") for text in (row["inn"], *row["brands"].split(";"))}
    names = table(folder, "drug_exposure")["drug"].str.to_lowercase().str.replace(r"-a[a-z]{3}$", "")
    assert set(names) <= known


def test_several_countries_and_centres_take_part(folder: Path) -> None:
    patients = table(folder, "patient")
    assert {"US", "DE", "NL", "GB", "FR"} <= set(patients["country"])
    assert patients["centre_id"].n_unique() == PATIENTS // 300
