-- Evaluated members of each indicator by period, from the mart, where a chart has thirty of them a period on average:
-- by year, and for the registry by quarter too.
-- Grain: indicator, centre, is_evaluated, is_met, span (baseline or later), year and quarter; null = all. Parameters:
-- none.
with
filled as (
    select
        indicator_id,
        centre_id,
        period_kind
    from mart.process_chart
    where period_kind = 'year' or centre_id is null
    group by indicator_id, centre_id, period_kind
    having avg(denominator) >= 30
),

chosen as (
    select
        chart.indicator_id,
        chart.centre_id,
        case when chart.is_baseline then 'baseline' else 'later' end as span,
        chart.period[1:4] as year,
        case when chart.period_kind = 'quarter' then chart.period[6:7] end as quarter,
        chart.numerator,
        chart.denominator
    from mart.process_chart as chart
    inner join filled
        on
            chart.indicator_id = filled.indicator_id
            and chart.centre_id is not distinct from filled.centre_id
            and chart.period_kind = filled.period_kind
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
