-- question: Whose next decision waits for a test?
-- for: analyst
-- columns: patient_id, centre_id, analytes
-- means: Patients whose next step is open and for whom a test that ESMO asks for is missing at the as-of date: the
--   list to work through. It holds patients, so it stays where such data may be.
select
    patient_id,
    centre_id,
    array_agg(analyte order by analyte) as analytes
from mart.missing_tests()
where is_open and status = 'missing'
group by patient_id, centre_id
order by patient_id
