"""Pages of centres as PDF: which are written, and what is said where they cannot be."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crlm_pipeline.errors import UsageError
from crlm_pipeline.report.build import write_report
from crlm_pipeline.report.pdf import write_pdfs
from crlm_pipeline.settings import Settings
from tests.registry_of_chance import registry


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for code in ("C01", "C02"):
        (tmp_path / f"centre-{code}.html").write_text(f"<h1>Centre {code}</h1>", encoding="utf-8")
    return tmp_path


def test_a_centre_without_a_page_is_a_wrong_call(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"--pdf C09: .* one of C01, C02, or all"):
        list(write_pdfs(folder, ["C01", "C09"]))
    assert not list(folder.glob("*.pdf"))


def test_without_weasyprint_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(UsageError, match=r"crlm-pipeline\[pdf\]"):
        list(write_pdfs(folder, ["all"]))


def test_without_pango_that_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "lib" / "weasyprint"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise OSError('cannot load library libpango-1.0-0')")
    monkeypatch.delitem(sys.modules, "weasyprint", raising=False)
    monkeypatch.syspath_prepend(broken.parent)
    with pytest.raises(UsageError, match="Pango"):
        list(write_pdfs(folder, ["all"]))


def test_every_centre_is_written_for_its_owner_alone(folder: Path) -> None:
    pytest.importorskip("weasyprint")
    written = list(write_pdfs(folder, ["all"]))
    assert [path.name for path in written] == ["centre-C01.pdf", "centre-C02.pdf"]
    assert all(path.read_bytes().startswith(b"%PDF-") and path.stat().st_mode & 0o077 == 0 for path in written)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext to read the PDF with")
def test_a_page_of_paper_says_whose_and_which_run_it_is_and_how_many_there_are(tmp_path: Path) -> None:
    pytest.importorskip("weasyprint")
    with registry(patients=40, centres=1) as warehouse:
        folder = write_report(warehouse, tmp_path / "report", Settings()).parent
    (written,) = write_pdfs(folder, ["C01"])
    text = subprocess.run(["pdftotext", "-layout", written, "-"], capture_output=True, text=True, check=True).stdout
    pages = [page for page in text.split("\f") if page.strip()]
    for number, page in enumerate(pages, 1):
        assert "Centre C01" in page
        assert "Run run-0001, facts up to 2025-12-31" in page
        assert "Not signed by a clinician" in page
        assert f"Page {number} of {len(pages)}" in page
    assert "Filter" not in text
    assert "Parquet" not in text
