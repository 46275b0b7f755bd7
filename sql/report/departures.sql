-- Decisions on patients with CRLM against the headline series: by recorded reason where they are out of its scope, by
-- rule where they departed from it, by the smallest set of facts that would decide them where they are not evaluable.
-- Grain: guideline, centre, class and cause; null centre = all. Parameters: headline.
with
judged as (
    select
        verdict.guideline,
        decision.centre_id,
        case
            when starts_with(verdict.verdict, 'discordant') then 'discordant'
            else verdict.verdict
        end as class,
        case
            when verdict.verdict = 'out_of_scope'
                then coalesce(decision.out_of_scope_reason, decision.deviation_reason, 'not_stated')
            when verdict.verdict != 'not_evaluable' then coalesce(verdict.rule_id, 'no rule named')
            when len(verdict.unlocking_facts) = 0 then 'no single fact'
            when len(verdict.unlocking_facts) <= 2 then array_to_string(list_sort(verdict.unlocking_facts), ' + ')
            else 'three facts or more'
        end as cause
    from cohort.verdict
    inner join cohort.decision on verdict.decision_id = decision.decision_id
    inner join cohort.patient on decision.patient_id = patient.patient_id
    where
        patient.is_crlm
        and verdict.guideline = $headline
        and verdict.verdict in (
            'discordant_not_given',
            'discordant_not_recommended',
            'contraindicated',
            'out_of_scope',
            'not_evaluable'
        )
)

select
    guideline,
    'yes' as is_crlm,
    centre_id,
    case when class in ('discordant', 'contraindicated') then 'yes' else 'no' end as is_judged,
    class,
    cause,
    count(*) as n
from judged
group by guideline, class, cause, cube (centre_id)
having grouping(centre_id) = 1 or class in ('out_of_scope', 'not_evaluable')
order by all
