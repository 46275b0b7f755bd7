"""Data quality: what was set aside and what looked odd. Counts only; the rows are in the warehouse."""

from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words


def section(registry: Registry, centre: str | None) -> Section:
    """Return findings, new ones first, and on the registry's page the rows and cells that were set aside."""
    blocks: list[Figure | Table | str] = []
    findings = (
        registry.tables["findings"]
        .where(centre_id=centre)
        .map(
            lambda frame: frame.with_columns(in_words("table_name"), in_words("check_name"), in_words("state")).sort(
                "state", "table_name", "check_name"
            ),
            name="data_findings",
        )
    )
    if findings.frame.height:
        headings = {
            "check_name": "Finding",
            "table_name": "Table",
            "severity": "Severity",
            "state": "Since the last run",
            "shown": "Rows",
        }
        caption = "What looked odd, and whether it is new since the last published run."
        blocks.append(table(findings, headings, caption, text=("table_name", "severity", "state")))
    rejections = registry.tables["rejections"]
    if centre is None and rejections.frame.height:
        listed = rejections.map(
            lambda frame: frame.with_columns(in_words("table_name"), in_words("check_name")), name="set_aside"
        )
        headings = {"check_name": "Check", "table_name": "Table", "scope": "Set aside", "shown": "Times"}
        blocks.append(
            table(listed, headings, "Rows and cells set aside, by the check they failed.", text=("table_name", "scope"))
        )
    sentence = "Nothing is dropped in silence: what cannot be used is set aside with its reason, and counted here."
    if not blocks:
        sentence += " There is nothing to report."
    return Section("quality", "Data quality", sentence, tuple(blocks))
