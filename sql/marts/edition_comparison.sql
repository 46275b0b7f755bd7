-- The same decisions under two recommendation editions, whatever their day and country: a what-if, never the verdict
-- in force. An edition beside itself gives its own distribution.
-- Grain: population, setting (null = both), edition and other edition in every order, verdict under each.
-- Parameters: none.
with
alike as (
    select
        what_if.what_if_no,
        decision.setting,
        count(*) as n_all,
        count(*) filter (where patient.is_metastatic) as n_metastatic,
        count(*) filter (where patient.is_crlm) as n_crlm
    from cohort.what_if
    inner join cohort.decision on what_if.decision_id = decision.decision_id
    inner join cohort.patient on decision.patient_id = patient.patient_id
    group by what_if.what_if_no, decision.setting
),

paired as (
    select
        alike.setting,
        one.edition_id,
        other.edition_id as other_edition_id,
        one.verdict,
        other.verdict as other_verdict,
        sum(alike.n_all)::bigint as n_all,
        sum(alike.n_metastatic)::bigint as n_metastatic,
        sum(alike.n_crlm)::bigint as n_crlm
    from alike
    inner join cohort.what_if_outcome as one on alike.what_if_no = one.what_if_no
    inner join cohort.what_if_outcome as other on alike.what_if_no = other.what_if_no
    group by one.edition_id, other.edition_id, one.verdict, other.verdict, rollup (alike.setting)
),

counted as (
    select
        setting,
        edition_id,
        other_edition_id,
        verdict,
        other_verdict,
        unnest(['all', 'metastatic', 'crlm']) as population,
        unnest([n_all, n_metastatic, n_crlm]) as n
    from paired
)

select
    population,
    setting,
    edition_id,
    other_edition_id,
    verdict,
    other_verdict,
    n,
    (sum(n) over (partition by population, setting, edition_id, other_edition_id))::bigint as n_total
from counted
where n > 0
