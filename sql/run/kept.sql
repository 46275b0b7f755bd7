-- Purpose: how many cells of each column are filled and rows keep each check, to be set beside what was so before.
-- Grain: table, column, check and centre; check null = filled at all, centre null = all. Parameters: none.
select
    table_name,
    column_name,
    null as check_name,
    centre_id,
    numerator as kept,
    denominator as looked_at,
    is_delivered,
    false as is_failing
from mart.data_quality
where
    dimension = 'completeness'
    and table_name is not null
    and column_name is not null
    and month is null
union all
-- A notice has no number of rows checked.
select
    table_name,
    column_name,
    check_name,
    null as centre_id,
    rows_checked - rows_failed as kept,
    rows_checked as looked_at,
    true as is_delivered,
    status = 'fail' as is_failing
from audit.check_result
where status in ('pass', 'fail') and rows_checked > 0
order by all
