"""Reads the text of an SQL file: a head of `-- field: text` lines, then the statement."""

import re
from typing import NamedTuple


class Stated(NamedTuple):
    """A line of a head with those that continue it; a field may be stated more than once."""

    field: str
    text: str


def head_of(text: str) -> list[Stated]:
    """Return what the head states, in order; a comment line that names no field continues the one before."""
    stated: list[Stated] = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        if found := re.match(r"-- ([a-z][a-z ]*): (.+)", line):
            stated.append(Stated(*map(str.strip, found.groups())))
        elif stated:
            field, said = stated.pop()
            stated.append(Stated(field, f"{said} {line.removeprefix('--').strip()}"))
    return stated


def statement_of(text: str) -> str:
    """Return the statement below the head."""
    lines = text.splitlines()
    body = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(lines[body:]) + "\n"
