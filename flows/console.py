"""What the terminal shows: progress while a run lasts, its summary, and one clear line when it cannot be."""

import json
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crlm_pipeline.errors import CrlmError
from crlm_pipeline.printable import printable, printable_lines

DEFECT = 1


def say(text: str) -> None:
    """Write a result to standard output; nothing in it can steer the terminal."""
    sys.stdout.write(f"{printable_lines(text)}\n")


def complain(text: str) -> None:
    """Write one line to standard error."""
    sys.stderr.write(f"crlm: {printable(' '.join(text.split()))}\n")


def warn(text: str) -> None:
    """Write what must be read, but is no result, to standard error."""
    sys.stderr.write(f"{printable_lines(text)}\n")


def say_json(content: Any) -> None:
    """Write a result for machines; dates as ISO 8601."""
    say(json.dumps(content, default=str, indent=2))


@contextmanager
def progress(steps: int) -> Iterator[Callable[[str], None]]:
    """Yield what is to be told the name of each step, and how far it is (`annotate: bucket 3 of 20`).

    Shows a bar when standard error is a terminal, else nothing.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415  # only a terminal needs it
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=steps, completed=-1)
        yield lambda told: bar.update(task, description=told, advance=int(":" not in told))


def exit_code_of(error: BaseException, *, is_debug: bool) -> int:
    """Tell what went wrong and return the exit code.

    Of a defect only kind and place are shown, never its message: that may hold a value of a patient.
    """
    if isinstance(error, CrlmError):
        complain(str(error))
        return error.exit_code
    from flows.defects import kind_and_place  # noqa: PLC0415  # it knows polars, which is slow to start

    if is_debug:
        sys.stderr.write("".join(traceback.format_tb(error.__traceback__)))
    complain(
        f"this is a defect of crlm-pipeline ({kind_and_place(error)}). "
        "What is published is whole. Please report it with the output of `crlm --debug ...`."
    )
    return DEFECT


def show_summary(warehouse: Path, places: list[str], *, as_json: bool) -> None:
    """Write what the published run did, as text with the places of its results, or for machines."""
    from flows.steps import summary  # noqa: PLC0415  # slow to start

    totals = summary(warehouse)
    if as_json:
        say_json(totals)
    else:
        say("\n".join([summary_text(totals), *places]))


def summary_text(summary: Mapping[str, Any]) -> str:
    """Return the short summary of a run."""
    judge = summary["judge_by"] or ", ".join(summary["guidelines"])
    lines = [
        f"{summary['patients']:,} patients, {summary['metastatic_patients']:,} metastatic, "
        f"{summary['crlm_patients']:,} with liver metastases; {summary['decisions']:,} decisions "
        f"as of {summary['as_of']}",
        f"{summary['rows_read']:,} rows read = {summary['rows_accepted']:,} accepted + "
        f"{summary['rows_rejected']:,} rejected + {summary['rows_duplicate']:,} duplicate; "
        f"{summary['cells_rejected']:,} cells set aside",
        f"findings: {summary['errors']:,} errors, {summary['warnings']:,} warnings (table audit.finding)",
        f"judged by {judge}; {summary['decisions_judged']:,} decisions judged anew",
        f"run {summary['run_id']}, {summary['status']}, content {summary['content_hash'][:16]}",
    ]
    if shares := summary["shares_moved"]:
        lines.insert(-1, f"verdicts moved, shares beyond their limits: {shares:,} (table audit.verdict_shift)")
    return "\n".join(lines)


def table_text(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows as aligned columns of text."""
    cells = [list(map(str, header)), *([("" if cell is None else str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )
