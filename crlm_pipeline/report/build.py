"""Writes the report: count, protect, lay out, render, swap the folder. One page for the registry, one per centre."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crlm_pipeline.errors import UsageError
from crlm_pipeline.owner_only import owner_only
from crlm_pipeline.report.export import write_csv
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.registry import Registry, read_registry
from crlm_pipeline.report.sections import (
    biomarkers,
    centres,
    cohort,
    comparison,
    completeness,
    concordance,
    conflicts,
    departures,
    glance,
    indicators,
    methods,
    pathways,
    quality,
    safety,
    testing,
    trend,
)
from crlm_pipeline.resources import template_folder
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse

SECTIONS: Final[tuple[Callable[[Registry, str | None], Section | None], ...]] = (
    glance.section,
    cohort.section,
    biomarkers.section,
    testing.section,
    pathways.section,
    concordance.section,
    centres.section,
    comparison.section,
    conflicts.section,
    departures.section,
    safety.section,
    indicators.section,
    quality.section,
    completeness.section,
    trend.section,
    methods.section,
)
GENERATOR: Final = "crlm-pipeline"


def write_report(warehouse: Warehouse, folder: Path, settings: Settings) -> Path:
    """Write the report of a published warehouse into `folder`, which is replaced as a whole; return its entry page.

    The new report is built in `<folder>.next`, for its owner alone to read. Raises `UsageError` when `folder` holds
    something else than a report.
    """
    _refuse_to_replace(folder)
    registry = read_registry(warehouse, settings)
    half_made = folder.with_name(f"{folder.name}.next")
    shutil.rmtree(half_made, ignore_errors=True)
    with owner_only():
        (half_made / "data").mkdir(parents=True)
        for centre in (None, *registry.codes):
            _write_page(registry, centre, half_made)
    _swap(half_made, folder)
    return folder / "index.html"


def _write_page(registry: Registry, centre: str | None, folder: Path) -> None:
    sections = [made for section in SECTIONS if (made := section(registry, centre))]
    prefix = "" if centre is None else f"{registry.codes[centre].lower()}-"
    _write_data(sections, folder / "data", prefix)
    page = _environment().get_template("page.html.jinja")
    html = page.render(
        registry=registry,
        centre=centre,
        sections=sections,
        prefix=prefix,
        generator=GENERATOR,
        is_table=lambda block: isinstance(block, Table),
        is_figure=lambda block: isinstance(block, Figure),
    )
    (folder / page_name(registry, centre)).write_text(html, encoding="utf-8")


def page_name(registry: Registry, centre: str | None) -> str:
    """Return the file name of the registry's page, or of a centre's: always by its code, never by its name."""
    return "index.html" if centre is None else f"centre-{registry.codes[centre]}.html"


def _write_data(sections: Sequence[Section], folder: Path, prefix: str) -> None:
    tables = [block.data for section in sections for block in section.blocks if not isinstance(block, str)]
    names = [data.name for data in tables]
    assert len(set(names)) == len(names), f"two blocks of a page share their data: {sorted(names)}"
    for data in tables:
        write_csv(data, folder / f"{prefix}{data.name}.csv")


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(template_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _refuse_to_replace(folder: Path) -> None:
    if not folder.exists():
        return
    index = folder / "index.html"
    is_report = (
        index.is_file() and f'content="{GENERATOR}' in index.read_text(encoding="utf-8", errors="replace")[:2000]
    )
    if not is_report and (not folder.is_dir() or any(folder.iterdir())):
        message = f"{folder}: holds something else than a report of ours. Name a new or empty folder with --report."
        raise UsageError(message)


def _swap(half_made: Path, folder: Path) -> None:
    """Put the new folder in the place of the old one; what an interrupted run left behind is in nobody's way."""
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    half_made.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
