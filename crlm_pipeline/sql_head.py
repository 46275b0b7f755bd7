"""Reads the head of an SQL file: `-- field: text` lines before the statement."""

import re
from typing import NamedTuple

from crlm_pipeline.resources import sql


class Stated(NamedTuple):
    """A line of a head with those that continue it; a field may be stated more than once."""

    field: str
    text: str


def head_of(sql_name: str) -> list[Stated]:
    """Return what the head of `sql/<sql_name>.sql` states, in order.

    A comment line that names no field continues the one before.
    """
    stated: list[Stated] = []
    for line in sql(sql_name).splitlines():
        if not line.startswith("--"):
            break
        if found := re.match(r"-- ([a-z][a-z ]*): (.+)", line):
            stated.append(Stated(*map(str.strip, found.groups())))
        elif stated:
            field, text = stated.pop()
            stated.append(Stated(field, f"{text} {line.removeprefix('--').strip()}"))
    return stated


def statement_of(sql_name: str) -> str:
    """Return the statement below the head of `sql/<sql_name>.sql`."""
    lines = sql(sql_name).splitlines()
    body = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(lines[body:]) + "\n"
