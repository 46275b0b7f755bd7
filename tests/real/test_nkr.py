"""The Dutch registry: the mapping that ships reads columns that the registry's extract has."""

from pathlib import Path

import polars as pl

from crlm_pipeline.extracts.mapping_load import load_mapping
from crlm_pipeline.extracts.read import read_sources
from tests.real.data import real_data


def names() -> list[str]:
    return (real_data("nkr") / "columns.txt").read_text(encoding="utf-8").split()


def test_every_column_that_the_mapping_reads_is_one_of_the_registry() -> None:
    (file,) = load_mapping(Path("nkr")).mapping.files
    assert {name for _, name in file.columns()} <= set(names())


def test_an_extract_of_all_columns_is_read_and_the_others_are_told(tmp_path: Path) -> None:
    known = {"key_nkr": "1", "key_zid": "2", "key_eid": "3", "incjr": "2020", "topo_sublok": "C187", "ras_mut": "3",
             "meta_lever_aantal": "2", "meta_topo_sublok1": "C220"}  # fmt: skip
    pl.DataFrame({name: [known.get(name)] for name in names()}).write_csv(tmp_path / "nkr.csv", separator=";")
    extract = read_sources([tmp_path], [load_mapping(Path("nkr"))])
    rows = {part.table_name: part.frame.height for part in extract.tables}
    assert rows == {"patient": 1, "tumour": 1, "assessment": 1, "biomarker": 1}
    (notice,) = extract.notices
    assert notice.check_name == "column_not_used"
    assert "prechir_cea" in notice.message
