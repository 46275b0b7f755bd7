-- Purpose: whatever was lost or doubled on the way from the sources to the verdicts; empty when all is well.
-- Grain: balance that does not hold.
with stored as (
    select
        'patient' as table_name,
        source_file_id,
        count(*) as n
    from extract.patient group by all
    union all
    select
        'tumour' as table_name,
        source_file_id,
        count(*) as n
    from extract.tumour group by all
    union all
    select
        'assessment' as table_name,
        source_file_id,
        count(*) as n
    from extract.assessment group by all
    union all
    select
        'biomarker' as table_name,
        source_file_id,
        count(*) as n
    from extract.biomarker group by all
    union all
    select
        'drug_exposure' as table_name,
        source_file_id,
        count(*) as n
    from extract.drug_exposure group by all
    union all
    select
        'procedure' as table_name,
        source_file_id,
        count(*) as n
    from extract.procedure group by all
    union all
    select
        'mdt' as table_name,
        source_file_id,
        count(*) as n
    from extract.mdt group by all
    union all
    select
        'outcome' as table_name,
        source_file_id,
        count(*) as n
    from extract.outcome group by all
),

ledger as (
    select
        'rows of ' || coalesce(row_ledger.table_name, stored.table_name) || ' accepted' as balance,
        coalesce(row_ledger.rows_accepted, 0) as expected,
        coalesce(stored.n, 0) as actual
    from audit.row_ledger
    full outer join stored
        on row_ledger.source_file_id = stored.source_file_id and row_ledger.table_name = stored.table_name
    union all
    select
        'rows of ' || table_name || ' read' as balance,
        rows_read as expected,
        rows_accepted + rows_rejected + rows_duplicate as actual
    from audit.row_ledger
),

carried as (
    select
        'patients' as balance,
        (select count(*) from extract.patient) as expected,
        (select count(*) from cohort.patient) as actual
    union all
    select
        'exposures' as balance,
        (select count(*) from extract.drug_exposure) as expected,
        (select count(*) from cohort.exposure_role) as actual
),

-- A series judges every decision of the countries that it applies in; re-judging by one edition, every decision.
series as (
    select
        edition.guideline,
        first(edition.applies_in) as countries
    from guideline.edition
    where list_contains((select guidelines from audit.run), edition.guideline)
    group by edition.guideline
),

judged as (
    select
        'verdicts of ' || series.guideline as balance,
        count(*) as expected,
        count(verdict.verdict) as actual
    from series
    inner join cohort.decision
        on
            len(series.countries) = 0
            or list_contains(series.countries, decision.country)
            or (select judge_by from audit.run) is not null
    left join cohort.verdict
        on decision.decision_id = verdict.decision_id and series.guideline = verdict.guideline
    group by series.guideline
),

mart_total as (
    select
        guideline,
        sum(n) as n
    from mart.concordance
    where
        population = 'all'
        and centre_id is null
        and year is null
        and edition_id is null
        and setting is null
        and line is null
    group by guideline
),

counted as (
    select
        'decisions of ' || verdict.guideline || ' in mart.concordance' as balance,
        count(*) as expected,
        coalesce(first(total.n), 0) as actual
    from cohort.verdict
    left join mart_total as total on verdict.guideline = total.guideline
    group by verdict.guideline
),

balances as (
    select
        balance,
        expected,
        actual
    from ledger
    union all
    select
        balance,
        expected,
        actual
    from carried
    union all
    select
        balance,
        expected,
        actual
    from judged
    union all
    select
        balance,
        expected,
        actual
    from counted
)

select
    balance,
    expected,
    actual
from balances
where expected <> actual
order by balance
