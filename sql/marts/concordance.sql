-- Decisions by verdict: counts only, the intervals are added by crlm_pipeline/marts.py.
-- Grain: population, centre, year, guideline, edition, setting, line and verdict; null in centre, year, edition,
-- setting or line means all of them. A decision without an edition, a line or a calendar year counts only where that
-- is all.
-- The centre is the one that decided; only verdicts that occur have a row. Parameters: none.
with
judged as (
    select
        verdict.guideline,
        verdict.edition_id,
        verdict.verdict,
        decision.centre_id,
        decision.setting,
        decision.line,
        case when not decision.is_relative_calendar then year(decision.decision_date) end as year,
        unnest(
            case
                when patient.is_crlm then ['all', 'metastatic', 'crlm']
                when patient.is_metastatic then ['all', 'metastatic']
                else ['all']
            end
        ) as population
    from cohort.verdict
    inner join cohort.decision on verdict.decision_id = decision.decision_id
    inner join cohort.patient on decision.patient_id = patient.patient_id
),

finest as (
    select
        population,
        centre_id,
        year,
        guideline,
        edition_id,
        setting,
        line,
        verdict,
        count(*) as n
    from judged
    group by population, centre_id, year, guideline, edition_id, setting, line, verdict
),

rolled_up as (
    select
        population,
        centre_id,
        year,
        guideline,
        edition_id,
        setting,
        line,
        verdict,
        sum(n)::bigint as n
    from finest
    group by population, guideline, verdict, cube (centre_id, year, edition_id, setting, line)
    having
        (grouping(year) = 1 or year is not null)
        and (grouping(edition_id) = 1 or edition_id is not null)
        and (grouping(line) = 1 or line is not null)
)

select
    population,
    centre_id,
    year::integer as year,
    guideline,
    edition_id,
    setting,
    line,
    verdict,
    n,
    coalesce(
        sum(n) filter (
            where verdict in (
                'concordant_preferred', 'concordant_alternative',
                'discordant_not_given', 'discordant_not_recommended', 'contraindicated'
            )
        ) over cell,
        0
    )::bigint as n_evaluable,
    (sum(n) over cell)::bigint as n_total
from rolled_up
window cell as (partition by population, centre_id, year, guideline, edition_id, setting, line)
order by all
