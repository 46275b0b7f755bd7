"""What the project aims at, figure by figure, and why a figure may fall short of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Target:
    """A figure of a result (`part`, `name`), what it says, and its bound; `because` explains a bound that is missed."""

    name: str
    words: str
    bound: float
    part: str = "ratios"
    is_floor: bool = False
    because: str = ""

    def found(self, result: Mapping[str, Any]) -> float | None:
        """Return the figure, none where it was not measured."""
        return result.get(self.part, {}).get(self.name)

    def is_met(self, found: float) -> bool:
        return found >= self.bound if self.is_floor else found <= self.bound


_RICH: Final = (
    "Verdict, reason, missing facts, safety and tests are worked out too; the aim was set for matching alone."
)
_TEXT: Final = "Every cell is read as text, typed and checked, and every row kept in the archive for the next delivery."
_SMALL: Final = "38 indicators, charts and curves are counted too; the aim was set for the biomarkers."
_BUILT: Final = "The expressions are built first, which outweighs matching few decisions."
_KEPT: Final = "What stands is validated and written once more, and every table of the report counted anew."
_WHOLE: Final = (
    "A run writes several cells for each that it reads, and judges by every edition: see where the time goes."
)
_COMMANDS: Final = "Typer and its command tree are loaded."
_LOADED: Final = "Polars, DuckDB and the editions are loaded, and every page drawn, for few patients as for many."

TARGETS: Final = (
    Target("annotate_vs_scan", "one edition, Parquet to frame, by a DuckDB scan of the columns", 2, because=_RICH),
    Target("annotate_write_vs_scan", "one edition, Parquet to Parquet, by the same scan", 2.5, because=_RICH),
    Target("all_series_vs_scan", "all series, what-if and pathways, by the same scan", 5, because=_RICH),
    Target("concordance_vs_read", "verdicts by centre and line, by reading the decisions", 3, because=_RICH),
    Target(
        "matching_vs_zen_single",
        "decisions matched a second, by zen-engine one by one",
        1000,
        is_floor=True,
        because=_BUILT,
    ),
    Target(
        "matching_vs_zen_batch",
        "decisions matched a second, by zen-engine in batches",
        200,
        is_floor=True,
        because=_BUILT,
    ),
    Target(
        "matching_vs_pandas_apply",
        "decisions matched a second, by pandas row by row",
        2000,
        is_floor=True,
        because=_BUILT,
    ),
    Target("vs_zen_single", "decisions judged a second, by zen-engine one by one", 1000, is_floor=True, because=_RICH),
    Target("vs_zen_batch", "decisions judged a second, by zen-engine in batches", 200, is_floor=True, because=_RICH),
    Target("vs_pandas_apply", "decisions judged a second, by pandas row by row", 2000, is_floor=True, because=_RICH),
    Target("vs_plain", "decisions judged a second, by the plain evaluator", 90, is_floor=True, because=_BUILT),
    Target("explain_vs_zen_single", "one decision explained, by zen-engine for one", 1, because=_RICH),
    Target("ingest_vs_read_csv", "read, check and store, by Polars `read_csv`", 2, because=_TEXT),
    Target("ingest_dirty_vs_read_csv", "the same with 5 % of the rows dirty", 3, because=_TEXT),
    Target("checks_vs_scan", "every check, by a DuckDB scan of the tables", 0.5, because=_TEXT),
    Target("lines_vs_read", "lines of therapy, by a DuckDB scan of their tables", 8),
    Target("cohort_tables_vs_scan", "the tables of the report, by a scan of the cohort", 2.2, because=_SMALL),
    Target("run_vs_read_csv", "a whole run with its report, by Polars `read_csv`", 4, because=_WHOLE),
    Target("incremental_vs_full", "a nightly run that changes 1 % of the patients, by a full run", 0.15, because=_KEPT),
    Target("time_per_patient_vs_100k", "time per patient, by that of 100,000 patients", 1.1),
    Target("report", "seconds of a report of every centre", 15, part="seconds", because=_LOADED),
    Target("help", "seconds of `crlm --help`", 0.25, part="seconds", because=_COMMANDS),
    Target("help_vs_pass", "the same, by a Python process that does nothing", 10, because=_COMMANDS),
    Target("example", "seconds of a run over the example", 6, part="seconds", because=_LOADED),
    Target("example_vs_pass", "the same, by a Python process that does nothing", 300, because=_LOADED),
    Target("run", "peak memory of a run, MiB", 4096, part="peak_mb"),
    Target("generate", "seconds to write the registry", 120, part="seconds"),
)
