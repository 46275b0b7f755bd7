"""Mapping files on the command line."""

from pathlib import Path

import pytest

from crlm_pipeline.warehouse import Warehouse
from schemas.audit import SourceFile
from schemas.extract import Patient
from tests.command_line import Crlm

DUTCH = """\
key_nkr;key_zid;key_eid;incjr;topo_sublok;msi_stat;ras_mut;braf_mut;meta_lever_aantal;meta_lever_afm;leeft;pos_lymf;SITES
1;11;111;2019;C187;0;0;0;3;25;65;2;C220;;;;;;;;;
2;21;211;2020;C180;1;3;2;5;999;70;;C220;C341;;;;;;;;
""".replace("SITES", ";".join(f"meta_topo_sublok{n}" for n in range(1, 11)))


@pytest.fixture
def dutch(tmp_path: Path) -> Path:
    path = tmp_path / "registry.csv"
    path.write_text(DUTCH, encoding="utf-8")
    return path


@pytest.mark.usefixtures("quick_report")
def test_a_registry_is_run_through_a_mapping_that_ships(crlm: Crlm, dutch: Path, tmp_path: Path) -> None:
    warehouse = tmp_path / "crlm.duckdb"
    answer = crlm("run", dutch, "--mapping", "nkr", "--warehouse", warehouse, "--report", tmp_path / "report")
    assert answer.code == 0, answer.err
    with Warehouse.open_readonly(warehouse) as published:
        assert published.read(Patient)["country"].to_list() == ["NL", "NL"]
        assert set(published.read(SourceFile)["format"]) == {"mapping", "mapping:nkr"}


def test_several_mappings_serve_one_run(crlm: Crlm, dutch: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("Pat\n1\n", encoding="utf-8")
    mapping = tmp_path / "other.yaml"
    mapping.write_text(
        "mapping: other\nfiles:\n  - header: [Pat]\n    patient_id: Pat\n    id_prefix: {constant: other}\n    rows:\n"
        "      - {table: patient, columns: {centre_id: {constant: other}, country: {constant: DE}}}\n"
    )
    warehouse = tmp_path / "crlm.duckdb"
    answer = crlm("ingest", dutch, other, "--mapping", "nkr", "--mapping", mapping, "--warehouse", warehouse)
    assert answer.code == 0, answer.err
    with Warehouse.open_readonly(tmp_path / "crlm.duckdb.next") as ingested:
        assert ingested.read(Patient)["patient_id"].to_list() == ["1", "2", "other-1"]


def test_a_mapping_that_does_not_fit_ends_with_three_and_the_line(crlm: Crlm, dutch: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mine.yaml"
    mapping.write_text(
        "mapping: mine\nfiles:\n  - header: [key_nkr]\n    patient_id: key_nkr\n    rows: [{table: x}]\n"
    )
    answer = crlm("check", dutch, "--mapping", mapping)
    assert (answer.code, answer.is_one_line) == (3, True)
    assert "mine.yaml, line 5: " in answer.err


def test_a_draft_is_written_to_standard_output(crlm: Crlm, dutch: Path) -> None:
    answer = crlm("mapping", "draft", dutch)
    assert (answer.code, answer.err) == (0, "")
    assert 'patient_id: "key_nkr"' in answer.out
