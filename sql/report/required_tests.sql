-- Tests that the headline series asked for at decisions on patients with CRLM, by status.
-- Grain: guideline, analyte, centre, is_required and status; null = all. Parameters: headline.
with
asked as (
    select
        required_test.guideline,
        required_test.analyte,
        decision.centre_id,
        case
            when required_test.status in ('in_time', 'late', 'missing') then 'yes'
            when required_test.status = 'not_required' then 'no'
            else 'unknown'
        end as is_required,
        required_test.status,
        count(*) as n
    from cohort.required_test
    inner join cohort.decision on required_test.decision_id = decision.decision_id
    inner join cohort.patient on decision.patient_id = patient.patient_id
    where patient.is_crlm and required_test.guideline = $headline
    group by all
)

select
    guideline,
    analyte,
    centre_id,
    is_required,
    status,
    sum(n)::bigint as n
from asked
group by guideline, analyte, cube (centre_id), grouping sets ((), (is_required), (is_required, status))
order by all
