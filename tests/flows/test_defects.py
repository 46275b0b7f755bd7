"""A defect of ours shows its kind and place; its message, which may hold a value of a patient, goes nowhere."""

from pathlib import Path

import pytest
from polars.exceptions import PanicException

from crlm_pipeline.errors import SourceError
from flows import steps
from flows.defects import UntoldDefectError, without_values
from tests.command_line import Crlm

MARKER = "QZX"
DEFECTS = [ValueError(MARKER), AssertionError({"patient": MARKER}), PanicException(MARKER), UnicodeError(MARKER)]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: type(defect).__name__)
@pytest.mark.parametrize(
    "call", [["check"], ["ingest"], ["run"], ["--debug", "check"], ["--debug", "run"]], ids=" ".join
)
def test_the_terminal_learns_no_value_of_a_defect(
    crlm: Crlm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, registry: Path, call: list[str], defect: BaseException
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise defect

    monkeypatch.setattr(steps, "validate", broken)
    monkeypatch.chdir(tmp_path)
    answer = crlm(*call, registry)
    assert answer.code == 1
    assert f"{type(defect).__name__} in test_defects.py" in answer.err
    assert MARKER not in answer.out + answer.err
    assert ("File " in answer.err) == ("--debug" in call)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: type(defect).__name__)
def test_a_step_lets_out_kind_and_place_of_a_defect_alone(defect: BaseException) -> None:
    def broken() -> None:
        raise defect

    with pytest.raises(UntoldDefectError, match=f"^{type(defect).__name__} in test_defects.py, line") as caught:
        without_values(broken)()
    assert caught.value.__suppress_context__
    assert MARKER not in str(caught.value)


def test_what_the_user_must_mend_is_told_in_full() -> None:
    def refused() -> None:
        raise SourceError("It is broken.", "Mend it.")

    with pytest.raises(SourceError, match=r"It is broken\. Mend it"):
        without_values(refused)()
