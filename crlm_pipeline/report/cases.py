"""The restricted list of decisions: each with the clause-by-clause reason for its verdict. Never part of the report.

It holds patients' data, so it is written only when asked for, into a folder of its own that only the owner may read.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crlm_pipeline.errors import UsageError
from crlm_pipeline.guidelines.explanation import explain_record, last_run, records
from crlm_pipeline.guidelines.load import Knowledge
from crlm_pipeline.owner_only import owner_only
from crlm_pipeline.resources import template_folder
from crlm_pipeline.warehouse import Warehouse

MARKER: Final = "crlm-pipeline cases"
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Case:
    """A decision of the list: what the table shows of it, and its explanation."""

    row: dict[str, Any]
    explanation: str


def write_cases(warehouse: Warehouse, folder: Path, knowledge: Knowledge, guideline: str) -> Path:
    """Write a page per centre with every decision judged by the guideline; return the folder, which is replaced.

    Raises `UsageError` when `folder` holds something else.
    """
    if folder.exists() and not (folder / MARKER).is_file():
        raise UsageError(f"{folder}: holds something else than a list of cases. Name a new folder with --with-cases.")
    listed = warehouse.query("report/cases", guideline=guideline)
    shutil.rmtree(folder, ignore_errors=True)
    with owner_only():
        _write_pages(warehouse, folder, knowledge, guideline, listed)
    return folder


def _write_pages(
    warehouse: Warehouse, folder: Path, knowledge: Knowledge, guideline: str, listed: pl.DataFrame
) -> None:
    folder.mkdir(parents=True)
    (folder / MARKER).touch()
    for number, rows in enumerate(listed.partition_by("centre_id", maintain_order=True), 1):
        centre = rows.item(0, "centre_id")
        cases = list(_cases(warehouse, knowledge, rows.to_dicts(), guideline))
        page = folder / f"centre-{number:02}.html"
        page.write_text(_page(centre, guideline, cases), encoding="utf-8")


def _cases(warehouse: Warehouse, knowledge: Knowledge, rows: list[dict[str, Any]], guideline: str) -> Iterator[Case]:
    run = last_run(warehouse)
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        found = records(warehouse, [row["decision_id"] for row in batch])
        for row, record in zip(batch, found, strict=True):
            yield Case(row, explain_record(record, knowledge, run, (guideline,)))


def _page(centre: str, guideline: str, cases: list[Case]) -> str:
    environment = Environment(loader=FileSystemLoader(template_folder()), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("cases.html.jinja").render(centre=centre, guideline=guideline, cases=cases)
