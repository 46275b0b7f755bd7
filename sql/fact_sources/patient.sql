-- The patient row that the age rests on.
-- Grain: decision, fact and row. Parameters: none.
select
    decided.decision_id,
    'age' as fact,
    patient.source_file_id,
    'patient' as table_name,
    patient.source_row,
    'year of birth' as reason
from cohort.decision as decided
inner join extract.patient as patient on decided.patient_id = patient.patient_id
where decided.age is not null
