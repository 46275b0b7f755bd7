-- question: What was noticed about the data, and is it new?
-- for: auditor
-- columns: check_name, severity, state, table_name, row_count, message
-- means: `new`, `persisting` or `resolved` is against the last published run. The rows are in `audit.finding_row`,
--   what was set aside in `audit.rejected_row`.
select
    check_name,
    severity,
    state,
    table_name,
    sum(row_count)::bigint as row_count,
    min(message) as message
from audit.finding
group by check_name, severity, state, table_name
order by row_count desc, check_name asc, table_name asc
