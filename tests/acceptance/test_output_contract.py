"""The output contract: names of tables and columns, comments, keys, marts, and equal runs."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from crlm_pipeline.synthetic import write_registry
from flows.steps import Job, annotate, ingest
from tests.acceptance.registry import SETTINGS, Answers

COLUMNS = {
    "extract.patient": "patient_id centre_id country birth_year sex vital_status last_contact_date death_date",
    "extract.tumour": """patient_id tumour_id diagnosis_date topography transverse_part morphology t_category n_category
        m_category nodes_positive resection_date resection_margin""",
    "extract.assessment": """patient_id centre_id assessment_date first_metastasis_date mets_diagnosis_date mets_sites
        crlm_count crlm_max_mm is_bilobar cea_ng_ml liver_background child_pugh flr_percent flr_ml tlv_ml resectability
        resectability_source is_ablatable planned_resection ecog contraindications""",
    "extract.biomarker": """patient_id centre_id specimen_id specimen_site sample_date report_date analyte method
        region_tested result hgvs_p hgvs_c vaf_percent percent_cells ish_ratio ish_percent_cells copy_number value
        missing_reason registry_code""",
    "extract.drug_exposure": """patient_id centre_id drug start_date atc end_date intent line_registered dose_mg
        stop_reason trial_id""",
    "extract.procedure": """patient_id centre_id procedure_date procedure is_major is_anatomical lesions_treated
        max_lesion_mm bead_type margin clavien_dindo length_of_stay_days is_readmitted_30d is_reintervention
        trial_id""",
    "extract.mdt": "patient_id centre_id mdt_date mdt_type disciplines deviation_reason trial_id",
    "extract.outcome": "patient_id outcome_date outcome",
    "cohort.line_of_therapy": """patient_id line course start_date end_date regimen regimen_name intent line_source
        trial_id""",
    "cohort.exposure_role": "patient_id drug inn drug_class start_date line course role reason",
    "cohort.patient": "patient_id centre_id country is_metastatic is_crlm is_relative_calendar cohort_reason",
    "cohort.fact_source": "decision_id fact source_file_id table_name source_row reason",
    "cohort.decision": """decision_id patient_id centre_id home_centre_id country setting decision_date facts_date line
        mdt_date treatment side side_certainty msi ras kras_g12c kras_g12d braf her2 her2_heracles her2_destiny
        her2_fda_agnostic fitness ecog treatment_setting flr_percent liver_background fong_score_min fong_score_max
        tumour_burden_score is_synchronous is_oligometastatic crlm_count crlm_max_mm ras_plasma is_fitness_known""",
    "cohort.recommendation": """decision_id guideline edition_id rule_id pathway certainty option_no treatment
        preference grade state""",
    "cohort.verdict": """decision_id patient_id guideline edition_id verdict rule_id reason missing_facts
        unlocking_facts would_be is_within_grace is_edition_superseded""",
    "cohort.safety_finding": "decision_id guideline edition_id rule_id verdict reason",
    "cohort.patient_pathway": """patient_id guideline edition_id basis pathway certainty treatment missing_facts""",
    "cohort.required_test": "decision_id guideline edition_id test_id analyte due_date status",
    "guideline.edition": "edition_id guideline",
    "guideline.rule": "edition_id rule_id",
    "guideline.option": "edition_id rule_id option_no",
    "guideline.option_treatment": "edition_id rule_id option_no treatment",
    "guideline.evidence": "edition_id",
    "audit.run": "run_id started_at as_of package_version content_hash status",
    "audit.source_file": """source_file_id run_id file_name format sha256 byte_count calendar row_count
        unmapped_count""",
    "audit.row_ledger": "run_id source_file_id table_name rows_read rows_accepted rows_rejected rows_duplicate",
    "audit.rejected_row": "source_file_id table_name source_row scope check_name column_name message raw_row",
    "audit.finding": "finding_id run_id check_name severity table_name centre_id row_count state",
    "audit.finding_row": "finding_id source_file_id table_name source_row",
    "mart.biomarker_distribution": """population centre_id year analyte category n n_tested n_total percent ci_low
        ci_high""",
    "mart.concordance": """population centre_id year guideline edition_id setting line verdict n n_evaluable n_total
        percent ci_low ci_high""",
    "mart.indicator": """indicator_id centre_id period numerator denominator n_not_evaluable rate ci_low ci_high
        limit_low_95 limit_high_95 limit_low_998 limit_high_998""",
    "mart.pathway_mix": "population centre_id year guideline edition_id pathway n n_total percent",
    "mart.patient_timeline": "patient_id event_date event_type event decision_id source_file_id source_row",
}
EVALUABLE = (
    "'concordant_preferred', 'concordant_alternative', 'discordant_not_given', 'discordant_not_recommended', "
    "'contraindicated'"
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic registry of 120 patients, published."""
    folder = tmp_path_factory.mktemp("synthetic")
    write_registry(folder / "registry", 120, 11)
    job = Job((folder / "registry",), folder / "crlm.duckdb", folder / "report")
    ingest(job)
    annotate(job)
    return job.warehouse


@pytest.fixture(scope="module")
def answers(published: Path) -> Iterator[Answers]:
    return Answers(published)


def zero(answers: Answers, sql: str) -> bool:
    """Return whether a statement finds no row."""
    return answers.rows(sql) == []


@pytest.mark.parametrize("table", COLUMNS)
def test_the_table_has_the_columns_of_the_contract(answers: Answers, table: str) -> None:
    schema, name = table.split(".")
    columns = answers.column(
        "select column_name from information_schema.columns where table_schema = $schema and table_name = $name",
        schema=schema,
        name=name,
    )
    source = ["source_file_id", "source_row"] if schema == "extract" else []
    assert set(COLUMNS[table].split()) | set(source) <= set(columns)


def test_every_table_and_column_carries_a_comment(answers: Answers) -> None:
    own = "schema_name in ('extract', 'cohort', 'guideline', 'audit', 'mart')"
    assert zero(answers, f"select table_name from duckdb_tables() where {own} and comment is null")  # noqa: S608
    assert zero(answers, f"select view_name from duckdb_views() where {own} and comment is null")  # noqa: S608
    assert zero(answers, f"select table_name from duckdb_columns() where {own} and comment is null")  # noqa: S608


def test_a_decision_id_says_whose_and_which_it_is(answers: Answers) -> None:
    assert zero(
        answers,
        """
        select decision_id from cohort.decision
        where not regexp_full_match(
            decision_id, regexp_escape(patient_id) || '/(systemic/[0-9]+(-[0-9]+)?|local/p?[0-9]+|next)'
        )
        """,
    )
    assert zero(answers, "select decision_id from cohort.decision group by all having count(*) > 1")


def test_a_systemic_decision_is_a_line(answers: Answers) -> None:
    assert zero(
        answers,
        """
        select line.patient_id from cohort.line_of_therapy as line
        inner join cohort.patient as patient on line.patient_id = patient.patient_id and patient.is_metastatic
        left join cohort.decision as decision
            on decision.decision_id = line.patient_id || '/systemic/' || line.line::varchar
                || case when line.course > 1 then '-' || line.course::varchar else '' end
        where decision.treatment is distinct from line.regimen or decision.decision_date != line.start_date
        """,
    )


def test_verdicts_add_up_to_all_decisions_in_the_marts(answers: Answers) -> None:
    assert zero(
        answers,
        """
        with counted as (
            select guideline, sum(n) as n, any_value(n_total) as n_total from mart.concordance
            where population = 'all' and centre_id is null and year is null and edition_id is null
                and setting is null and line is null
            group by guideline
        ),
        judged as (select guideline, count(*) as n from cohort.verdict group by guideline)
        select guideline from judged left join counted using (guideline)
        where counted.n is distinct from judged.n or counted.n_total is distinct from judged.n
        """,
    )


def test_concordance_counts_every_cell_as_the_verdicts_say(answers: Answers) -> None:
    sql = f"""
        with judged as (
            select verdict.guideline, verdict.verdict, decision.centre_id, decision.setting,
                count(*) as n
            from cohort.verdict as verdict inner join cohort.decision as decision using (decision_id)
            inner join cohort.patient as patient on decision.patient_id = patient.patient_id
            where patient.is_crlm
            group by all
        ),
        expected as (
            select *,
                sum(n) filter (where verdict in ({EVALUABLE}))
                    over (partition by guideline, centre_id, setting) as n_evaluable,
                sum(n) over (partition by guideline, centre_id, setting) as n_total
            from judged
        ),
        found as (
            select * from mart.concordance
            where population = 'crlm' and centre_id is not null and setting is not null
                and year is null and edition_id is null and line is null
        )
        select * from expected left join found using (guideline, verdict, centre_id, setting)
        where found.n is distinct from expected.n
            or found.n_evaluable is distinct from coalesce(expected.n_evaluable, 0)
            or found.n_total is distinct from expected.n_total
            or abs(found.percent - 100.0 * found.n / case when expected.verdict in ({EVALUABLE})
                then found.n_evaluable else found.n_total end) > 1e-9
    """  # noqa: S608
    assert zero(answers, sql)


def test_percentages_are_0_to_100_and_rates_0_to_1(answers: Answers) -> None:
    outside = "not (0 <= ci_low and ci_low <= percent + 1e-9 and percent <= ci_high + 1e-9 and ci_high <= 100)"
    for mart in ("biomarker_distribution", "concordance"):
        assert zero(answers, f"select * from mart.{mart} where {outside}")  # noqa: S608
    assert answers.one("select max(percent) > 1 from mart.concordance")
    assert zero(answers, "select * from mart.indicator where indicator_id not like '%18%' and not rate between 0 and 1")


def test_a_distribution_counts_tested_patients_and_shows_empty_categories(answers: Answers) -> None:
    assert zero(
        answers,
        """
        select population, centre_id, year, analyte from mart.biomarker_distribution
        group by all having sum(n) > any_value(n_tested) or any_value(n_tested) > any_value(n_total)
        """,
    )
    rows = answers.rows(
        """
        select analyte, list_sort(list(category)) from mart.biomarker_distribution
        where population = 'all' and centre_id is null and year is null group by analyte order by analyte
        """
    )
    assert dict(rows) == {
        "side": ["left", "right"],
        "msi": ["conflict", "msi_h", "mss"],
        "ras": ["mutant", "partial_wild_type", "wild_type"],
        "kras": ["mutant", "partial_wild_type", "wild_type"],
        "nras": ["mutant", "partial_wild_type", "wild_type"],
        "kras_g12c": ["false", "true"],
        "kras_g12d": ["false", "true"],
        "braf": ["class_2", "class_3", "other", "v600e", "wild_type"],
        "her2": ["equivocal", "negative", "positive"],
    }


def test_a_fact_rests_on_rows_of_the_extract_of_the_same_patient(answers: Answers) -> None:
    tables = ("patient", "tumour", "assessment", "biomarker", "drug_exposure", "procedure", "mdt", "outcome")
    for table in tables:
        sql = f"""
            select decision_id, source_row from cohort.fact_source as source
            inner join cohort.decision as decision using (decision_id)
            left join extract.{table} as own using (source_file_id, source_row)
            where source.table_name = '{table}' and own.patient_id is distinct from decision.patient_id
        """  # noqa: S608
        assert zero(answers, sql)


def test_a_treatment_and_every_biomarker_name_the_rows_they_rest_on(answers: Answers) -> None:
    for fact in ("treatment", "side", "msi", "ras", "braf", "her2", "ecog", "resectability", "crlm_count", "age"):
        sql = f"""
            select decision_id from cohort.decision where {fact} is not null
            except select decision_id from cohort.fact_source where fact = '{fact}'
        """  # noqa: S608
        assert zero(answers, sql)


def test_the_given_treatment_is_an_equi_join_away_from_its_option(answers: Answers) -> None:
    assert zero(
        answers,
        """
        select decision.decision_id from cohort.verdict as verdict
        inner join cohort.decision as decision using (decision_id)
        anti join (
            select held.decision_id, held.edition_id, written.treatment
            from cohort.recommendation as held
            inner join guideline.option_treatment as written using (edition_id, rule_id, option_no)
        ) as matched
            on decision.decision_id = matched.decision_id and verdict.edition_id = matched.edition_id
                and decision.treatment = matched.treatment
        where decision.setting = 'systemic' and starts_with(verdict.verdict, 'concordant')
        """,
    )


def test_source_files_are_known_by_name_and_content(answers: Answers) -> None:
    files = answers.rows("select source_file_id, file_name, sha256, row_count from audit.source_file")
    assert len(files) == 8
    assert all(len(file_id) == 16 and len(sha) == 64 for file_id, _, sha, _ in files)


def run_again(published: Path, folder: Path, warehouse: str) -> str:
    source = folder / "registry"
    if not source.exists():
        shutil.copytree(published.parent / "registry", source)
    job = Job((source,), folder / warehouse, folder / "report")
    ingest(job)
    annotate(job)
    again = duckdb.connect(str(job.warehouse), read_only=True)
    row = again.execute("select content_hash from audit.run").fetchone()
    assert row is not None
    return str(row[0])


def test_equal_sources_give_the_same_content_hash(answers: Answers, published: Path, tmp_path: Path) -> None:
    assert run_again(published, tmp_path, "again.duckdb") == answers.one("select content_hash from audit.run")


def test_the_as_of_date_is_by_default_the_latest_date_of_the_extract(answers: Answers) -> None:
    latest = answers.one(
        """
        select greatest(
            (select max(assessment_date) from extract.assessment),
            (select max(greatest(sample_date, report_date)) from extract.biomarker),
            (select max(greatest(start_date, end_date)) from extract.drug_exposure),
            (select max(procedure_date) from extract.procedure),
            (select max(mdt_date) from extract.mdt),
            (select max(outcome_date) from extract.outcome),
            (select max(greatest(last_contact_date, death_date)) from extract.patient)
        )
        """
    )
    assert answers.one("select as_of from audit.run") == latest


def test_judging_by_one_edition_writes_its_verdicts_alone_for_every_country_and_date(
    published: Path, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, guidelines=(), judge_by="netherlands_2014", as_of=date(2026, 1, 1))
    job = Job((published.parent / "registry",), tmp_path / "what_if.duckdb", tmp_path / "report", settings=settings)
    ingest(job)
    annotate(job)
    what_if = Answers(job.warehouse)
    assert what_if.column("select distinct edition_id from cohort.verdict") == ["netherlands_2014"]
    assert what_if.one("select count(*) from cohort.verdict") == what_if.one("select count(*) from cohort.decision")
