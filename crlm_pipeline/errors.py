"""Errors that the user can mend. Each says where, what was expected and what to do; none holds a patient's value."""

from dataclasses import dataclass
from typing import ClassVar


class CrlmError(Exception):
    """A problem for the user to mend; shown as one clear line without a traceback.

    Anything else that escapes is a defect of ours and ends with exit code 1.
    """

    exit_code: ClassVar[int] = 1


class UsageError(CrlmError):
    """The call is wrong: an option, an id or a combination that cannot be."""

    exit_code = 2


@dataclass
class SourceError(CrlmError):
    """A source cannot be used. `file` is relative to the source; `row` counts from 1 below the header.

    `line` counts from 1 and is that of a mapping file.
    """

    problem: str
    remedy: str
    file: str | None = None
    row: int | None = None
    column: str | None = None
    line: int | None = None
    exit_code: ClassVar[int] = 3

    def __str__(self) -> str:
        """Return the place, the problem and the remedy as one line."""
        place = ", ".join(
            part
            for part in (
                self.file,
                f"line {self.line}" if self.line is not None else None,
                f"row {self.row}" if self.row is not None else None,
                f"column {self.column}" if self.column is not None else None,
            )
            if part
        )
        return f"{place}: {self.problem} {self.remedy}" if place else f"{self.problem} {self.remedy}"


class KnowledgeError(CrlmError):
    """An edition or reference table is inconsistent; names the file and the rule."""

    exit_code = 3


class DefectError(CrlmError):
    """A defect of ours that was contained, so that everything else could be told; nothing was published."""

    exit_code = 1


class RejectedShareError(CrlmError):
    """More rows or cells were rejected than allowed; nothing was published."""

    exit_code = 4


class WarehouseBusyError(CrlmError):
    """Another run holds the warehouse."""

    exit_code = 5
