"""The same decisions under every guideline and edition: a what-if, whatever the day and country of the decision."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

import polars as pl

from crlm_pipeline.disclosure import SafeCount, SafeTable
from crlm_pipeline.report import figures
from crlm_pipeline.report.edition_counts import CLASSES, NAME
from crlm_pipeline.report.fragments import Figure, Section, Table
from crlm_pipeline.report.rates import least_and_most
from crlm_pipeline.report.registry import Registry
from crlm_pipeline.report.tables import table
from crlm_pipeline.report.words import percent, words

_COLOURS: Final = {"Concordant": figures.TEAL, "Discordant": figures.AMBER, "Not judged": figures.PALE_GREY}
_MOST_RULES: Final = 15
_JUDGED: Final = ("concordant", "discordant")


def section(registry: Registry, centre: str | None) -> Section | None:
    """Return the comparison on the registry's page; None for a centre, or where no two editions can be compared."""
    editions = _editions(registry)
    if centre is not None or len(editions) < 2:  # noqa: PLR2004  # a comparison takes two
        return None
    sentence = (
        "A what-if, not the verdicts in force: every decision on patients with CRLM is judged by every edition, "
        "whatever its day and country, on the facts known that day. A rolling edition stands as on the as-of day."
    )
    blocks: list[Figure | Table | str] = [
        *_distribution(registry, editions),
        _matrix(registry, editions),
        _pairs(registry, editions),
        _disagreements(registry, editions),
    ]
    return Section("guidelines", "The same decisions under every edition", sentence, tuple(blocks))


def _editions(registry: Registry) -> list[str]:
    rows = registry.tables[NAME]
    fixed = ("is_crlm", "departed", "guideline", "edition_id", "is_judged", "class")
    return [name for name in rows.dimensions if name not in fixed]


def _count(registry: Registry, **classes: str) -> SafeCount:
    return registry.tables[NAME].count(is_crlm="yes", **classes)


def _distribution(registry: Registry, editions: Sequence[str]) -> Iterator[Figure]:
    total = _count(registry)
    rows = [
        {
            "row": edition,
            "part": words(name),
            "n": (count := _count(registry, **{edition: name})).value,
            "shown": count.text,
            "percent": registry.share([count], [total]),
        }
        for edition in editions
        for name in CLASSES
    ]
    data = _derived(registry, rows, "edition_distribution")
    drawn = data.frame.drop_nulls("percent")
    if drawn.is_empty():
        return
    said = drawn.group_by("row", maintain_order=True).agg(
        pl.format("{} {} %", pl.col("part").str.to_lowercase(), pl.col("percent").round(0).cast(pl.Int64)).str.join(
            ", "
        )
    )
    yield Figure(
        svg=figures.stacked_shares(drawn, editions, _COLOURS),
        reading=_most_concordant(drawn, total.text),
        caption=(
            "The same decisions under each edition. Not judged: no rule applies, a fact is missing, the decision is "
            "out of scope or still open."
        ),
        alternative=figures.spoken(said.rename({"part": "text"})),
        data=data,
    )


def _most_concordant(drawn: pl.DataFrame, total: str) -> str:
    most = drawn.filter(part="Concordant").sort("percent", "row", descending=[True, False])
    if most.is_empty():
        return f"How much of {total} decisions each edition judges."
    first = most.row(0, named=True)
    return f"{first['row']} would call {percent(first['percent'])} of {total} decisions concordant, the most of any."


def _derived(registry: Registry, rows: Sequence[Mapping[str, object]], name: str) -> SafeTable:
    """Return rows made of safe counts alone as a table of their own."""
    return registry.tables[NAME].map(lambda _: pl.DataFrame(rows, infer_schema_length=None), name=name)


def _both(registry: Registry, one: str, other: str, own: Sequence[str], others: Sequence[str]) -> list[SafeCount]:
    return [_count(registry, **{one: mine, other: theirs}) for mine in own for theirs in others]


def _range(counts: Sequence[SafeCount]) -> tuple[int, int] | None:
    """Return the least and most that counts add up to, by what is printed of them; None where one is hidden."""
    printed = pl.DataFrame({"shown": [count.text for count in counts]}).select(
        least=least_and_most("shown")[0], most=least_and_most("shown")[1]
    )
    if printed["least"].null_count():
        return None
    return int(printed["least"].sum()), int(printed["most"].sum())


def _percent(part: Sequence[SafeCount], rest: Sequence[SafeCount], smallest_rate: int) -> tuple[float, float] | None:
    """Return the least and most that some counts can be, in percent, of them and the rest."""
    some, others = _range(part), _range(rest)
    if some is None or others is None or some[0] + others[0] < max(smallest_rate, 1):
        return None
    return 100 * some[0] / (some[0] + others[1]), 100 * some[1] / (some[1] + others[0])


def _range_text(ends: tuple[float, float] | None) -> str:
    if ends is None:
        return "\u2013"
    least, most = (f"{end:.0f}" for end in ends)
    return least if least == most else f"{least}\u2013{most}"


def _matrix(registry: Registry, editions: Sequence[str]) -> Table:
    def cell(one: str, other: str) -> str:
        agreeing = _both(registry, one, other, ("concordant",), _JUDGED)
        departing = _both(registry, one, other, ("discordant",), _JUDGED)
        return _range_text(_percent(agreeing, departing, registry.settings.rate_threshold))

    rows = [
        {"edition": one} | {other: cell(one, other) if one != other else "" for other in editions} for one in editions
    ]
    caption = (
        "% concordant under the edition of the row, among the decisions that the edition of the column judges as well; "
        "a range where a small count is hidden, a dash where too few are shown."
    )
    headings = {"edition": "Edition", **{name: name for name in editions}}
    return table(_derived(registry, rows, "edition_matrix"), headings, caption)


def _pairs(registry: Registry, editions: Sequence[str]) -> Table:
    rows = [_pair(registry, one, other) for one, other in combinations(editions, 2)]
    rows.sort(key=lambda row: (row["percent_least"] is None, -float(str(row["percent_least"] or 0)), row["pair"]))
    headings = {
        "pair": "First / second",
        "both_judge": "Both judge",
        "only_first": "Only the first calls concordant",
        "only_second": "Only the second",
        "percent_differ": "% that differ",
    }
    caption = "Editions side by side, those that differ most first: decisions that both judge."
    return table(_derived(registry, rows, "edition_pairs"), headings, caption)


def _pair(registry: Registry, one: str, other: str) -> dict[str, object]:
    only_first = _count(registry, **{one: "concordant", other: "discordant"})
    only_second = _count(registry, **{one: "discordant", other: "concordant"})
    alike = [_count(registry, **{one: name, other: name}) for name in _JUDGED]
    differ = _percent([only_first, only_second], alike, registry.settings.rate_threshold)
    return {
        "pair": f"{one} / {other}",
        "both_judge": _range_text(_range([only_first, only_second, *alike])),
        "only_first": only_first.text,
        "only_second": only_second.text,
        "percent_least": differ[0] if differ else None,
        "percent_most": differ[1] if differ else None,
        "percent_differ": _range_text(differ),
    }


def _disagreements(registry: Registry, editions: Sequence[str]) -> Table:
    rows = registry.tables[NAME].each("departed").frame
    named = [
        {
            "departed": row["departed"],
            "title": registry.rules.get(row["departed"], ""),
            "discordant": next(name for name in editions if row[name] == "discordant"),
            "concordant": next(name for name in editions if row[name] == "concordant"),
            "n": row["n"],
            "shown": row["shown"],
        }
        for row in rows.iter_rows(named=True)
        if row["n"] is not None
    ]
    named.sort(key=lambda row: (-row["n"], row["departed"], row["concordant"]))
    empty = {"departed": None, "title": None, "discordant": None, "concordant": None, "n": None, "shown": None}
    data = _derived(registry, named[:_MOST_RULES] or [empty], "edition_disagreements")
    headings = {
        "departed": "Rule departed from",
        "title": "What it says",
        "discordant": "Discordant under",
        "concordant": "Concordant under",
        "shown": "Decisions",
    }
    caption = "Where two editions disagree most: one calls the decision concordant, the other says that it departed."
    return table(data, headings, caption, text=("title", "discordant", "concordant"))
