-- Decisions on patients with CRLM in the two years before and after an edition followed another of its series, that
-- both editions judge: all, and those concordant under each. A what-if for the edition that was not in force.
-- Grain: change (the newer edition), period of 13 weeks (its first day) and view (older, newer; null = all).
-- Parameters: none.
with
editions as (
    select
        edition_id,
        from_date,
        lag(edition_id) over (partition by guideline order by from_date) as edition_before
    from guideline.edition
    where kind = 'recommendation'
),

judged as (
    select
        editions.edition_id as change,
        (editions.from_date + 91 * floor((decision.decision_date - editions.from_date) / 91)::integer)::date::varchar
            as period,
        starts_with(older.verdict, 'concordant') as is_concordant_before,
        starts_with(newer.verdict, 'concordant') as is_concordant_after
    from editions
    inner join cohort.what_if_outcome as older on editions.edition_before = older.edition_id
    inner join cohort.what_if_outcome as newer
        on editions.edition_id = newer.edition_id and older.what_if_no = newer.what_if_no
    inner join cohort.what_if on newer.what_if_no = what_if.what_if_no
    inner join cohort.decision on what_if.decision_id = decision.decision_id
    inner join cohort.patient on decision.patient_id = patient.patient_id
    where
        patient.is_crlm
        and not decision.is_relative_calendar
        and decision.decision_date - editions.from_date between -728 and 727
        and regexp_matches(older.verdict, '^(concordant|discordant|contraindicated)')
        and regexp_matches(newer.verdict, '^(concordant|discordant|contraindicated)')
)

select
    'yes' as is_crlm,
    change,
    period,
    unnest([null, 'older', 'newer']) as view,
    unnest([
        count(*), count(*) filter (where is_concordant_before), count(*) filter (where is_concordant_after)
    ]) as n
from judged
group by change, period
order by all
