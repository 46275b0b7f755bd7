-- Purpose: the patients to be judged, as nothing of them is carried over.
-- Grain: patient. Reads the table changed (patient_id).
select patient_id
from extract.patient
where patient_id in (select changed.patient_id from changed)
order by patient_id
