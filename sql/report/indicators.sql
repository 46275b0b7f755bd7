-- Members of each indicator by state, over all years, from the mart: the registry and each centre.
-- Grain: indicator, centre, is_evaluated and is_met; null = all. The median and its interval stand beside the
-- evaluated members of an indicator that is one. Parameters: none.
with
chosen as (
    select
        indicator_id,
        centre_id,
        numerator,
        denominator,
        n_not_evaluable,
        case when rate_best is null then rate end as median,
        case when rate_best is null then ci_low end as median_low,
        case when rate_best is null then ci_high end as median_high
    from mart.indicator
    where period is null
)

select
    indicator_id,
    centre_id,
    'yes' as is_evaluated,
    null as is_met,
    denominator as n,
    median,
    median_low,
    median_high
from chosen
union all
select
    indicator_id,
    centre_id,
    'yes' as is_evaluated,
    unnest(['yes', 'no']) as is_met,
    unnest([numerator, denominator - numerator]) as n,
    null as median,
    null as median_low,
    null as median_high
from chosen
union all
select
    indicator_id,
    centre_id,
    'no' as is_evaluated,
    null as is_met,
    n_not_evaluable as n,
    null as median,
    null as median_low,
    null as median_high
from chosen
order by all
