"""The only way out for a count: one plan per run hides what could tell of fewer than a handful of people.

Counts enter as `Counts` (true, from the warehouse) and leave as `SafeTable`, the only thing the renderer takes. A zero
is shown: it tells of nobody. A count below the threshold is printed as such ("<5"); others are hidden where they would
give a small one away, in the same table or in another of the run. A rate is worked out from safe counts alone, and only
where the denominator reaches the smallest one allowed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, Final

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from crlm_pipeline.statistics import percent_with_interval
from crlm_pipeline.suppression import Mark, Sums, choose_marks

N: Final = "n"
SHOWN: Final = "shown"
HIDDEN_TEXT: Final = "hidden"

# Between parts of a cell's key; no vocabulary, centre or drug holds it.
_SEPARATOR: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class Margin:
    """Rows that add up: those with every `over` filled are parts of the row that has them empty.

    Rows with different values in `apart` belong to different sums of the same total, such as one sum per biomarker.
    """

    over: tuple[str, ...]
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subset:
    """Rows that hold `part` count people who are among those of the row that holds `whole` instead (None: empty).

    Subsets of one whole with the same `apart` share nobody: together they are among it.
    """

    part: Mapping[str, str]
    whole: Mapping[str, str | None]
    apart: str | None = None


@dataclass(frozen=True, slots=True)
class Nested:
    """Cells that count parts of what a cell of another unit, or place, counts: each under the same values of `by`.

    It is what an attacker may take for granted, not a promise: where the parts exceed the whole, as where a record
    makes several rows, they are not compared.
    """

    unit: str
    parts: tuple[Mapping[str, str], ...]
    whole_unit: str
    whole: Mapping[str, str]
    by: tuple[str, ...] = ("centre_id",)


@dataclass(frozen=True, slots=True)
class Counts:
    """True counts: one row per cell, one text column per dimension (null = all of them), and the count `n`.

    `unit` names what is counted. Cells of equal unit and equal filled dimensions are one cell, in whatever table, and
    must hold equal counts. `measures` are columns that are no counts, shown where `n` is large enough for a rate.
    To protect a small count, rows with more dimensions filled are hidden before others; `essential` dimensions do not
    count there, rows that are `spare` go first and rows to `keep` last.
    """

    name: str
    unit: str
    frame: pl.DataFrame
    margins: tuple[Margin, ...] = ()
    subsets: tuple[Subset, ...] = ()
    measures: tuple[str, ...] = ()
    essential: tuple[str, ...] = ()
    spare: pl.Expr = field(default_factory=lambda: pl.lit(False))
    keep: pl.Expr = field(default_factory=lambda: pl.lit(False))

    @property
    def dimensions(self) -> list[str]:
        """The columns that say what a row counts."""
        return [name for name in self.frame.columns if name != N and name not in self.measures]


_SEAL: Final = object()


@dataclass(frozen=True, slots=True, eq=False)
class SafeTable:
    """Counts as they may be published: `n` is null where it is not, and `shown` is the text to print instead.

    Only `protect` makes one, and only from another one can a new one be derived. It equals none but itself. Its frame
    is always one chunk: polars 2.1 panics where text is put together and a filter has left a first chunk empty.
    """

    name: str
    frame: pl.DataFrame
    smallest_rate: int
    _seal: object

    def __post_init__(self) -> None:
        assert self._seal is _SEAL, "a safe table is made by protect() alone"

    def map(self, change: Callable[[pl.DataFrame], pl.DataFrame], name: str | None = None) -> "SafeTable":
        """Return the table after a change that uses nothing but what is in it."""
        return replace(self, frame=change(self.frame).rechunk(), name=name or self.name)

    def where(self, **values: str | None) -> "SafeTable":
        """Return the rows with these values, at least one; None asks for the rows over all values of that dimension."""
        rows = _rows_by(self, tuple(values)).get(tuple(values.values()))
        return replace(self, frame=self.frame.clear() if rows is None else self.frame[rows])

    def filtered(self, condition: pl.Expr) -> "SafeTable":
        """Return the rows for which a condition holds."""
        return replace(self, frame=self.frame.filter(condition).rechunk())

    def each(self, *dimensions: str) -> "SafeTable":
        """Return the rows in which these dimensions are filled."""
        return self.filtered(pl.all_horizontal(pl.col(*dimensions).is_not_null()))

    def split(self, *names: str) -> dict[tuple[Any, ...], "SafeTable"]:
        """Return the rows of each combination of the values of these columns, without the columns, in one go."""
        parts = self.frame.partition_by(names, include_key=False, maintain_order=True, as_dict=True)
        return {values: replace(self, frame=part.rechunk()) for values, part in parts.items()}

    def with_count(self, name: str, among: "SafeTable", **values: str | None) -> "SafeTable":
        """Add the count of the row of `among` that is equal but for these values, as `name` and, as text, `name_shown`.

        `among` must hold every cell that could be asked for: a cell that it does not hold counts nobody.
        """
        others = [column for column in self.dimensions if column not in values]
        shown = f"{name}_shown"
        # A key of its own, so that a table without any other dimension joins as well.
        found = (
            among.frame.lazy()
            .filter(_holding(values))
            .select(*others, pl.col(N).alias(name), pl.col(SHOWN).alias(shown), pl.lit(0).alias("_one"))
        )
        joined = (
            self.frame.lazy()
            .with_columns(pl.lit(0).alias("_one"))
            .join(found, on=[*others, "_one"], how="left", nulls_equal=True, maintain_order="left")
            .drop("_one")
            .with_columns(
                pl.when(pl.col(shown).is_null()).then(pl.lit(0, pl.Int64)).otherwise(pl.col(name)).alias(name),
                pl.col(shown).fill_null("0"),
            )
        )
        return self.map(lambda _: joined.collect())

    def with_percent(self, total: str, part: str = N) -> "SafeTable":
        """Add percent, ci_low and ci_high of a count in a total; null where one is hidden or the total is too small."""
        return self.map(lambda frame: frame.with_columns(_allowed_rates(part, total, self.smallest_rate)))

    @property
    def dimensions(self) -> list[str]:
        """The columns that say what a row counts."""
        return self.frame.columns[: self.frame.columns.index(N)]

    def counts(self) -> list["SafeCount"]:
        """Return the count of every row."""
        return [SafeCount(n, shown) for n, shown in self.frame.select(N, SHOWN).iter_rows()]

    def count(self, **values: str | None) -> "SafeCount":
        """Return the count of the one row with these values and every other dimension empty; zero if there is none."""
        dimensions = self.dimensions
        assert values.keys() <= {*dimensions}, f"{self.name}: has no {', '.join(sorted(values.keys() - {*dimensions}))}"
        return _by_cell(self).get(tuple(map(values.get, dimensions)), SafeCount(0, "0"))


@dataclass(frozen=True, slots=True)
class SafeCount:
    """One count as it may be published: its value, null where it is hidden, and the text to print."""

    value: int | None
    text: str


def _holding(values: Mapping[str, str | None]) -> pl.Expr:
    """Return whether a row has these values; None stands for empty."""
    wanted = [pl.col(name).is_null() if value is None else pl.col(name) == value for name, value in values.items()]
    return pl.all_horizontal(pl.lit(True), *wanted)


@cache
def _allowed_rates(part: str, total: str, smallest_rate: int) -> list[pl.Expr]:
    allowed = pl.col(total) >= smallest_rate
    return [pl.when(allowed).then(rate).alias(rate.meta.output_name()) for rate in percent_with_interval(part, total)]


@lru_cache(maxsize=256)
def _rows_by(table: SafeTable, names: tuple[str, ...]) -> Mapping[tuple[str | None, ...], pl.Series]:
    """Return the numbers of the rows by their values: every page asks the same tables for rows of its own."""
    groups = table.frame.with_row_index("_row").group_by(names, maintain_order=True).agg("_row")
    return dict(zip(groups.select(names).rows(), groups["_row"], strict=True))


@lru_cache(maxsize=64)
def _by_cell(table: SafeTable) -> Mapping[tuple[str | None, ...], SafeCount]:
    """Return the count of every row by its dimensions: a report asks the same tables again and again."""
    counts = dict(zip(table.frame.select(table.dimensions).rows(), table.counts(), strict=True))
    assert len(counts) == table.frame.height, f"{table.name}: several rows are of one cell"
    return counts


def share(part: Sequence[SafeCount], whole: Sequence[SafeCount], smallest_rate: int) -> float | None:
    """Return the percentage that some counts are of others; null where one is hidden or the denominator too small."""
    values = [count.value for count in (*part, *whole)]
    if any(value is None for value in values):
        return None
    above, below = (sum(count.value or 0 for count in counts) for counts in (part, whole))
    return 100 * above / below if below >= max(smallest_rate, 1) else None


def plain(name: str, frame: pl.DataFrame) -> SafeTable:
    """Return text that counts nobody, such as the editions in use, in the form that the renderer takes."""
    assert all(dtype == pl.String for dtype in frame.dtypes), f"{name}: what is not text must pass protect()"
    return SafeTable(name, frame, 0, _SEAL)


def protect(
    tables: Sequence[Counts], nested: Sequence[Nested] = (), *, threshold: int, smallest_rate: int
) -> dict[str, SafeTable]:
    """Return the tables by name with every count hidden that the run as a whole must not tell.

    `nested` says what is among what across units; within one unit the tables say it themselves.
    `threshold` is the smallest count that may be shown, `smallest_rate` the smallest denominator of a rate.
    """
    tables = [replace(table, frame=table.frame.rechunk()) for table in tables]
    cells = _cells(tables)
    equations = pl.concat([*map(_equations, tables), _nested(tables, cells, nested)])
    marks = _marks(cells, equations, threshold)
    return {table.name: _published(table, marks, threshold, smallest_rate) for table in tables}


def _key(dimensions: Iterable[str], unit: str) -> pl.Expr:
    """Return the name of a row's cell: its unit and its filled dimensions, in the order of their names."""
    filled = [pl.lit(f"{name}=") + pl.col(name) for name in sorted(dimensions)]
    return pl.concat_str([pl.lit(unit), *filled], separator=_SEPARATOR, ignore_nulls=True).alias("key")


def _cells(tables: Sequence[Counts]) -> pl.DataFrame:
    """Return every cell once, with its count and its detail: the higher, the sooner it may be hidden for another."""
    listed = [
        table.frame.select(_key(table.dimensions, table.unit), pl.col(N).cast(pl.Int64), _detail(table))
        for table in tables
    ]
    cells = pl.concat(listed).group_by("key", N).agg(pl.col("detail").min()).sort("key")
    twice = cells.filter(pl.col("key").is_duplicated())
    assert twice.is_empty(), f"{twice.height} cells have more than one count"
    return cells


def _detail(table: Counts) -> pl.Expr:
    filled = [pl.col(name).is_not_null().cast(pl.Int64) for name in table.dimensions if name not in table.essential]
    order = 100 * (table.spare.cast(pl.Int64) - table.keep.cast(pl.Int64))
    return (pl.sum_horizontal(pl.lit(0, pl.Int64), *filled) + order).alias("detail")


def _equations(table: Counts) -> pl.DataFrame:
    """Return one row per part of a sum: the sum's name, the cell of its total and the cell of the part."""
    rows = table.frame.with_columns(_key(table.dimensions, table.unit).alias("part"))
    found = [_margin(rows, table, margin) for margin in table.margins]
    found += [_subset(rows, table, subset) for subset in table.subsets]
    return pl.concat([pl.DataFrame(schema=_EQUATION), *found])


_EQUATION: Final = {"sum": pl.String, "total": pl.String, "part": pl.String}


def _margin(rows: pl.DataFrame, table: Counts, margin: Margin) -> pl.DataFrame:
    left = [name for name in table.dimensions if name not in margin.over]
    label = pl.concat_str([pl.lit("+".join(margin.over)), *margin.apart], separator=_SEPARATOR)
    return rows.filter(pl.col(name).is_not_null() for name in margin.over).select(
        pl.concat_str([_key(left, table.unit), label], separator=_SEPARATOR * 2).alias("sum"),
        _key(left, table.unit).alias("total"),
        "part",
    )


def _subset(rows: pl.DataFrame, table: Counts, subset: Subset) -> pl.DataFrame:
    whole = rows.filter(pl.col(name) == value for name, value in subset.part.items()).with_columns(
        pl.lit(value, pl.String).alias(name) for name, value in subset.whole.items()
    )
    total = _key(table.dimensions, table.unit).alias("total")
    label = pl.col("part") if subset.apart is None else pl.lit(subset.apart)
    return whole.select(pl.concat_str([total, label], separator=_SEPARATOR * 2).alias("sum"), total, "part")


def _nested(tables: Sequence[Counts], cells: pl.DataFrame, nested: Sequence[Nested]) -> pl.DataFrame:
    found = [
        _nested_rows(table, one, part)
        for one in nested
        for table in tables
        for part in one.parts
        if table.unit == one.unit and part.keys() <= {*table.dimensions}
    ]
    pairs = pl.concat([pl.DataFrame(schema=_EQUATION), *found]).unique()
    part, total = (cells.select(pl.col("key").alias(name), pl.col(N).alias(f"{name}_n")) for name in ("part", "total"))
    known = pairs.join(part, on="part").join(total, on="total").filter(pl.col("part") != pl.col("total"))
    return known.filter(pl.col("part_n").sum().over("sum") <= pl.col("total_n")).select(*_EQUATION)


def _nested_rows(table: Counts, nested: Nested, part: Mapping[str, str]) -> pl.DataFrame:
    by = [name for name in nested.by if name in table.dimensions]
    others = [name for name in table.dimensions if name not in by and name not in part]
    rows = table.frame.filter(
        *(pl.col(name) == value for name, value in part.items()), *(pl.col(name).is_null() for name in others)
    ).select(*by, _key(table.dimensions, table.unit).alias("part"))
    whole = rows.with_columns(pl.lit(value).alias(name) for name, value in nested.whole.items())
    total = _key([*by, *nested.whole], nested.whole_unit).alias("total")
    name = pl.lit(f"{nested.unit}: {nested.parts}")
    return whole.select(pl.concat_str([total, name], separator=_SEPARATOR * 3).alias("sum"), total, "part")


def _marks(cells: pl.DataFrame, equations: pl.DataFrame, threshold: int) -> pl.DataFrame:
    """Return each cell's mark. What a total holds beyond its parts becomes a cell of its own that is never printed."""
    counts = cells.select(pl.col("key").alias("part"), pl.col(N).alias("part_n"))
    known = (
        equations.unique()
        .join(cells.select(pl.col("key").alias("total"), pl.col(N).alias("total_n")), on="total")
        .join(counts, on="part")
    )
    sums = known.group_by("sum", "total", "total_n").agg(pl.col("part_n").sum()).sort("sum")
    rest = sums.select(pl.col("sum").alias("key"), (pl.col("total_n") - pl.col("part_n")).alias(N))
    assert (rest[N] >= 0).all(), f"{(rest[N] < 0).sum()} totals are smaller than the sum of their parts"
    rest = rest.filter(pl.col(N) > 0)
    every = pl.concat([cells, rest], how="diagonal").with_row_index("cell")
    terms = pl.concat(
        [
            known.select("sum", pl.col("part").alias("key"), pl.lit(1).alias("sign")),
            sums.select("sum", pl.col("total").alias("key"), pl.lit(-1).alias("sign")),
            rest.select(pl.col("key").alias("sum"), "key", pl.lit(1).alias("sign")),
        ]
    )
    terms = terms.join(every.select("key", "cell"), on="key").join(sums.select("sum").with_row_index("row"), on="sum")
    matrix = csr_array(
        (terms["sign"].to_numpy().astype(np.int64), (terms["row"].to_numpy(), terms["cell"].to_numpy())),
        shape=(sums.height, every.height),
    )
    is_public = np.arange(every.height) < cells.height
    marks = choose_marks(
        Sums(every[N].to_numpy(), every["detail"].fill_null(0).to_numpy(), is_public, matrix), threshold
    )
    return cells.select("key", pl.Series("_mark", marks[: cells.height]))


def _published(table: Counts, marks: pl.DataFrame, threshold: int, smallest_rate: int) -> SafeTable:
    mark, enough = pl.col("_mark"), pl.col(N) >= smallest_rate
    rows = table.frame.with_columns(_key(table.dimensions, table.unit)).join(marks, on="key", maintain_order="left")
    is_shown = mark == Mark.SHOWN
    text = (
        pl.when(is_shown)
        .then(pl.col(N).cast(pl.String))
        .when(mark == Mark.SMALL)
        .then(pl.lit(f"<{threshold}"))
        .otherwise(pl.lit(HIDDEN_TEXT))
    )
    frame = rows.select(
        *table.dimensions,
        pl.when(is_shown).then(pl.col(N).cast(pl.Int64)).alias(N),
        text.alias(SHOWN),
        *(pl.when(is_shown & enough).then(pl.col(name)).alias(name) for name in table.measures),
    )
    return SafeTable(table.name, frame.rechunk(), smallest_rate, _SEAL)
