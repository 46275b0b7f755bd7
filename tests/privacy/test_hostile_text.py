"""A registry whose every text could run, in a browser, a spreadsheet, a template or a terminal: it runs nowhere."""

import csv
import re
from pathlib import Path

import polars as pl
import pytest
from lxml import html

from crlm_pipeline.report.script import script_of_pages
from crlm_pipeline.synthetic import write_registry
from crlm_pipeline.warehouse import Warehouse
from schemas.extract import extract_tables
from tests.command_line import Crlm

SCRIPT = "<script>alert(1)</script>"
HOSTILE = (
    f"""=HYPERLINK("http://x","y"){SCRIPT}"'&{{{{7*7}}}}{{% raw %}}\x1b]0;t\x07<img src=x onerror=alert(1)>-->]]>"""
)
KEPT = ("country", "hgvs_p", "hgvs_c", "atc", "topography", "morphology", "t_category", "n_category", "m_category")
FORMULA = re.compile(r"\s*[=+\-@]")


def hostile_columns(table: str) -> list[str]:
    columns = extract_tables()[table].columns
    return [column.name for column in columns if column.dtype == pl.String and not column.values
            and column.name not in (*KEPT, "drug", "source_file_id") and not column.pattern]  # fmt: skip


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    write_registry(folder, 80, 7)
    for path in sorted(folder.glob("*.csv")):
        frame = pl.read_csv(path, infer_schema_length=0)
        texts = [name for name in hostile_columns(path.stem) if name in frame.columns]
        frame = frame.with_columns(pl.concat_str(pl.lit(HOSTILE), name).alias(name) for name in texts)
        if "drug" in frame.columns:
            is_replaced = pl.int_range(pl.len()) % 9 == 0
            frame = frame.with_columns(pl.when(is_replaced).then(pl.lit(HOSTILE)).otherwise("drug").alias("drug"))
        if path.stem == "tumour":
            frame = frame.with_columns(pl.lit("x").alias(f"=1+1{SCRIPT}"))
            is_bad = pl.int_range(pl.len()) % 50 == 0
            frame = frame.with_columns(
                pl.when(is_bad).then(pl.lit(HOSTILE)).otherwise("diagnosis_date").alias("diagnosis_date")
            )
        frame.write_csv(path)
    (folder / "=1+1<img src=x onerror=alert(1)>\x1b[2J.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    return folder


@pytest.fixture
def written(source: Path, tmp_path: Path, crlm: Crlm, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """Everything that is written of it, and what the terminal showed."""
    monkeypatch.chdir(tmp_path)
    shown = []
    for command in (
        ["run", source, "--partial"],
        ["report", "--with-cases", "cases"],
        ["check", source, "--corrections", "lists"],
    ):
        answer = crlm(*command)
        assert answer.code in (0, 4), answer.err
        shown.append(answer.out + answer.err)
    with Warehouse.open_readonly(tmp_path / "crlm.duckdb") as warehouse:
        decision = warehouse.query("report/cases", guideline="esmo")["decision_id"].item(0)
    answer = crlm("explain", decision)
    assert answer.code == 0, answer.err
    return tmp_path, "\n".join([*shown, answer.out])


def test_nothing_of_it_runs(written: tuple[Path, str]) -> None:
    folder, shown = written
    pages = [*(folder / "report").glob("*.html"), *(folder / "cases").glob("*.html")]
    assert len(pages) > 4
    assert any("&lt;script&gt;" in page.read_text(encoding="utf-8") for page in pages)
    for page in pages:
        _assert_harmless_page(page)
    tables = [*(folder / "report" / "data").glob("*.csv"), *(folder / "lists").glob("*.csv")]
    assert any("{{7*7}}" in table.read_text(encoding="utf-8-sig") for table in tables)
    for table in tables:
        with table.open(encoding="utf-8-sig", newline="") as lines:
            cells = [cell for row in csv.reader(lines) for cell in row]
        assert not [cell for cell in cells if FORMULA.match(cell) and not _is_number(cell)], table.name
    assert "\\x1b[2J" in shown
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)


def _assert_harmless_page(page: Path) -> None:
    content = page.read_text(encoding="utf-8")
    assert SCRIPT not in content
    assert "49" not in re.findall(r"""["']&amp;(49|\{\{7\*7\}\})""", content)
    own = script_of_pages()
    elements = list(html.fromstring(content.encode()).iter("*"))
    assert [element.text for element in elements if element.tag == "script"] == [own.text]
    assert [element.get("content") for element in elements if element.get("http-equiv")] == [own.policy]
    for element in elements:
        assert element.tag not in {"img", "iframe", "object", "embed", "link", "form"}, page.name
        names = [str(name).lower() for name in element.attrib]
        assert not [name for name in names if name.startswith("on") or name == "srcdoc"], page.name
        assert not str(element.get("href", "")).strip().lower().startswith(("javascript:", "http")), page.name


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell) is not None
