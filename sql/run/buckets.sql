-- Purpose: the bucket in which each patient is judged; it follows from the id and the number of buckets alone.
-- Grain: patient. Parameters: $bucket_count.
select
    patient_id,
    (('0x' || md5(patient_id)[1:8])::ubigint % $bucket_count)::integer as bucket_no
from extract.patient
order by patient_id
