"""Every SQL file of marts, indicators and report runs, and the marts count what their contract says."""

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from crlm_pipeline.marts import CATEGORIES, JUDGED_VERDICTS, centre_codes
from crlm_pipeline.resources import sql, sql_names
from crlm_pipeline.warehouse import Warehouse
from schemas import audit, cohort, mart
from schemas.column import Table, describe
from tests.registry_of_chance import AS_OF, registry


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with registry(patients=150, centres=4) as made:
        yield made


@pytest.mark.parametrize("name", [*sql_names("indicators"), *sql_names("report")])
def test_every_statement_runs_says_what_it_is_and_names_its_columns_in_order(name: str, warehouse: Warehouse) -> None:
    given: dict[str, Any] = {"as_of": AS_OF, "headline": "esmo", "guideline": "esmo", "threshold": 5}
    text = sql(name)
    found = warehouse.query(name, **{key: value for key, value in given.items() if f"${key}" in text})
    assert found.columns
    assert text.startswith("-- ")
    # The members of an indicator are a set: they are counted, and who lists them orders them.
    assert ("order by" in text) == name.startswith("report/")
    assert not any(";" in line for line in text.splitlines() if not line.startswith("--"))


@pytest.mark.parametrize("model", mart.MART_MODELS, ids=lambda model: describe(model).qualified_name)
def test_every_mart_is_filled_and_fits_its_model(model: type[Table], warehouse: Warehouse) -> None:
    found = warehouse.read(model)
    assert found.height
    model.to_schema().validate(found.with_columns(pl.all()))


def total(rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    return rows.group_by(by).agg(pl.col("n").sum(), pl.col("n_total").first(), pl.col("n_total").n_unique().alias("k"))


def test_the_verdicts_of_every_group_add_up_to_all_its_decisions(warehouse: Warehouse) -> None:
    groups = ("population", "centre_id", "year", "guideline", "edition_id", "setting", "line")
    summed = total(warehouse.read(mart.Concordance), *groups)
    assert summed.filter((pl.col("n") != pl.col("n_total")) | (pl.col("k") != 1)).is_empty()


def test_the_verdicts_of_a_series_are_all_its_decisions(warehouse: Warehouse) -> None:
    rows = warehouse.read(mart.Concordance)
    everything = rows.filter(
        pl.col("population") == "all",
        *(pl.col(name).is_null() for name in ("centre_id", "year", "edition_id", "setting", "line")),
    )
    decisions = warehouse.read(cohort.Verdict).group_by("guideline").len()
    summed = everything.group_by("guideline").agg(pl.col("n").sum())
    assert dict(summed.rows()) == dict(decisions.rows())


def test_a_verdict_is_counted_as_by_hand(warehouse: Warehouse) -> None:
    decisions = warehouse.read(cohort.Decision).join(warehouse.read(cohort.Verdict), on="decision_id")
    people = warehouse.read(cohort.CohortPatient).filter("is_crlm").select("patient_id")
    by_hand = decisions.join(people, on="patient_id", how="semi").filter(
        centre_id="hospital A", guideline="esmo", setting="systemic", line=1, verdict="not_evaluable"
    )
    found = warehouse.read(mart.Concordance).filter(
        pl.col("year").is_null(),
        pl.col("edition_id").is_null(),
        population="crlm",
        centre_id="hospital A",
        guideline="esmo",
        setting="systemic",
        line=1,
        verdict="not_evaluable",
    )
    assert found["n"].to_list() == [by_hand.height]
    assert found["percent"][0] == pytest.approx(100 * by_hand.height / found["n_total"][0])


def test_judged_verdicts_are_shares_of_those_judged_and_the_others_of_all(warehouse: Warehouse) -> None:
    rows = warehouse.read(mart.Concordance)
    groups = ["population", "centre_id", "year", "guideline", "edition_id", "setting", "line"]
    judged = rows.filter(pl.col("verdict").is_in(JUDGED_VERDICTS))
    summed = judged.group_by(groups).agg(pl.col("n").sum(), pl.col("n_evaluable").first(), pl.col("percent").sum())
    assert (summed["n"] == summed["n_evaluable"]).all()
    assert summed["percent"].to_list() == pytest.approx([100.0] * summed.height)
    assert (rows["ci_low"] <= rows["percent"] + 1e-9).all()
    assert (rows["percent"] <= rows["ci_high"] + 1e-9).all()


def test_without_an_edition_a_line_or_a_year_a_decision_counts_only_where_all_count(warehouse: Warehouse) -> None:
    rows = warehouse.read(mart.Concordance)
    not_in_force = rows.filter(verdict="not_in_force")
    assert not_in_force.height
    assert not_in_force["edition_id"].is_null().all()
    assert rows.filter(setting="local")["line"].is_null().all()


def test_every_category_of_every_biomarker_has_a_row_in_every_group(warehouse: Warehouse) -> None:
    rows = warehouse.read(mart.BiomarkerDistribution)
    expected = {(analyte, category) for analyte, categories in CATEGORIES.items() for category in categories}
    groups = rows.group_by("population", "centre_id", "year").agg(pl.len(), pl.struct("analyte", "category").n_unique())
    assert set(groups["len"]) == set(groups["analyte"]) == {len(expected)}
    assert (rows["n"] == 0).any()


def test_biomarkers_are_counted_as_by_hand_and_unknown_is_not_tested(warehouse: Warehouse) -> None:
    facts = warehouse.read(cohort.PatientFacts)
    everyone = warehouse.read(mart.BiomarkerDistribution).filter(
        pl.col("centre_id").is_null(), pl.col("year").is_null(), population="all"
    )
    msi = everyone.filter(analyte="msi", category="msi_h").row(0, named=True)
    assert msi["n"] == (facts["msi"] == "msi_h").sum()
    assert msi["n_tested"] == facts["msi"].is_not_null().sum()
    assert msi["n_total"] == facts.height
    g12c = everyone.filter(analyte="kras_g12c", category="true").row(0, named=True)
    assert g12c["n"] == facts["kras_g12c"].sum()
    braf = everyone.filter(analyte="braf", category="v600e").row(0, named=True)
    assert braf["n_tested"] == facts["is_braf_tested"].sum() > facts["braf"].is_not_null().sum()


def test_populations_lie_within_each_other_and_centres_and_years_add_up(warehouse: Warehouse) -> None:
    rows = warehouse.read(mart.BiomarkerDistribution).filter(analyte="ras", category="mutant")
    overall = rows.filter(pl.col("centre_id").is_null(), pl.col("year").is_null()).sort("population")
    counts = dict(overall.select("population", "n_total").rows())
    assert counts["all"] > counts["metastatic"] > counts["crlm"]
    for name, other in (("centre_id", "year"), ("year", "centre_id")):
        parts = rows.filter(pl.col(name).is_not_null(), pl.col(other).is_null(), population="crlm")
        assert parts["n_total"].sum() == counts["crlm"]


def test_every_metastatic_patient_is_on_one_pathway_of_each_series(warehouse: Warehouse) -> None:
    rows = warehouse.read(mart.PathwayMix)
    overall = rows.filter(*(pl.col(name).is_null() for name in ("centre_id", "year", "edition_id")))
    for summed in total(overall, "population", "guideline").iter_rows(named=True):
        assert summed["n"] == summed["n_total"]
    assert overall["pathway"].is_null().any()


def test_the_timeline_holds_every_decision_and_the_row_of_every_other_event(warehouse: Warehouse) -> None:
    rows = warehouse.read(mart.PatientTimeline)
    decisions = rows.filter(event_type="decision")
    assert decisions.height == warehouse.read(cohort.Decision).height
    assert decisions["decision_id"].is_not_null().all()
    others = rows.filter(pl.col("event_type") != "decision")
    assert others.select(pl.col("source_file_id", "source_row").is_not_null().all()).row(0) == (True, True)
    assert {"diagnosis", "biomarker", "drug_start"} <= set(others["event_type"])


def test_centres_get_codes_that_do_not_follow_their_names(warehouse: Warehouse) -> None:
    key = warehouse.read(audit.ReportKey).sort("centre_id")
    assert sorted(key["code"]) == ["C01", "C02", "C03", "C04"]
    assert key["code"].to_list() != sorted(key["code"])
    assert centre_codes(key["centre_id"]).equals(centre_codes(key["centre_id"].reverse()))
