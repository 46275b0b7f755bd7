"""Whatever text arrives: no row is lost, none is counted twice, and what is accepted keeps the declarations."""

from collections.abc import Callable
from dataclasses import fields

import polars as pl
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crlm_pipeline.extracts.tables import Extract, TextTable
from crlm_pipeline.validation import Ingested, check_shares, validate
from schemas.column import Column, describe
from schemas.extract import EXTRACT_MODELS, extract_tables
from tests.text_extracts import REQUIRED, TODAY, Cells, extract, row, text_table

DIRT = (
    "",
    " ",
    "?",
    "NaN",
    "-1",
    "1e400",
    "2023-02-30",
    "2023-13",
    "0000",
    "2999-01-01",
    "true;false",
    "'; drop --",
    "\x00",
    "ß",
)
TO_THE_MONTH_AND_TO_THE_DAY = [row("mdt", mdt_date=day) for day in ("2024-02", "2024-02-01")]
PATIENTS = st.sampled_from(["p1", "p2", "p3"])


def _clean(column: Column) -> st.SearchStrategy[str | None]:
    """Return values that a cell of the column may hold; few enough to make duplicates and conflicts common."""
    if column.name == "patient_id":
        return PATIENTS
    if column.values:
        return st.sampled_from(column.values)
    if column.dtype == pl.Date():
        return st.sampled_from(["2024-01-10", "2024-02-01", "2024-02", "2023"])
    if column.dtype == pl.Boolean():
        return st.sampled_from(["true", "false"])
    if column.dtype in (pl.Int32(), pl.Float64()):
        return st.sampled_from(["1", "2.0", "50", "1980", "20.5"])
    return st.sampled_from({"country": ["DE", "NL"], "topography": ["C18.7", "C20"]}.get(column.name, ["a", "b"]))


def _rows(table: str) -> st.SearchStrategy[list[Cells]]:
    """Return rows of a table: the required cells and some others, a part of them dirty."""
    declared = extract_tables()[table]

    def cell(name: str) -> st.SearchStrategy[str | None]:
        dirty = st.one_of(st.none(), st.sampled_from(DIRT), st.text(max_size=6))
        return st.integers(0, 9).flatmap(lambda chance: dirty if chance == 0 else _clean(declared.column(name)))

    required = list(REQUIRED[table])
    others = [
        column.name for column in declared.columns if column.name not in (*required, "source_file_id", "source_row")
    ]
    return st.lists(
        st.fixed_dictionaries({name: cell(name) for name in required}, optional={name: cell(name) for name in others}),
        max_size=6,
    )


@st.composite
def extracts(draw: Callable[[st.SearchStrategy[list[Cells]]], list[Cells]]) -> Extract:
    """Draw an extract: two files of patients, one of every other table; some rows come again."""

    def table(name: str, file: str = "f1") -> TextTable:
        rows = draw(_rows(name))
        again = draw(st.lists(st.sampled_from(rows), max_size=2)) if rows else []
        return text_table(name, rows + again, file)

    children = [table(name) for name in extract_tables() if name != "patient"]
    return extract(table("patient"), table("patient", "f2"), *children)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(extracts())
def test_any_extract_balances_and_what_is_accepted_keeps_the_declarations(delivered):
    ingested = validate(delivered, today=TODAY)
    _nothing_is_lost(delivered, ingested)
    _every_rejection_is_on_record(ingested)
    for model in EXTRACT_MODELS:
        accepted = ingested.tables[describe(model).name]
        model.validate(accepted)
        _key_is_unique(accepted, describe(model).key)
    _children_have_parents(ingested)
    check_shares(ingested, 1.0)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(extracts())
def test_the_same_extract_gives_the_same_result(delivered):
    first, second = (validate(delivered, today=TODAY) for _ in range(2))
    for name in ("row_ledger", "rejected_row", "finding", "finding_row"):
        assert getattr(first, name).equals(getattr(second, name))
    assert all(first.tables[name].equals(second.tables[name]) for name in first.tables)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(extracts(), st.integers(1, 2))
def test_a_few_patients_at_a_time_give_what_all_give_at_once(delivered, patients):
    whole = validate(delivered, today=TODAY)
    added_up = validate(delivered, today=TODAY, patients_at_a_time=patients)
    for name, value in vars_of(whole).items():
        other = getattr(added_up, name)
        if isinstance(value, pl.DataFrame):
            assert value.sort(pl.all()).equals(other.sort(pl.all())), name
        elif name == "tables":
            assert all(value[table].sort(pl.all()).equals(other[table].sort(pl.all())) for table in value)
        else:
            assert value == other, name


def vars_of(ingested: Ingested) -> dict[str, object]:
    return {field.name: getattr(ingested, field.name) for field in fields(ingested)}


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(extracts())
@example(extract(text_table("patient", [row("patient")]), text_table("mdt", TO_THE_MONTH_AND_TO_THE_DAY)))
def test_what_was_accepted_is_accepted_again(delivered):
    accepted = {name: frame for name, frame in validate(delivered, today=TODAY).tables.items() if frame.height}
    again = validate(extract(*(text_table(name, _as_text(frame)) for name, frame in accepted.items())), today=TODAY)
    assert again.rejected_row.height == 0
    # Rows that differed only in what is no value, or in how precise a date was, are now one and the same.
    distinct = {name: frame.drop("source_file_id", "source_row").n_unique() for name, frame in accepted.items()}
    assert {name: frame.height for name, frame in again.tables.items() if frame.height} == distinct


def _as_text(frame: pl.DataFrame) -> list[Cells]:
    lists = [name for name, dtype in frame.schema.items() if dtype == pl.List(pl.String)]
    text = frame.with_columns(pl.col(lists).list.join(";")).with_columns(pl.all().cast(pl.String))
    return text.drop("source_file_id", "source_row").rows(named=True)


def _nothing_is_lost(delivered: Extract, ingested: Ingested) -> None:
    ledger = ingested.row_ledger
    assert ledger["rows_read"].sum() == sum(table.frame.height for table in delivered.tables)
    fates = ledger.select(pl.sum_horizontal("rows_accepted", "rows_rejected", "rows_duplicate")).to_series()
    assert fates.to_list() == ledger["rows_read"].to_list()
    accepted = {name: frame.height for name, frame in ingested.tables.items()}
    assert dict(ledger.group_by("table_name").agg(pl.col("rows_accepted").sum()).rows()) == accepted


def _every_rejection_is_on_record(ingested: Ingested) -> None:
    rejected = ingested.rejected_row.filter(pl.col("scope") == "row")
    recorded = rejected.select("source_file_id", "table_name", "source_row").unique().height
    assert recorded == ingested.row_ledger["rows_rejected"].sum()
    told = ingested.finding.filter(pl.col("severity") == "error")["row_count"].sum()
    assert told == ingested.rejected_row.height


def _key_is_unique(accepted: pl.DataFrame, key: tuple[str, ...]) -> None:
    assert not key or accepted.select(key).is_unique().all()


def _children_have_parents(ingested: Ingested) -> None:
    patients = set(ingested.tables["patient"]["patient_id"])
    assert all(set(frame["patient_id"]) <= patients for frame in ingested.tables.values())
