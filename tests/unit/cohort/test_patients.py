"""Who is in: what makes a patient metastatic or one with liver metastases, alive, and on a relative calendar."""

from datetime import date

import polars as pl
import pytest

from crlm_pipeline.cohort.build import build_cohort
from crlm_pipeline.settings import Settings
from schemas.audit import SourceFile
from tests.unit.cohort.registry import cohort, cohort_of, decision_ids, folfox, source_file, warehouse_of


def patient(**tables):
    return cohort(**tables).patient.row(0, named=True)


LIVER, ELSEWHERE, NOT = "liver", "elsewhere", "not"


def assessed(**cells):
    return {"assessment": [{"assessment_date": "2020-01-01", "mets_sites": None, **cells}]}


def sampled(site):
    return {"biomarker": [{"analyte": "kras", "result": "failed", "specimen_site": site}]}


def given(intent):
    return {"drug_exposure": folfox("2020-01-01", intent=intent)}


MEMBERSHIP = {
    "nothing at all": ({}, NOT),
    "an assessment without sites": (assessed(), NOT),
    "liver among the sites": (assessed(mets_sites=["lung", "liver"]), LIVER),
    "lung alone": (assessed(mets_sites=["lung"]), ELSEWHERE),
    "a date of liver metastases": (assessed(mets_diagnosis_date="2019-12-01"), LIVER),
    "a date of the first metastasis": (assessed(first_metastasis_date="2019-12-01"), ELSEWHERE),
    "M1a": ({"tumour": [{"m_category": "M1a"}]}, ELSEWHERE),
    "pM1": ({"tumour": [{"m_category": "pM1"}]}, ELSEWHERE),
    "M0": ({"tumour": [{"m_category": "M0"}]}, NOT),
    "a liver specimen": (sampled("liver"), LIVER),
    "a specimen of another metastasis": (sampled("other_metastasis"), ELSEWHERE),
    "a specimen of the primary": (sampled("primary"), NOT),
    "a local treatment": ({"procedure": [{"procedure_date": "2020-01-01", "procedure": "pve"}]}, LIVER),
    "palliative intent": (given("palliative"), ELSEWHERE),
    "conversion intent": (given("conversion"), ELSEWHERE),
    "adjuvant intent": (given("adjuvant"), NOT),
}
VITAL = {
    "no status": ({}, True),
    "alive": ({"vital_status": "alive"}, True),
    "dead without a date": ({"vital_status": "dead"}, False),
    "died on the as-of date": ({"vital_status": "dead", "death_date": "2024-12-31"}, False),
    "died the day after": ({"vital_status": "dead", "death_date": "2025-01-01"}, True),
    "a date alone": ({"death_date": "2020-01-01"}, False),
}


@pytest.fixture(scope="module")
def patients():
    cases = {name: tables for name, (tables, _) in MEMBERSHIP.items()}
    vital = {name: {"patient": [cells]} for name, (cells, _) in VITAL.items()}
    built = cohort_of(cases | vital)
    return {row["patient_id"]: row for row in built.patient.iter_rows(named=True)}


@pytest.mark.parametrize("case", MEMBERSHIP)
def test_each_trace_of_metastasis_puts_the_patient_where_it_belongs(patients, case):
    row = patients[case]
    expected = MEMBERSHIP[case][1]
    assert (row["is_metastatic"], row["is_crlm"]) == (expected != NOT, expected == LIVER)


@pytest.mark.parametrize("case", VITAL)
def test_a_patient_is_alive_until_known_to_have_died(patients, case):
    assert patients[case]["is_alive"] is VITAL[case][1]


def test_rows_after_the_as_of_date_put_nobody_in():
    rows = {"procedure": [{"procedure_date": "2020-01-02", "procedure": "resection"}]}
    assert cohort(as_of="2020-01-01", **rows).patient["is_crlm"].to_list() == [False]
    assert cohort(as_of="2020-01-02", **rows).patient["is_crlm"].to_list() == [True]


def test_only_metastatic_patients_have_decisions():
    assert decision_ids(cohort(drug_exposure=folfox("2020-01-01", intent="adjuvant"))) == []


def test_the_reason_says_what_put_the_patient_in():
    assert patient()["cohort_reason"] == "no metastasis on record"
    reason = patient(tumour=[{"m_category": "M1"}])["cohort_reason"]
    assert reason == "metastatic, liver not on record: M category M1"


def test_a_file_on_day_offsets_puts_its_patients_on_a_relative_calendar():
    warehouse = warehouse_of({"biomarker": [{"analyte": "kras", "result": "failed"}]})
    warehouse.insert(SourceFile, pl.concat([source_file("patient", "real"), source_file("biomarker", "relative")]))
    built = build_cohort(warehouse, Settings(), date(2024, 1, 1))
    assert built.patient["is_relative_calendar"].to_list() == [True]


class TestFirstEvent:
    def test_it_is_the_first_decision(self):
        built = cohort(
            drug_exposure=folfox("2021-05-01", intent="palliative"),
            biomarker=[{"analyte": "kras", "result": "failed", "report_date": "2020-01-01"}],
        )
        assert built.patient["first_event_date"].to_list() == [date(2021, 5, 1)]

    def test_without_a_decision_it_is_the_first_report(self):
        built = cohort(biomarker=[{"analyte": "kras", "result": "failed", "report_date": "2020-01-01"}])
        assert built.patient["first_event_date"].to_list() == [date(2020, 1, 1)]


class TestPatientFacts:
    def test_a_result_without_any_date_counts_in_the_distribution_but_in_no_decision(self):
        built = cohort(
            biomarker=[{"analyte": "msi", "result": "msi_h"}], drug_exposure=folfox("2021-05-01", intent="palliative")
        )
        assert built.patient_facts["msi"].to_list() == ["msi_h"]
        assert built.decision["msi"].unique().to_list() == [None]

    def test_a_result_known_after_the_as_of_date_does_not_count(self):
        rows = {"biomarker": [{"analyte": "msi", "result": "msi_h", "report_date": "2020-01-02"}]}
        assert cohort(as_of="2020-01-01", **rows).patient_facts["msi"].to_list() == [None]
        assert cohort(as_of="2020-01-02", **rows).patient_facts["msi"].to_list() == ["msi_h"]

    def test_every_accepted_patient_has_a_row_and_untested_is_unknown(self):
        facts = cohort().patient_facts.row(0, named=True)
        assert facts == dict.fromkeys(facts) | {"patient_id": "p", "is_braf_tested": False}

    def test_kras_and_nras_stand_apart(self):
        rows = [{"analyte": gene, "result": "not_detected", "region_tested": ["all"]} for gene in ("kras", "nras")]
        facts = cohort(biomarker=[rows[0], rows[1] | {"region_tested": ["exon2"]}]).patient_facts.row(0, named=True)
        assert (facts["kras"], facts["nras"], facts["ras"]) == ("wild_type", "partial_wild_type", "partial_wild_type")
