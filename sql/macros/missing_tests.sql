-- title: Tests that a guideline asked for and that were missing or late: who, which, and since when due.
-- grain: decision and test
-- parameter: guideline := 'esmo': series
-- parameter: population := 'crlm': crlm, metastatic or all
-- example: select centre_id, analyte, status, count(*) as n from mart.missing_tests() group by all order by all
select
    decision.centre_id,
    asked.analyte,
    asked.status,
    decision.patient_id,
    asked.decision_id,
    decision.is_open,
    asked.test_id,
    asked.due_date,
    asked.known_date
from cohort.required_test as asked
inner join cohort.decision on asked.decision_id = decision.decision_id
inner join cohort.patient on decision.patient_id = patient.patient_id
where
    asked.guideline = $guideline
    and asked.status in ('missing', 'late')
    and mart.is_counted($population, patient.is_metastatic, patient.is_crlm)
order by decision.centre_id, asked.analyte, asked.status, asked.decision_id
