"""The report as files: what every page says, what never leaves, and how the folder is replaced."""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.errors import UsageError
from crlm_pipeline.report.build import write_report
from crlm_pipeline.report.contents import CENTRE_SECTIONS, PAGES
from crlm_pipeline.report.counts import PUBLISHED
from crlm_pipeline.report.registry import Registry, read_registry
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from tests.registry_of_chance import registry

Cell = tuple[str | None, ...]
SECTION_IDS = (
    "glance",
    "cohort",
    "biomarkers",
    "testing",
    "pathways",
    "concordance",
    "centres",
    "departures",
    "safety",
    "indicators",
    "quality",
    "methods",
)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with registry(patients=260, centres=3) as made:
        yield made


@pytest.fixture(scope="module")
def report(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(warehouse, tmp_path_factory.mktemp("out") / "report", Settings()).parent


@pytest.fixture(scope="module")
def read(warehouse: Warehouse) -> Registry:
    return read_registry(warehouse, Settings())


def pages(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.html")}


def data(folder: Path) -> dict[str, pl.DataFrame]:
    return {path.stem: pl.read_csv(path, infer_schema_length=None) for path in (folder / "data").glob("*.csv")}


def test_there_is_a_page_per_topic_and_one_for_each_centre_under_its_code(report: Path) -> None:
    centres = {"centre-C01.html", "centre-C02.html", "centre-C03.html"}
    assert {f"{page.name}.html" for page in PAGES} | centres <= set(pages(report))
    assert {name for name in pages(report) if name.startswith("centre-")} == centres


@pytest.mark.parametrize("section", SECTION_IDS)
def test_every_section_stands_on_one_topic_page_and_on_every_centre_page_with_a_way_to_it(
    section: str, report: Path
) -> None:
    holding = {name for name, html in pages(report).items() if f'<section id="{section}"' in html}
    of_centres = {name for name in holding if name.startswith("centre-")}
    assert len(of_centres) == 3
    assert len(holding - of_centres) == 1
    for name in of_centres:
        html = pages(report)[name]
        assert html.count(f'<section id="{section}"') == 1
        assert f'href="#{section}"' in html


def test_every_page_says_that_it_is_no_advice_that_it_is_unsigned_and_where_the_key_is(report: Path) -> None:
    for html in pages(report).values():
        assert "Nothing here is clinical advice" in html
        assert "Not signed by a clinician" in html
        assert "audit.report_key" in html
        assert "What-if report" not in html


def test_every_page_ends_with_run_hash_editions_and_version(report: Path) -> None:
    for html in pages(report).values():
        footer = html[html.rindex("<footer>") :]
        for said in ("run-0001", "c0ffee" * 10, "esmo_2022_10 (unverified, not signed)", "0.1.0", "2025-12-31"):
            assert said in footer


def test_no_patient_and_no_name_of_a_centre_leaves_the_warehouse(report: Path) -> None:
    for path in report.rglob("*.*"):
        is_parquet = path.suffix == ".parquet"
        text = pl.read_parquet(path).write_csv() if is_parquet else path.read_text(encoding="utf-8")
        assert not re.search(r"P0\d{4}", text), path.name
        assert "hospital" not in text, path.name


def test_a_page_asks_for_nothing_from_outside_and_allows_its_own_script_alone(report: Path) -> None:
    for html in pages(report).values():
        assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:)?//", html)
        assert "http://" not in html
        (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
        allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'" in html


def test_headings_descend_by_one_level_and_every_drawing_has_words(report: Path) -> None:
    for html in pages(report).values():
        levels = [int(level) for level in re.findall(r"<h(\d)", html)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(below - above <= 1 for above, below in pairwise(levels))
        drawings = re.findall(r'<div class="scroll drawing" role="img" aria-label="([^"]*)"', html)
        assert len(drawings) == html.count("<figure>")
        assert all(len(words) > 20 for words in drawings)
        identifiers = re.findall(r' id="([^"]*)"', html)
        assert len(set(identifiers)) == len(identifiers)


def test_every_table_and_figure_links_to_its_data(report: Path) -> None:
    for html in pages(report).values():
        links = re.findall(r'href="(data/[^"]*)"', html)
        assert len(links) >= 2 * (html.count("<figure>") + html.count('<div class="table">'))
        assert all((report / link).is_file() for link in links)


def test_no_count_from_1_to_4_is_in_any_file(report: Path) -> None:
    for name, frame in data(report).items():
        for column in frame.columns:
            if column == "n" or column.startswith("n_") or column in ("total", "whole"):
                values = frame[column].cast(pl.Int64, strict=False).drop_nulls()
                assert not values.is_between(1, 4).any(), (name, column)
            if column == "shown" or column.endswith("_shown"):
                small = frame[column].cast(pl.String).is_in(["1", "2", "3", "4"])
                assert not small.any(), (name, column)


def test_a_rate_is_never_of_fewer_than_ten_or_of_a_hidden_count(report: Path) -> None:
    seen = 0
    for name, frame in data(report).items():
        if "percent" not in frame.columns:
            continue
        rates = frame.filter(pl.col("percent").is_not_null())
        for total in ("n_tested", "n_evaluable", "total", "required"):
            if total in rates.columns and rates.height:
                assert (rates[total].cast(pl.Int64, strict=False).drop_nulls() >= 10).all(), (name, total)
                seen += rates.height
    assert seen > 100


def sums(table: SafeTable, margins: list[tuple[str, ...]]) -> Iterator[tuple[Cell, list[Cell]]]:
    """Yield each total of a table with its parts."""
    cells = {row[: len(table.dimensions)] for row in table.frame.iter_rows()}
    for over in margins:
        at = [table.dimensions.index(name) for name in over]
        parts: dict[Cell, list[Cell]] = {}
        for cell in cells:
            whole = tuple(None if place in at else value for place, value in enumerate(cell))
            if all(cell[place] is not None for place in at) and whole in cells:
                parts.setdefault(whole, []).append(cell)
        yield from parts.items()


def counts(registry: Registry, name: str) -> dict[Cell, int | None]:
    width = len(registry.tables[name].dimensions)
    return {row[:width]: row[width] for row in registry.tables[name].frame.iter_rows()}


@pytest.mark.parametrize("name", ["verdicts", "indicators", "required_tests", "biomarkers", "departures", "ledger"])
def test_nobody_works_out_a_hidden_count_by_adding_and_subtracting(
    name: str, read: Registry, warehouse: Warehouse
) -> None:
    truth = counts(read_registry(warehouse, Settings(disclosure_threshold=1)), name)
    known = counts(read, name)
    margins = next(published.margins for published in PUBLISHED if published.name == name)
    every = list(sums(read.tables[name], [margin.over for margin in margins if not margin.apart]))
    complete = [(whole, *parts) for whole, parts in every if truth[whole] == sum(truth[part] or 0 for part in parts)]
    hidden = [cell for cell, n in known.items() if n is None]
    assert hidden
    assert complete
    for cells in complete:
        assert len([cell for cell in cells if known[cell] is None]) != 1


def test_the_same_warehouse_gives_the_same_report_byte_for_byte(
    report: Path, warehouse: Warehouse, tmp_path: Path
) -> None:
    again = write_report(warehouse, tmp_path / "report", Settings()).parent
    files = [path.relative_to(report) for path in sorted(report.rglob("*.*"))]
    assert files == [path.relative_to(again) for path in sorted(again.rglob("*.*"))]
    assert all((report / file).read_bytes() == (again / file).read_bytes() for file in files)


def small(**given: object) -> Warehouse:
    return registry(**{"patients": 90, "centres": 2, **given})  # type: ignore[arg-type]


def test_signed_editions_let_centres_stand_under_their_names_in_files_under_their_codes(tmp_path: Path) -> None:
    hostile = ["=HYPERLINK(A1)", "<script>alert(1)</script>"]
    with small(centres=hostile, is_signed=True) as made:
        folder = write_report(made, tmp_path / "report", Settings()).parent
    html = pages(folder)
    assert {name for name in html if name.startswith("centre-")} == {"centre-C01.html", "centre-C02.html"}
    assert "Not signed by a clinician" not in html["index.html"]
    assert "&lt;script&gt;alert(1)" in html["index.html"]
    assert html["index.html"].count("<script") == 1
    names = (folder / "data" / "concordance_by_centre.csv").read_text(encoding="utf-8")
    assert "'=HYPERLINK" in names
    assert not re.search(r"(^|,)=", names, re.MULTILINE)


def test_a_what_if_and_a_partial_run_say_so_on_every_page(tmp_path: Path) -> None:
    with small(judge_by="esmo_2016_07", status="partial") as made:
        folder = write_report(made, tmp_path / "report", Settings()).parent
    for html in pages(folder).values():
        assert "What-if report" in html
        assert "esmo_2016_07" in html
        assert "Partial data" in html


@pytest.mark.parametrize(("patients", "centres"), [(0, 1), (3, 1), (25, 2)])
def test_a_registry_of_hardly_anybody_has_a_report_too(patients: int, centres: int, tmp_path: Path) -> None:
    with registry(patients=patients, centres=centres) as made:
        html = pages(write_report(made, tmp_path / "report", Settings()).parent)
    everything = "".join(page for name, page in html.items() if not name.startswith("centre-"))
    assert all(everything.count(f'<section id="{section}"') == 1 for section in SECTION_IDS)


def test_without_the_headline_series_the_report_is_about_one_that_judged(warehouse: Warehouse) -> None:
    assert read_registry(warehouse, Settings(headline_guideline="nccn")).headline == "asco"
    assert read_registry(warehouse, Settings(headline_guideline="ema")).followed == "on_label"


def test_a_report_about_a_label_has_every_section_too(warehouse: Warehouse) -> None:
    labelled = read_registry(warehouse, Settings(headline_guideline="ema"))
    for centre in (None, next(iter(labelled.codes))):
        assert len([made for section in CENTRE_SECTIONS if (made := section(labelled, centre))]) >= len(SECTION_IDS)


def test_the_folder_is_replaced_as_a_whole_and_what_a_killed_run_left_is_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    with small() as made:
        write_report(made, folder, Settings())
        (folder / "data" / "stale.csv").write_text("old")
        for left in ("report.next", "report.old"):
            (tmp_path / left / "data").mkdir(parents=True)
        write_report(made, folder, Settings())
    assert not (folder / "data" / "stale.csv").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report"]


def test_a_folder_with_something_else_in_it_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with small(patients=0) as made, pytest.raises(UsageError, match="--report"):
        write_report(made, tmp_path, Settings())
    assert (tmp_path / "thesis.docx").exists()


def test_the_numbers_of_the_page_are_those_of_the_warehouse(read: Registry, warehouse: Warehouse) -> None:
    from_mart: Mapping[str, int] = dict(
        warehouse.query("report/patients")
        .filter(pl.col("centre_id").is_null())
        .select(pl.col("is_crlm").fill_null("all"), "n")
        .rows()
    )
    patients = read.tables["patients"]
    assert patients.count(is_metastatic="yes", is_crlm="yes").value == from_mart["yes"]
