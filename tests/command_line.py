"""What a command ended with, for the tests that call `crlm`."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """Exit code and what was written."""

    code: int
    out: str
    err: str

    @property
    def is_one_line(self) -> bool:
        """Whether the complaint is one line."""
        return self.err.startswith("crlm: ") and self.err.count("\n") == 1


Crlm = Callable[..., Answer]
