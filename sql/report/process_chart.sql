-- Evaluated members of each indicator by period, from the mart: by quarter for the registry, by year for each centre.
-- Grain: indicator, centre, is_evaluated, is_met, span (baseline or later), year and quarter; null = all. Parameters:
-- none.
with
chosen as (
    select
        indicator_id,
        centre_id,
        case when is_baseline then 'baseline' else 'later' end as span,
        period[1:4] as year,
        case when period_kind = 'quarter' then period[6:7] end as quarter,
        numerator,
        denominator
    from mart.process_chart
    where period_kind = 'year' or centre_id is null
),

nested as (
    select
        indicator_id,
        centre_id,
        span,
        year,
        quarter,
        numerator,
        denominator
    from chosen
    union all
    select
        indicator_id,
        centre_id,
        span,
        null as year,
        null as quarter,
        sum(numerator)::bigint as numerator,
        sum(denominator)::bigint as denominator
    from chosen
    where quarter is null
    group by indicator_id, centre_id, span
)

select
    indicator_id,
    centre_id,
    'yes' as is_evaluated,
    unnest([null, 'yes', 'no']) as is_met,
    span,
    year,
    quarter,
    unnest([denominator, numerator, denominator - numerator]) as n
from nested
order by all
