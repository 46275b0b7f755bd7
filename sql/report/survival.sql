-- First lines of patients with CRLM that are alive and in follow-up at fixed months, and what became of them until the
-- next of these months, from the mart: undivided, and from the landmark at six months on by verdict and pathway of the
-- series $headline and by local treatment within six months.
-- Grain: is_judged, class, pathway, local_treatment, month and fate; null = all, a null fate those in follow-up
-- at the month. Month unknown: those whose follow-up is. Percentages are whole. Parameters: headline.
with
chosen as (
    select
        case
            when
                exposure = 'verdict'
                and stratum in ('not_evaluable', 'no_rule', 'out_of_scope', 'not_in_force', 'open')
                then 'no'
            when exposure = 'verdict' then 'yes'
        end as is_judged,
        case when exposure = 'verdict' then stratum end as class,
        case when exposure = 'recommended_pathway' then stratum end as pathway,
        case when exposure = 'local_treatment' then stratum end as local_treatment,
        landmark_months,
        month,
        case when month <= 12 then (month + 5) // 6 else month // 12 + (month % 12 + 11) // 12 + 1 end as step,
        n_at_risk,
        n_deaths,
        n_censored,
        n_not_evaluable,
        percent,
        ci_low,
        ci_high,
        percent_worst,
        percent_best
    from mart.survival
    where
        population = 'crlm'
        and centre_id is null
        and time_zero = 'first_line'
        and (guideline is null or guideline = $headline)
        and landmark_months = case when exposure is null then 0 else 6 end
),

steps as (
    select
        is_judged,
        class,
        pathway,
        local_treatment,
        step,
        max(month) as month,
        max_by(n_at_risk, month) as n_at_risk,
        sum(n_deaths)::bigint as n_deaths,
        sum(n_censored)::bigint as n_censored,
        max_by(n_not_evaluable, month) as n_not_evaluable,
        max_by(percent, month) as percent,
        max_by(ci_low, month) as ci_low,
        max_by(ci_high, month) as ci_high,
        max_by(percent_worst, month) as percent_worst,
        max_by(percent_best, month) as percent_best,
        min(step) over (partition by is_judged, class, pathway, local_treatment) as first_step
    from chosen
    group by is_judged, class, pathway, local_treatment, step
),

counted as (
    select
        is_judged,
        class,
        pathway,
        local_treatment,
        month::varchar as month,
        null as fate,
        n_at_risk as n,
        round(percent) as percent,
        round(ci_low) as ci_low,
        round(ci_high) as ci_high,
        round(percent_worst) as percent_worst,
        round(percent_best) as percent_best
    from steps
    union all
    select
        later.is_judged,
        later.class,
        later.pathway,
        later.local_treatment,
        earlier.month::varchar as month,
        unnest(['died', 'last_seen', 'followed']) as fate,
        unnest([later.n_deaths, later.n_censored, later.n_at_risk]) as n,
        null as percent,
        null as ci_low,
        null as ci_high,
        null as percent_worst,
        null as percent_best
    from steps as later
    inner join steps as earlier
        on
            later.step = earlier.step + 1
            and later.is_judged is not distinct from earlier.is_judged
            and later.class is not distinct from earlier.class
            and later.pathway is not distinct from earlier.pathway
            and later.local_treatment is not distinct from earlier.local_treatment
    union all
    select
        is_judged,
        class,
        pathway,
        local_treatment,
        'unknown' as month,
        null as fate,
        n_not_evaluable as n,
        null as percent,
        null as ci_low,
        null as ci_high,
        null as percent_worst,
        null as percent_best
    from steps
    where step = first_step
)

select
    $headline as guideline,
    'yes' as is_crlm,
    'systemic' as setting,
    '1' as line,
    is_judged,
    class,
    pathway,
    local_treatment,
    month,
    fate,
    sum(n)::bigint as n,
    case when is_judged is null or class is not null then any_value(percent) end as percent,
    case when is_judged is null or class is not null then any_value(ci_low) end as ci_low,
    case when is_judged is null or class is not null then any_value(ci_high) end as ci_high,
    case when is_judged is null or class is not null then any_value(percent_worst) end as percent_worst,
    case when is_judged is null or class is not null then any_value(percent_best) end as percent_best
from counted
group by
    pathway,
    local_treatment,
    month,
    fate,
    is_judged,
    grouping sets ((), (class))
having grouping(class) = 0 or is_judged is not null
order by all
