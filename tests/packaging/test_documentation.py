from pathlib import Path

from crlm_pipeline.documentation import generated_pages
from schemas.extract import extract_tables

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_generated_pages_are_as_committed() -> None:
    stale = [name for name, text in generated_pages().items() if _committed(name) != text]
    assert not stale, f"run `make docs`: {stale}"


def test_no_guideline_page_outlives_its_edition() -> None:
    pages = {path.relative_to(DOCS).as_posix() for path in (DOCS / "guidelines").glob("*.md")}
    assert pages <= set(generated_pages())


def test_the_dictionary_describes_every_column_of_the_extract() -> None:
    text = generated_pages()["data-dictionary.md"]
    for table in extract_tables().values():
        for column in table.columns:
            assert f"| `{column.name}`" in text


def _committed(name: str) -> str:
    path = DOCS / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""
