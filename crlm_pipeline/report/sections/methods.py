"""How the numbers were made, and from what: enough to make them again."""

from functools import lru_cache
from typing import Final

import polars as pl

from crlm_pipeline.disclosure import plain
from crlm_pipeline.report.fragments import Section, Table
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import in_words, words

_MOST_FILES = 40

# What is said of the funnel limits beyond chance; z-scores are Winsorised at 10 % before it is estimated.
_DISPERSION: Final = {
    "none": ", not widened for centres that vary more than chance",
    "multiplicative": ", widened by the root of the over-dispersion (phi, from Winsorised z-scores)",
    "additive": ", widened for a random variation between centres (tau squared, from Winsorised z-scores)",
}


def section(registry: Registry, centre: str | None) -> Section:
    """Return the methods in a few paragraphs, the editions in use and the provenance of the run."""
    paragraphs = (
        "Every decision is judged by the edition in force on its day, with the results that were known that day. "
        "Unknown is never wild type, never pMMR, never negative: where a missing fact could change the verdict, the "
        "decision is not evaluable and the fact is named.",
        _disclosure(registry),
        "Intervals of shares are Wilson 95 % intervals; funnel limits are exact binomial limits with interpolation"
        f"{_DISPERSION[registry.run['funnel_overdispersion']]}; median times are Kaplan\u2013Meier medians with "
        "pending results censored.",
        "Nothing here is clinical advice. A statement marked unverified has not been checked against its source.",
    )
    blocks: tuple[Table | str, ...] = (*paragraphs, _editions(registry), _run(registry), *_files(registry, centre))
    sentence = "The same inputs, editions and as-of date give the same report, number for number."
    return Section("methods", "Methods and provenance", sentence, blocks)


def _disclosure(registry: Registry) -> str:
    threshold, rate = registry.settings.disclosure_threshold, registry.settings.rate_threshold
    rates = f"Rates need a denominator of at least {rate}."
    if registry.settings.is_restricted:
        return f"No count is hidden: this report is restricted. {rates}"
    return (
        f"Counts from 1 to {threshold - 1} are printed as <{threshold}; other counts are printed as hidden where they "
        f"would give a small one away, in this or another table of the same run. A zero is shown. {rates} All pages "
        "and files of a run follow one plan."
    )


@lru_cache(maxsize=1)
def _editions(registry: Registry) -> Table:
    date = pl.col("from_date", "to_date", "superseded_from").cast(pl.String)
    signed = pl.when("is_signed").then(pl.lit("signed")).otherwise(pl.lit("not signed")).alias("is_signed")
    frame = registry.editions.with_columns(date, signed, in_words("guideline"), pl.col("sha256").str.head(12)).cast(
        pl.String
    )
    headings = {
        "edition_id": "Edition",
        "title": "Title",
        "from_date": "In force from",
        "to_date": "until",
        "superseded_from": "Superseded from",
        "state": "State",
        "is_signed": "Signature",
        "sha256": "Hash",
    }
    return table(plain("editions", frame), headings, "Editions in use.", text=tuple(headings)[1:])


@lru_cache(maxsize=1)
def _run(registry: Registry) -> Table:
    run = registry.run
    rows = [
        ("Run", run["run_id"]),
        ("Facts up to", run["as_of"].isoformat()),
        ("Content hash", run["content_hash"]),
        ("Package", f"crlm-pipeline {run['package_version']}"),
        ("Status", run["status"]),
        ("Series", ", ".join(words(name) for name in run["guidelines"])),
        ("Series of this report", registry.headline_name),
        ("Judged by one edition", run["judge_by"] or "no"),
        ("Transverse colon counts as", run["side_policy"]),
        ("Days of grace after a new edition", str(run["grace_days"])),
        ("Funnel limits allow for over-dispersion", words(run["funnel_overdispersion"])),
        ("Smallest count shown", str(registry.settings.disclosure_threshold)),
        ("Smallest denominator of a rate", str(registry.settings.rate_threshold)),
    ]
    frame = pl.DataFrame(rows, schema={"what": pl.String, "value": pl.String}, orient="row")
    return table(plain("run", frame), {"what": "Parameter", "value": "Value"}, "The run.", text=("value",))


def _files(registry: Registry, centre: str | None) -> tuple[Table, ...]:
    if centre is not None:
        return ()
    files = registry.source_files.with_columns(pl.col("sha256").str.head(12)).head(_MOST_FILES)
    headings = {"file_name": "File", "format": "Format", "calendar": "Calendar", "sha256": "Hash"}
    more = registry.source_files.height - files.height
    caption = "Sources of the run" + (
        f", the first {_MOST_FILES} by name; {more} more in the warehouse." if more > 0 else "."
    )
    return (table(plain("sources", files), headings, caption, text=tuple(headings)[1:]),)
