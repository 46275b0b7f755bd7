-- Purpose: the published decisions of patients whose rows are not carried over.
-- Grain: decision of the published run. Reads the table changed (patient_id).
select decision_id
from before.cohort.decision
where patient_id in (select changed.patient_id from changed)
