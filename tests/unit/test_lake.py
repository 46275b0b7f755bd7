"""A lake holds the rows of patients whole, says what it holds, and removes nothing that is not its own."""

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from crlm_pipeline import buckets
from crlm_pipeline.buckets import bucket_count, by_bucket
from crlm_pipeline.errors import SourceError
from crlm_pipeline.lake import Lake, remove_other_runs
from crlm_pipeline.warehouse import Warehouse
from schemas.column import describe
from schemas.extract import Mdt, Patient

RUN = "20260101T000000-0123abcd"


def patients(number: int) -> pl.DataFrame:
    schema = describe(Patient).polars_schema
    rows = [dict.fromkeys(schema) | {"patient_id": f"p{n}", "centre_id": "c"} for n in range(number)]
    return pl.DataFrame(rows, schema=schema)


def meetings(patient_ids: list[str]) -> pl.DataFrame:
    schema = describe(Mdt).polars_schema
    return pl.DataFrame([dict.fromkeys(schema) | {"patient_id": one} for one in patient_ids], schema=schema)


@pytest.mark.parametrize(("number", "expected"), [(0, 1), (1, 1), (50_000, 1), (50_001, 2), (1_000_000, 20)])
def test_a_bucket_holds_no_more_patients_on_average_than_fit_in_memory(number: int, expected: int) -> None:
    assert bucket_count(number) == expected


def test_every_row_is_in_the_bucket_of_its_patient_and_in_no_other() -> None:
    accepted = {Patient: patients(40), Mdt: meetings(["p1", "p39", "p1"])}
    parts = dict(by_bucket(accepted, 3))
    assert set(parts[Patient]) == set(parts[Mdt]) == {0, 1, 2}
    for model, frame in accepted.items():
        assert_frame_equal(pl.concat(parts[model].values()), frame, check_row_order=False)
    homes = {one: number for number, frame in parts[Patient].items() for one in frame["patient_id"]}
    assert all(homes[one] == number for number, frame in parts[Mdt].items() for one in frame["patient_id"])
    assert len(set(homes.values())) == 3


def test_the_bucket_of_a_patient_does_not_depend_on_the_others() -> None:
    few, many = (dict(by_bucket({Patient: patients(number)}, 3))[Patient] for number in (5, 40))
    for number, frame in few.items():
        assert set(frame["patient_id"]) <= set(many[number]["patient_id"])


def test_all_patients_together_are_the_buckets_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "PATIENTS_PER_BUCKET", 7)
    with Warehouse.of_frames({Patient: patients(40)}) as warehouse:
        found = [frame["patient_id"].to_list() for frame in buckets.buckets(warehouse, patients(40))]
    assert len(found) == 6
    assert sorted(one for part in found for one in part) == sorted(patients(40)["patient_id"])


def test_the_warehouse_shows_what_the_lake_holds(tmp_path: Path) -> None:
    lake = Lake.create(tmp_path / "lake", RUN, 2)
    for number, ids in enumerate((["p1"], [])):
        lake.write(Mdt, number, meetings(ids))
    with Warehouse.create(tmp_path / "crlm.duckdb", lake.folder) as warehouse:
        warehouse.show_files(Mdt, lake.files(Mdt))
        assert_frame_equal(warehouse.read(Mdt), meetings(["p1"]))
        assert warehouse.count(Mdt) == 1
    assert_frame_equal(lake.read(Mdt, 1), meetings([]))


def test_the_manifest_names_every_file_with_its_rows_and_its_hash(tmp_path: Path) -> None:
    lake = Lake.create(tmp_path, RUN, 1)
    lake.write(Mdt, 0, meetings(["p1", "p2"]))
    lake.seal()
    manifest = json.loads((lake.folder / "manifest.json").read_text())
    name = "extract/mdt/bucket=0000/rows.parquet"
    digest = hashlib.sha256((lake.folder / name).read_bytes()).hexdigest()
    assert manifest == {"bucket_count": 1, "files": {name: {"rows": 2, "sha256": digest}}}
    assert Lake.open(lake.folder) == lake


def test_a_lake_that_lacks_a_file_is_not_opened(tmp_path: Path) -> None:
    lake = Lake.create(tmp_path, RUN, 1)
    lake.write(Mdt, 0, meetings(["p1"]))
    lake.seal()
    next(lake.folder.rglob("rows.parquet")).unlink()
    with pytest.raises(SourceError, match=r"lacks extract/mdt/bucket=0000/rows\.parquet"):
        Lake.open(lake.folder)
    with pytest.raises(SourceError, match="manifest"):
        Lake.open(tmp_path / "elsewhere")


def test_a_folder_whose_name_would_stand_for_others_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds one of"):
        Lake.create(tmp_path / "lake[1]", RUN, 1)


def test_only_the_folders_of_other_runs_are_removed(tmp_path: Path) -> None:
    keep = Lake.create(tmp_path, RUN, 1)
    gone = Lake.create(tmp_path, "20250101T000000-0123abcd", 1)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes.txt").touch()
    remove_other_runs(tmp_path, keep={keep.folder})
    assert not gone.folder.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [RUN, "notes", "notes.txt"]
