"""How a new recommendation was taken up, and concordance around the change of an edition. No claim of cause."""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any, Final

import polars as pl

from crlm_pipeline.disclosure import SafeTable
from crlm_pipeline.report import figures, over_time
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.registry import ALL, Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import percent, percent_and_interval, words

_HALF: Final = 50
_MOST_DRAWN: Final = 8
_DAYS_OF_MONTH: Final = 30.4
_ERAS: Final = ("before", "after")


def section(registry: Registry, centre: str | None) -> Section | None:
    """Return the uptake of each new recommendation; on a centre's page that of the headline series, by era."""
    if registry.changes.is_empty():
        return None
    blocks: list[Figure | Table | str] = [] if centre else [*_drawn(registry)]
    blocks.append(_by_era(registry, centre))
    if centre is None:
        blocks += _edition_changes(registry)
    sentence = (
        "Of the decisions on patients with CRLM to which a new recommendation surely applies, how many got what it "
        "prefers, before and after its day. For the time before, and for rules changed since, this is a what-if: the "
        "edition as it stands judges every decision on the facts known that day. What changed may have other causes."
    )
    return Section("uptake", "Uptake after a guideline change", sentence, tuple(blocks))


def _rates(rows: SafeTable, name: str) -> SafeTable:
    """Return decisions due with `n_given` and the percentage."""
    due = rows.where(is_due="yes", is_given=None).with_count("n_given", rows, is_due="yes", is_given="yes")
    return due.with_percent("n", part="n_given").map(lambda frame: frame.with_columns(percent_and_interval()), name)


def _periods(registry: Registry, rule: str) -> SafeTable:
    rows = registry.tables["uptake"].where(rule=rule, centre_id=None).each("period")
    edition, rule_id = rule.split()
    return _rates(rows, f"uptake_{edition}_{rule_id.partition('.')[2]}").map(lambda frame: frame.sort("period"))


def _drawn(registry: Registry) -> Iterator[Figure]:
    """Yield a drawing per rule that prefers something and has a rate on both sides of its day.

    The headline series comes first, then the latest changes, then the rules with most decisions.
    """
    found = []
    for change in registry.changes.filter(is_preferred="yes").iter_rows(named=True):
        data = _periods(registry, change["rule"])
        shown = data.frame.drop_nulls("percent")
        if shown["era"].n_unique() == len(_ERAS):
            found.append(
                (
                    change["guideline"] != registry.headline,
                    -date.fromisoformat(change["change_date"]).toordinal(),
                    -int(shown["n"].sum()),
                    change["rule"],
                    change,
                    data,
                )
            )
    for *_, change, data in sorted(found, key=lambda each: each[:4])[:_MOST_DRAWN]:
        yield _figure(change, data)


def _figure(change: dict[str, Any], data: SafeTable) -> Figure:
    shown = data.frame.drop_nulls("percent")
    weeks = _weeks(data.frame)
    spoken = shown.select(row="period", text=percent_and_interval())
    return Figure(
        svg=over_time.before_and_after(shown, change["change_date"], "% that got it"),
        reading=f"{change['rule_id']}, from {change['change_date']}: {half_time(shown, change['change_date'])}",
        caption=(
            f"{change['title']} ({words(change['guideline'])}, {change['edition_id']}). Share of decisions due, in "
            f"periods of {weeks} weeks from the dashed day on, with 95 % intervals; small periods are left out."
        ),
        alternative=f"Shares over time, by first day of the period. {figures.spoken(spoken)}",
        data=data,
    )


def _weeks(frame: pl.DataFrame) -> int:
    days = frame["period"].str.to_date().sort().diff().drop_nulls().dt.total_days()
    return int(days.min() or 91) // 7  # type: ignore[arg-type]  # a number of days


def half_time(shown: pl.DataFrame, change: str) -> str:
    """Say when half of the decisions got it for the first time, by the periods shown."""
    before, after = (shown.filter(era=era) for era in _ERAS)
    earlier = before.filter(pl.col("percent") >= _HALF)
    if earlier.height:
        first = earlier.row(0, named=True)
        return f"half had been reached before ({percent(first['percent'])} in the period from {first['period']})."
    reached = after.filter(pl.col("percent") >= _HALF)
    if reached.is_empty():
        return f"half has not been reached; {percent(after['percent'][-1])} in the last period shown."
    first = reached.row(0, named=True)
    months = (date.fromisoformat(first["period"]) - date.fromisoformat(change)).days / _DAYS_OF_MONTH
    when = f"{months:.0f} months after" if months >= 1 else "at once, in the first period"
    return f"half was reached {when} ({percent(first['percent'])}, {first['n_given']} of {first['n']})."


def _by_era(registry: Registry, centre: str | None) -> Table:
    wide = _eras(registry).where(centre_id=centre).map(lambda frame: frame.drop("centre_id"))
    headings = {
        "rule_id": "Rule",
        "title": "What it recommends",
        "change_date": "From",
        "shown_before": "Due before",
        "percent_before_text": "% that got it before",
        "shown_after": "Due after",
        "percent_after_text": "% that got it after",
        "n_unknown_shown_after": "After: perhaps due, a fact is missing",
    }
    caption = (
        f"New recommendations, {centre or ALL}: decisions due and the share that got what is preferred (95 % interval)."
    )
    return table(wide, headings, caption, text=("title", "change_date"))


@lru_cache(maxsize=1)
def _rates_by_era(registry: Registry) -> SafeTable:
    rows = registry.tables["uptake"].where(period=None)
    return _rates(rows, "uptake_by_era").with_count("n_unknown", rows, is_due="unknown", is_given=None)


@lru_cache(maxsize=1)
def _eras(registry: Registry) -> SafeTable:
    """Return one row per new recommendation, both eras side by side, for each centre and for all of them together."""
    return _rates_by_era(registry).map(lambda frame: _side_by_side(frame, registry.changes))


def _side_by_side(rates: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    counts = ("n", "shown", "n_given", "n_given_shown", "n_unknown", "n_unknown_shown")
    columns = (*counts, "percent", "ci_low", "ci_high", "percent_text")
    sides = [
        rates.filter(era=era)
        .select("centre_id", "rule", pl.col(columns).name.suffix(f"_{era}"))
        .rename({f"percent_text_{era}": f"percent_{era}_text"})
        for era in _ERAS
    ]
    both = sides[0].join(sides[1], on=["centre_id", "rule"], how="full", coalesce=True, nulls_equal=True)
    shown = [pl.col(f"{name}_{era}").fill_null("0") for era in _ERAS for name in ("shown", "n_unknown_shown")]
    return changes.join(both, on="rule").with_columns(shown).sort("guideline", "change_date", "rule_id").drop("rule")


def _edition_changes(registry: Registry) -> Iterator[Figure]:
    rows = registry.tables["edition_change"]
    editions = {row["edition_id"]: row for row in registry.editions.iter_rows(named=True)}
    for change in rows.frame["change"].unique().sort():
        data = _around(rows.where(change=change), f"around_{change}")
        shown = data.frame.drop_nulls("percent")
        if shown.is_empty() or change not in editions:
            continue
        first_day = str(editions[change]["from_date"])
        last = shown.filter(period=shown["period"].max())
        said = "; ".join(f"{percent(row['percent'])} under the {row['line']}" for row in last.iter_rows(named=True))
        spoken = shown.select(row=pl.format("{}, {}", "period", "line"), text=percent_and_interval())
        yield Figure(
            svg=over_time.before_and_after(shown, first_day, "% concordant"),
            reading=f"Around {change}: in the last period {said}.",
            caption=(
                "Concordance by period of 13 weeks, of the decisions that the older and the newer edition both judge, "
                "with 95 % intervals. The dashed stroke is the first day of the newer one. A what-if outside its time."
            ),
            alternative=f"Shares over time. {figures.spoken(spoken)}",
            data=data,
        )


def _around(rows: SafeTable, name: str) -> SafeTable:
    """Return the rate under each edition per period, one below the other."""
    both = rows.where(view=None)
    views = [
        both.with_count("n_concordant", rows, view=view)
        .with_percent("n", part="n_concordant")
        .frame.with_columns(line=pl.lit(f"{view} edition"))
        for view in ("older", "newer")
    ]
    return both.map(lambda _: pl.concat(views).with_columns(percent_and_interval()).sort("period", "line"), name=name)
