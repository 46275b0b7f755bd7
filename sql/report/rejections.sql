-- Rows and cells set aside, by table and check; a row that failed several checks counts for each.
-- Grain: table, scope and check. Parameters: none.
select
    table_name,
    scope,
    check_name,
    count(*) as n
from audit.rejected_row
group by table_name, scope, check_name
order by all
