"""Lines of therapy beside reading the tables that they are derived from."""

import polars as pl

from bench.harness import Comparison, here
from bench.scan import scan_by_duckdb
from bench.work import Work
from crlm_pipeline.cohort.lines import History, Lines, derive
from crlm_pipeline.settings import Windows

_TABLES = ("drug_exposure", "procedure", "assessment", "outcome")


def compare(work: Work) -> Comparison:
    """Return deriving the lines against a scan of the same tables; rows are exposures."""
    exposures, *history = (pl.read_parquet(work.extract / f"{name}.parquet") for name in _TABLES)
    files = [work.extract / f"{name}.parquet" for name in _TABLES]

    def derived() -> Lines:
        return derive(exposures, History(*history), Windows(), work.as_of)

    assert derived().exposure_role.height == exposures.height, "an exposure has no role"
    return Comparison(
        tasks={
            "read_lines": here(lambda: [scan_by_duckdb([file]) for file in files], exposures.height),
            "lines": here(derived, exposures.height),
        },
        ratios={"lines_vs_read": ("lines", "read_lines")},
    )
