-- Decisions by verdict, from the mart, gathered into classes (concordant, discordant, contraindicated, or the verdict).
-- Grain: guideline, is_crlm, edition, centre, setting, line, year, is_judged, class and verdict; null = all. The series
-- $headline is broken down by centre, setting, line and year, the others by edition. Every class is counted for the
-- registry and its lines and, of $headline, for each centre; elsewhere only what a rate of concordance needs. Lines
-- from the third on are one.
-- Parameters: headline.
with
chosen as (
    select
        guideline,
        case when population = 'crlm' then 'yes' end as is_crlm,
        edition_id,
        centre_id,
        setting,
        case when line >= 3 then '3+' else line::varchar end as line,
        year::varchar as year,
        case
            when verdict in ('not_evaluable', 'no_rule', 'out_of_scope', 'not_in_force', 'open')
                then 'no'
            else 'yes'
        end as is_judged,
        case
            when starts_with(verdict, 'concordant') then 'concordant'
            when starts_with(verdict, 'discordant') then 'discordant'
            else verdict
        end as class,
        verdict,
        n
    from mart.concordance
    where
        (
            population = 'crlm'
            and (
                (centre_id is null and setting is null and line is null and year is null)
                or (guideline = $headline and edition_id is null and year is null)
                or (
                    guideline = $headline
                    and edition_id is null
                    and centre_id is null
                    and setting is null
                    and line is null
                )
            )
        )
        or (
            population = 'metastatic'
            and edition_id is null
            and centre_id is null
            and setting is null
            and line is null
            and year is null
        )
),

-- A line stands only below systemic treatment, so that its lines add up to it.
nested as (
    select
        guideline,
        is_crlm,
        edition_id,
        centre_id,
        setting,
        line,
        year,
        is_judged,
        class,
        verdict,
        n
    from chosen
    where line is null or setting = 'systemic'
)

select
    guideline,
    is_crlm,
    edition_id,
    centre_id,
    setting,
    line,
    year,
    is_judged,
    class,
    verdict,
    sum(n)::bigint as n
from nested
group by
    guideline,
    is_crlm,
    edition_id,
    centre_id,
    setting,
    line,
    year,
    grouping sets ((), (is_judged), (is_judged, class), (is_judged, class, verdict))
having
    (
        (is_judged is null or is_judged = 'yes')
        and (class is null or class in ('concordant', 'on_label'))
        and verdict is null
    )
    or (
        is_crlm = 'yes'
        and edition_id is null
        and year is null
        and (centre_id is null or setting is null)
        and (verdict is null or (class in ('concordant', 'discordant') and setting is null))
    )
order by all
