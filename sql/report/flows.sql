-- Decisions on patients with CRLM from the pathway that the headline series named to what was given, from the mart.
-- Grain: setting, line, recommended and given; null = all. Lines from the third on are one, as in the verdicts; a
-- local decision has no line. is_judged and class are there to tie what is open, or has no edition, to the verdicts.
-- Parameters: headline.
with
chosen as (
    select
        guideline,
        setting,
        case when line >= 3 then '3+' else line::varchar end as line,
        recommended,
        given,
        n
    from mart.recommended_to_given
    where
        population = 'crlm'
        and centre_id is null
        and guideline = $headline
        and (setting = 'local' or line is not null)
)

select
    guideline,
    'yes' as is_crlm,
    setting,
    line,
    null::varchar as is_judged,
    null::varchar as class,
    recommended,
    given,
    sum(n)::bigint as n
from chosen
group by guideline, setting, line, cube (recommended, given)
order by all
