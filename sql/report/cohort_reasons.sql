-- Patients by the reason that put them into the cohort or left them out.
-- Grain: reason. Parameters: none.
select
    cohort_reason,
    count(*) as n
from cohort.patient
group by cohort_reason
order by cohort_reason
