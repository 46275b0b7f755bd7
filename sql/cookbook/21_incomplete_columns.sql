-- question: Which columns are filled least, of those that are delivered at all?
-- for: auditor
-- columns: table_name, column_name, numerator, denominator, percent
-- means: Over all centres and months. What no file can carry is left out (`is_delivered`): not delivered is not 0 %.
select
    table_name,
    column_name,
    numerator,
    denominator,
    percent
from mart.data_quality
where dimension = 'completeness' and is_delivered and column_name is not null and centre_id is null and month is null
order by percent, table_name, column_name
limit 15
