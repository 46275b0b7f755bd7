-- Rows that a finding about the data concerns.
-- Grain: table, column, check, state and centre; null centre = all. Parameters: none.
select
    table_name,
    coalesce(column_name, 'none') as column_name,
    check_name,
    severity,
    state,
    centre_id,
    sum(row_count)::bigint as n
from audit.finding
group by table_name, coalesce(column_name, 'none'), check_name, severity, state, cube (centre_id)
having grouping(centre_id) = 1 or centre_id is not null
order by all
