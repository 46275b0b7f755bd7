-- Rows of the sources by what became of them.
-- Grain: table and outcome; null = all outcomes. Parameters: none.
with
outcomes as (
    select
        table_name,
        unnest(['accepted', 'rejected', 'duplicate']) as outcome,
        unnest([rows_accepted, rows_rejected, rows_duplicate]) as n
    from audit.row_ledger
)

select
    table_name,
    outcome,
    sum(n)::bigint as n
from outcomes
group by table_name, cube (outcome)
order by all
