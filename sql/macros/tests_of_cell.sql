-- title: The tests at decisions that a cell of the report's table of required tests counts.
-- grain: decision and test
-- parameter: analyte: e.g. 'extended_ras'
-- parameter: status := null: in_time, late, missing, not_required or unknown; null = all
-- parameter: centre := null: centre_id, or its code in the report; null = all
-- parameter: guideline := 'esmo': series
-- parameter: population := 'crlm': crlm, metastatic or all
-- example: from mart.tests_of_cell('extended_ras', 'late')
select
    asked.decision_id,
    judged.patient_id,
    judged.centre_id,
    asked.test_id,
    asked.status,
    asked.due_date,
    asked.known_date
from cohort.required_test as asked
inner join mart.judged_decision as judged
    on asked.decision_id = judged.decision_id and asked.guideline = judged.guideline
where
    asked.guideline = $guideline
    and asked.analyte = $analyte
    and ($status is null or asked.status = $status)
    and ($centre is null or judged.centre_id = $centre or judged.centre_code = $centre)
    and mart.is_counted($population, judged.is_metastatic, judged.is_crlm)
order by asked.decision_id, asked.test_id
