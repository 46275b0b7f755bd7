"""One run per module: the registry that its tests stated, and the patient of the test that asks."""

from collections.abc import Iterator
from functools import cache

import pytest

from crlm_pipeline.guidelines.load import load_editions
from flows import steps
from tests.acceptance.registry import Answers, Patient, Registry


@pytest.fixture(scope="session", autouse=True)
def _editions_read_once() -> Iterator[None]:
    """Read the editions once for all runs: they are a second of each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "load_editions", cache(load_editions))
        yield


@pytest.fixture(scope="module")
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """The warehouse of the module's `REGISTRY`."""
    registry: Registry = request.module.REGISTRY
    return registry.run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def patient(request: pytest.FixtureRequest, answers: Answers) -> Patient:
    """The patient that the test states: of its name."""
    return Patient(answers, request.function.__name__.removeprefix("test_"))
