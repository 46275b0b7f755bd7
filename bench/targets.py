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


_ONE: Final = (
    "Of the processor time a seventh is reading, a quarter telling situations apart, a fifth conditions as bits, a "
    "twelfth each safety rules and what was given beside the options; and a scan uses both processors."
)
_WRITTEN: Final = "Judging as above, and loading the editions (0.3 s); writing the rows adds an eighth."
_SERIES: Final = (
    "Every decision is judged by twelve editions and labels, about 2 scans each; then 14 rows (120 cells) are written "
    "for each that was read (76 cells)."
)
_COUNTED: Final = "Judging as above; weighing scope, safety and reasons, and counting, are less than a tenth of it."
_PLANNED: Final = (
    "Planning the expressions takes 12 ms, as much as matching 120,000 decisions, and the part has fewer: the aim is "
    "for larger ones."
)
_JUDGED: Final = (
    "Matching is 0.2 of 2.4 microseconds. The rest is what the others do not say: verdict, reason, missing facts, "
    "what it would be, pathway, options, safety rules, tests."
)
_PLAIN: Final = "A decision takes 2.4 microseconds, and the plain evaluator, which has become faster, 0.24 ms."
_EXPLAINED: Final = (
    "0.24 ms against 0.11: zen names the rules that match; explaining weighs them against the treatment, and adds "
    "what is missing, what would decide, safety rules and tests."
)
_STORED: Final = (
    "Half is storing 2.6 cells for each that was read, in the extract and in the archive for the next delivery; a "
    "quarter is checking, a twelfth reading."
)
_CHECKED: Final = (
    "Casting every column from text is a third, Pandera's two passes a fifth, the ledgers of rows and the lists to "
    "mend the rest; a scan reads cells that are cast already."
)
_DERIVED: Final = (
    "Small passes, one over the result of the other, none of which leads: the longest, sorting the exposures, is a "
    "tenth."
)
_COUNTS: Final = (
    "2.5 million rows are counted from 0.9 million: 38 indicators, charts and curves by centre, month, line and "
    "edition; the aim was set for the biomarkers."
)
_KEPT: Final = "What stands is copied into a new file, and every table of the report counted anew."
_WHOLE: Final = (
    "8 cells are stored for each that is read, 13 in a small registry, every edition judges every decision, and 140 "
    "pages are drawn: see where the time goes."
)
_COMMANDS: Final = "Typer and its command tree are loaded."
_PAGES: Final = (
    "140 pages of 4,000 tables and figures take small statements over few rows, whatever the size; a sixth is "
    "disclosure control, a fifth the files to download."
)
_LOADED: Final = (
    "Libraries take 2 s, editions 0.2, the comments of 900 columns 0.3; the rest is 12,000 statements over few rows, "
    "whose planning costs and not their rows."
)

TARGETS: Final = (
    Target("annotate_vs_scan", "one edition, Parquet to frame, by a DuckDB scan of the columns", 2, because=_ONE),
    Target("annotate_write_vs_scan", "one edition, Parquet to Parquet, by the same scan", 2.5, because=_WRITTEN),
    Target("all_series_vs_scan", "all series, what-if and pathways, by the same scan", 5, because=_SERIES),
    Target("concordance_vs_read", "verdicts by centre and line, by reading the decisions", 3, because=_COUNTED),
    Target(
        "matching_vs_zen_single",
        "decisions matched a second, by zen-engine one by one",
        1000,
        is_floor=True,
        because=_PLANNED,
    ),
    Target(
        "matching_vs_zen_batch",
        "decisions matched a second, by zen-engine in batches",
        200,
        is_floor=True,
        because=_PLANNED,
    ),
    Target(
        "matching_vs_pandas_apply",
        "decisions matched a second, by pandas row by row",
        2000,
        is_floor=True,
        because=_PLANNED,
    ),
    Target(
        "vs_zen_single", "decisions judged a second, by zen-engine one by one", 1000, is_floor=True, because=_JUDGED
    ),
    Target("vs_zen_batch", "decisions judged a second, by zen-engine in batches", 200, is_floor=True, because=_JUDGED),
    Target("vs_pandas_apply", "decisions judged a second, by pandas row by row", 2000, is_floor=True, because=_JUDGED),
    Target("vs_plain", "decisions judged a second, by the plain evaluator", 90, is_floor=True, because=_PLAIN),
    Target("explain_vs_zen_single", "one decision explained, by zen-engine for one", 1, because=_EXPLAINED),
    Target("ingest_vs_read_csv", "read, check and store, by Polars `read_csv`", 2, because=_STORED),
    Target("ingest_dirty_vs_read_csv", "the same with 5 % of the rows dirty", 3, because=_STORED),
    Target("checks_vs_scan", "every check, by a DuckDB scan of the tables", 0.5, because=_CHECKED),
    Target("lines_vs_read", "lines of therapy, by a DuckDB scan of their tables", 8, because=_DERIVED),
    Target("cohort_tables_vs_scan", "the tables of the report, by a scan of the cohort", 2.2, because=_COUNTS),
    Target("run_vs_read_csv", "a whole run with its report, by Polars `read_csv`", 4, because=_WHOLE),
    Target("incremental_vs_full", "a nightly run that changes 1 % of the patients, by a full run", 0.15, because=_KEPT),
    Target("time_per_patient_vs_100k", "time per patient, by that of 100,000 patients", 1.1),
    Target("report", "seconds of a report of every centre", 15, part="seconds", because=_PAGES),
    Target("help", "seconds of `crlm --help`", 0.25, part="seconds", because=_COMMANDS),
    Target("help_vs_pass", "the same, by a Python process that does nothing", 10, because=_COMMANDS),
    Target("example", "seconds of a run over the example", 6, part="seconds", because=_LOADED),
    Target("example_vs_pass", "the same, by a Python process that does nothing", 300, because=_LOADED),
    Target("run", "peak memory of a run, MiB", 4096, part="peak_mb"),
    Target("generate", "seconds to write the registry", 120, part="seconds"),
)
