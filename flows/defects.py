"""What is told of a defect of ours: its kind and place, never its message, which may hold a value of a patient."""

import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from polars.exceptions import PanicException

from crlm_pipeline.errors import CrlmError

P = ParamSpec("P")
R = TypeVar("R")


class UntoldDefectError(Exception):
    """A defect, told by its kind and place alone."""


def kind_and_place(error: BaseException) -> str:
    """Return such as `ValueError in casts.py, line 12`."""
    if isinstance(error, UntoldDefectError):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"


def without_values(do: Callable[P, R]) -> Callable[P, R]:
    """Return the function so that of a defect only kind and place leave it; what the user must mend is told in full."""

    @wraps(do)
    def guarded(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            return do(*arguments, **named)
        except CrlmError:
            raise
        except (Exception, PanicException) as error:  # a panic of polars is no Exception
            raise UntoldDefectError(kind_and_place(error)).with_traceback(error.__traceback__) from None

    return guarded
