-- Columns that no file with rows of the centre can carry: empty there, and not incomplete; no counts.
-- Grain: table and centre; null centre = all. Parameters: none.
select
    table_name,
    centre_id,
    string_agg(column_name, ', ' order by column_name) as columns
from mart.data_quality
where dimension = 'completeness' and month is null and column_name is not null and not is_delivered
group by table_name, centre_id
order by all
