"""Two clocks: a decision sees what was known that day, a safety rule what was known on the first dose."""

from datetime import date
from typing import Any

import polars as pl

from crlm_pipeline.cohort.build import build_cohort
from crlm_pipeline.settings import Settings
from schemas.audit import Finding, FindingRow
from schemas.column import describe
from tests.unit.cohort.registry import Row, cohort, decision, folfox, warehouse_of

START = "2020-06-01"
PALLIATIVE = folfox(START, intent="palliative")


def kras(**cells: Any) -> Row:
    return {"analyte": "kras", "result": "mutated", "hgvs_p": "p.G12C", "specimen_site": "primary", **cells}


def first_line(*results: Row, drugs: list[Row] | None = None) -> dict[str, Any]:
    return decision(cohort(biomarker=results, drug_exposure=drugs or PALLIATIVE), "p/systemic/1")


def cetuximab(start: str) -> Row:
    return {"drug": "cetuximab", "start_date": start, "intent": "palliative"}


class TestKnownOnTheDay:
    def test_a_result_reported_that_day_counts_and_one_of_the_day_after_does_not(self):
        assert first_line(kras(report_date=START))["ras"] == "mutant"
        assert first_line(kras(report_date="2020-06-02", sample_date="2020-05-01"))["ras"] is None

    def test_without_a_report_date_the_sample_date_stands_in_and_is_marked(self):
        assumed = first_line(kras(sample_date="2020-05-01"))
        assert (assumed["ras"], assumed["has_assumed_date"]) == ("mutant", True)
        reported = first_line(kras(sample_date="2020-04-01", report_date="2020-05-01"))
        assert reported["has_assumed_date"] is False

    def test_with_neither_date_it_is_unknown_to_decisions(self):
        assert first_line(kras())["ras"] is None

    def test_an_antibody_that_joins_within_60_days_moves_the_facts_date(self):
        result = kras(report_date="2020-06-20")
        assert first_line(result, drugs=[*PALLIATIVE, cetuximab("2020-06-20")])["ras"] == "mutant"
        assert first_line(result, drugs=[*PALLIATIVE, cetuximab("2020-06-19")])["ras"] is None

    def test_a_later_result_never_changes_an_earlier_decision(self):
        early = {"analyte": "msi", "result": "mss", "report_date": "2020-05-01"}
        late = [
            kras(report_date="2020-06-02"),
            {"analyte": "msi", "result": "msi_h", "report_date": "2020-06-02"},
        ]
        assert first_line(early) == first_line(early, *late)

    def test_results_of_several_days_add_up(self):
        wild = [
            {"analyte": gene, "result": "not_detected", "region_tested": ["all"], "report_date": day}
            for gene, day in (("kras", "2020-01-01"), ("nras", "2020-05-01"))
        ]
        assert first_line(*wild)["ras"] == "wild_type"


class TestPlasma:
    def test_only_the_latest_plasma_sample_counts(self):
        mutant = kras(specimen_site="plasma", sample_date="2020-01-01", report_date="2020-01-10")
        wild = [
            mutant
            | {"analyte": gene, "result": "not_detected", "hgvs_p": None, "region_tested": ["all"], "specimen_id": "s2"}
            | {"sample_date": "2020-04-01", "report_date": "2020-04-10"}
            for gene in ("kras", "nras")
        ]
        assert first_line(mutant)["ras_plasma"] == "mutant"
        assert first_line(mutant, *wild)["ras_plasma"] == "wild_type"

    def test_an_older_sample_reported_later_does_not_replace_the_latest(self):
        old = kras(specimen_site="plasma", sample_date="2020-01-01", report_date="2020-05-20")
        new = old | {"hgvs_p": None, "result": "not_detected", "region_tested": ["all"]}
        new |= {"sample_date": "2020-04-01", "report_date": "2020-04-10"}
        assert first_line(new, old)["ras_plasma"] == "partial_wild_type"


class TestClassView:
    def test_a_drug_given_before_the_facts_date_has_a_view_of_what_was_known_then(self):
        drugs = [*PALLIATIVE, cetuximab("2020-06-20")]
        built = cohort(biomarker=[kras(report_date="2020-06-10")], drug_exposure=drugs)
        view = built.class_view
        assert view["seen_for"].to_list() == ["fluorouracil", "oxaliplatin"]
        assert view["ras"].to_list() == [None, None]
        assert view["facts_date"].unique().to_list() == [date(2020, 6, 1)]
        assert view["decision_id"].unique().to_list() == ["p/systemic/1"]
        assert view.columns == [*built.decision.columns, "seen_for"]

    def test_an_antibody_that_started_before_the_last_drug_joined_sees_only_its_own_day(self):
        drugs = [
            *PALLIATIVE,
            cetuximab(START),
            {"drug": "irinotecan", "start_date": "2020-06-10", "intent": "palliative"},
        ]
        built = cohort(biomarker=[kras(report_date="2020-06-05")], drug_exposure=drugs)
        assert decision(built, "p/systemic/1")["ras"] == "mutant"
        assert built.class_view.filter(pl.col("seen_for") == "cetuximab")["ras"].to_list() == [None]

    def test_nothing_joined_later_means_no_view(self):
        assert cohort(drug_exposure=PALLIATIVE).class_view.is_empty()


class TestFirstDoses:
    def test_the_first_doses_that_tests_are_due_by(self):
        one = first_line(drugs=[*PALLIATIVE, cetuximab("2020-06-20")])
        assert one["antibody_start_date"] == date(2020, 6, 20)
        assert one["fluoropyrimidine_start_date"] == date(2020, 6, 1)


class TestAnalyteKnown:
    def known(self, *results: Row) -> dict[str, date]:
        return dict(cohort(biomarker=results).analyte_known.select("analyte", "known_date").iter_rows())

    def test_extended_ras_is_known_by_a_mutation_or_when_the_last_codon_was_reported(self):
        wild = {"result": "not_detected", "region_tested": ["all"]}
        kras_wild = {"analyte": "kras", "report_date": "2020-01-01", **wild}
        nras_wild = {"analyte": "nras", "report_date": "2020-02-01", **wild}
        assert "extended_ras" not in self.known(kras_wild)
        assert self.known(kras_wild, nras_wild)["extended_ras"] == date(2020, 2, 1)
        assert self.known(kras(report_date="2020-03-01"))["extended_ras"] == date(2020, 3, 1)

    def test_the_allele_is_known_when_it_is_spelled_out(self):
        unspecified = kras(hgvs_p=None, report_date="2020-01-01")
        assert "kras_allele" not in self.known(unspecified)
        assert self.known(unspecified, kras(report_date="2020-02-01"))["kras_allele"] == date(2020, 2, 1)

    def test_braf_mutated_at_an_unstated_place_was_tested(self):
        assert self.known({"analyte": "braf", "result": "mutated", "sample_date": "2020-01-01"})["braf"]

    def test_each_other_analyte_has_its_first_day(self):
        rows = [
            {"analyte": "msi", "result": "mss"},
            {"analyte": "erbb2", "result": "ihc_2", "ish_ratio": 1.2},
            {"analyte": "dpyd", "result": "dpd_normal"},
            {"analyte": "ntrk1", "result": "fusion"},
            {"analyte": "ret", "result": "not_detected"},
            {"analyte": "pole", "result": "mutated"},
        ]
        dated = [row | {"report_date": day} for row in rows for day in ("2020-02-01", "2020-01-01")]
        names = ("msi", "her2", "her2_ish", "dpyd", "ntrk", "ret", "pole")
        assert self.known(*dated) == dict.fromkeys(sorted(names), date(2020, 1, 1))

    def test_a_recorded_deficiency_shows_that_dpyd_was_examined(self):
        built = cohort(assessment=[{"assessment_date": "2020-03-01", "contraindications": ["dpd_partial"]}])
        assert built.analyte_known.rows() == [("p", "dpyd", date(2020, 3, 1))]


class TestImputedDates:
    def test_a_decision_that_rests_on_an_imputed_date_says_so(self):
        warehouse = warehouse_of({"biomarker": [kras(report_date="2020-05-31")], "drug_exposure": PALLIATIVE})
        cells = {"finding_id": "f", "run_id": "r", "check_name": "date_imputed", "severity": "warning"}
        cells |= {"table_name": "biomarker", "row_count": 1, "state": "new", "message": "m"}
        finding = describe(Finding).polars_schema
        warehouse.insert(Finding, pl.DataFrame([dict.fromkeys(finding) | cells], schema=finding))
        row = {"finding_id": "f", "source_file_id": "biomarker", "table_name": "biomarker", "source_row": 1}
        warehouse.insert(FindingRow, pl.DataFrame([row], schema=describe(FindingRow).polars_schema))
        built = build_cohort(warehouse, Settings(), date(2024, 1, 1))
        assert decision(built, "p/systemic/1")["has_imputed_date"] is True
        assert first_line(kras(report_date="2020-05-31"))["has_imputed_date"] is False
