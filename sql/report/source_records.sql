-- Records of the source files, and those that made no row.
-- Grain: is_mapped; null = all. Parameters: none.
with
records as (
    select
        unnest(['yes', 'no']) as is_mapped,
        unnest([row_count - unmapped_count, unmapped_count]) as n
    from audit.source_file
)

select
    is_mapped,
    sum(n)::bigint as n
from records
group by cube (is_mapped)
order by all
