"""Data quality: the way from the file to the report, what was set aside and what looked odd. Counts only."""

from collections.abc import Iterator
from functools import lru_cache

import polars as pl

from crlm_pipeline.disclosure import SafeCount, SafeTable, plain
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.shares_of_rows import by_fate, range_text, ranges
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words


def section(registry: Registry, centre: str | None) -> Section:
    """Return the way of the rows, the tables by conformance and plausibility, and the findings.

    The registry's page adds what became of the checks, and the rows and cells that were set aside.
    """
    blocks: list[Figure | Table | str] = [_flow(registry, centre), _by_table(registry, centre)]
    if centre is None:
        blocks.append(_checks(registry))
    blocks += [*_findings(registry, centre), *_rejections(registry, centre)]
    sentence = "Nothing is dropped in silence: what cannot be used is set aside with its reason, and counted here."
    return Section("quality", "Data quality", sentence, tuple(blocks))


def _flow(registry: Registry, centre: str | None) -> Table:
    steps = [(step, count.text) for step, count in _steps(registry, centre)]
    frame = pl.DataFrame(steps, schema={"step": pl.String, "count": pl.String}, orient="row")
    caption = "From the file to the report. Rows delivered = accepted + rejected + repeated."
    return table(plain("row_flow", frame), {"step": "Step", "count": "Count"}, caption)


def _steps(registry: Registry, centre: str | None) -> Iterator[tuple[str, SafeCount]]:
    ledger, patients = registry.tables["ledger"], registry.tables["patients"]
    if centre is None:
        records = registry.tables["source_records"]
        yield "Records in the source files", records.count()
        yield "\u2026 of which made no row", records.count(is_mapped="no")
    yield "Rows delivered", ledger.count(centre_id=centre)
    yield "\u2026 accepted", ledger.count(centre_id=centre, outcome="accepted")
    yield "\u2026 rejected", ledger.count(centre_id=centre, outcome="rejected")
    yield "\u2026 repeated", ledger.count(centre_id=centre, outcome="duplicate")
    yield "Patients", patients.count(centre_id=centre)
    if centre is None:
        yield "\u2026 with metastatic disease", patients.count(is_metastatic="yes")
    yield "\u2026 with liver metastases", patients.count(centre_id=centre, is_metastatic="yes", is_crlm="yes")
    yield f"Their decisions, by {registry.headline_name}", registry.verdicts(centre)
    yield "\u2026 judged", registry.verdicts(centre, is_judged="yes")


@lru_cache(maxsize=1)
def _tables(registry: Registry) -> SafeTable:
    """Return one row per table with what became of its rows, for each centre and for all of them together."""
    ledger = registry.tables["ledger"].where(month=None)
    return ledger.map(
        lambda frame: (
            by_fate(frame, "centre_id", "table_name")
            .with_columns(ranges(ledger.smallest_rate))
            .with_columns(range_text("conformance"), range_text("plausibility"))
            .sort("table_name", nulls_last=True)
            .with_columns(in_words("table_name").replace("All", "All tables"))
        ),
        name="quality_by_table",
    )


def _by_table(registry: Registry, centre: str | None) -> Table:
    rows = _tables(registry).where(centre_id=centre).map(lambda frame: frame.drop("centre_id"))
    headings = {
        "table_name": "Table",
        "shown_read": "Delivered",
        "shown_nonconforming": "Not conforming",
        "shown_implausible": "Implausible",
        "shown_duplicate": "Repeated",
        "shown_accepted": "Accepted",
        "shown_odd": "of these odd",
        "conformance_text": "% conform",
        "plausibility_text": "% plausible",
    }
    caption = (
        "Conformance: rows that keep the declaration of their columns, key and patient, of those delivered once. "
        "Plausibility: of these, the rows that no check across columns or tables set aside or found odd. Two numbers "
        "are the range that hidden counts leave open."
    )
    return table(rows, headings, caption)


def _checks(registry: Registry) -> Table:
    headings = {
        "table_name": "Table",
        "passed": "Passed",
        "passed_with_failures": "Passed with failures",
        "failed": "Failed",
        "not_applicable": "Not applicable",
        "not_run": "Not run",
        "error": "Broken",
    }
    statuses = registry.check_statuses.with_columns(in_words("table_name").replace("All", "None")).cast(pl.String)
    caption = (
        "Checks by what became of them. Passed with failures: no more failed than the threshold allows. "
        "Not applicable: what the check reads was not delivered. Not run: no row reached it. "
        "Broken: a defect of crlm-pipeline."
    )
    return table(plain("check_statuses", statuses), headings, caption)


@lru_cache(maxsize=1)
def _findings_in_words(registry: Registry) -> SafeTable:
    return registry.tables["findings"].map(_in_words_by_state, name="data_findings")


def _findings(registry: Registry, centre: str | None) -> list[Table]:
    listed = _findings_in_words(registry).where(centre_id=centre)
    if not listed.frame.height:
        return []
    headings = {
        "check_name": "Finding",
        "table_name": "Table",
        "column_name": "Column",
        "severity": "Severity",
        "state": "Since the last run",
        "shown": "Rows",
    }
    caption = "What was lost or looked odd, and whether it is new since the last published run."
    return [table(listed, headings, caption, text=("table_name", "column_name", "severity", "state"))]


def _in_words_by_state(frame: pl.DataFrame) -> pl.DataFrame:
    told = frame.with_columns(in_words("table_name"), in_words("check_name"), in_words("state"))
    return told.with_columns(pl.col("column_name").replace("none", "\u2013")).sort(
        "state", "table_name", "check_name", "column_name"
    )


def _rejections(registry: Registry, centre: str | None) -> list[Table]:
    rejections: SafeTable = registry.tables["rejections"]
    if centre is not None or not rejections.frame.height:
        return []
    listed = rejections.map(
        lambda frame: frame.with_columns(in_words("table_name"), in_words("check_name")), name="set_aside"
    )
    headings = {"check_name": "Check", "table_name": "Table", "scope": "Set aside", "shown": "Times"}
    return [
        table(listed, headings, "Rows and cells set aside, by the check they failed.", text=("table_name", "scope"))
    ]
