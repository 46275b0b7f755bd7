"""The warehouse says what it holds, and its macros count what the marts count."""

import re

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from statsmodels.stats.proportion import proportion_confint

from crlm_pipeline import macros as module
from crlm_pipeline.errors import KnowledgeError
from crlm_pipeline.indicator_members import members_macro
from crlm_pipeline.macros import Macro, macros
from crlm_pipeline.warehouse import Warehouse

MACROS = (*macros(), members_macro())


def rows(connection: duckdb.DuckDBPyConnection, statement: str) -> pl.DataFrame:
    return connection.sql(statement).pl()


@pytest.mark.parametrize("macro", MACROS, ids=lambda macro: macro.name)
def test_the_example_of_every_macro_runs_in_a_file_opened_read_only(
    macro: Macro, connection: duckdb.DuckDBPyConnection
) -> None:
    assert rows(connection, macro.example).height > 0


def test_the_file_lists_its_macros_with_parameters_and_comments(connection: duckdb.DuckDBPyConnection) -> None:
    stored = rows(
        connection,
        "select function_name, function_type, parameters, comment from duckdb_functions() where schema_name = 'mart'",
    )
    expected = {
        each.name: ("macro" if each.is_value else "table_macro", [p.name for p in each.parameters], each.comment)
        for each in MACROS
    }
    assert {name: tuple(rest) for name, *rest in stored.iter_rows()} == expected


def test_every_table_view_and_column_of_the_file_has_a_comment(connection: duckdb.DuckDBPyConnection) -> None:
    silent = connection.sql(
        """
        select schema_name, table_name as name from duckdb_tables() where comment is null and not internal
        union all
        select schema_name, view_name from duckdb_views() where comment is null and not internal
        union all
        select schema_name, table_name || '.' || column_name from duckdb_columns()
        where comment is null and not internal
        """
    ).fetchall()
    assert silent == []


@pytest.mark.parametrize("macro", macros(), ids=lambda macro: macro.name)
def test_no_column_of_a_macro_can_be_taken_for_a_parameter(macro: Macro) -> None:
    """DuckDB puts the argument in the place of every bare word that is a parameter's name."""
    for name in (each.name for each in macro.parameters):
        bare = re.findall(rf"(?<![.$'\w])(?<!as ){name}\b(?!['.])", macro.statement)
        assert bare == [], f"{macro.name}: qualify the column {name}"


def test_attached_under_another_name_the_macros_work_once_the_file_is_used(example) -> None:
    with duckdb.connect() as other:
        other.execute(f"attach '{example}' as registry (read_only)")
        with pytest.raises(duckdb.CatalogException):
            other.sql("from registry.mart.concordance_by('centre_id')").fetchall()
        other.execute("use registry")
        assert other.sql("from mart.concordance_by('centre_id')").fetchall()


def test_views_and_macros_leave_the_content_hash_as_it_was(example) -> None:
    with Warehouse.open_readonly(example) as published:
        recorded = published.query("run/summary")["content_hash"].item()
        assert published.content_hash() == recorded
    with duckdb.connect(str(example), read_only=True) as plain:
        assert plain.sql(
            "select tags['storage_version'] from duckdb_databases() where path is not null"
        ).fetchall() == [("v1.2.0+",)]


@pytest.mark.parametrize("population", ["crlm", "metastatic", "all"])
@pytest.mark.parametrize("dimensions", ["centre_id", "year", "line", "setting", "edition_id", "centre_id, year"])
def test_concordance_by_columns_of_the_mart_is_the_mart(
    connection: duckdb.DuckDBPyConnection, dimensions: str, population: str
) -> None:
    named = dimensions.split(", ")
    others = {"centre_id", "year", "edition_id", "setting", "line"} - set(named)
    counted = rows(connection, f"from mart.concordance_by('{dimensions}', population := '{population}')").select(
        *named, "n_total", "n_evaluable", "n_concordant", "n_not_evaluable"
    )
    condition = " and ".join([*(f"{one} is null" for one in others), *(f"{one} is not null" for one in named)])
    mart = rows(
        connection,
        f"""
        select {dimensions}, any_value(n_total) as n_total, any_value(n_evaluable) as n_evaluable,
            coalesce(sum(n) filter (where starts_with(verdict, 'concordant')), 0)::bigint as n_concordant,
            coalesce(sum(n) filter (where verdict = 'not_evaluable'), 0)::bigint as n_not_evaluable
        from mart.concordance
        where guideline = 'esmo' and population = '{population}' and {condition}
        group by {dimensions}
        """,
    )
    assert mart.height > 1
    assert_frame_equal(counted.drop_nulls(named), mart, check_row_order=False)


@pytest.mark.parametrize("analyte", ["side", "ras", "braf", "kras_g12c", "her2"])
def test_biomarker_by_columns_of_the_mart_is_the_mart(connection: duckdb.DuckDBPyConnection, analyte: str) -> None:
    counted = rows(connection, f"from mart.biomarker_by('{analyte}', 'centre_id, year')").drop_nulls("category")
    mart = rows(
        connection,
        f"""
        select centre_id, year, category, n, n_tested, n_total, percent, ci_low, ci_high
        from mart.biomarker_distribution
        where analyte = '{analyte}' and population = 'crlm' and centre_id is not null and year is not null and n > 0
        """,
    )
    assert mart.height > 1
    assert_frame_equal(counted, mart, check_row_order=False)


def test_the_bounds_of_concordance_count_what_is_not_evaluable_for_and_against(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(connection, "from mart.concordance_by('guideline')").row(0, named=True)
    whole = found["n_evaluable"] + found["n_not_evaluable"]
    assert found["percent_worst"] == pytest.approx(100 * found["n_concordant"] / whole)
    assert found["percent_best"] == pytest.approx(100 * (found["n_concordant"] + found["n_not_evaluable"]) / whole)
    assert found["percent_worst"] < found["percent"] < found["percent_best"]


@pytest.mark.parametrize(("part", "total"), [(0, 7), (7, 7), (15, 20), (1, 1), (421, 1000)])
def test_an_interval_is_that_of_statsmodels(connection: duckdb.DuckDBPyConnection, part: int, total: int) -> None:
    found = connection.sql(f"select unnest(mart.share_of({part}, {total}))").fetchone()
    low, high = proportion_confint(part, total, method="wilson")
    assert found == pytest.approx((100 * part / total, 100 * low, 100 * high))


def test_a_share_of_nothing_is_unknown(connection: duckdb.DuckDBPyConnection) -> None:
    for call in ("mart.share_of(0, 0)", "mart.share_of(null, 4)"):
        assert connection.sql(f"select {call}").fetchone() == (None,)


def test_a_fact_that_is_unknown_is_a_group_of_its_own(connection: duckdb.DuckDBPyConnection) -> None:
    counted = rows(connection, "from mart.concordance_by('ras')")
    decisions = rows(
        connection,
        "select count(*) as n from mart.judged_decision where guideline = 'esmo' and is_crlm and ras is null",
    ).item()
    assert decisions > 0
    assert counted.filter(pl.col("ras").is_null())["n_total"].to_list() == [decisions]


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("mart.concordance_by('sidee')", 'Column "sidee" was selected but was not found'),
        ("mart.concordance_by('line, sidee')", 'Column "sidee" was selected but was not found'),
        ("mart.concordance_by('line', population := 'adults')", "population is crlm, metastatic or all"),
        ("mart.biomarker_by('kras_g12v', 'year')", 'Could not find key "kras_g12v"'),
    ],
)
def test_a_name_that_is_none_is_an_error_and_never_an_empty_answer(
    connection: duckdb.DuckDBPyConnection, call: str, problem: str
) -> None:
    with pytest.raises(duckdb.Error, match=problem):
        connection.sql(f"from {call}").fetchall()


def test_the_members_of_every_indicator_are_those_it_counts(connection: duckdb.DuckDBPyConnection) -> None:
    counted = rows(
        connection,
        """
        select indicator_id, centre_id, numerator, denominator, n_not_evaluable, n_excluded, n_excepted
        from mart.indicator where period is null and centre_id is not null
        """,
    )
    listed = pl.concat(
        rows(
            connection,
            f"""
            select '{one}' as indicator_id, centre_id,
                count(*) filter (where state = 'met') as numerator,
                count(*) filter (where state in ('met', 'not met')) as denominator,
                count(*) filter (where state = 'not evaluable') as n_not_evaluable,
                count(*) filter (where state = 'excluded') as n_excluded,
                count(*) filter (where state = 'excepted') as n_excepted
            from mart.members_of_indicator('{one}') where state <> 'outside the denominator' group by centre_id
            """,
        )
        for one in counted["indicator_id"].unique()
    )
    assert counted.height > 1
    assert_frame_equal(listed, counted, check_row_order=False)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("-- title: t\n-- grain: g\nselect 1", "check: example"),
        ("-- title: t\n-- grain: g\n-- example: e\n-- purpose: p\nselect 1", "check: purpose"),
        ("-- title: t\n-- title: t\n-- grain: g\n-- example: e\nselect 1", "check: title"),
        ("-- title: t\n-- grain: g\n-- example: e\nselect $one", "differ in one"),
        ("-- title: t\n-- grain: g\n-- example: e\n-- parameter: one: a\nselect 1", "differ in one"),
    ],
)
def test_an_incomplete_head_is_refused(monkeypatch: pytest.MonkeyPatch, text: str, problem: str) -> None:
    monkeypatch.setattr(module, "sql", lambda _: text)
    with pytest.raises(KnowledgeError, match=problem):
        macros()
