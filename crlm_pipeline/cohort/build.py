"""Builds the cohort: from accepted rows to patients, lines, decisions and what was known on each decision date."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from crlm_pipeline.cohort.aim import CONFLICT, conflicts
from crlm_pipeline.cohort.decided import DECISION_COLUMNS, as_decisions, with_facts
from crlm_pipeline.cohort.decisions import decisions
from crlm_pipeline.cohort.facts.analytes import analyte_known
from crlm_pipeline.cohort.facts.assessments import assessment_facts
from crlm_pipeline.cohort.facts.biomarkers import known_by_day, results
from crlm_pipeline.cohort.facts.primaries import prepare_primaries, primary_facts
from crlm_pipeline.cohort.facts.sources import imputed_decisions, result_support
from crlm_pipeline.cohort.line_notices import DIFFERS, IGNORED
from crlm_pipeline.cohort.lines import History, derive
from crlm_pipeline.cohort.occasions import earlier_doses, first_doses, occasions
from crlm_pipeline.cohort.patients import cohort_patients, patient_facts, therapy_lines
from crlm_pipeline.cohort.prior_therapy import prior_facts
from crlm_pipeline.extracts.tables import Notice
from crlm_pipeline.settings import Settings
from crlm_pipeline.warehouse import Warehouse
from schemas.cohort import (
    AnalyteKnown,
    ClassView,
    CohortPatient,
    Decision,
    ExposureRole,
    LineOfTherapy,
    PatientFacts,
    ResultSupport,
)
from schemas.column import Table
from schemas.extract import Assessment, Biomarker, DrugExposure, Outcome, Procedure, Tumour

# The checks of the notices of a cohort; each notice is of rows, and each row is one patient's.
NOTICED: Final = (CONFLICT, DIFFERS, IGNORED)


@dataclass(frozen=True, slots=True)
class Cohort:
    """The cohort as of a day: frames as declared in `schemas.cohort`, sorted by key.

    `class_view`: shaped like `decision` with `seen_for` last, the same decision with its facts as known on the first
    dose of that drug's class in the line (`facts_date` is that day); only where it is earlier than the decision's own.
    """

    patient: pl.DataFrame
    line_of_therapy: pl.DataFrame
    exposure_role: pl.DataFrame
    decision: pl.DataFrame
    class_view: pl.DataFrame
    result_support: pl.DataFrame
    analyte_known: pl.DataFrame
    patient_facts: pl.DataFrame
    notices: tuple[Notice, ...]

    @property
    def frames(self) -> dict[type[Table], pl.DataFrame]:
        """The frames that the warehouse stores, by their models."""
        return {
            CohortPatient: self.patient,
            LineOfTherapy: self.line_of_therapy,
            ExposureRole: self.exposure_role,
            Decision: self.decision,
            ClassView: self.class_view,
            ResultSupport: self.result_support,
            AnalyteKnown: self.analyte_known,
            PatientFacts: self.patient_facts,
        }


def build_cohort(warehouse: Warehouse, settings: Settings, as_of: date) -> Cohort:
    """Build the cohort from `extract.*` (and `audit.*` for calendars and imputed dates); stores nothing.

    Rows dated after `as_of` take part in nothing; an end after it counts as empty. A line without a centre of its own
    gets the patient's.
    """
    patients = warehouse.query("facts/patients", as_of=as_of)
    history = History(
        procedures=warehouse.read(Procedure),
        assessments=warehouse.read(Assessment),
        outcomes=warehouse.read(Outcome),
    )
    lines = derive(warehouse.read(DrugExposure), history, settings.windows, as_of)
    therapy = therapy_lines(lines.line_of_therapy, patients)
    warehouse.register("therapy_line", therapy)
    warehouse.register("exposure", lines.exposure_role)
    decided = decisions(history, patients, therapy, as_of, settings.windows)
    known = _until(results(warehouse.read(Biomarker)), "known_date", as_of)
    primaries = _until(prepare_primaries(warehouse.read(Tumour), settings.side_policy), "diagnosis_date", as_of)
    by_day = known_by_day(warehouse, known)
    earlier = earlier_doses(decided, lines.class_start)
    seen = occasions(decided, earlier)
    drug_facts = (
        first_doses(decided, lines.class_start),
        prior_facts(decided, lines, history.outcomes, settings.windows),
    )
    dated_facts = (
        assessment_facts(seen, history.assessments, settings.windows),
        primary_facts(seen, primaries, settings.windows),
    )
    facts = with_facts(warehouse, seen, patients, dated_facts, drug_facts, settings.windows)
    support = result_support(known)
    own = facts.filter("is_own")
    tables = {
        "decision": own,
        "line_of_therapy": lines.line_of_therapy,
        "exposure_role": lines.exposure_role,
        "result_support": support,
    }
    imputed = imputed_decisions(warehouse, tables, settings.windows)
    facts = facts.with_columns(pl.col("decision_id").is_in(imputed.implode()).alias("has_imputed_date"))
    notices = (*lines.notices, *conflicts(own))
    assert all(notice.check_name in NOTICED for notice in notices), "a notice of an undeclared check"
    return Cohort(
        patient=cohort_patients(patients, decided, warehouse.query("facts/first_reports", as_of=as_of)),
        line_of_therapy=therapy.select(lines.line_of_therapy.columns),
        exposure_role=lines.exposure_role,
        decision=as_decisions(facts.filter("is_own")),
        class_view=_class_view(facts, earlier),
        result_support=support,
        analyte_known=analyte_known(by_day, warehouse.query("facts/dpd_contraindicated", as_of=as_of)),
        patient_facts=patient_facts(warehouse, patients, primaries, known),
        notices=notices,
    )


def _until(rows: pl.DataFrame, day: str, as_of: date) -> pl.DataFrame:
    """Return the rows known by the as-of date, undated ones included."""
    return rows.filter((pl.col(day) <= as_of).fill_null(value=True))


def _class_view(facts: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Return the occasions before the facts_date, once for each drug that was first given on that day."""
    views = facts.filter(~pl.col("is_own")).join(
        earlier, left_on=["decision_id", "facts_date"], right_on=["decision_id", "seen_date"]
    )
    columns = [pl.col(name).cast(dtype) for name, dtype in DECISION_COLUMNS.items()]
    return views.select(*columns, "seen_for").sort("decision_id", "seen_for")
