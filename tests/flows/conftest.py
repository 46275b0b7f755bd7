"""A small registry, and a report that takes no time."""

from pathlib import Path

import pytest

from crlm_pipeline.settings import Settings
from crlm_pipeline.synthetic import write_registry
from crlm_pipeline.warehouse import Warehouse
from flows import steps


@pytest.fixture
def quick_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the report, which takes longest and has tests of its own, by an empty page."""

    def write_page(_warehouse: Warehouse, folder: Path, _settings: Settings) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.html").touch()
        return folder / "index.html"

    monkeypatch.setattr(steps, "write_report", write_page)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic registry of 60 patients."""
    folder = tmp_path_factory.mktemp("registry")
    write_registry(folder, 60, 7)
    return folder
