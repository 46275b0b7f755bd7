"""Counts of published cohorts, computed independently of this project, from the facts of each patient."""

import os
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from crlm_pipeline.cohort.build import Cohort, build_cohort
from crlm_pipeline.extracts.read import read_sources
from crlm_pipeline.settings import Settings
from crlm_pipeline.validation import validate
from crlm_pipeline.warehouse import Warehouse
from schemas.audit import SourceFile
from schemas.column import describe
from schemas.extract import EXTRACT_MODELS

FOLDER = os.environ.get("CRLM_REAL_DATA")
pytestmark = pytest.mark.skipif(not FOLDER, reason="CRLM_REAL_DATA is not set: the real data are not at hand")


def built(source: str, as_of: date | None = None) -> Cohort:
    """Build the cohort of one study folder, as of its latest day."""
    ingested = validate(read_sources([Path(str(FOLDER)) / source]), today=date(2026, 11, 23))
    with Warehouse.in_memory() as warehouse:
        for model in EXTRACT_MODELS:
            warehouse.insert(model, ingested.tables[describe(model).name])
        files = ingested.source_file.with_columns(run_id=pl.lit("r"))
        warehouse.insert(SourceFile, files.select(list(describe(SourceFile).polars_schema)))
        return build_cohort(warehouse, Settings(), as_of or ingested.latest_date or date(2026, 11, 23))


def counts(facts: pl.DataFrame, fact: str) -> dict[object, int]:
    return dict(facts[fact].value_counts().iter_rows())


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return built("msk_met_crc")


@pytest.fixture(scope="module")
def facts() -> pl.DataFrame:
    return built("tcga_coadread").patient_facts


class TestMskMet:
    def test_every_patient_has_facts_and_stands_on_a_relative_calendar(self, cohort):
        assert cohort.patient_facts.height == 3480
        assert cohort.patient["is_relative_calendar"].all()
        assert cohort.patient["is_alive"].not_().sum() == 1156

    def test_ras_counts_the_six_codons(self, cohort):
        facts = cohort.patient_facts
        assert counts(facts, "kras") == {"mutant": 1511, "wild_type": 3480 - 1511}
        assert counts(facts, "nras") == {"mutant": 138, "wild_type": 3480 - 138}
        assert counts(facts, "ras") == {"mutant": 1641, "wild_type": 3480 - 1641}
        assert counts(facts, "kras_g12c") == {True: 109, False: 3480 - 109}

    def test_braf_counts_by_class(self, cohort):
        facts = cohort.patient_facts
        assert counts(facts, "braf")["v600e"] == 241
        assert facts.filter(pl.col("braf") != "wild_type").height == 351
        assert facts["is_braf_tested"].all()
        assert facts.filter(ras="mutant", braf="v600e").height == 2

    def test_the_transverse_colon_goes_right_by_default(self, cohort):
        assert counts(cohort.patient_facts, "side") == {"left": 1642, "right": 587, None: 1251}

    def test_a_hypermutated_tumour_is_not_called_unstable(self, cohort):
        assert cohort.patient_facts["msi"].null_count() == 3480


class TestTcga:
    def test_with_the_forms_answers_kras_is_mutant_in_210(self, facts):
        assert counts(facts, "kras")["mutant"] == 210

    def test_the_sequenced_patients_give_the_other_counts(self, facts):
        assert counts(facts, "nras")["mutant"] == 32
        assert counts(facts, "braf")["v600e"] == 48
        assert counts(facts, "kras_g12c")[True] == 12
        assert facts.filter(ras="mutant", braf="v600e").height == 4
