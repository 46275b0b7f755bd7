"""p-charts: whether an indicator has moved since its first years, for the registry (by quarter if it can) or a centre.

Limits and signals are worked out from the counts that may be shown. A rate that is hidden because few cases are, or
are not, in the numerator stands as the range that it must lie in, and signals only if the whole range does.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.indicators import Definition
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
# What one chart is of.
_CHART: Final = ("indicator_id", "centre_id")
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

    @property
    def known(self) -> list[dict[str, Any]]:
        """The periods of which a rate, or the range it lies in, may be shown."""
        return [period for period in self.points.frame.rows(named=True) if period["least"] is not None]

    def has(self, signal: str) -> bool:
        """Return whether any period has this signal."""
        return signal in self.points.frame["signal"].to_list()


def section(registry: Registry, centre: str | None) -> Section | None:
    """Return the charts with a signal, and a row for each chart; None where no chart may be drawn."""
    charts = _charts(registry, centre)
    if not charts:
        return None
    drawn = [_figure(one, centre) for one in charts if one.has(BEYOND) or one.has(IN_RUN)]
    return Section(
        "process-charts", "What has changed over time", _SENTENCE, (_listed(registry, charts), _RULES, *drawn)
    )


def moved(registry: Registry, centre: str | None) -> tuple[list[str], int]:
    """Return the ids of the indicators with a period beyond the limits, and how many have a chart."""
    charts = _charts(registry, centre)
    return [one.definition.id for one in charts if one.has(BEYOND)], len(charts)


def figure(registry: Registry, indicator_id: str, centre: str | None) -> Figure | None:
    """Return the chart of an indicator, for the registry or a centre; None where too little of it may be shown."""
    chart = next((one for one in _charts(registry, centre) if one.definition.id == indicator_id), None)
    return None if chart is None else _figure(chart, centre)


def _charts(registry: Registry, centre: str | None) -> list[_Chart]:
    return _every_chart(registry).get(centre, [])


@lru_cache(maxsize=1)
def _every_chart(registry: Registry) -> Mapping[str | None, list[_Chart]]:
    """Return the charts of the registry (None) and of each centre, indicators in order: made once for all pages."""
    points = _with_baseline(_counted(registry.tables["process_chart"])).map(_with_signals).split(*_CHART, "centre_line")
    order = {one.id: (place, one) for place, one in enumerate(registry.indicators)}
    charts: dict[str | None, list[_Chart]] = {}
    for (indicator_id, centre, centre_line), periods in sorted(points.items(), key=lambda chart: order[chart[0][0]][0]):
        named = periods.map(lambda frame: frame, name=f"process_chart_{indicator_id.lower()}")
        charts.setdefault(centre, []).append(_Chart(order[indicator_id][1], named, centre_line))
    return charts


def _with_baseline(counted: SafeTable) -> SafeTable:
    """Return the periods of each chart, quarters if it has any, with `base_met` of `base_total` of its baseline.

    Charts of which the rate of the baseline may not be shown are left out.
    """
    is_quarter = pl.col("quarter").is_not_null()
    baseline = counted.where(span="baseline", year=None, quarter=None).frame.drop_nulls("percent")
    periods = counted.each("year").filtered(is_quarter == is_quarter.any().over(_CHART))
    of_chart = baseline.select(*_CHART, base_met="n", base_total="total")
    return periods.map(lambda frame: frame.join(of_chart, on=_CHART, nulls_equal=True).sort(*_CHART, "year", "quarter"))


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


def _with_signals(periods: pl.DataFrame) -> pl.DataFrame:
    """Return the periods, charts in order, with the centre line, limits and signals of their chart.

    Charts of which no period is told are left out; so are the limits of periods of which no rate is.
    """
    is_told = pl.col("least").is_not_null()
    told = periods.filter(is_told.any().over(_CHART)).with_columns(
        (100 * pl.col("base_met") / pl.col("base_total")).alias("centre_line"),
        pl.struct(_CHART).rle_id().alias("chart"),
    )
    least, most, centre_line, chart, met, total = (
        told[name].to_numpy() for name in ("least", "most", "centre_line", "chart", "base_met", "base_total")
    )
    low, high = (100 * end for end in limits(told["total"].fill_null(1).clip(1).to_numpy(), met, total))
    is_beyond = pl.Series(beyond(least, most, low, high), dtype=pl.Boolean)
    is_in_run = pl.Series(in_run(least, most, centre_line, chart), dtype=pl.Boolean)
    return told.select(
        *_CHART,
        "centre_line",
        pl.concat_str("year", pl.lit("-"), "quarter", ignore_nulls=False).fill_null(pl.col("year")).alias("period"),
        (pl.col("span") == "baseline").alias("is_baseline"),
        "shown",
        "total_shown",
        "least",
        "most",
        pl.when(is_told).then(pl.Series(low)).alias("low"),
        pl.when(is_told).then(pl.Series(high)).alias("high"),
        pl.when(is_beyond)
        .then(pl.lit(BEYOND))
        .when(is_in_run)
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
    known = chart.known
    outside, in_runs = ([one for one in known if one["signal"] == signal] for signal in (BEYOND, IN_RUN))
    base = f"{percent(chart.centre_line)} at the baseline"
    if outside:
        side = _sides(outside, chart.centre_line)
        first = outside[0]["period"]
        return f"{base}; {len(outside)} of {len(known)} periods beyond the limits ({side}), first {first}."
    if in_runs:
        side = _sides(in_runs, chart.centre_line)
        return f"{base}; a run of eight or more periods on one side ({side}), from {in_runs[0]['period']}."
    return f"{base}; no period beyond the limits and no run of eight among {len(known)} periods."


def _sides(signalling: Sequence[Mapping[str, Any]], centre_line: float) -> str:
    above = sum(one["least"] > centre_line for one in signalling)
    return "all above" if above == len(signalling) else "all below" if above == 0 else f"{above} above"


def _listed(registry: Registry, charts: list[_Chart]) -> Table:
    """Return one row per chart: baseline, latest rate and signals."""
    source = registry.tables["process_chart"]
    rows = [_row(one) for one in charts]
    listed = source.map(
        lambda _: pl.DataFrame(rows, schema=dict.fromkeys(_HEADINGS, pl.String), orient="row"), name="process_charts"
    )
    return table(listed, _HEADINGS, "Every indicator over time.", text=("baseline", "latest"))


def _row(chart: _Chart) -> tuple[str, ...]:
    known, signals = chart.known, [one["signal"] for one in chart.known]
    last = known[-1]
    rate = percent(last["least"]) if last["least"] == last["most"] else f"{last['least']:.0f}\u2013{last['most']:.0f} %"
    return (
        f"{chart.definition.id}: {chart.definition.title}",
        percent(chart.centre_line),
        f"{rate} ({last['period']})",
        str(signals.count(BEYOND)),
        str(signals.count(IN_RUN)),
        str(len(known)),
    )
