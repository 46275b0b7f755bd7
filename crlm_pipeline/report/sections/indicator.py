"""One quality indicator: what it measures, how the centres stand and how sure that is."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.indicators import Definition
from crlm_pipeline.report import figures
from crlm_pipeline.report.fragments import Figure, Section, Table, Terms
from crlm_pipeline.report.page import Page, centre_page
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.sections import process_chart
from crlm_pipeline.report.sections.indicators import (
    drawn,
    meaning,
    medians,
    page_of,
    pooled_percent,
    rates_of_all,
    widening_of,
)
from crlm_pipeline.report.tables import table

_RATES: Final = {
    "label": "Centre",
    "shown": "Numerator",
    "unmet": "Others",
    "total_shown": "Evaluated",
    "percent_text": "% (95 % interval)",
    "unknown": "Not evaluable",
    "span": "% at worst\u2013at best",
    "standing": "Limits",
}
_DAYS: Final = {"label": "Centre", "shown": "Evaluated", "days": "Median days (95 % interval)"}
_STANDINGS: Final = {(-1, -1): "below 99.8 %", (-1, 0): "below 95 %", (0, 0): "within", (1, 0): "above 95 %"} | {
    (1, 1): "above 99.8 %"
}
_SENTENCE: Final = (
    "The limits say how far chance alone would carry a centre of its size from all centres together; nothing is "
    "adjusted for case mix. A centre beyond them: check its data first, then hear the centre, and only then speak of "
    "its care."
)


def pages(registry: Registry) -> Iterator[Page]:
    """Yield a page per indicator that was measured, also where nobody is a member."""
    measured = registry.tables["indicators"].frame["indicator_id"].unique()
    for definition in registry.indicators:
        if definition.id in measured:
            makers = tuple(partial(section, definition=definition) for section in (_meaning, _standing, _over_time))
            yield Page(
                page_of(definition), f"{definition.id}: {definition.title}", "Treatment", makers, None, definition.id
            )


def _meaning(registry: Registry, centre: str | None, definition: Definition) -> Section:
    sentence = f"{definition.title}."
    return Section("definition", "What it measures", sentence, (Terms(meaning(definition)),))


def _standing(registry: Registry, centre: str | None, definition: Definition) -> Section:
    figure = drawn(registry, definition, None)
    listed = _days(registry, definition) if definition.display == "median" else _rates(registry, definition)
    blocks: list[Figure | Table] = [figure, listed] if figure else [listed]
    return Section("standing", "How the centres stand", _SENTENCE, tuple(blocks))


def _over_time(registry: Registry, centre: str | None, definition: Definition) -> Section | None:
    """Return the p-chart of the indicator; None where too little of it may be shown."""
    chart = process_chart.figure(registry, definition.id, centre)
    sentence = "The indicator against its own first years: a signal says that practice or recording has changed."
    if chart is None:
        return None
    # The overview of the indicators shows the chart too, where it has a signal: under a name of its own.
    own = replace(chart, data=chart.data.map(lambda frame: frame, f"{page_of(definition)}-over-time"))
    return Section("over-time", "Over time", sentence, (own,))


def _rates(registry: Registry, definition: Definition) -> Table:
    rates = rates_of_all(registry).where(indicator_id=definition.id)
    listed = rates.map(
        lambda frame: frame.with_columns(centre_page(registry), _standings(registry, rates)), page_of(definition)
    )
    ends = listed.frame.select("percent", "ci_low", "ci_high").rows()
    target = None if definition.target is None else 100 * definition.target
    strips = [figures.interval_strip(share, low, high, target) for share, low, high in ends]
    caption = "Every centre in the order of the codes. This is no league table: intervals and limits overlap."
    links = {"label": "centre_href"}
    return table(listed, _RATES, caption, text=("standing",), links=links, drawings={"0 to 100 %": strips})


def _standings(registry: Registry, rates: SafeTable) -> pl.Series:
    """Return where each centre lies in the funnel, in words; null for all centres together and where it is hidden."""
    pooled, points = pooled_percent(rates), rates.each("centre_id").frame
    if pooled is None or points["percent"].drop_nulls().is_empty():
        return pl.Series("standing", [None] * rates.frame.height, dtype=pl.String)
    wider = widening_of(registry, rates)
    alerts, alarms = (figures.standings(points, pooled, coverage, wider) for coverage in (0.95, 0.998))
    words = {label: _STANDINGS[side, alarms[label]] for label, side in alerts.items()}
    labels = rates.frame.select(pl.when(pl.col("centre_id").is_not_null()).then("label"))["label"]
    return pl.Series("standing", [words.get(label) for label in labels], dtype=pl.String)


def _days(registry: Registry, definition: Definition) -> Table:
    known = medians(registry).where(indicator_id=definition.id)
    listed = known.map(lambda frame: frame.with_columns(centre_page(registry)), name=page_of(definition))
    return table(listed, _DAYS, "Every centre in the order of the codes.", links={"label": "centre_href"})
