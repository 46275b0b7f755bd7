"""What every section reads: the run, the editions it used, the centres under their labels, and the safe tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from crlm_pipeline.disclosure import SafeCount, SafeTable, share
from crlm_pipeline.errors import SourceError
from crlm_pipeline.indicators import Definition, definitions
from crlm_pipeline.report.counts import publish_counts
from crlm_pipeline.report.words import words
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse

ALL: Final = "the registry"


@dataclass(frozen=True, slots=True, eq=False)
class Registry:
    """A published warehouse as the report sees it; `codes` maps the label of a centre to the code in file names."""

    run: Mapping[str, Any]
    editions: pl.DataFrame
    source_files: pl.DataFrame
    rules: Mapping[str, str]
    kinds: Mapping[str, str]
    headline: str
    codes: Mapping[str, str]
    settings: Settings
    check_statuses: pl.DataFrame
    columns_not_delivered: pl.DataFrame
    tables: Mapping[str, SafeTable]
    changes: pl.DataFrame
    shifts: pl.DataFrame
    indicators: Sequence[Definition]

    @property
    def is_signed(self) -> bool:
        """Whether a clinician has signed every edition in use."""
        return _is_signed(self.editions)

    @property
    def is_relative(self) -> bool:
        """Whether the sources hold only day offsets, so that dates stand on a pseudo-calendar."""
        return "relative" in self.source_files["calendar"].to_list()

    @property
    def series(self) -> tuple[str, ...]:
        """The series that judged, recommendations first."""
        return tuple(self.kinds)

    @property
    def followed(self) -> str:
        """The class of verdicts that says that the headline series was followed."""
        return "on_label" if self.kinds.get(self.headline) == "label" else "concordant"

    @property
    def headline_name(self) -> str:
        """The name of the series that the report is about."""
        return words(self.headline)

    def share(self, part: Sequence[SafeCount], whole: Sequence[SafeCount]) -> float | None:
        """Return the percentage that some counts are of others, where it may be shown."""
        return share(part, whole, self.settings.rate_threshold)

    def verdicts(self, centre: str | None = None, **values: str | None) -> SafeCount:
        """Return the count of decisions on patients with CRLM, against the headline series unless another is named."""
        return self.tables["verdicts"].count(
            **{"guideline": self.headline, "is_crlm": "yes", "centre_id": centre} | values
        )


def read_registry(warehouse: Warehouse, settings: Settings) -> Registry:
    """Read what the report needs; raises `SourceError` when the warehouse holds no finished run."""
    runs = warehouse.query("report/run")
    if runs.is_empty():
        raise SourceError("the warehouse holds no run.", "Write it with `crlm run`.")
    kinds = dict(warehouse.query("report/series").iter_rows())
    headline = _headline(tuple(kinds), settings)
    editions = warehouse.query("report/editions")
    key = warehouse.query("report/report_key")
    ids = key["centre_id"] if _is_signed(editions) else key["code"]
    labels = dict(zip(key["centre_id"], ids, strict=True))
    rules = warehouse.query("report/rules")
    return Registry(
        run=runs.row(0, named=True),
        editions=editions,
        source_files=warehouse.query("report/source_files"),
        rules=dict(zip(rules["rule_id"], rules["title"], strict=True)),
        kinds=kinds,
        headline=headline,
        codes=dict(zip(ids, key["code"], strict=True)),
        settings=settings,
        check_statuses=warehouse.query("report/check_statuses"),
        columns_not_delivered=_labelled(warehouse.query("report/columns_not_delivered"), labels),
        tables=publish_counts(warehouse, settings, headline, labels),
        changes=warehouse.query("report/recommendation_changes"),
        shifts=warehouse.query("report/verdict_shift", threshold=settings.disclosure_threshold),
        indicators=definitions(),
    )


def _labelled(frame: pl.DataFrame, labels: Mapping[str, str]) -> pl.DataFrame:
    """Return the rows of the centres that have a label, under it, and those of all centres."""
    known = frame.filter(pl.col("centre_id").is_null() | pl.col("centre_id").is_in(list(labels)))
    return known.with_columns(pl.col("centre_id").replace_strict(labels, return_dtype=pl.String))


def _is_signed(editions: pl.DataFrame) -> bool:
    return editions.height > 0 and bool(editions["is_signed"].all())


def _headline(series: tuple[str, ...], settings: Settings) -> str:
    """Return the series that the report is about: the one set, else the first that judged, recommendations first."""
    if settings.headline_guideline in series or not series:
        return settings.headline_guideline
    return series[0]
