-- The evidence of all results of a patient, undated ones included.
-- Grain: patient with a result. Reads `any_result`. Parameters: none.
select
    patient_id,
    bit_or(ras) as ras,
    bit_or(braf) as braf,
    bit_or(repair) as repair,
    bit_or(her2) as her2,
    bit_or(rare) as rare
from any_result
group by patient_id
order by patient_id
