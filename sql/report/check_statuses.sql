-- Checks of validation by what became of them; counts of checks, of nobody.
-- Grain: table; null = not of one table. Parameters: none.
select
    table_name,
    count(*) filter (where status = 'pass' and rows_failed = 0) as passed,
    count(*) filter (where status = 'pass' and rows_failed > 0) as passed_with_failures,
    count(*) filter (where status = 'fail') as failed,
    count(*) filter (where status = 'not_applicable') as not_applicable,
    count(*) filter (where status = 'not_run') as not_run,
    count(*) filter (where status = 'error') as error
from audit.check_result
group by table_name
order by table_name nulls last
