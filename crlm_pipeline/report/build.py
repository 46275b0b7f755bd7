"""Writes the report: count, protect, lay out, render, swap the folder. A page per topic, and one per centre."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from crlm_pipeline.errors import UsageError
from crlm_pipeline.owner_only import owner_only
from crlm_pipeline.report.contents import CENTRE_SECTIONS, DOWNLOADS, PAGES
from crlm_pipeline.report.drawing import NAMES
from crlm_pipeline.report.export import contents, listing, write_data, write_index
from crlm_pipeline.report.fragments import Figure, Section, Table, Terms
from crlm_pipeline.report.page import MakeSection, Page
from crlm_pipeline.report.registry import Registry, read_registry
from crlm_pipeline.report.script import script_of_pages
from crlm_pipeline.resources import template_folder
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse

GENERATOR: Final = "crlm-pipeline"


@dataclass(frozen=True, slots=True)
class Made:
    """A page with its sections made; `under` is the page that it is listed under, if any."""

    page: Page
    sections: tuple[Section, ...]
    under: Page | None = None

    @property
    def file(self) -> str:
        """The name of the page's file."""
        return f"{self.page.name}.html"


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
        _write_pages(registry, half_made)
    _swap(half_made, folder)
    return folder / "index.html"


def _write_pages(registry: Registry, folder: Path) -> None:
    made = list(_made_pages(registry))
    known = contents((section for page in made for section in page.sections), known={})
    files = [file for page in made for file in write_data(page.sections, folder / "data", page.file, "", known)]
    assert len({file.name for file in files}) == len(files), "two pages write data of one name"
    made.append(Made(DOWNLOADS, (listing(files),)))
    template = _environment().get_template("page.html.jinja")
    common = {"registry": registry, "navigation": _navigation(made), "centre": None, "prefix": ""}
    for page in made:
        (folder / page.file).write_text(template.render(common, made=page), encoding="utf-8")
    for centre, code in registry.codes.items():
        page = Made(Page(f"centre-{code}", f"Centre {centre}", ""), _sections(registry, centre, CENTRE_SECTIONS))
        prefix = f"{code.lower()}-"
        files += write_data(page.sections, folder / "data", page.file, prefix, known)
        html = template.render(common, made=page, centre=centre, prefix=prefix)
        (folder / page.file).write_text(html, encoding="utf-8")
    write_index(files, folder / "data")


def _made_pages(registry: Registry) -> Iterator[Made]:
    """Yield the registry's pages that have something to show, each before those listed under it."""
    for page in PAGES:
        if sections := _sections(registry, None, page.sections):
            yield Made(page, sections)
        for one in page.single(registry) if page.single else ():
            if sections := _sections(registry, None, one.sections):
                yield Made(one, sections, page)


def _sections(registry: Registry, centre: str | None, makers: Sequence[MakeSection]) -> tuple[Section, ...]:
    return tuple(made for section in makers if (made := section(registry, centre)))


def _navigation(made: Sequence[Made]) -> Mapping[str, list[tuple[Made, list[Made]]]]:
    """Return the entries of the navigation by group: each page with those listed under it."""
    tops = [page for page in made if page.under is None]
    entries = [(top, [page for page in made if page.under is top.page]) for top in tops]
    return {group: list(of_group) for group, of_group in groupby(entries, lambda entry: entry[0].page.group)}


def _sentences(text: str) -> tuple[str, str]:
    """Return the first sentence and the others: a heading and the note below it."""
    first, _, rest = text.partition(". ")
    return (f"{first}." if rest else first), rest


def _css_string(text: str) -> Markup:
    """Return a text as a string of a style sheet, with whatever could end it, or the sheet, escaped."""
    escaped = "".join(one if one.isalnum() or one == " " else f"\\{ord(one):x} " for one in text)
    return Markup(f'"{escaped}"')  # noqa: S704  # nothing but letters, digits, blanks and escapes


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(template_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    tools: dict[str, Any] = {
        "generator": GENERATOR,
        "script": script_of_pages(),
        "colours": NAMES.values(),
        "is_table": lambda block: isinstance(block, Table),
        "is_figure": lambda block: isinstance(block, Figure),
        "is_terms": lambda block: isinstance(block, Terms),
    }
    environment.filters |= {"sentences": _sentences, "css_string": _css_string}
    environment.globals.update(tools)
    return environment


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
