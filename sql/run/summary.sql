-- Purpose: what a run did, as totals of the whole registry.
-- Grain: the one run of the warehouse.
with ledger as (
    select
        coalesce(sum(rows_read), 0)::bigint as rows_read,
        coalesce(sum(rows_accepted), 0)::bigint as rows_accepted,
        coalesce(sum(rows_rejected), 0)::bigint as rows_rejected,
        coalesce(sum(rows_duplicate), 0)::bigint as rows_duplicate
    from audit.row_ledger
),

cells as (
    select count(*) as cells_rejected
    from audit.rejected_row
    where scope = 'cell'
),

findings as (
    select
        count(*) filter (where severity = 'error') as errors,
        count(*) filter (where severity = 'warning') as warnings
    from audit.finding
    where state <> 'resolved'
),

patients as (
    select
        count(*) as patients,
        count(*) filter (where is_metastatic) as metastatic_patients,
        count(*) filter (where is_crlm) as crlm_patients
    from cohort.patient
),

decisions as (
    select count(*) as decisions
    from cohort.decision
),

shifts as (
    select count(*) as shares_moved
    from audit.verdict_shift
    where is_beyond
)

select
    run.run_id,
    run.status,
    run.as_of,
    run.guidelines,
    run.judge_by,
    run.package_version,
    run.content_hash,
    run.is_addition,
    run.decisions_judged,
    ledger.rows_read,
    ledger.rows_accepted,
    ledger.rows_rejected,
    ledger.rows_duplicate,
    cells.cells_rejected,
    findings.errors,
    findings.warnings,
    patients.patients,
    patients.metastatic_patients,
    patients.crlm_patients,
    decisions.decisions,
    shifts.shares_moved
from audit.run
cross join ledger
cross join cells
cross join findings
cross join patients
cross join decisions
cross join shifts
order by run.run_id
