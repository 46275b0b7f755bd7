-- Patients by the reason that put them into the cohort or left them out, in each population.
-- Grain: is_metastatic, is_crlm and reason; null = all. Parameters: none.
select
    population.is_metastatic,
    population.is_crlm,
    patient.cohort_reason,
    count(*) as n
from cohort.patient as patient
cross join (values (null, null), ('yes', null), ('yes', 'yes')) as population (is_metastatic, is_crlm)
where
    (population.is_metastatic is null or patient.is_metastatic)
    and (population.is_crlm is null or patient.is_crlm)
group by population.is_metastatic, population.is_crlm, patient.cohort_reason
order by all
