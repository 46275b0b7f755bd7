"""What became of every check of a run, and how much was set aside where: the ground of the data-quality page."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import polars as pl

from crlm_pipeline.extracts.tables import Extract, Notice
from crlm_pipeline.validation.casts import CAST_CHECKS
from crlm_pipeline.validation.delivery import ROW_ID
from crlm_pipeline.validation.faults import DELETED_PATIENT, Place
from crlm_pipeline.validation.ledger import shape
from crlm_pipeline.validation.places import places
from crlm_pipeline.validation.register import Registered, register
from crlm_pipeline.validation.screening import Screened
from crlm_pipeline.validation.thresholds import Threshold, default_threshold, thresholds
from schemas.audit import CheckResult, DeliveredColumn, SetAsideCount

# What fails these is gone when the rows that a check looks at are counted.
_MADE_BEFORE_THE_COUNT: Final = (*CAST_CHECKS, DELETED_PATIENT.name)


def check_results(
    extract: Extract, checked: Mapping[Registered, int], failed: Mapping[Place, int], broken: Mapping[Place, str]
) -> pl.DataFrame:
    """Return one row per registered check and per kind of reader's notice, `audit.check_result` without the run.

    `checked`, `failed`: how many rows each check looked at, and failed. `broken`: the kind of exception that a check
    ended with, for those that could not be evaluated.
    """
    delivered = _Delivered(extract)
    set_for = thresholds()
    rows = []
    for check in register():
        failures = failed.get(check.place, 0)
        count = checked.get(check, 0) + (failures if check.check.name in _MADE_BEFORE_THE_COUNT else 0)
        threshold = set_for.get(check.place, default_threshold(check.check.severity))
        status, note = _status(check, count, failures, threshold, delivered, broken.get(check.place))
        rows.append(_row(check, count, failures, threshold) | {"status": status, "note": note})
    results = pl.DataFrame(rows, schema=shape(CheckResult))
    return pl.concat([results, notice_results(extract.notices)])


def counted_before(results: pl.DataFrame) -> tuple[Counter[Registered], Counter[Place]]:
    """Return how many rows each registered check looked at and failed in a run, of its `audit.check_result`."""
    failed: Counter[Place] = Counter()
    count: Counter[Place] = Counter()
    told = results.filter(pl.col("kind") != "notice").select(
        "check_name", "table_name", "column_name", "rows_checked", "rows_failed"
    )
    for name, table, column, checked, failures in told.iter_rows():
        failed[name, table, column] = failures
        count[name, table, column] = checked - (failures if name in _MADE_BEFORE_THE_COUNT else 0)
    return Counter({check: count[check.place] for check in register()}), failed


def notice_results(notices: Iterable[Notice]) -> pl.DataFrame:
    """Return one row per check, table and column that a reader or the cohort noticed something by.

    Nobody counts what such a check looks at, so that it has failed if its notice is an error, and else has passed with
    the rows noticed, or with the notices where they concern a file as a whole.
    """
    lines = [
        (one.check_name, one.table_name, one.column_name, one.severity, one.message, one.source_file_id, row, number)
        for number, one in enumerate(notices)
        for row in (one.rows or (None,))
    ]
    names = ["check_name", "table_name", "column_name", "severity", "expected", "source_file_id"]
    told = pl.DataFrame(
        lines, dict.fromkeys(names, pl.String) | {"source_row": pl.Int32, "notice": pl.Int64}, orient="row"
    )
    rows_noticed = pl.struct("source_file_id", "source_row").filter(pl.col("source_row").is_not_null()).n_unique()
    grouped = told.group_by("check_name", "table_name", "column_name", "severity", maintain_order=True).agg(
        pl.col("expected").first(),
        pl.max_horizontal(rows_noticed, pl.col("notice").n_unique()).cast(pl.Int64).alias("rows_failed"),
    )
    is_error = pl.col("severity") == "error"
    return pl.concat(
        [
            pl.DataFrame(schema=shape(CheckResult)),
            grouped.with_columns(
                pl.lit("notice").alias("kind"),
                pl.when(is_error).then(pl.lit("fail")).otherwise(pl.lit("pass")).alias("status"),
            ),
        ],
        how="diagonal",
    )


def delivered_columns(extract: Extract) -> pl.DataFrame:
    """Return what each file can carry, filled or not: `audit.delivered_column`."""
    rows = [
        (part.source_file_id, part.table_name, name)
        for part in extract.tables
        for name in part.frame.columns
        if name != "source_row"
    ]
    return pl.DataFrame(rows, shape(DeliveredColumn), orient="row").unique(maintain_order=True)


def set_aside_counts(extract: Extract, screened: Sequence[Screened], homes: pl.DataFrame) -> pl.DataFrame:
    """Return how many rows were repeated, set aside or looked odd, by place: `audit.set_aside_count`.

    `homes`: see `home_centres`. Counts of other patients add up with these (`added_up`).
    """
    relative = [file.source_file_id for file in extract.files if file.calendar == "relative"]
    month = pl.when(~pl.col("source_file_id").is_in(relative)).then(pl.col("row_date").dt.month_start())
    counted = [_counted(table, homes, month.alias("month")) for table in screened]
    return pl.concat([pl.DataFrame(schema=shape(SetAsideCount)), *counted])


def added_up(counts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the sums of counts (`rows_…`) by all other columns, sorted."""
    rows = pl.concat(counts)
    sums = rows.group_by(pl.exclude("^rows_.*$")).agg(pl.col("^rows_.*$").sum())
    return sums.select(rows.columns).sort(pl.all())


class _Delivered:
    """What the sources delivered: tables, columns, and whether on a real calendar."""

    def __init__(self, extract: Extract) -> None:
        self.tables = {part.table_name for part in extract.tables}
        self.columns = {(part.table_name, name) for part in extract.tables for name in part.frame.columns}
        self.has_real_calendar = any(file.calendar == "real" for file in extract.files)

    def lack_of(self, check: Registered) -> str | None:
        """Return why a check does not apply; None if it does."""
        if check.table not in self.tables:
            return f"No source delivered the table {check.table}."
        absent = [f"{table}.{column}" for table, column in check.columns() if (table, column) not in self.columns]
        if absent:
            return f"No source delivered {' and '.join(absent)}."
        if check.needs_real_calendar and not self.has_real_calendar:
            return "The sources hold only day offsets, which no day of the real world can be compared with."
        return None


def _status(  # what a status hangs on, each from another place
    check: Registered, count: int, failures: int, threshold: Threshold, delivered: _Delivered, broken_by: str | None
) -> tuple[str, str | None]:
    if broken_by:
        return "error", f"The check itself ended with {broken_by}: a defect of crlm-pipeline."
    if failures:
        return ("fail" if failures > threshold.max_share * count else "pass"), None
    if lack := delivered.lack_of(check):
        return "not_applicable", lack
    if not count:
        return "not_run", "No row reached the check with the columns that it reads filled."
    return "pass", None


def _row(check: Registered, count: int, failures: int, threshold: Threshold) -> dict[str, object]:
    name, table, column = check.place
    return {
        "check_name": name,
        "table_name": table,
        "column_name": column,
        "kind": check.kind,
        "severity": check.check.severity,
        "rows_checked": count,
        "rows_failed": failures,
        "share": failures / count if count else None,
        "threshold": threshold.max_share,
        "threshold_author": threshold.author,
        "threshold_date": threshold.set_on,
        "threshold_reason": threshold.reason,
        "expected": check.check.message,
    }


def failures(screened: Sequence[Screened]) -> dict[Place, int]:
    """Return how many rows failed each check."""
    found = [
        table.found.group_by("check_name", pl.lit(table.table.name).alias("table_name"), "column_name").len()
        for table in screened
    ]
    return {(name, table, column): count for part in found for name, table, column, count in part.iter_rows()}


def _counted(screened: Screened, homes: pl.DataFrame, month: pl.Expr) -> pl.DataFrame:
    """Return the counts of a table: for each column at fault, and for the row as a whole (no column)."""
    kinds = {(one.check.name, one.check.column): one.kind for one in register() if one.table == screened.table.name}
    kind = pl.struct("check_name", "column_name").replace_strict(
        [{"check_name": name, "column_name": column} for name, column in kinds], list(kinds.values())
    )
    found = screened.found.with_columns(kind.alias("kind"))
    repeated = screened.read.filter("is_duplicate").select(ROW_ID, action=pl.lit("row"), kind=pl.lit("duplicate"))
    whole = found.filter(pl.col("action") != "cell").with_columns(column_name=pl.lit(None, pl.String))
    told = pl.concat([found, whole, repeated], how="diagonal")
    told = told.join(places(screened, homes, told), on=ROW_ID, how="left").with_columns(month)
    is_set_aside = pl.col("action") != "keep"
    counts = told.group_by("source_file_id", "column_name", "centre_id", "month").agg(
        _rows("rows_duplicate", pl.col("kind") == "duplicate"),
        _rows("rows_nonconforming", is_set_aside & (pl.col("kind") == "conformance")),
        _rows("rows_implausible", is_set_aside & (pl.col("kind") == "plausibility")),
        _rows("rows_deleted", pl.col("kind") == "deletion"),
        _rows("rows_odd", ~is_set_aside & (pl.col("kind") == "plausibility")),
    )
    counts = counts.with_columns(table_name=pl.lit(screened.table.name)).select(shape(SetAsideCount).keys())
    return counts.filter(pl.sum_horizontal("^rows_.*$") > 0)


def _rows(name: str, condition: pl.Expr) -> pl.Expr:
    return pl.col(ROW_ID).filter(condition).n_unique().cast(pl.Int64).alias(name)
