-- Purpose: the patients whose judged rows may no longer be what the published run made of them: their rows differ, or
-- what the audit says of them, or they stand otherwise on another day.
-- On another day a patient stands as before who awaits nothing, has no window that was still open, and no row with a
-- date after the earlier of both days.
-- Grain: patient of either file. Reads the views differing (patient_id) and accepted_row (patient_id, table_name,
-- source_file_id, source_row, last_date). Parameters: $as_of (date of this run).
with other_day as (
    select least(as_of, $as_of) as earlier
    from before.audit.run
    where as_of <> $as_of
),

other_calendar as (
    select now.source_file_id
    from audit.source_file as now
    inner join before.audit.source_file as earlier on now.source_file_id = earlier.source_file_id
    where now.calendar <> earlier.calendar
),

imputed as (
    select
        finding_row.table_name,
        finding_row.source_file_id,
        finding_row.source_row,
        1 as side
    from audit.finding_row as finding_row
    inner join audit.finding as finding on finding_row.finding_id = finding.finding_id
    where finding.check_name = 'date_imputed'
    union all
    select
        finding_row.table_name,
        finding_row.source_file_id,
        finding_row.source_row,
        -1 as side
    from before.audit.finding_row as finding_row
    inner join before.audit.finding as finding on finding_row.finding_id = finding.finding_id
    where finding.check_name = 'date_imputed'
),

otherwise_imputed as (
    select
        table_name,
        source_file_id,
        source_row
    from imputed
    group by table_name, source_file_id, source_row
    having sum(side) <> 0
)

select differing.patient_id
from differing
union
select accepted_row.patient_id
from accepted_row
where accepted_row.source_file_id in (select other_calendar.source_file_id from other_calendar)
union
select accepted_row.patient_id
from accepted_row
inner join otherwise_imputed
    on
        accepted_row.table_name = otherwise_imputed.table_name
        and accepted_row.source_file_id = otherwise_imputed.source_file_id
        and accepted_row.source_row = otherwise_imputed.source_row
union
select decision.patient_id
from before.cohort.decision as decision
cross join other_day
where decision.is_open or decision.window_end >= other_day.earlier
union
select accepted_row.patient_id
from accepted_row
cross join other_day
where accepted_row.last_date > other_day.earlier
