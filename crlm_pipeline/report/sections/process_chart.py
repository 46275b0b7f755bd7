"""p-charts: whether an indicator has moved since its first years, for the registry (by quarter if it can) or a centre.

Limits and signals are worked out from the counts that may be shown. A rate that is hidden because few cases are, or
are not, in the numerator stands as the range that it must lie in, and signals only if the whole range does.
"""

from typing import Final, NamedTuple

import numpy as np
import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.indicators import Definition, definitions
from crlm_pipeline.process_charts import BASELINE_YEARS, RUN, beyond, in_run, limits
from crlm_pipeline.report import over_time
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.over_time import BEYOND, IN_RUN, WITHIN
from crlm_pipeline.report.rates import least_and_most, possible_percent
from crlm_pipeline.report.registry import ALL, Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import percent

_SENTENCE: Final = (
    f"Each indicator against its own first {BASELINE_YEARS} years. A signal says that practice or recording has "
    "changed, not that it is better or worse than it should be."
)
_RULES: Final = (
    "A period beyond the limits is a signal: chance alone puts fewer than 3 of 1,000 there. "
    f"{RUN} or more periods in a row on one side of the line are a weaker one: where nothing has moved, chance alone "
    "makes such a run in about one of five charts of 40 quarters, and in one of twelve charts of 11 years. Charts with "
    "a signal are drawn. A chart needs 30 cases a period on average: by quarter if it has them, else by year."
)
_HEADINGS: Final = {
    "title": "Indicator",
    "baseline": "Baseline",
    "latest": "Latest period shown",
    "beyond": "Periods beyond the limits",
    "runs": "Periods in a run",
    "periods": "Periods shown",
}


class _Chart(NamedTuple):
    """The periods of one chart with their limits and signals, and the rate of its baseline in percent."""

    definition: Definition
    points: SafeTable
    centre_line: float


def section(registry: Registry, centre: str | None) -> Section | None:
    """Return the charts with a signal, and a row for each chart; None where no chart may be drawn."""
    charts = _charts(registry, centre)
    if not charts:
        return None
    drawn = [_figure(one, centre) for one in charts if (one.points.frame["signal"] != WITHIN).any()]
    return Section(
        "process-charts", "What has changed over time", _SENTENCE, (_listed(registry, charts), _RULES, *drawn)
    )


def moved(registry: Registry, centre: str | None) -> tuple[list[str], int]:
    """Return the ids of the indicators with a period beyond the limits, and how many have a chart."""
    charts = _charts(registry, centre)
    return [one.definition.id for one in charts if (one.points.frame["signal"] == BEYOND).any()], len(charts)


def figure(registry: Registry, indicator_id: str, centre: str | None) -> Figure | None:
    """Return the chart of an indicator, for the registry or a centre; None where too little of it may be shown."""
    definition = next(one for one in definitions() if one.id == indicator_id)
    chart = _chart(registry, definition, centre)
    return None if chart is None else _figure(chart, centre)


def _charts(registry: Registry, centre: str | None) -> list[_Chart]:
    return [made for one in definitions() if (made := _chart(registry, one, centre)) is not None]


def _chart(registry: Registry, definition: Definition, centre: str | None) -> _Chart | None:
    rows = registry.tables["process_chart"].where(indicator_id=definition.id, centre_id=centre)
    baseline = _counted(rows.where(span="baseline", year=None, quarter=None)).frame
    quarters = rows.each("quarter")
    periods = _counted(quarters if quarters.frame.height else rows.each("year"))
    if baseline.is_empty() or baseline["percent"][0] is None or periods.frame.is_empty():
        return None
    met, total = baseline.select("n", "total").row(0)
    points = periods.map(
        lambda frame: _with_signals(frame.sort("year", "quarter"), met, total),
        name=f"process_chart_{definition.id.lower()}",
    )
    is_told = points.frame["least"].is_not_null().any()
    return _Chart(definition, points, 100 * met / total) if is_told else None


def _counted(rows: SafeTable) -> SafeTable:
    """Return met and evaluated cases of each period, with the rate or the range in which it lies, in percent."""
    counted = rows.where(is_met="yes").with_count("total", rows, is_met=None).with_count("n_unmet", rows, is_met="no")
    few, many = least_and_most("n_unmet_shown")
    few_met, many_met = least_and_most("shown")
    unmet = (pl.coalesce(few, pl.col("total") - many_met), pl.coalesce(many, pl.col("total") - few_met))
    return counted.with_percent("total").map(
        lambda frame: frame.with_columns(possible_percent("total", unmet, rows.smallest_rate)).with_columns(
            least=pl.coalesce("percent", "least"), most=pl.coalesce("percent", "most")
        )
    )


def _with_signals(frame: pl.DataFrame, met: int, total: int) -> pl.DataFrame:
    low, high = (100 * end for end in limits(frame["total"].fill_null(1).clip(1).to_numpy(), met, total))
    is_known = frame["least"].is_not_null().to_numpy()
    least, most = frame["least"].to_list(), frame["most"].to_list()
    is_beyond = pl.Series(beyond(least, most, low.tolist(), high.tolist()))
    is_run = pl.Series(in_run(least, most, 100 * met / total))
    return frame.select(
        pl.concat_str("year", pl.lit("-"), "quarter", ignore_nulls=False).fill_null(pl.col("year")).alias("period"),
        (pl.col("span") == "baseline").alias("is_baseline"),
        "shown",
        "total_shown",
        "least",
        "most",
        pl.Series("low", np.where(is_known, low, np.nan)).fill_nan(None),
        pl.Series("high", np.where(is_known, high, np.nan)).fill_nan(None),
        pl.when(is_beyond)
        .then(pl.lit(BEYOND))
        .when(is_run)
        .then(pl.lit(IN_RUN))
        .otherwise(pl.lit(WITHIN))
        .alias("signal"),
    )


def _figure(chart: _Chart, centre: str | None) -> Figure:
    definition, frame = chart.definition, chart.points.frame
    span = frame.filter("is_baseline")["period"].to_list()
    caption = (
        f"{definition.id}: {definition.title}, {centre or ALL}. Line: the baseline, {span[0]} to {span[-1]} "
        "(shaded); broken: exact limits that 99.73 % of periods keep if nothing has changed, wider where cases are few "
        "(beta-binomial, so that the doubt about the baseline is in them). A stroke is a rate that lies somewhere in "
        "it; periods with too few cases for a rate are gaps."
    )
    reading = _reading(chart)
    return Figure(
        svg=over_time.process_chart(frame, chart.centre_line),
        reading=f"{definition.title}: {reading}",
        caption=caption,
        alternative=f"Process chart of {definition.title}. {reading}",
        data=chart.points,
    )


def _reading(chart: _Chart) -> str:
    frame = chart.points.frame.drop_nulls("least")
    outside = frame.filter(pl.col("signal") == BEYOND)
    in_runs = frame.filter(pl.col("signal") == IN_RUN)
    base = f"{percent(chart.centre_line)} at the baseline"
    if outside.height:
        side = _sides(outside, chart.centre_line)
        first = outside["period"][0]
        return f"{base}; {outside.height} of {frame.height} periods beyond the limits ({side}), first {first}."
    if in_runs.height:
        side = _sides(in_runs, chart.centre_line)
        return f"{base}; a run of eight or more periods on one side ({side}), from {in_runs['period'][0]}."
    return f"{base}; no period beyond the limits and no run of eight among {frame.height} periods."


def _sides(signalling: pl.DataFrame, centre_line: float) -> str:
    above = int((signalling["least"] > centre_line).sum())
    return "all above" if above == signalling.height else "all below" if above == 0 else f"{above} above"


def _listed(registry: Registry, charts: list[_Chart]) -> Table:
    """Return one row per chart: baseline, latest rate and signals."""
    source = registry.tables["process_chart"]
    rows = [_row(one) for one in charts]
    listed = source.map(
        lambda _: pl.DataFrame(rows, schema=dict.fromkeys(_HEADINGS, pl.String), orient="row"), name="process_charts"
    )
    return table(listed, _HEADINGS, "Every indicator over time.", text=("baseline", "latest"))


def _row(chart: _Chart) -> tuple[str, ...]:
    frame = chart.points.frame.drop_nulls("least")
    last = frame.row(-1, named=True)
    rate = percent(last["least"]) if last["least"] == last["most"] else f"{last['least']:.0f}\u2013{last['most']:.0f} %"
    return (
        f"{chart.definition.id}: {chart.definition.title}",
        percent(chart.centre_line),
        f"{rate} ({last['period']})",
        str((frame["signal"] == BEYOND).sum()),
        str((frame["signal"] == IN_RUN).sum()),
        str(frame.height),
    )
