-- Decisions on patients with CRLM to which a new recommendation applies, before and after its day, from the mart: how
-- many got it, and how many may be due but cannot be told. Periods are 13, 26 or 52 weeks long, by how many there are.
-- Grain: rule, era, period (its first day), centre, is_due (yes, unknown) and is_given (yes); null = all. Centres stand
-- for the rules of the series $headline, without periods. Parameters: headline.
with
registry as (
    select
        *,
        case
            when avg(n_due) over rule >= 30 then 1
            when avg(n_due) over rule >= 15 then 2
            else 4
        end as width
    from mart.uptake
    where population = 'crlm' and centre_id is null and period is not null
    window rule as (partition by edition_id, rule_id)
),

by_period as (
    select
        edition_id || ' ' || rule_id as rule,
        case when period < 0 then 'before' else 'after' end as era,
        (change_date + 91 * width * floor(period / width)::integer)::date::varchar as period,
        null::varchar as centre_id,
        sum(n_due) as n_due,
        sum(n_given) as n_given,
        sum(n_unknown) as n_unknown
    from registry
    group by all
),

by_era as (
    select
        edition_id || ' ' || rule_id as rule,
        case when period < 0 then 'before' else 'after' end as era,
        null::varchar as period,
        centre_id,
        sum(n_due) as n_due,
        sum(n_given) as n_given,
        sum(n_unknown) as n_unknown
    from mart.uptake
    where population = 'crlm' and period is not null and (centre_id is null or guideline = $headline)
    group by all
),

counted as (
    select
        rule,
        era,
        period,
        centre_id,
        unnest(['yes', 'yes', 'unknown']) as is_due,
        unnest([null, 'yes', null]) as is_given,
        unnest([n_due, n_given, n_unknown])::bigint as n
    from (
        from by_period
        union all
        from by_era
    ) as every
)

select
    'yes' as is_crlm,
    rule,
    era,
    period,
    centre_id,
    is_due,
    is_given,
    n
from counted
where n > 0 and (period is null or is_due = 'yes')
order by all
