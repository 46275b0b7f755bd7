-- Members of each indicator by state, over all years, from the mart: the registry and each centre.
-- Grain: indicator, centre, is_evaluated (yes, no, excluded, excepted) and is_met; null = all; nobody excluded or
-- excepted: no row. Both null: the population. The median and its interval stand beside the evaluated members of an
-- indicator that is one. Parameters: none.
with
chosen as (
    select
        indicator_id,
        centre_id,
        numerator,
        denominator,
        n_not_evaluable,
        n_excluded,
        n_excepted,
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
union all
select
    indicator_id,
    centre_id,
    kept_out.is_evaluated,
    null as is_met,
    kept_out.n,
    null as median,
    null as median_low,
    null as median_high
from chosen
cross join lateral (values ('excluded', n_excluded), ('excepted', n_excepted)) as kept_out (is_evaluated, n)
where kept_out.n > 0
union all
select
    indicator_id,
    centre_id,
    null as is_evaluated,
    null as is_met,
    denominator + n_not_evaluable + n_excluded + n_excepted as n,
    null as median,
    null as median_low,
    null as median_high
from chosen
order by all
