-- question: What is the next step for the patients, by pathway and certainty?
-- for: analyst
-- columns: pathway, certainty, basis, n
-- means: Patients with metastases under ESMO. Provisional: an unknown fact could still change the pathway. A null
--   pathway: no rule applies.
select
    pathway,
    certainty,
    basis,
    count(*) as n
from cohort.patient_pathway
where guideline = 'esmo'
group by all
order by n desc, pathway asc, certainty asc, basis asc
