"""Rolling up one dimension after the other gives what `group by cube` gives."""

import duckdb
import numpy as np
import polars as pl

from crlm_pipeline.rollup import by_population, rolled_up

BY = ["centre", "year", "line", "kind"]


def counts(size: int = 200) -> pl.DataFrame:
    """Return counts of distinct cells; a line may be unknown, and a kind, which is not rolled up."""
    chance = np.random.default_rng(4)
    drawn: dict[str, list[str | None]] = {"centre": ["b", "a", "ä", "B"], "line": ["1", "2", None], "kind": ["x", None]}
    cells = {name: [values[one] for one in chance.integers(len(values), size=size)] for name, values in drawn.items()}
    frame = pl.DataFrame(cells | {"year": chance.integers(2020, 2023, size)}).unique(maintain_order=True)
    return frame.with_columns(
        pl.Series("n", chance.integers(1, 9, frame.height)), pl.Series("m", chance.integers(0, 2, frame.height))
    )


def test_a_rollup_has_the_rows_of_a_cube_in_their_order() -> None:
    given = counts()
    with duckdb.connect() as connection:
        connection.register("given", given)
        expected = connection.sql(
            """
            select centre, year, line, kind, sum(n)::bigint as n, sum(m)::bigint as m
            from given
            group by kind, cube (centre, year, line)
            having grouping(line) = 1 or line is not null
            order by all
            """
        ).pl()
    found = rolled_up(given.sample(fraction=1, shuffle=True, seed=1), ["line", "centre", "year"], BY)
    assert found.select(expected.columns).cast(dict(expected.schema)).equals(expected)  # type: ignore[arg-type]


def test_a_population_without_any_of_the_counts_has_no_row() -> None:
    measures = [f"{name}_{population}" for name in ("n", "m") for population in ("all", "crlm", "metastatic")]
    wide = pl.DataFrame([("c", 3, 1, 2, 0, 0, 0), ("d", 1, 0, 0, 1, 0, 1)], schema=["cell", *measures], orient="row")
    rows = by_population(wide, ["n", "m"]).select("population", "cell", "n", "m").rows()
    assert rows == [
        ("all", "c", 3, 0),
        ("all", "d", 1, 1),
        ("crlm", "c", 1, 0),
        ("metastatic", "c", 2, 0),
        ("metastatic", "d", 0, 1),
    ]
