-- Purpose: the patients with a date that is in the future on one of two days and may not be on the other.
-- Grain: patient (unknown: rows without one). Reads the view awaiting_row (patient_id).
select distinct awaiting_row.patient_id
from awaiting_row
