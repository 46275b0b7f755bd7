-- Accepted rows by whether a column that may be empty is filled; only where a file of the centre can carry the column.
-- Grain: table, column, is_filled and centre; null centre = all. Parameters: none.
with
optional as (
    select
        table_name,
        column_name
    from duckdb_columns()
    where database_name = current_database() and schema_name = 'extract' and is_nullable
)

select
    quality.table_name,
    'accepted' as outcome,
    quality.column_name,
    unnest(['yes', 'no']) as is_filled,
    quality.centre_id,
    unnest([quality.numerator, quality.denominator - quality.numerator]) as n
from mart.data_quality as quality
inner join optional on quality.table_name = optional.table_name and quality.column_name = optional.column_name
where quality.dimension = 'completeness' and quality.month is null and quality.is_delivered
order by all
