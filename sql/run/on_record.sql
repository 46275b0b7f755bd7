-- Purpose: what is on record of earlier deliveries, counted: no upgrade may change any of it.
-- Grain: table of the record that holds a row. Reads the view archived_row (table_name, superseded_run_id).
select
    'deliveries' as table_name,
    count(*) as standing,
    0 as replaced
from archive.delivery
union all
select
    'deletions' as table_name,
    count(*) as standing,
    0 as replaced
from audit.deletion
union all
select
    'rows of ' || table_name as table_name,
    count(*) filter (where superseded_run_id is null) as standing,
    count(*) filter (where superseded_run_id is not null) as replaced
from archived_row
group by table_name
order by table_name
