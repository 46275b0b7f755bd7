"""A small registry."""

from pathlib import Path

import pytest

from crlm_pipeline.synthetic import write_registry


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic registry of 60 patients."""
    folder = tmp_path_factory.mktemp("registry")
    write_registry(folder, 60, 7)
    return folder
