"""The restricted report and the one for sharing: the same, but for what the plan hides."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline.disclosure import SHOWN, N
from crlm_pipeline.report.build import write_report
from crlm_pipeline.report.registry import read_registry
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from tests.registry_of_chance import registry

RESTRICTED = Settings(disclosure_threshold=1)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with registry(patients=90, centres=2) as made:
        yield made


def test_the_cells_differ_only_where_one_is_hidden(warehouse: Warehouse) -> None:
    shared, restricted = (read_registry(warehouse, settings).tables for settings in (Settings(), RESTRICTED))
    assert shared.keys() == restricted.keys()
    hidden = 0
    for name, table in shared.items():
        ours, theirs = table.frame, restricted[name].frame
        assert ours.select(table.dimensions).equals(theirs.select(table.dimensions))
        assert theirs[N].is_not_null().all()
        assert theirs[SHOWN].equals(theirs[N].cast(pl.String))
        is_shown = ours[N].is_not_null()
        assert (
            ours.filter(is_shown)
            .drop("completeness", "median", "median_low", "median_high", strict=False)
            .equals(theirs.filter(is_shown).drop("completeness", "median", "median_low", "median_high", strict=False))
        )
        hidden += (~is_shown).sum()
    assert hidden > 100


def test_every_page_of_a_restricted_report_says_so_and_no_page_of_the_other(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    shared = write_report(warehouse, tmp_path / "shared", Settings()).parent
    restricted = write_report(warehouse, tmp_path / "restricted", RESTRICTED).parent
    for page in sorted(shared.glob("*.html")):
        assert "not for sharing" not in page.read_text(encoding="utf-8")
        assert "Restricted: not for sharing" in (restricted / page.name).read_text(encoding="utf-8")
    printed = " ".join(page.read_text(encoding="utf-8") for page in restricted.glob("*.html"))
    assert "&lt;5" not in printed
    assert ">hidden<" not in printed
