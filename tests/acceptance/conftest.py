"""One run per module: the registry that its tests stated, and the patient of the test that asks."""

import pytest

from tests.acceptance.registry import Answers, Patient, Registry


@pytest.fixture(scope="module")
def answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """The warehouse of the module's `REGISTRY`."""
    registry: Registry = request.module.REGISTRY
    return registry.run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def patient(request: pytest.FixtureRequest, answers: Answers) -> Patient:
    """The patient that the test states: of its name."""
    return Patient(answers, request.function.__name__.removeprefix("test_"))
