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
from crlm_pipeline.indicators import unmet
from crlm_pipeline.owner_only import owner_only
from crlm_pipeline.report.drawing import NAMES
from crlm_pipeline.report.script import script_of_pages
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
    listed = _with_indicators(warehouse.query("report/cases", guideline=guideline), warehouse)
    shutil.rmtree(folder, ignore_errors=True)
    with owner_only():
        _write_pages(warehouse, folder, knowledge, guideline, listed)
    return folder


def _with_indicators(listed: pl.DataFrame, warehouse: Warehouse) -> pl.DataFrame:
    """Add the indicators that each decision, or its patient, did not meet, as text."""
    members = unmet(warehouse, last_run(warehouse)["as_of"])
    patient = pl.col("decision_id").str.extract(r"^(.*?)/(?:systemic|local|next)").alias("patient_id")
    of_decisions = members.filter(pl.col("member") == "decision").select("indicator_id", decision_id="member_id")
    of_patients = members.filter(pl.col("member") == "patient").select("indicator_id", patient_id="member_id")
    cases = listed.select("decision_id", patient)
    found = pl.concat(
        [cases.join(of_decisions, on="decision_id"), cases.join(of_patients, on="patient_id")], how="diagonal"
    )
    named = found.group_by("decision_id").agg(pl.col("indicator_id").unique().sort().str.join(", ").alias("indicators"))
    return listed.join(named, on="decision_id", how="left", maintain_order="left")


def _write_pages(
    warehouse: Warehouse, folder: Path, knowledge: Knowledge, guideline: str, listed: pl.DataFrame
) -> None:
    folder.mkdir(parents=True)
    (folder / MARKER).touch()
    for number, rows in enumerate(listed.partition_by("centre_id", maintain_order=True), 1):
        centre = rows.item(0, "centre_id")
        cases = list(_cases(warehouse, knowledge, rows.to_dicts(), guideline))
        page = folder / f"centre-{number:02}.html"
        page.write_text(cases_page(centre, guideline, cases), encoding="utf-8")


def _cases(warehouse: Warehouse, knowledge: Knowledge, rows: list[dict[str, Any]], guideline: str) -> Iterator[Case]:
    run = last_run(warehouse)
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        found = records(warehouse, [row["decision_id"] for row in batch])
        for row, record in zip(batch, found, strict=True):
            yield Case(row, explain_record(record, knowledge, run, (guideline,)))


def cases_page(centre: str, guideline: str, cases: list[Case]) -> str:
    """Return the page of a centre's cases."""
    environment = Environment(loader=FileSystemLoader(template_folder()), autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("cases.html.jinja")
    return page.render(
        centre=centre, guideline=guideline, cases=cases, colours=NAMES.values(), script=script_of_pages()
    )
