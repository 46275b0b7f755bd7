"""Who is in the report and who is not: from rows to patients to decisions."""

from functools import lru_cache

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report import figures
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.registry import ALL, Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words, percent


def section(registry: Registry, centre: str | None) -> Section:
    """Return the flow of patients; the registry's page adds the reasons and the rows of the sources."""
    patients = registry.tables["patients"]
    everyone = patients.count(centre_id=centre)
    crlm = patients.count(centre_id=centre, is_metastatic="yes", is_crlm="yes")
    rate = registry.share([crlm], [everyone])
    share = "" if rate is None else f" ({percent(rate)})"
    sentence = (
        f"{crlm.text} of the {everyone.text} patients reported{share} have liver metastases; "
        "the report is about them. Only patients with metastatic disease have decisions."
    )
    blocks: list[Figure | Table | str] = [_flow(registry, centre)]
    if centre is None:
        blocks += [_reasons(registry), _rows(registry)]
    return Section("cohort", "Who is in and who is not", sentence, tuple(blocks))


@lru_cache(maxsize=1)
def _steps(registry: Registry) -> SafeTable:
    """Return the steps from everyone reported to those with liver metastases, by centre and for all."""
    step = (
        pl.when(pl.col("is_crlm") == "yes")
        .then(pl.lit("with liver metastases"))
        .when(pl.col("is_metastatic") == "yes")
        .then(pl.lit("with metastatic disease"))
        .otherwise(pl.lit("Patients reported"))
    )
    return registry.tables["patients"].map(
        lambda frame: frame.with_columns(step.alias("step")).sort("is_crlm", "is_metastatic", nulls_last=False),
        name="patients_flow",
    )


def _flow(registry: Registry, centre: str | None) -> Figure:
    flow = _steps(registry).where(centre_id=centre)
    drawn = flow.frame.select(row="step", value=pl.col("n").fill_null(0), text="shown")
    return Figure(
        svg=figures.bars(drawn, "Patients"),
        reading=f"From everyone reported to the patients that this report is about, for {centre or ALL}.",
        caption="Patients reported, with metastatic disease, and with liver metastases.",
        alternative=figures.spoken(drawn),
        data=flow,
    )


def _reasons(registry: Registry) -> Table:
    reasons = registry.tables["cohort_reasons"].where(is_metastatic=None, is_crlm=None)
    return table(
        reasons.map(lambda frame: frame.sort("n", "cohort_reason", descending=[True, False], nulls_last=True)),
        {"cohort_reason": "Reason", "shown": "Patients"},
        "What put a patient into the cohort, or why not.",
    )


def _rows(registry: Registry) -> Table:
    ledger = registry.tables["ledger"].each("table_name").where(fate=None, centre_id=None)
    outcome = pl.col("outcome").fill_null("read")
    headings = {"read": "Rows read", "accepted": "Accepted", "rejected": "Rejected", "duplicate": "Repeated"}
    rows = ledger.map(
        lambda frame: (
            frame.with_columns(outcome)
            .pivot("outcome", list(headings), index="table_name", values="shown")
            .sort("table_name")
        ),
        name="row_ledger",
    ).map(lambda frame: frame.with_columns(in_words("table_name")))
    caption = "Nothing is lost on the way in: rows read = accepted + rejected + repeated, for every table."
    return table(rows, {"table_name": "Table", **headings}, caption)
