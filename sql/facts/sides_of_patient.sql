-- On which sides the primaries of a patient lie.
-- Grain: patient with a primary. Reads `primary_tumour`. Parameters: none.
select
    patient_id,
    bool_or(coalesce(side = 'left', false)) as is_left,
    bool_or(coalesce(side = 'right', false)) as is_right,
    bool_or(side is null) as is_unsided
from primary_tumour
group by patient_id
order by patient_id
