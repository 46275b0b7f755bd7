"""A page of the report as data: what it is called, where the navigation lists it, and which sections it holds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from crlm_pipeline.report.fragments import Section
from crlm_pipeline.report.registry import Registry

# Makes a section for the registry (centre None) or for one centre; None where there is nothing to show.
MakeSection = Callable[[Registry, str | None], Section | None]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the registry: the name of its file without the ending, title, group in the navigation and sections.

    Its sections stand on each centre's page too, as far as they have something to show there. `single` makes the pages
    that are listed under this one, such as one per biomarker; theirs do not.
    """

    name: str
    title: str
    group: str
    sections: tuple[MakeSection, ...] = ()
    single: Callable[[Registry], Iterable["Page"]] | None = None
    label: str = ""


@lru_cache(maxsize=1)
def centre_page(registry: Registry) -> pl.Expr:
    """Return the address of each row's centre, null for all centres together, as `centre_href`."""
    addresses = {centre: f"centre-{code}.html" for centre, code in registry.codes.items()}
    return pl.col("centre_id").replace_strict(addresses, default=None, return_dtype=pl.String).alias("centre_href")
