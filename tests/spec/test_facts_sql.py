"""Every statement in sql/facts is run by the cohort, says its grain, and gives its rows in a stated order."""

import re
from datetime import date

import pytest

from crlm_pipeline.cohort.build import build_cohort
from crlm_pipeline.resources import sql, sql_names
from crlm_pipeline.settings import Settings
from crlm_pipeline.sql_head import statement_of
from crlm_pipeline.warehouse import Warehouse
from tests.unit.cohort.registry import warehouse_of
from tests.unit.cohort.test_fact_sources import TABLES


def test_the_cohort_runs_every_statement(monkeypatch):
    asked = []
    query = Warehouse.query

    def recorded(self, sql_name, **parameters):
        asked.append(sql_name)
        return query(self, sql_name, **parameters)

    monkeypatch.setattr(Warehouse, "query", recorded)
    build_cohort(warehouse_of(TABLES), Settings(), date(2024, 12, 31))
    assert sorted(set(asked)) == sql_names("facts")


@pytest.mark.parametrize("name", sql_names("facts"))
def test_a_statement_says_its_grain_and_orders_its_rows(name):
    text = sql(name)
    assert text.startswith("-- ")
    assert "-- Grain: " in text
    assert "Parameters: " in text
    assert "\norder by " in text


@pytest.mark.parametrize("name", sql_names("fact_sources"))
def test_a_part_of_the_view_says_its_grain_and_reads_only_stored_tables(name):
    text = sql(name)
    assert text.startswith("-- ")
    assert "-- Grain: decision, fact and row." in text
    assert "Parameters: " in text
    text = statement_of(text)
    named = set(re.findall(r"(?:with|,)\s+(\w+) as \(", text))
    read = set(re.findall(r"(?:from|join) ([\w.]+)", text)) - named
    assert all(table.startswith(("extract.", "cohort.")) for table in read)
