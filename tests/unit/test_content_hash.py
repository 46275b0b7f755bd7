"""The hash of a table's rows: equal for equal rows in any order and store, another for any other content."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from crlm_pipeline.content_hash import hash_of_rows

CONNECTION = duckdb.connect()
ROWS = CONNECTION.sql(
    """
    from (
        values
        ('a', 1, 2::bigint, 0.5::double, true, date '2024-01-01', ['x', 'y'], [1, 2]),
        ('b', 3, 4::bigint, 1.5::double, false, date '2024-01-02', ['y'], [3]),
        ('b', 3, 4::bigint, 1.5::double, false, date '2024-01-02', ['y'], [3]),
        (null, null, null, null, null, null, null, null)
    ) as one (word, number, count, share, truth, day, words, numbers)
    """
)


def content(rows: duckdb.DuckDBPyRelation) -> Any:
    columns = list(zip(rows.columns, map(str, rows.types), strict=True))
    return columns, rows.aggregate(hash_of_rows(columns)).fetchone()


def test_equal_rows_are_equal_in_any_order_and_in_a_table_or_a_file(tmp_path: Path) -> None:
    expected = content(ROWS)
    assert content(ROWS.order("word desc, number")) == expected
    ROWS.create("stored")
    assert content(CONNECTION.table("stored")) == expected
    ROWS.write_parquet(str(tmp_path / "rows.parquet"))
    assert content(CONNECTION.read_parquet(str(tmp_path / "rows.parquet"))) == expected


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("word", value) for value in ("''", "'a '", "'null'", "null", "'1'")),
        *(("number", value) for value in ("0", "-1", "null")),
        *(("count", value) for value in ("9223372036854775807", "(-9223372036854775808)", "null")),
        *(("share", value) for value in ("0.5000000000000001", "-0.5", "'nan'", "null")),
        *(("truth", value) for value in ("false", "null")),
        *(("day", value) for value in ("'1969-12-31'", "null")),
        *(("words", value) for value in ("['x,y']", "['x', null]", "[]", "['y', 'x']", "null")),
        *(("numbers", value) for value in ("[1]", "[12]", "[]", "null")),
    ],
)
def test_another_value_has_another_hash(column: str, value: str) -> None:
    kind = ROWS.types[ROWS.columns.index(column)]
    changed = f"case when word = 'a' then {value}::{kind} else {column} end as {column}"
    assert content(ROWS.project(f"* replace ({changed})")) != content(ROWS)


@pytest.mark.parametrize(
    "changed",
    [
        ROWS.distinct(),
        ROWS.union(ROWS),
        ROWS.project("* rename (word as term)"),
        ROWS.project("* replace (number::bigint as number)"),
        ROWS.project("* replace (number::bigint as count, count::integer as number)"),
    ],
)
def test_other_rows_names_or_types_have_another_hash(changed: duckdb.DuckDBPyRelation) -> None:
    assert content(changed) != content(ROWS)


@pytest.mark.parametrize("column", ROWS.columns)
def test_values_that_change_places_between_rows_have_another_hash(column: str) -> None:
    crossed = f"coalesce(lead({column}) over (order by word), lag({column}) over (order by word)) as {column}"
    both = ROWS.filter("word is not null").distinct()
    assert content(both.project(f"* replace ({crossed})")) != content(both)
